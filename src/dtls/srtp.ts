/**
 * Keys for SRTP out of a DTLS handshake (RFC 5764): the profiles, how both ends agree on one, and how exported keying
 * material is cut into keys.
 *
 *     client ─ use_srtp: its profiles → server, which takes its first that is among them
 *     client ← use_srtp: that one     ─ server, in ServerHello (DTLS 1.2) or EncryptedExtensions (1.3)
 *
 * Keying material, exported under EXTRACTOR-dtls_srtp (§4.2): client key │ server key │ client salt │ server salt.
 */
import { isFailure } from '../core/decode.ts';
import type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
import { SRTP_KEY_LENGTHS } from '../core/srtp-keys.ts';
import type { Extension } from './messages/extensions.ts';
import { ExtensionType, findExtension } from './messages/extensions.ts';
import { decodeUseSrtp, encodeUseSrtp } from './messages/use-srtp.ts';
import type { Problem } from './problem.ts';
import { illegalParameter, malformed, nothingInCommon } from './problem.ts';
import type { DtlsRole } from './states.ts';

/** IANA's numbers (RFC 5764 §4.1.2, RFC 7714 §14.2). */
const CODES: Readonly<Record<SrtpProfile, number>> = {
  SRTP_AEAD_AES_128_GCM: 0x0007,
  SRTP_AEAD_AES_256_GCM: 0x0008,
  SRTP_AES128_CM_HMAC_SHA1_80: 0x0001,
  SRTP_AES128_CM_HMAC_SHA1_32: 0x0002,
};

/** All that are known, the preferred first. */
export const SRTP_PROFILES: readonly SrtpProfile[] = [
  'SRTP_AEAD_AES_128_GCM',
  'SRTP_AEAD_AES_256_GCM',
  'SRTP_AES128_CM_HMAC_SHA1_80',
  'SRTP_AES128_CM_HMAC_SHA1_32',
];

/** The keys of both directions: each end protects with its own and opens with the other's. */
export interface SrtpKeys extends Readonly<Record<DtlsRole, SrtpMasterKey>> {
  readonly profile: SrtpProfile;
}

/** What the hellos negotiate of SRTP. */
interface SrtpAgreement {
  readonly role: DtlsRole;
  /** Ours, the preferred first; empty where SRTP is not spoken of. */
  readonly srtpProfiles: readonly SrtpProfile[];
  /** The server's choice, once it is made. */
  srtpProfile: SrtpProfile | undefined;
}

/** RFC 5764 §4.2. */
export const SRTP_EXPORTER_LABEL = 'EXTRACTOR-dtls_srtp';

/** Bytes of keying material that `splitSrtpKeys` needs for a profile. */
export function srtpKeyingMaterialLength(profile: SrtpProfile): number {
  const { key: keyLength, salt: saltLength } = SRTP_KEY_LENGTHS[profile];
  return 2 * (keyLength + saltLength);
}

/** Cuts keying material of `srtpKeyingMaterialLength` bytes into copies. */
export function splitSrtpKeys(profile: SrtpProfile, material: Uint8Array): SrtpKeys {
  const { key: keyLength, salt: saltLength } = SRTP_KEY_LENGTHS[profile];
  const keysOf = (index: number): SrtpMasterKey => {
    const saltAt = 2 * keyLength + index * saltLength;
    return {
      key: material.slice(index * keyLength, (index + 1) * keyLength),
      salt: material.slice(saltAt, saltAt + saltLength),
    };
  };
  return { profile, client: keysOf(0), server: keysOf(1) };
}

/** What our hello says of SRTP: all our profiles from the client, the chosen one from the server, or nothing. */
export function srtpExtensions(handshake: Readonly<SrtpAgreement>): readonly Extension[] {
  const { role, srtpProfile, srtpProfiles } = handshake;
  const chosen = srtpProfile === undefined ? [] : [srtpProfile];
  const codes = (role === 'client' ? srtpProfiles : chosen).map((profile) => CODES[profile]);
  return codes.length === 0 ? [] : [{ type: ExtensionType.useSrtp, data: encodeUseSrtp(codes) }];
}

/**
 * The server's choice. A client that does not speak of SRTP gets none. One that does, and shares no profile with us, is
 * refused: RFC 5764 §4.1 would let it go on without media. Its MKI is passed over: the answer has none (§4.1.3).
 */
export function chooseSrtpProfile(
  handshake: SrtpAgreement,
  extensions: readonly Extension[],
): Problem | undefined {
  const data = findExtension(extensions, ExtensionType.useSrtp);
  const { srtpProfiles } = handshake;
  if (data === undefined || srtpProfiles.length === 0) return undefined;
  const offer = decodeUseSrtp(data);
  if (isFailure(offer)) return malformed(offer.reason);
  handshake.srtpProfile = srtpProfiles.find((profile) => offer.profiles.includes(CODES[profile]));
  return handshake.srtpProfile === undefined
    ? nothingInCommon('srtp-profile', 'The client offers no SRTP protection profile of ours.')
    : undefined;
}

/** The client takes the server's choice: one profile, of those offered, and no MKI, for we have sent none (§4.1.3). */
export function takeSrtpProfile(
  handshake: SrtpAgreement,
  extensions: readonly Extension[],
): Problem | undefined {
  const data = findExtension(extensions, ExtensionType.useSrtp);
  if (data === undefined) return undefined;
  const answer = decodeUseSrtp(data);
  if (isFailure(answer)) return malformed(answer.reason);
  const [code, ...others] = answer.profiles;
  const profile = handshake.srtpProfiles.find((offered) => CODES[offered] === code);
  if (profile === undefined || others.length > 0) {
    return illegalParameter('The server did not choose one SRTP protection profile of those offered.');
  }
  if (answer.masterKeyIdentifier.length > 0) {
    return illegalParameter('The server answers with an SRTP master key identifier that was not offered.');
  }
  handshake.srtpProfile = profile;
  return undefined;
}
