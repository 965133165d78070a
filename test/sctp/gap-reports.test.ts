/**
 * RFC 9260 §6.7: a SACK at once for each packet over a gap, however many packets come before the host drains. A sender counts
 * the reports (§7.2.4), and sends again what three have missed.
 */
import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { inspect, payload, sent } from './pair.ts';
import { Puppet } from './puppet.ts';
import { allKinds, sackOf } from './wire.ts';

/** What the SACKs among the packets say: `cumulative: blocks`, counted from `base`. */
function reports(packets: readonly Uint8Array[], base: number): string[] {
  return packets
    .map(sackOf)
    .map(({ cumulativeTsn, blocks }) => `${(cumulativeTsn - base) | 0}: ${blocks.join(' ')}`);
}

/** A puppet that has said TSN 5000, and whose SACK has gone out. */
function begun(): Puppet {
  const puppet = new Puppet();
  puppet.say(puppet.data());
  puppet.drain();
  return puppet;
}

describe('several packets before one drain', () => {
  test('E1: each over a gap has a SACK, as it was when the packet came', () => {
    const puppet = begun();
    for (const tsn of [5002, 5003, 5004]) puppet.say(puppet.data({ tsn }));
    expect(reports(sent(puppet.a), 5000)).toEqual(['0: 2 2', '0: 2 3', '0: 2 4']);
    expect(sent(puppet.a)).toEqual([]);
  });

  test('E1: the packet that closes the gap is reported behind them', () => {
    const puppet = begun();
    for (const tsn of [5002, 5003, 5001, 5004]) puppet.say(puppet.data({ tsn }));
    expect(reports(sent(puppet.a), 5000)).toEqual(['0: 2 2', '0: 2 3', '3: ', '4: ']);
  });

  test('E1: the packet that closes the gap is reported at once, if it is the last one as well (RFC 5681 §4.2)', () => {
    const puppet = begun();
    for (const tsn of [5002, 5001]) puppet.say(puppet.data({ tsn }));
    expect(reports(sent(puppet.a), 5000)).toEqual(['0: 2 2', '2: ']);
  });

  test('E1: a packet with a duplicate has one, too', () => {
    const puppet = begun();
    for (const tsn of [5000, 5000, 5001]) puppet.say(puppet.data({ tsn }));
    expect(sent(puppet.a).map((packet) => sackOf(packet).duplicates)).toEqual([[5000], [5000], []]);
  });

  test('E1: for a while after a loss each packet has one, for a SACK may be lost, too; then one says it all again', () => {
    const puppet = begun();
    for (const tsn of [5002, 5001]) puppet.say(puppet.data({ tsn }));
    sent(puppet.a);
    let tsn = 5003;
    const flight = (packets: number): number => {
      for (let i = 0; i < packets; i++) puppet.say(puppet.data({ tsn: tsn++ }));
      return sent(puppet.a).length;
    };
    expect(flight(4)).toBe(4);
    for (let i = 0; i < 15; i++) flight(4);
    expect(flight(4)).toBe(1);
  });

  test('E1: without a gap one SACK says it all', () => {
    const puppet = begun();
    for (let i = 0; i < 8; i++) puppet.say(puppet.data());
    expect(reports(sent(puppet.a), 5000)).toEqual(['8: ']);
    expect(inspect(puppet.a).counters['sacks-merged']).toBe(0);
  });

  test('E1: a packet without data that comes between changes nothing', () => {
    const puppet = begun();
    puppet.say(puppet.data({ tsn: 5002 }));
    puppet.say(encodeChunk(CHUNK.heartbeat, 0, Uint8Array.of(0, 1, 0, 5, 7)));
    puppet.say(puppet.data({ tsn: 5003 }));
    expect(allKinds(sent(puppet.a))).toEqual(['sack', 'heartbeatAck+sack']);
  });

  test('E1: data of ours travels with the last one alone', () => {
    const puppet = begun();
    puppet.a.send(1, { ppid: 53, data: payload(10, 1) });
    for (const tsn of [5002, 5003]) puppet.say(puppet.data({ tsn }));
    expect(allKinds(sent(puppet.a))).toEqual(['sack', 'sack+data']);
  });

  test('E1: a flood of gaps in one drain gets no more SACKs than packets, none above the MTU, and a bounded number', () => {
    const puppet = begun();
    for (let i = 0; i < 1000; i++) puppet.say(puppet.data({ tsn: 5002 + 2 * i }));
    const packets = sent(puppet.a);
    expect(packets).toHaveLength(17);
    for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(1160);
    expect(inspect(puppet.a).counters['sacks-merged']).toBe(1000 - 17);
  });

  test('E1: the end of the association leaves none behind', () => {
    const puppet = begun();
    for (const tsn of [5002, 5003, 5004]) puppet.say(puppet.data({ tsn }));
    puppet.a.abort('over', puppet.now);
    expect(allKinds(sent(puppet.a))).toEqual(['abort']);
  });
});
