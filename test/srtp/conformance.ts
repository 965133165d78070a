/** What SRTP must do under every profile and on every provider. */
import { describe, expect, it } from 'vitest';
import { writeU16, writeU32 } from '../../src/core/bytes.ts';
import { toHex } from '../../src/core/text.ts';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import type { Srtp, SrtpCounter, SrtpProfile } from '../../src/srtp/index.ts';
import { freshSeed } from '../seed.ts';
import { createSrtp } from '../../src/srtp/index.ts';
import { Dice, MasterKeys, PROFILES, makePair, makeRtcp, makeRtp, protect, unprotect } from './packets.ts';
import { Reference } from './reference.ts';

function count(srtp: Srtp, counter: SrtpCounter): number {
  return srtp.inspect().counters[counter];
}

/** Compared as text: a list of a thousand numbers takes its time. */
function expectBytes(got: Uint8Array | undefined, expected: Uint8Array): void {
  expect(got && toHex(got)).toBe(toHex(expected));
}

/** The suite, for `crypto`. */
export function describeConformance(crypto: CryptoProvider): void {
  describe.each(PROFILES)('%s', (profile) => {
    describePackets(crypto, profile);
    describeIndices(crypto, profile);
    describeBounds(crypto, profile);
    describeBadPackets(crypto, profile);
  });
}

function describePackets(crypto: CryptoProvider, profile: SrtpProfile): void {
  it('makes of random packets what the reference makes of them, and opens what that has made', () => {
    const seed = freshSeed(`SRTP beside node:crypto, ${profile}`);
    const dice = new Dice(seed);
    const keys = new MasterKeys(profile, seed);
    const [ours, theirs] = [keys.create(crypto, 0), keys.create(crypto, 1)];
    const reference = new Reference(profile, keys.of(0));
    for (let i = 0; i < 300; i++) {
      const index = 2 * i + dice.below(2);
      const payload = dice.bytes([0, 1, 15, 16, 17, 160, 1100, 2100, dice.below(1500)][dice.below(9)] ?? 0);
      const { packet, headerLength } = makeRtp({
        sequence: index,
        ssrc: 1 + dice.below(4),
        csrcs: dice.below(16),
        ...(dice.below(2) === 0 ? {} : { extension: dice.below(30) }),
        payload,
      });
      const expected = reference.protectRtp(packet, headerLength, 0);
      expectBytes(protect(ours, 'rtp', packet), expected);
      expectBytes(unprotect(theirs, 'rtp', expected), packet);

      const compound = makeRtcp(1 + dice.below(4), dice.bytes(dice.below(1400)));
      const sealed = reference.protectRtcp(compound, i);
      expectBytes(protect(ours, 'rtcp', compound), sealed);
      expectBytes(unprotect(theirs, 'rtcp', sealed), compound);
    }
    expect(theirs.inspect().counters).toMatchObject({
      unprotectedRtp: 300,
      unprotectedRtcp: 300,
      replayed: 0,
    });
  });

  it('works where the packet lies, and touches nothing around it', () => {
    const [ours, theirs] = makePair(crypto, profile);
    for (const [sequence, offset] of [
      [1, 0],
      [2, 13],
      [3, 5000],
    ] as const) {
      const { packet } = makeRtp({ sequence });
      const buffer = new Uint8Array(10_000).fill(0xaa);
      buffer.set(packet, offset);
      const length = ours.protectRtp(buffer, offset, packet.length);
      expect(length).toBe(packet.length + ours.overhead.rtp);
      const around = [...buffer.subarray(0, offset), ...buffer.subarray(offset + length)];
      expect(around.every((byte) => byte === 0xaa)).toBe(true);
      expect(buffer.subarray(offset, offset + 12)).toEqual(packet.subarray(0, 12));
      expect(unprotect(theirs, 'rtp', buffer.subarray(offset, offset + length))).toEqual(packet);
    }
  });

  it('RFC 3711 §3.4: takes RTCP that is authenticated and not encrypted', () => {
    const keys = new MasterKeys(profile, 3);
    const reference = new Reference(profile, keys.of(0));
    const theirs = keys.create(crypto, 1);
    const compound = makeRtcp(5, Uint8Array.of(1, 2, 3, 4));
    const sealed = reference.protectRtcp(compound, 9, false);
    for (let at = 0; at < sealed.length; at++) {
      const forged = new Uint8Array(sealed);
      forged[at]! ^= 1;
      expect(unprotect(theirs, 'rtcp', forged), `byte ${at}`).toBeUndefined();
    }
    expect(unprotect(theirs, 'rtcp', sealed)).toEqual(compound);
  });

  it('takes the shortest RTCP that there is: a report of nothing', () => {
    const [ours, theirs] = makePair(crypto, profile);
    const report = makeRtcp(5, new Uint8Array(0));
    expect(unprotect(theirs, 'rtcp', protect(ours, 'rtcp', report) ?? report)).toEqual(report);
  });

  it('says what a packet grows by, and wants room for it', () => {
    const [ours] = makePair(crypto, profile);
    const tag = { GCM: 16, _80: 10, _32: 4 }[profile.slice(-3)] ?? 0;
    // RFC 5764 §4.1.2: RTCP has 80 bits with either of the two profiles of RFC 3711.
    expect(ours.overhead).toEqual({ rtp: tag, rtcp: profile.includes('GCM') ? 20 : 14 });
    const { packet } = makeRtp({ sequence: 1 });
    const before = ours.inspect();
    const tight = new Uint8Array(packet.length + tag - 1);
    const error: unknown = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' });
    expect(() => ours.protectRtp(tight, 0, packet.length)).toThrow(error);
    expect(() => ours.protectRtcp(tight, 0, packet.length)).toThrow(error);
    expect(() => ours.protectRtp(new Uint8Array(1000), -1, 40)).toThrow(error);
    expect(() => ours.protectRtp(new Uint8Array(1000), 0, NaN)).toThrow(error);
    expect(ours.inspect()).toEqual(before);
  });
}

function describeIndices(crypto: CryptoProvider, profile: SrtpProfile): void {
  it('RFC 3711 §3.3.1: the roll-over counter follows wraps, through loss, reordering and repetition', () => {
    const seed = freshSeed(`SRTP over wraps, ${profile}`);
    const dice = new Dice(seed);
    const keys = new MasterKeys(profile, seed);
    const [ours, theirs] = [keys.create(crypto, 0), keys.create(crypto, 1)];
    const reference = new Reference(profile, keys.of(0));
    const waiting: { readonly index: number; readonly packet: Uint8Array; readonly sealed: Uint8Array }[] =
      [];
    let index = 63_000;
    for (let i = 0; i < 400; i++) {
      index += 1 + (dice.below(10) === 0 ? dice.below(300) : 0);
      const { packet, headerLength } = makeRtp({ sequence: index % 65_536, payload: Uint8Array.of(i) });
      const sealed = protect(ours, 'rtp', packet);
      const expected = reference.protectRtp(packet, headerLength, Math.floor(index / 65_536));
      expectBytes(sealed, expected);
      waiting.push({ index, packet, sealed: expected });
      if (waiting.length < 8) continue;
      const [next] = waiting.splice(dice.below(waiting.length), 1);
      if (next === undefined || dice.below(10) === 0) continue;
      // What is behind the window of 1024 is refused, as it might have been seen.
      const opened = unprotect(theirs, 'rtp', next.sealed);
      if (opened !== undefined) expectBytes(opened, next.packet);
      expect(unprotect(theirs, 'rtp', next.sealed)).toBeUndefined();
    }
    expect(index).toBeGreaterThan(65_536);
    const { unprotectedRtp, replayed, notAuthentic } = theirs.inspect().counters;
    expect(notAuthentic).toBe(0);
    expect(unprotectedRtp).toBeGreaterThan(200);
    expect(replayed).toBeGreaterThanOrEqual(unprotectedRtp);
  });

  it('exactly at a wrap: 65535 may come before and after 0', () => {
    for (const order of [
      [65_534, 65_535, 65_536, 65_537],
      [65_536, 65_535, 65_537, 65_534],
      [65_534, 65_536, 65_537, 65_535],
    ]) {
      const [ours, theirs] = makePair(crypto, profile);
      const sealed = new Map<number, Uint8Array>();
      for (const index of [65_533, 65_534, 65_535, 65_536, 65_537]) {
        const { packet } = makeRtp({ sequence: index % 65_536 });
        sealed.set(index, protect(ours, 'rtp', packet) ?? new Uint8Array());
      }
      for (const index of [65_533, ...order]) {
        const opened = unprotect(theirs, 'rtp', sealed.get(index) ?? new Uint8Array());
        expect(opened, `${index} of ${order.join()}`).toBeDefined();
      }
    }
  });

  it('each source has a roll-over counter of its own', () => {
    const [ours, theirs] = makePair(crypto, profile);
    for (const index of [65_535, 65_536, 65_537]) {
      for (const ssrc of [1, 2]) {
        const { packet } = makeRtp({ sequence: ssrc === 1 ? index % 65_536 : index - 65_500, ssrc });
        const sealed = protect(ours, 'rtp', packet);
        expect(unprotect(theirs, 'rtp', sealed ?? packet)).toEqual(packet);
      }
    }
  });

  it('RFC 3711 §3.3.2: a packet is taken once, and none from behind the window', () => {
    const [ours, theirs] = makePair(crypto, profile, { replayWindow: 64 });
    const sealed: Uint8Array[] = [];
    for (let sequence = 0; sequence < 200; sequence++) {
      sealed.push(protect(ours, 'rtp', makeRtp({ sequence }).packet) ?? new Uint8Array());
    }
    const take = (sequence: number): boolean =>
      unprotect(theirs, 'rtp', sealed[sequence] ?? new Uint8Array()) !== undefined;
    expect([take(100), take(100), take(99), take(99), take(37), take(36), take(35)]).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
    expect([take(199), take(136), take(135), take(100), take(136)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(count(theirs, 'replayed')).toBe(7);
    for (let i = 0; i < 3; i++) {
      const compound = protect(ours, 'rtcp', makeRtcp(1, new Uint8Array(4)));
      expect(unprotect(theirs, 'rtcp', compound ?? new Uint8Array())).toBeDefined();
      expect(unprotect(theirs, 'rtcp', compound ?? new Uint8Array())).toBeUndefined();
    }
    expect(count(theirs, 'replayed')).toBe(10);
  });

  it('RFC 3711 §9.1: one index has one packet: again as it was, and not with other bytes', () => {
    const [ours, theirs] = makePair(crypto, profile);
    const { packet } = makeRtp({ sequence: 1, extension: 1 });
    const first = protect(ours, 'rtp', packet);
    expect(protect(ours, 'rtp', packet)).toEqual(first);
    const changed = packet.slice();
    changed[17]! ^= 1;
    const buffer = new Uint8Array(changed.length + ours.overhead.rtp);
    buffer.set(changed);
    expect(ours.protectRtp(buffer, 0, changed.length)).toBe(-1);
    expect(buffer).toEqual(new Uint8Array(buffer.length));
    expect(count(ours, 'indexReused')).toBe(1);
    // What is left out may come later; what is too old to tell may not.
    for (const sequence of [1500, 1400])
      expect(protect(ours, 'rtp', makeRtp({ sequence }).packet)).toBeDefined();
    expect(protect(ours, 'rtp', packet)).toBeUndefined();
    expect(protect(ours, 'rtp', makeRtp({ sequence: 2 }).packet)).toBeUndefined();
    expect(count(ours, 'indexReused')).toBe(3);
    expect(unprotect(theirs, 'rtp', first ?? packet)).toEqual(packet);
  });
}

function describeBounds(crypto: CryptoProvider, profile: SrtpProfile): void {
  it('RFC 3711 §9.2: a key that is worn out protects nothing more', () => {
    const [ours] = makePair(crypto, profile, { maxRtpPackets: 3, maxRtcpPackets: 2 });
    const rtp = [0, 1, 2, 3, 4].map((sequence) => protect(ours, 'rtp', makeRtp({ sequence }).packet));
    expect(rtp.map((sealed) => sealed !== undefined)).toEqual([true, true, true, false, false]);
    const compound = makeRtcp(1, new Uint8Array(4));
    expect([1, 2, 3].map(() => protect(ours, 'rtcp', compound) !== undefined)).toEqual([true, true, false]);
    expect(count(ours, 'keyWornOut')).toBe(3);
  });

  it('keeps so many sources each way; the one longest unused makes room, and goes on where it was', () => {
    const [ours, theirs] = makePair(crypto, profile, { maxSources: 3 });
    const carry = (ssrc: number, sequence: number): boolean => {
      const sealed = protect(ours, 'rtp', makeRtp({ ssrc, sequence }).packet);
      return sealed !== undefined && unprotect(theirs, 'rtp', sealed) !== undefined;
    };
    // Source 1 is over a wrap: its roll-over counter is 1.
    expect([carry(1, 65_535), carry(1, 0)]).toEqual([true, true]);
    for (const ssrc of [2, 3, 4, 5]) expect(carry(ssrc, 10)).toBe(true);
    expect(ours.inspect().sources).toEqual({ local: 3, remote: 0, remoteRtcp: 0 });
    expect(theirs.inspect().sources).toEqual({ local: 0, remote: 3, remoteRtcp: 0 });
    expect([count(ours, 'sourcesEvicted'), count(theirs, 'sourcesEvicted')]).toEqual([2, 2]);
    expect([carry(1, 0), carry(1, 1), carry(1, 2)]).toEqual([false, true, true]);
    for (let ssrc = 100; ssrc < 110; ssrc++) {
      const compound = protect(ours, 'rtcp', makeRtcp(ssrc, new Uint8Array(4)));
      expect(unprotect(theirs, 'rtcp', compound ?? new Uint8Array())).toBeDefined();
    }
    expect(theirs.inspect().sources.remoteRtcp).toBe(3);
  });

  it('what is not authentic does not make its source one that is used: others do not make room for it', () => {
    const [ours, theirs] = makePair(crypto, profile, { maxSources: 2 });
    const seal = (ssrc: number, sequence: number): Uint8Array =>
      protect(ours, 'rtp', makeRtp({ ssrc, sequence }).packet) ?? new Uint8Array();
    const [one, two, late, forged, three] = [seal(1, 10), seal(2, 10), seal(2, 9), seal(1, 11), seal(3, 10)];
    for (const packet of [one, two]) expect(unprotect(theirs, 'rtp', packet)).toBeDefined();
    forged[forged.length - 1]! ^= 1;
    expect(unprotect(theirs, 'rtp', forged)).toBeUndefined();
    expect(unprotect(theirs, 'rtp', three)).toBeDefined();
    // Of a source that had made room nothing late would be taken.
    expect(unprotect(theirs, 'rtp', late)).toBeDefined();
  });

  it('of more sources than can be remembered the peer’s oldest is forgotten, and none of ours', () => {
    const [ours, theirs] = makePair(crypto, profile, { maxSources: 1 });
    const sealed = Array.from({ length: 70 }, (_, ssrc) =>
      protect(ours, 'rtp', makeRtp({ ssrc, sequence: 5 }).packet),
    );
    expect(sealed.filter((packet) => packet !== undefined)).toHaveLength(65);
    expect(count(ours, 'keyWornOut')).toBe(5);
    // Those known already go on.
    expect(protect(ours, 'rtp', makeRtp({ ssrc: 64, sequence: 6 }).packet)).toBeDefined();
    for (const packet of sealed) if (packet !== undefined) unprotect(theirs, 'rtp', packet);
    expect(theirs.inspect().sources.remote).toBe(1);
    expect(unprotect(theirs, 'rtp', sealed[1] ?? new Uint8Array())).toBeUndefined();
  });

  it('a source that has ended leaves nothing but the index it had reached', () => {
    const [ours, theirs] = makePair(crypto, profile);
    const seal = (sequence: number): Uint8Array =>
      protect(ours, 'rtp', makeRtp({ sequence }).packet) ?? new Uint8Array();
    const [first, second, third] = [seal(65_535), seal(0), seal(1)] as const;
    unprotect(theirs, 'rtp', first);
    unprotect(theirs, 'rtp', second);
    unprotect(theirs, 'rtcp', protect(ours, 'rtcp', makeRtcp(1, new Uint8Array(4))) ?? first);
    theirs.forgetRemote(1);
    theirs.forgetRemote(2);
    expect(theirs.inspect().sources).toEqual({ local: 0, remote: 0, remoteRtcp: 0 });
    expect(unprotect(theirs, 'rtp', first)).toBeUndefined();
    expect(unprotect(theirs, 'rtp', second)).toBeUndefined();
    expect(unprotect(theirs, 'rtp', third)).toBeDefined();
  });

  it('shows no secret, and wipes the master keys', () => {
    const keys = new MasterKeys(profile, 5);
    const init = { profile, crypto, local: keys.of(0), remote: keys.of(1) };
    const srtp = createSrtp(init);
    for (const { key, salt } of [init.local, init.remote]) {
      expect([...key, ...salt].every((byte) => byte === 0)).toBe(true);
    }
    const shown = srtp.inspect();
    expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
    expect(Object.keys(shown).sort()).toEqual(['counters', 'profile', 'sources']);
  });
}

function describeBadPackets(crypto: CryptoProvider, profile: SrtpProfile): void {
  it('learns nothing from what is not authentic', () => {
    const [ours, theirs] = makePair(crypto, profile);
    const seal = (sequence: number): Uint8Array =>
      protect(ours, 'rtp', makeRtp({ sequence }).packet) ?? new Uint8Array();
    const [first, second, third] = [seal(65_000), seal(65_001), seal(65_002)] as const;
    unprotect(theirs, 'rtp', first);
    const sources = theirs.inspect().sources;
    // Sequence numbers far ahead and over the wrap, other sources, every byte wrong in turn.
    for (const sequence of [65_535, 0, 20_000, 32_000]) {
      const forged = second.slice();
      writeU16(forged, 2, sequence);
      expect(unprotect(theirs, 'rtp', forged)).toBeUndefined();
    }
    for (let ssrc = 2; ssrc < 50; ssrc++) {
      const forged = second.slice();
      writeU32(forged, 8, ssrc);
      expect(unprotect(theirs, 'rtp', forged)).toBeUndefined();
    }
    for (let at = 0; at < second.length; at++) {
      const forged = second.slice();
      forged[at]! ^= 0x40;
      expect(unprotect(theirs, 'rtp', forged)).toBeUndefined();
    }
    expect(theirs.inspect().sources).toEqual(sources);
    expect(theirs.inspect().counters).toMatchObject({ unprotectedRtp: 1 });
    expect(unprotect(theirs, 'rtp', second)).toBeDefined();
    expect(unprotect(theirs, 'rtp', third)).toBeDefined();
  });

  it('RTCP, every byte wrong in turn, and every length', () => {
    const [ours, theirs] = makePair(crypto, profile);
    const compound = protect(ours, 'rtcp', makeRtcp(1, new Uint8Array(20))) ?? new Uint8Array();
    for (let at = 0; at < compound.length; at++) {
      const forged = compound.slice();
      forged[at]! ^= 0x80;
      expect(unprotect(theirs, 'rtcp', forged), `byte ${at}`).toBeUndefined();
      expect(unprotect(theirs, 'rtcp', compound.subarray(0, at)), `${at} bytes`).toBeUndefined();
    }
    expect(theirs.inspect()).toMatchObject({ sources: { remoteRtcp: 0 } });
    expect(unprotect(theirs, 'rtcp', compound)).toBeDefined();
  });

  it('what is no RTP is refused, both ways, whatever it says of its header', () => {
    const [ours, theirs] = makePair(crypto, profile);
    const { packet } = makeRtp({ sequence: 1, csrcs: 2, extension: 2, payload: new Uint8Array(0) });
    const bad = [
      ...Array.from({ length: packet.length }, (_, length) => packet.subarray(0, length)),
      // Version 1, an extension longer than the packet, CSRCs beyond its end.
      ...[
        [0, 0x40],
        [23, 200],
        [0, 0x9f],
      ].map(([at = 0, byte = 0]) => packet.with(at, byte)),
    ];
    for (const one of bad) {
      expect(protect(ours, 'rtp', one)).toBeUndefined();
      expect(
        unprotect(theirs, 'rtp', new Uint8Array([...one, ...new Uint8Array(ours.overhead.rtp)])),
      ).toBeUndefined();
      expect(unprotect(theirs, 'rtp', one)).toBeUndefined();
    }
    expect(protect(ours, 'rtcp', new Uint8Array(7))).toBeUndefined();
    expect(protect(ours, 'rtcp', new Uint8Array(8))).toBeUndefined();
    expect(count(ours, 'malformed')).toBe(bad.length + 2);
    expect(theirs.inspect().counters).toMatchObject({ malformed: 2 * bad.length, notAuthentic: 0 });
  });

  it('random bytes are refused, and nothing is thrown or kept', () => {
    const dice = new Dice(freshSeed(`random SRTP, ${profile}`));
    const [, theirs] = makePair(crypto, profile);
    for (let i = 0; i < 500; i++) {
      const bytes = dice.bytes(dice.below(100));
      if (bytes.length > 0) bytes[0] = 0x80 | (bytes[0]! & 0x3f);
      expect(theirs.unprotectRtp(bytes.slice())).toBe(-1);
      expect(theirs.unprotectRtcp(bytes.slice())).toBe(-1);
    }
    expect(theirs.inspect().sources).toEqual({ local: 0, remote: 0, remoteRtcp: 0 });
  });
}
