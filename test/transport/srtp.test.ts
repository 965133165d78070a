/** SRTP in a transport: whole paths, with ICE and DTLS. */
import { describe, expect, it } from 'vitest';
import { isRtcp } from '../../src/transport/first-byte.ts';
import type { SrtpProfile } from '../../src/srtp/index.ts';
import { srtpSupport } from '../../src/srtp/index.ts';
import { PROFILES, makeRtcp, makeRtp } from '../srtp/packets.ts';
import { Ends, Source } from './ends.ts';

const BYE = Uint8Array.of(0x81, 203, 0, 1, 0, 0, 0, 1);
const LOCAL_CLOSE = { layer: 'rtc', code: 'local-close', message: 'closed by this end' } as const;

function keyed(): Ends {
  return new Ends(srtpSupport(), srtpSupport()).run();
}

/** SRTP of `sequence` as end a sends it; it does not travel. */
function sealed(ends: Ends, sequence: number): Uint8Array {
  const source = new Source('rtp');
  source.packets.push(makeRtp({ sequence }).packet);
  const transmit = ends.a.transport.seal(source, ends.a.clock.now);
  if (transmit === undefined) throw new Error('not sealed');
  return transmit.data;
}

describe('a transport with SRTP', () => {
  it.each([
    ['given away', true],
    ['not given away', false],
  ])('carries RTP, RTCP and SCTP both ways, each by its kind; datagrams are %s', (_, owned) => {
    const ends = keyed();
    const { packet } = makeRtp({ sequence: 7, extension: 1 });
    const compound = makeRtcp(1, new Uint8Array(24));
    const chunk = new Uint8Array(40).fill(9);
    for (const { rtp, rtcp, sctp } of [ends.a, ends.b]) {
      rtp.packets.push(packet);
      rtcp.packets.push(compound);
      sctp.packets.push(chunk);
    }
    ends.run(50, owned);
    for (const { received, tapped } of [ends.a, ends.b]) {
      const expected = [
        { kind: 'rtcp', packet: compound },
        { kind: 'rtp', packet },
        { kind: 'sctp', packet: chunk },
      ];
      expect(received).toEqual(expected);
      for (const direction of ['in', 'out']) {
        const seen = tapped.filter((passed) => passed.direction === direction);
        expect(seen).toEqual(expected.map((one) => ({ ...one, direction })));
      }
    }
  });

  it.each(PROFILES)('agrees on %s where one end wants it alone, and says so', (profile) => {
    const ends = new Ends(srtpSupport({ profiles: [profile] }), srtpSupport()).run();
    ends.a.rtp.packets.push(makeRtp({ sequence: 1 }).packet);
    ends.run(50);
    expect(ends.b.received).toHaveLength(1);
    for (const { transport } of [ends.a, ends.b]) {
      expect(transport.inspect().srtp?.profile).toBe(profile);
      expect(transport.stats().srtpProfile).toBe(profile);
      const isGcm = profile.includes('GCM');
      expect(transport.facts.srtpOverhead?.rtcp).toBe(isGcm ? 20 : 14);
    }
  });

  it('the server prefers its own order, the client says which it has', () => {
    const order: readonly SrtpProfile[] = ['SRTP_AES128_CM_HMAC_SHA1_80', 'SRTP_AEAD_AES_128_GCM'];
    const ends = new Ends(srtpSupport(), srtpSupport({ profiles: order })).run();
    expect(ends.a.transport.stats().srtpProfile).toBe(order[0]);
  });

  it('without it profiles are offered as before, nothing is keyed, and RTP is dropped', () => {
    const ends = new Ends(srtpSupport(), undefined).run();
    expect(ends.b.transport.inspect().dtls?.srtpCipher).toBe('SRTP_AEAD_AES_128_GCM');
    ends.a.rtp.packets.push(makeRtp({ sequence: 1 }).packet);
    ends.b.rtp.packets.push(makeRtp({ sequence: 1 }).packet);
    ends.run(50);
    expect(ends.b.transport.inspect()).toMatchObject({ srtp: null, counters: { droppedRtp: 1 } });
    expect(ends.b.transport.facts.srtpOverhead).toBeUndefined();
    expect(ends.b.transport.stats().srtpProfile).toBeUndefined();
    expect([ends.a.received, ends.b.received]).toEqual([[], []]);
    expect(ends.b.rtp.packets).toHaveLength(1);
  });

  it('takes none before it is keyed, and asks no source for any', () => {
    const early = sealed(keyed(), 1);
    const ends = new Ends(srtpSupport(), srtpSupport());
    ends.b.rtp.packets.push(makeRtp({ sequence: 1 }).packet);
    ends.b.receive(early);
    expect(ends.b.transport.inspect().counters).toMatchObject({ droppedUnkeyedRtp: 1 });
    expect(ends.b.transport.seal(ends.b.rtp, 0)).toBeUndefined();
    expect(ends.b.rtp.packets).toHaveLength(1);
  });

  it('takes none from a path that ICE has not validated', () => {
    const ends = keyed();
    const datagram = sealed(ends, 1);
    ends.b.receive(datagram, false, 4000);
    ends.b.poll();
    expect(ends.b.received).toEqual([]);
    expect(ends.b.transport.inspect()).toMatchObject({
      counters: { droppedUnvalidatedPath: 1 },
      srtp: { counters: { unprotectedRtp: 0, notAuthentic: 0 } },
    });
    ends.b.receive(datagram);
    ends.b.poll();
    expect(ends.b.received).toHaveLength(1);
  });

  it('answers nothing that is not authentic, and keeps nothing of it', () => {
    const ends = keyed();
    const { transport } = ends.b;
    const genuine = sealed(ends, 1);
    ends.run(50);
    for (let i = 0; i < 500; i++) {
      const forged = genuine.slice();
      forged[11] = i;
      forged[3] = i >> 3;
      forged[20]! ^= 1;
      ends.b.receive(forged, i % 2 === 0);
      expect(transport.hasPackets).toBe(false);
      expect(transport.queuedEvents).toBe(0);
      expect(ends.b.poll()).toBeUndefined();
    }
    expect(transport.inspect()).toMatchObject({
      undeliveredRtp: 0,
      srtp: { sources: { remote: 0 }, counters: { notAuthentic: 500 } },
    });
    ends.b.receive(genuine);
    ends.b.poll();
    expect(ends.b.received).toHaveLength(1);
  });

  it('does not write into a datagram that is not given away', () => {
    const ends = keyed();
    const datagram = sealed(ends, 1);
    const before = datagram.slice();
    ends.b.receive(datagram);
    ends.b.poll();
    expect(datagram).toEqual(before);
    expect(ends.b.received[0]?.packet.buffer).not.toBe(datagram.buffer);
    const owned = sealed(ends, 2);
    ends.b.receive(Buffer.from(owned.buffer, owned.byteOffset, owned.length), true);
    ends.b.poll();
    expect(ends.b.received[1]?.packet.buffer).toBe(owned.buffer);
    expect(ends.b.received[1]?.packet.constructor).toBe(Uint8Array);
  });

  it('of what nobody fetches it keeps so much and no more', () => {
    const ends = keyed();
    for (let sequence = 0; sequence < 1030; sequence++) ends.b.receive(sealed(ends, sequence));
    expect(ends.b.transport.inspect()).toMatchObject({
      undeliveredRtp: 1024,
      counters: { droppedUndeliveredRtp: 6 },
    });
    ends.b.poll();
    expect(ends.b.received).toHaveLength(1024);
  });

  it('datagrams that are sent share no byte, and nothing plain is left in their memory', () => {
    const ends = keyed();
    const { packet } = makeRtp({ sequence: 1, payload: new Uint8Array(600).fill(0x5a) });
    const first = sealed(ends, 1);
    const copy = first.slice();
    ends.a.rtp.packets.push(packet.subarray(0, 5), packet.subarray(0, 11));
    // Refused packets do not hold up what comes after them.
    ends.a.rtp.packets.push(makeRtp({ sequence: 2, payload: new Uint8Array(600).fill(0x5a) }).packet);
    const second = ends.a.transport.seal(ends.a.rtp, 0)?.data;
    expect(second).toHaveLength(628);
    expect(first).toEqual(copy);
    for (const { buffer } of [first, second ?? first]) {
      expect(Buffer.from(buffer).includes(Buffer.alloc(32, 0x5a))).toBe(false);
    }
    expect(ends.a.transport.inspect().srtp?.counters.malformed).toBe(2);
  });

  it('farewells go before close_notify, and the keys with the end', () => {
    const ends = keyed();
    ends.a.rtcp.packets.push(BYE);
    const bye = ends.a.transport.seal(ends.a.rtcp, ends.a.clock.now)?.data;
    const late = sealed(ends, 9);
    ends.a.close(LOCAL_CLOSE);
    expect(bye && isRtcp(bye)).toBe(true);
    expect(ends.a.transport.pollRecord()).toBeDefined();
    ends.a.rtp.packets.push(makeRtp({ sequence: 10 }).packet);
    expect(ends.a.transport.seal(ends.a.rtp, 0)).toBeUndefined();
    expect(ends.a.transport.inspect()).toMatchObject({ srtp: null, undeliveredRtp: 0 });
    // The stats stay as they were.
    expect(ends.a.transport.stats().srtpProfile).toBe('SRTP_AEAD_AES_128_GCM');
    ends.b.receive(bye ?? late);
    ends.b.close(LOCAL_CLOSE);
    ends.b.receive(late);
    ends.b.poll();
    expect(ends.b.received).toEqual([]);
    expect(ends.b.transport.inspect().counters).toMatchObject({ droppedUnkeyedRtp: 1 });
  });

  it('RFC 5761 §4: what is RTCP', () => {
    const kinds = Array.from({ length: 256 }, (_, second) => isRtcp(Uint8Array.of(0x80, second)));
    expect(kinds.map((is, second) => (is ? second : -1)).filter((second) => second >= 0)).toEqual(
      Array.from({ length: 32 }, (_, i) => 192 + i),
    );
    expect(isRtcp(Uint8Array.of(0x80))).toBe(false);
  });
});
