/**
 * Pages that may use relayed addresses alone (`iceTransportPolicy: 'relay'`), with coturn over UDP, TCP and TLS and either kind
 * of credentials.
 */
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { describeForeign } from '../interop/availability.ts';
import { Authority } from '../interop/authority.ts';
import type { RunningPeer } from '../interop/contract.ts';
import {
  Coturn,
  coturnVersion,
  missingCoturn,
  TURN_CREDENTIALS,
  TURN_TRANSPORTS,
} from '../interop/coturn.ts';
import { SansrtcPeers } from '../interop/sansrtc-peers.ts';
import { Talk, type End } from '../interop/talk.ts';
import { BROWSERS, startBrowser } from './browsers.ts';
import { Host } from './host.ts';

const TEN_MEBIBYTES = 10 * 1024 * 1024;

const CASES = TURN_CREDENTIALS.flatMap((credentials) =>
  TURN_TRANSPORTS.map((transport) => [credentials, transport] as const),
);

describeForeign('coturn', missingCoturn(), () => {
  describe.each(BROWSERS)('%s', (browser) => {
    let running: RunningPeer;
    let host: Host;
    const servers = new Map<string, Coturn>();

    beforeAll(async () => {
      for (const credentials of TURN_CREDENTIALS)
        servers.set(credentials, await Coturn.start({ credentials }));
      running = await startBrowser(browser, Authority.ofThisRun());
      host = await Host.listen({ tls: { ca: Authority.ofThisRun().certificate } });
      console.log(`${running.description}, coturn ${coturnVersion()}`);
    });
    afterAll(async () => {
      await running.stop();
      await host.close();
      for (const coturn of servers.values()) await coturn.stop();
    });

    function serverFor(credentials: string): Coturn {
      const coturn = servers.get(credentials);
      if (coturn === undefined) throw new Error(`no server for ${credentials} credentials`);
      onTestFailed(() => console.error(coturn.log));
      return coturn;
    }

    // What proves the server and the browser before anything of ours is in the game.
    test.each(CASES)('with itself, %s credentials, over %s', async (credentials, transport) => {
      const iceServer = serverFor(credentials).iceServer(transport);
      const end: End = {
        peer: running.peer,
        configuration: { iceServers: [iceServer], iceTransportPolicy: 'relay' },
      };
      const talk = await Talk.begin(end, end);
      await talk.expectEcho();
      await talk.close();
    });

    test.each(CASES)(
      'with the library, %s credentials, over %s: 10 MiB each way',
      async (credentials, transport) => {
        const iceServer = serverFor(credentials).iceServer(transport);
        const configuration: RTCConfiguration = { iceServers: [iceServer], iceTransportPolicy: 'relay' };
        const talk = await Talk.begin(
          { peer: running.peer, configuration },
          { peer: new SansrtcPeers(host).peer, configuration },
        );
        await talk.expectTransfer(TEN_MEBIBYTES);
        const [page, library] = talk.names;
        for (const pair of [await talk.offerer.selectedPair(page), await talk.answerer.selectedPair(library)])
          expect(pair.local).toMatchObject({ type: 'relay', relayProtocol: transport });
        await talk.close();
      },
    );
  });
});
