/**
 * Pages that may use relayed addresses alone (`iceTransportPolicy: 'relay'`), with coturn over UDP, TCP and TLS and either kind
 * of credentials.
 */
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { describeForeign } from '../interop/availability.ts';
import { Authority } from '../interop/authority.ts';
import type { ForeignPeer, RunningPeer } from '../interop/contract.ts';
import {
  Coturn,
  coturnVersion,
  missingCoturn,
  TURN_CREDENTIALS,
  TURN_TRANSPORTS,
} from '../interop/coturn.ts';
import { BROWSERS, startBrowser } from './browsers.ts';

const CASES = TURN_CREDENTIALS.flatMap((credentials) =>
  TURN_TRANSPORTS.map((transport) => [credentials, transport] as const),
);

let meetings = 0;

/** Two connections of one page, each with a relayed address; a message each way. */
async function talkToItself(peer: ForeignPeer, configuration: RTCConfiguration): Promise<void> {
  const [a, b] = [`a ${++meetings}`, `b ${meetings}`];
  for (const name of [a, b]) await peer.configure(name, configuration);
  await peer.offer(a, [{ label: 'chat' }]);
  await peer.answer(b, await peer.completeDescription(a));
  await peer.acceptAnswer(a, await peer.completeDescription(b));
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    await peer.send(from, 'chat', { text: `from ${from}` });
    expect(await peer.receive(to, 'chat')).toEqual({ text: `from ${from}` });
    expect(await peer.selectedPair(to)).toMatchObject({ local: { type: 'relay' } });
    await peer.drain(to, 'chat');
  }
  for (const name of [a, b]) await peer.close(name);
}

describeForeign('coturn', missingCoturn(), () => {
  describe.each(BROWSERS)('%s', (browser) => {
    let running: RunningPeer;
    const servers = new Map<string, Coturn>();

    beforeAll(async () => {
      for (const credentials of TURN_CREDENTIALS)
        servers.set(credentials, await Coturn.start({ credentials }));
      running = await startBrowser(browser, Authority.ofThisRun());
      console.log(`${running.description}, coturn ${coturnVersion()}`);
    });
    afterAll(async () => {
      await running.stop();
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
      await talkToItself(running.peer, { iceServers: [iceServer], iceTransportPolicy: 'relay' });
    });
  });
});
