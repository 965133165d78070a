/** Keys of SRTP as they come out of a key exchange: what DTLS exports and SRTP begins with. */
import type { Bytes } from './bytes.ts';

/** Named as in the IANA registry of DTLS-SRTP protection profiles (RFC 5764 §4.1.2, RFC 7714 §14.2). */
export type SrtpProfile =
  | 'SRTP_AEAD_AES_128_GCM'
  | 'SRTP_AEAD_AES_256_GCM'
  | 'SRTP_AES128_CM_HMAC_SHA1_80'
  | 'SRTP_AES128_CM_HMAC_SHA1_32';

/** Master key and master salt of what one end sends (RFC 3711 §3.2.1). The bytes are the taker's. */
export interface SrtpMasterKey {
  readonly key: Bytes;
  readonly salt: Bytes;
}

/** Bytes of master key and master salt of each profile. */
export const SRTP_KEY_LENGTHS: Readonly<
  Record<SrtpProfile, { readonly key: number; readonly salt: number }>
> = {
  SRTP_AEAD_AES_128_GCM: { key: 16, salt: 12 },
  SRTP_AEAD_AES_256_GCM: { key: 32, salt: 12 },
  SRTP_AES128_CM_HMAC_SHA1_80: { key: 16, salt: 14 },
  SRTP_AES128_CM_HMAC_SHA1_32: { key: 16, salt: 14 },
};
