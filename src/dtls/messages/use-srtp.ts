/**
 * The use_srtp extension (RFC 5764 §4.1.1): SRTPProtectionProfiles <2> of 2 bytes each │ srtp_mki <1>. A client lists what
 * it can do; a server answers with one.
 */
import type { Bytes } from '../../core/bytes.ts';
import { Reader, Writer } from '../../core/bytes.ts';
import type { DecodeFailure } from '../../core/decode.ts';
import { decodeFailure } from '../../core/decode.ts';

/** What either end says of SRTP. */
export interface UseSrtp {
  readonly profiles: readonly number[];
  /** A view of the extension. */
  readonly masterKeyIdentifier: Uint8Array;
}

const MALFORMED = decodeFailure('use-srtp-malformed');

/** Fails with `use-srtp-malformed`, also for an empty list. */
export function decodeUseSrtp(data: Uint8Array): UseSrtp | DecodeFailure {
  const reader = new Reader(data);
  const list = reader.sub(reader.u16());
  const masterKeyIdentifier = reader.view(reader.u8());
  if (reader.failed || reader.remaining !== 0 || list.remaining === 0 || list.remaining % 2 !== 0) {
    return MALFORMED;
  }
  const profiles: number[] = [];
  while (list.remaining > 0) profiles.push(list.u16());
  return { profiles, masterKeyIdentifier };
}

/** Without an MKI, which WebRTC does not use (RFC 8827 §6.5). */
export function encodeUseSrtp(profiles: readonly number[]): Bytes {
  const writer = new Writer().u16(profiles.length * 2);
  for (const profile of profiles) writer.u16(profile);
  return writer.u8(0).finish();
}
