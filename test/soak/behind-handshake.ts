/**
 * Fuzzing behind the handshake: valid packets of a running association, mutated and given their checksum back, among the
 * real ones. Nothing throws, nothing grows, nothing hangs; an association may end, then a new one takes its place.
 */
import { SeededRandom } from '../../src/core/random.ts';
import { assertInvariants, inspect, Pair, payload } from '../sctp/pair.ts';
import { rechecksummed } from '../sctp/wire.ts';

/** Runs one association under fire; the packets that were forged. */
export function fuzzAssociation(seed: number): number {
  const random = new SeededRandom(seed).split('fuzz');
  const below = (limit: number): number => Math.floor(random.unit() * limit);
  const pair = new Pair({
    seed,
    check: false,
    link: { delay: 5, jitter: 10, loss: 0.02 },
    a: { interleaving: seed % 2 === 0, receiveWindow: 300_000 },
    b: { interleaving: true, receiveWindow: 300_000 },
  }).connect();
  const seen: Uint8Array[] = [];
  let forged = 0;
  pair.filter = (from, packet) => {
    if (seen.length < 200) seen.push(packet.slice());
    else seen[below(200)] = packet.slice();
    const original = seen[below(seen.length)];
    const victim = pair.end(from === 0 ? 1 : 0);
    if (original !== undefined && random.unit() < 0.5) {
      forged++;
      victim.handlePacket(rechecksummed(mutated(original, below)), pair.now);
      assertInvariants(victim);
      const { receive, events } = inspect(victim);
      if ((receive?.usedBytes ?? 0) > 2 * 300_000 + 262_144) throw new Error('the window is overrun');
      if (events > 20_000) throw new Error('events grow');
    }
    return true;
  };
  for (let i = 0; i < 60 && pair.a.state === 'established' && pair.b.state === 'established'; i++) {
    const end = pair.end(random.unit() < 0.5 ? 0 : 1);
    end.send(below(6), {
      ppid: 53,
      data: payload(1 + below(6000), i),
      unordered: random.unit() < 0.3,
      ...(random.unit() < 0.3 ? { maxRetransmits: below(3) } : {}),
    });
    if (random.unit() < 0.1) end.resetStreams([below(6)]);
    pair.runFor(below(40));
  }
  // Whatever the forgeries have done, each end comes to rest or to its end by itself.
  pair.filter = undefined;
  pair.runFor(200_000);
  for (const end of [pair.a, pair.b]) {
    assertInvariants(end);
    const { outstandingChunks, bufferedBytes } = inspect(end).send;
    if (end.state === 'established' && outstandingChunks + bufferedBytes > 0) throw new Error('it hangs');
  }
  return forged;
}

/** A copy with a few bytes behind the common header changed, cut or doubled. The tag stays: it is behind the handshake. */
function mutated(packet: Uint8Array, below: (limit: number) => number): Uint8Array {
  let copy: Uint8Array = packet.slice();
  for (let edits = 1 + below(3); edits > 0; edits--) {
    const at = 12 + below(Math.max(1, copy.length - 12));
    switch (below(4)) {
      case 0:
        copy = copy.slice(0, Math.max(16, at & ~3));
        break;
      case 1:
        copy = Uint8Array.of(...copy, ...copy.subarray(12, 12 + (below(40) & ~3)));
        break;
      default:
        copy[at] = below(256);
    }
  }
  return copy;
}
