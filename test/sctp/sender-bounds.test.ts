/** What a peer's reports can make the sender do: no faster than its ceiling, in the right order, and never into the past. */
import { describe, expect, it } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { PacketWriter } from '../../src/sctp/packet/packet.ts';
import { encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { association } from './pair.ts';
import { Puppet } from './puppet.ts';
import { chunksOf, kinds } from './wire.ts';

const PORTS = { source: 5000, destination: 5000 };

describe('C1: control chunks stand in front of DATA (RFC 9260 §6.10)', () => {
  it('C1: a FORWARD TSN and the next message share a packet, in that order', () => {
    const puppet = new Puppet();
    const { a } = puppet;
    const send = (): boolean =>
      a.send(1, { ppid: 53, data: new Uint8Array(10), unordered: true, maxRetransmits: 0 });
    for (let i = 0; i < 5; i++) send();
    a.handleTimeout(puppet.now);
    while (a.pollTransmit() !== undefined);
    puppet.now += 50;
    // The first is missing: three reports of others, and it is given up.
    puppet.say(puppet.sack(0, { blocks: [2, 5] }));
    send();
    const packets: string[] = [];
    for (let packet = a.pollTransmit(); packet !== undefined; packet = a.pollTransmit()) {
      packets.push(kinds(packet));
    }
    expect(packets).toEqual(['forwardTsn+data']);
    expect(a.invariantViolation()).toBeUndefined();
  });

  it('C1: the writer notes the wrong order, and only that', () => {
    const writer = new PacketWriter();
    const forward = encodeForwardTsn({ newCumulativeTsn: 1, streams: [] });
    const data = (): unknown => writer.beginChunk(CHUNK.data, 3).u32(1).u16(1).u16(0).u32(53).endChunk();
    writer.begin(new Uint8Array(100), 0, 100, PORTS, 1);
    writer.chunk(forward);
    data();
    data();
    // Room in front of data may be filled afterwards: a SACK is.
    writer.begin(new Uint8Array(100), 0, 100, PORTS, 1);
    writer.seek(writer.mark + 8);
    data();
    const end = writer.mark;
    writer.seek(end - 24);
    writer.chunk(forward);
    writer.seek(end);
    expect(writer.isMisordered).toBe(false);
    writer.chunk(forward);
    expect(writer.isMisordered).toBe(true);
  });
});

describe('A10: a peer that acknowledges what has not arrived', () => {
  it.each(['bbr', 'new-reno'] as const)('A10: %s sends no faster than maxRate', (congestion) => {
    const maxRate = 200_000;
    const puppet = new Puppet({ maxRate, congestion });
    const { a } = puppet;
    let bytes = 0;
    let acknowledged = 0;
    const began = puppet.now;
    for (let step = 0; step < 2000; step++) {
      while (a.bufferedAmount(1) < 100_000) a.send(1, { ppid: 53, data: new Uint8Array(1000) });
      for (let packet = a.pollTransmit(); packet !== undefined; packet = a.pollTransmit()) {
        bytes += packet.length;
        acknowledged += chunksOf(packet).filter(({ type }) => type === CHUNK.data).length;
      }
      // At once, as if there were no path: the round trip is nothing, the rate without end.
      puppet.say(puppet.sack(acknowledged));
      puppet.now += 1;
      a.handleTimeout(puppet.now);
    }
    const burst = 40_000;
    expect(bytes).toBeLessThan(maxRate * ((puppet.now - began) / 1000) + burst);
    expect(bytes).toBeGreaterThan(maxRate);
  });

  it('A10: refused options say so', () => {
    expect(() => association(1, { maxRate: 0 })).toThrow('"maxRate"');
    expect(() => association(1, { maxRate: NaN })).toThrow('"maxRate"');
  });
});

describe('A10: the deadline lies ahead', () => {
  it('A10: after a packet that was refused, and with a lifetime of nothing', () => {
    const puppet = new Puppet();
    const { a } = puppet;
    a.send(1, { ppid: 53, data: new Uint8Array(10), maxPacketLifeTime: 0 });
    puppet.now += 5;
    a.handlePacket(new Uint8Array(40), puppet.now);
    expect(a.nextTimeout()).toBeGreaterThan(puppet.now);
    a.handleTimeout(a.nextTimeout());
    expect(a.invariantViolation()).toBeUndefined();
  });
});
