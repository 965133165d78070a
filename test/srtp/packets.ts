/** Packets and associations for the tests of SRTP. */
import type { Bytes } from '../../src/core/bytes.ts';
import { writeU16, writeU32 } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { fromHex } from '../../src/core/text.ts';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import type { Srtp, SrtpMasterKey, SrtpOptions, SrtpProfile } from '../../src/srtp/index.ts';
import { SRTP_KEY_LENGTHS, createSrtp } from '../../src/srtp/index.ts';

/** All profiles. */
export const PROFILES = Object.keys(SRTP_KEY_LENGTHS) as readonly SrtpProfile[];

/** Bytes of hexadecimal text that is known to be right. */
export function hex(text: string): Bytes {
  const bytes = fromHex(text);
  if (bytes === undefined) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}

/** A source of numbers for a test; the same for the same seed. */
export class Dice {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  bytes(length: number): Bytes {
    const bytes = new Uint8Array(length);
    this.#random.fill(bytes);
    return bytes;
  }

  /** 0 … `limit` − 1. */
  below(limit: number): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.bytes(4);
    return Math.floor(((((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32) * limit);
  }
}

/** Master keys of both ends, which every call copies: an association wipes what it is given. */
export class MasterKeys {
  readonly #keys: readonly [SrtpMasterKey, SrtpMasterKey];
  readonly profile: SrtpProfile;

  constructor(profile: SrtpProfile, seed: number) {
    const dice = new Dice(seed);
    const { key, salt } = SRTP_KEY_LENGTHS[profile];
    this.profile = profile;
    this.#keys = [
      { key: dice.bytes(key), salt: dice.bytes(salt) },
      { key: dice.bytes(key), salt: dice.bytes(salt) },
    ];
  }

  of(end: 0 | 1): SrtpMasterKey {
    const { key, salt } = this.#keys[end];
    return { key: key.slice(), salt: salt.slice() };
  }

  create(crypto: CryptoProvider, end: 0 | 1, options: SrtpOptions = {}): Srtp {
    const other = end === 0 ? 1 : 0;
    return createSrtp({
      ...options,
      profile: this.profile,
      crypto,
      local: this.of(end),
      remote: this.of(other),
    });
  }
}

/** Two associations with each other's keys. */
export function makePair(
  crypto: CryptoProvider,
  profile: SrtpProfile,
  options: SrtpOptions = {},
): readonly [Srtp, Srtp] {
  const keys = new MasterKeys(profile, 7);
  return [keys.create(crypto, 0, options), keys.create(crypto, 1, options)];
}

/** What an RTP packet is made of, where it matters. */
export interface RtpShape {
  readonly sequence: number;
  readonly ssrc?: number;
  readonly csrcs?: number;
  /** Words of header extensions; absent: none. */
  readonly extension?: number;
  readonly payload?: Uint8Array;
}

/** An RTP packet, and the bytes of its header. */
export function makeRtp({ sequence, ssrc = 1, csrcs = 0, extension, payload }: RtpShape): {
  readonly packet: Bytes;
  readonly headerLength: number;
} {
  const body = payload ?? new TextEncoder().encode(`payload of ${sequence}`);
  const headerLength = 12 + 4 * csrcs + (extension === undefined ? 0 : 4 + 4 * extension);
  const packet = new Uint8Array(headerLength + body.length);
  packet[0] = 0x80 | csrcs | (extension === undefined ? 0 : 0x10);
  packet[1] = 96;
  writeU16(packet, 2, sequence);
  writeU32(packet, 4, 1000 + sequence);
  writeU32(packet, 8, ssrc);
  packet.fill(0xcc, 12, headerLength);
  if (extension !== undefined) {
    writeU16(packet, 12 + 4 * csrcs, 0xbede);
    writeU16(packet, 14 + 4 * csrcs, extension);
  }
  packet.set(body, headerLength);
  return { packet, headerLength };
}

/** A compound of RTCP. */
export function makeRtcp(ssrc: number, body: Uint8Array): Bytes {
  const packet = new Uint8Array(8 + body.length);
  packet.set([0x80, 201, 0, 1]);
  writeU32(packet, 4, ssrc);
  packet.set(body, 8);
  return packet;
}

/** A copy of `packet` as it leaves `srtp`; `undefined`: refused. */
export function protect(srtp: Srtp, kind: 'rtp' | 'rtcp', packet: Uint8Array): Bytes | undefined {
  const buffer = new Uint8Array(packet.length + srtp.overhead[kind]);
  buffer.set(packet);
  const length =
    kind === 'rtp' ? srtp.protectRtp(buffer, 0, packet.length) : srtp.protectRtcp(buffer, 0, packet.length);
  return length < 0 ? undefined : buffer.subarray(0, length);
}

/** What `srtp` makes of `packet`, which is not touched; `undefined`: refused. */
export function unprotect(srtp: Srtp, kind: 'rtp' | 'rtcp', packet: Uint8Array): Bytes | undefined {
  const copy = new Uint8Array(packet);
  const length = kind === 'rtp' ? srtp.unprotectRtp(copy) : srtp.unprotectRtcp(copy);
  return length < 0 ? undefined : copy.subarray(0, length);
}
