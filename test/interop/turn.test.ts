/**
 * The library behind coturn: relays over UDP, TCP and TLS with either kind of credentials, nonces that go stale, and a server that
 * dies and comes back.
 */
import { afterEach, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { Host } from '../browser/host.ts';
import type { RtcOptions } from '../../src/rtc.ts';
import { Authority } from './authority.ts';
import { describeForeign } from './availability.ts';
import {
  Coturn,
  coturnVersion,
  missingCoturn,
  TURN_CREDENTIALS,
  TURN_TRANSPORTS,
  type CoturnOptions,
  type TurnTransport,
} from './coturn.ts';
import { SansrtcPeers } from './sansrtc-peers.ts';
import { Talk } from './talk.ts';

const MEBIBYTE = 1024 * 1024;

/** One to say a word on while the other carries much. */
const CHANNELS = [{ label: 'chat' }, { label: 'bulk' }];

const CASES = TURN_CREDENTIALS.flatMap((credentials) =>
  TURN_TRANSPORTS.map((transport) => [credentials, transport] as const),
);

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

describeForeign('coturn', missingCoturn(), () => {
  const closing: (() => Promise<void>)[] = [];

  beforeAll(() => console.log(`coturn ${coturnVersion()}`));
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function startCoturn(options: CoturnOptions = {}): Promise<Coturn> {
    const coturn = await Coturn.start(options);
    closing.push(() => coturn.stop());
    onTestFailed(() => console.error(coturn.log));
    return coturn;
  }

  /** The library behind a socket of its own. */
  async function startPeers(options: Partial<RtcOptions> = {}): Promise<SansrtcPeers> {
    const host = await Host.listen({ tls: { ca: Authority.ofThisRun().certificate } });
    closing.push(() => host.close());
    return new SansrtcPeers(host, options);
  }

  function configurationOf(
    coturn: Coturn,
    transport: TurnTransport,
    iceTransportPolicy: RTCIceTransportPolicy = 'relay',
  ): RTCConfiguration {
    return { iceServers: [coturn.iceServer(transport)], iceTransportPolicy };
  }

  test.each(CASES)('%s credentials, over %s: 10 MiB each way', async (credentials, transport) => {
    const coturn = await startCoturn({ credentials });
    const configuration = configurationOf(coturn, transport);
    const ends = [await startPeers(), await startPeers()] as const;
    const talk = await Talk.begin(
      { peer: ends[0].peer, configuration },
      { peer: ends[1].peer, configuration },
    );
    await talk.expectTransfer(10 * MEBIBYTE);
    for (const [i, end] of ends.entries()) {
      const pair = await end.peer.selectedPair(talk.names[i === 0 ? 0 : 1]);
      expect(pair).toMatchObject({
        local: { type: 'relay', relayProtocol: transport },
        remote: { type: 'relay' },
      });
    }
    await talk.close();
  });

  test('a nonce that is stale by the next request is taken anew', async () => {
    const coturn = await startCoturn({ staleNonce: 1 });
    const configuration = configurationOf(coturn, 'udp');
    const [ours, theirs, others] = [await startPeers(), await startPeers(), await startPeers()];
    const first = await Talk.begin({ peer: ours.peer, configuration }, { peer: theirs.peer, configuration });
    await sleep(2500);
    // The same allocation, and a permission for another peer.
    const second = await Talk.begin({ peer: ours.peer, configuration }, { peer: others.peer, configuration });
    await first.expectTransfer(MEBIBYTE);
    await second.expectTransfer(MEBIBYTE);
    expect(coturn.logged('error 438')).toBeGreaterThan(0);
  });

  describe.each(TURN_TRANSPORTS)(
    'reached over %s, killed in the middle of a transfer and started again',
    (transport) => {
      test('with a direct path: nothing is lost', async () => {
        const coturn = await startCoturn();
        const configuration = configurationOf(coturn, transport, 'all');
        const ends = [await startPeers(), await startPeers()] as const;
        const talk = await Talk.begin(
          { peer: ends[0].peer, configuration },
          { peer: ends[1].peer, configuration },
          { channels: CHANNELS },
        );
        const transfer = talk.expectTransfer(10 * MEBIBYTE, 'bulk');
        await sleep(50);
        await coturn.kill();
        await sleep(200);
        await coturn.restart();
        await transfer;
        await talk.expectEcho();
      });

      test('without one: back within ten seconds of the server, nothing is lost', async () => {
        const coturn = await startCoturn();
        const configuration = configurationOf(coturn, transport);
        const ends = [await startPeers(), await startPeers()] as const;
        const talk = await Talk.begin(
          { peer: ends[0].peer, configuration },
          { peer: ends[1].peer, configuration },
          { channels: CHANNELS },
        );
        for (const [from, to] of [
          [0, 1],
          [1, 0],
        ] as const)
          ends[from].connection(talk.names[from]).onCandidate = (line) =>
            void ends[to].peer.addCandidate(talk.names[to], line);
        const transfer = talk.expectTransfer(10 * MEBIBYTE, 'bulk');
        await sleep(50);
        await coturn.kill();
        await sleep(1000);
        await coturn.restart();
        const back = performance.now();
        await talk.restart('offerer');
        await talk.expectEcho();
        console.log(`over ${transport}: back after ${Math.round(performance.now() - back)} ms`);
        expect(performance.now() - back).toBeLessThan(10_000);
        await transfer;
      });
    },
  );
});
