/** F2e: connections that nobody holds any more are collected, whatever they were waiting for. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SctpAssociation } from '../../src/sctp/index.ts';
import { Rtc, SeededRandom } from '../../src/index.ts';
import { certificates, channel, makeOpenPair } from '../rtc/pair.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of heap and buffers in use after a collection. */
function heap(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Makes an `Rtc` with channels and no peer, in the middle of its checks, and forgets it. */
function abandonConnecting(seed: number): void {
  const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(seed) });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 5000 });
  const draft = rtc.negotiation();
  draft.addChannel('chat');
  draft.offer();
  rtc.start({
    ice: { usernameFragment: 'dead', password: 'deadpeerdeadpeerdeadpeer' },
    iceRole: 'controlling',
    dtlsRole: 'client',
    fingerprints: [certificates[1].fingerprint],
  });
  rtc.addRemoteCandidate('candidate:1 1 udp 2130706431 192.0.2.9 9 typ host');
  for (let now = 0; now < 1000; now += 250) {
    rtc.handleInput({ type: 'timeout', now });
    while (rtc.pollOutput().type !== 'timeout');
  }
}

/** An association in the middle of a transfer to a peer that is gone, with messages queued that were asked about. */
function abandonSending(seed: number): void {
  const ends = [1, 2].map((i) => new SctpAssociation({ random: new SeededRandom(seed * 2 + i) }));
  const [a, b] = ends;
  if (a === undefined || b === undefined) return;
  for (const end of ends) end.connect(0);
  for (let i = 0; i < 4; i++) {
    for (const [from, to] of [[a, b] as const, [b, a] as const]) {
      for (let packet = from.pollTransmit(); packet !== undefined; packet = from.pollTransmit())
        to.handlePacket(packet, 10);
    }
  }
  for (let i = 0; i < 20; i++)
    a.send(i, { ppid: 53, data: new Uint8Array(2000), token: i, maxPacketLifeTime: 60_000 });
  a.handleTimeout(20);
  while (a.pollTransmit() !== undefined);
  a.handleTimeout(1000);
}

/** Whole connections that were open, and whose peer went away in the middle of a transfer. */
function abandonOpen(seed: number): void {
  const { net, offerer, answerer } = makeOpenPair({ seed });
  answerer.peer.detach();
  for (let i = 0; i < 20; i++) channel(offerer).send(new Uint8Array(10_000), { id: i });
  net.advance(500);
}

/**
 * Bytes of heap that `count` abandoned connections leave behind, over those that a first lot of a tenth leaves: code and
 * caches, which come with the first use, do not count.
 */
export function heapGrowth(count: number): number {
  const abandon = (from: number, to: number): void => {
    for (let seed = from; seed < to; seed++) {
      if (seed % 100 === 0) abandonOpen(seed);
      else if (seed % 2 === 0) abandonSending(seed);
      else abandonConnecting(seed);
    }
  };
  abandon(0, count / 10);
  const before = heap();
  abandon(count / 10, count + count / 10);
  return heap() - before;
}
