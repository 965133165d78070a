/**
 * Which profile SRTP is to use, agreed on by the extension use_srtp (RFC 5764 §4.1):
 *
 *     client: what it can use ─ClientHello→ server: the first of its own among them
 *     takes it if it was offered ←ServerHello, in DTLS 1.3 EncryptedExtensions─
 *
 *     use_srtp: profiles <2>, each 2 │ srtp_mki <1>
 *
 * It is settled on connections for data alone, too, as browsers do: pion (webrtc v3) ends a connection without a profile.
 * Nothing is encrypted by it in this room; the keys are what `exportKeyingMaterial` gives for `EXTRACTOR-dtls_srtp` (§4.2).
 */
import type { Bytes } from '../core/bytes.ts';
import { Reader, Writer } from '../core/bytes.ts';
import type { DecodeFailure } from '../core/decode.ts';
import { decodeFailure, isFailure } from '../core/decode.ts';
import type { Extension } from './messages/extensions.ts';
import { ExtensionType, findExtension } from './messages/extensions.ts';
import type { Problem } from './problem.ts';
import { illegalParameter, malformed } from './problem.ts';

/** IANA's names, as `RTCTransportStats.srtpCipher` shows them. */
export type SrtpProfile = 'SRTP_AEAD_AES_128_GCM' | 'SRTP_AES128_CM_HMAC_SHA1_80';

const CODES: Readonly<Record<SrtpProfile, number>> = {
  /** RFC 5764 §4.1.2 */
  SRTP_AES128_CM_HMAC_SHA1_80: 0x0001,
  /** RFC 7714 §14.2 */
  SRTP_AEAD_AES_128_GCM: 0x0007,
};

/** The preferred first. RFC 8827 §6.5 wants the second; the first costs less and protects more. */
export const DEFAULT_SRTP_PROFILES: readonly SrtpProfile[] = [
  'SRTP_AEAD_AES_128_GCM',
  'SRTP_AES128_CM_HMAC_SHA1_80',
];

const MALFORMED = decodeFailure('use-srtp-malformed');

/** The extension of a ClientHello, or of an answer, which names one profile; none for no profiles. Never with an MKI. */
export function srtpExtensions(profiles: readonly SrtpProfile[]): readonly Extension[] {
  return profiles.length === 0 ? [] : [{ type: ExtensionType.useSrtp, data: encodeUseSrtp(profiles) }];
}

/** The server's choice: `undefined` when the client offers none of `profiles`, which is no reason to refuse it. */
export function chooseSrtpProfile(
  profiles: readonly SrtpProfile[],
  offered: readonly Extension[],
): SrtpProfile | Problem | undefined {
  const data = findExtension(offered, ExtensionType.useSrtp);
  if (data === undefined) return undefined;
  const codes = decodeUseSrtp(data);
  if (isFailure(codes)) return malformed(codes.reason);
  return profiles.find((profile) => codes.profiles.includes(CODES[profile]));
}

/** What the server has chosen of our `profiles`; `undefined` when it is silent about them. */
export function readSrtpChoice(
  profiles: readonly SrtpProfile[],
  answered: readonly Extension[],
): SrtpProfile | Problem | undefined {
  const data = findExtension(answered, ExtensionType.useSrtp);
  if (data === undefined) return undefined;
  const choice = decodeUseSrtp(data);
  if (isFailure(choice)) return malformed(choice.reason);
  const chosen = profiles.find((profile) => CODES[profile] === choice.profiles[0]);
  // §4.1.1: one profile of those offered; §4.1.3: the MKI offered, which was none, or none.
  if (choice.profiles.length !== 1 || chosen === undefined || choice.mkiLength !== 0) {
    return illegalParameter('The server chose an SRTP profile or a key identifier that was not offered.');
  }
  return chosen;
}

function encodeUseSrtp(profiles: readonly SrtpProfile[]): Bytes {
  const writer = new Writer(3 + profiles.length * 2).u16(profiles.length * 2);
  for (const profile of profiles) writer.u16(CODES[profile]);
  return writer.u8(0).finish();
}

function decodeUseSrtp(
  data: Uint8Array,
): { readonly profiles: readonly number[]; readonly mkiLength: number } | DecodeFailure {
  const reader = new Reader(data);
  const list = reader.sub(reader.u16());
  const mkiLength = reader.u8();
  reader.view(mkiLength);
  if (reader.failed || reader.remaining !== 0) return MALFORMED;
  if (list.remaining === 0 || list.remaining % 2 !== 0) return MALFORMED;
  const profiles: number[] = [];
  while (list.remaining > 0) profiles.push(list.u16());
  return { profiles, mkiLength };
}
