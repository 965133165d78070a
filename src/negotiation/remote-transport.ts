/**
 * Remote transport: what the peer says of how it is reached, and by whom. One section speaks for all of its BUNDLE group, the
 * one with the tag (RFC 9143 §7.3.1); `sections.ts` says which that is.
 */
import { addressFamily } from '../core/address.ts';
import type {
  MediaDescription,
  SdpCandidate,
  SdpError,
  SdpFingerprint,
  SdpIceParameters,
  SdpWarning,
  SessionDescription,
  Setup,
} from '../sdp/index.ts';
import {
  attributes,
  hasAttribute,
  hasEndOfCandidates,
  isBundleOnly,
  isIceLite,
  isSdpError,
  mediaCandidates,
  mediaFingerprints,
  mediaIce,
  mediaIceOptions,
  mediaSetup,
  mediaTlsId,
  sdpError,
} from '../sdp/index.ts';
import type { RemoteSection, RemoteSession } from './section.ts';

/** A remote candidate that ICE can use as it stands: component 1, an IP address. */
export type TransportCandidate = SdpCandidate & { readonly component: 1 };

/** The peer's transport as its description gives it. */
export interface RemoteTransport {
  readonly ice: SdpIceParameters & { readonly lite: boolean; readonly renomination: boolean };
  readonly candidates: readonly TransportCandidate[];
  readonly endOfCandidates: boolean;
  /** True if the peer said `a=ice-options:trickle`: more candidates may come. */
  readonly trickle: boolean;
  /** SHA-256, SHA-384 or SHA-512; at least one. The peer's certificate must match one of them. */
  readonly fingerprints: readonly SdpFingerprint[];
  readonly tlsId: string | undefined;
  readonly remoteSetup: Setup | undefined;
}

/** RFC 8122 §5 and §7: collisions can be made for MD5 and SHA-1, so a certificate is not accepted on their word. */
const TRUSTED_HASHES: readonly string[] = ['sha-256', 'sha-384', 'sha-512'];

/**
 * Reads the transport of a section's group.
 * @param speaker the section that speaks for it
 * @param warnings what is passed over is added here
 * @param isRunning an association goes on, whose roles are settled
 */
export function readTransport(
  remote: RemoteSession,
  { media, mid, group }: RemoteSection,
  strict: boolean,
  warnings: SdpWarning[],
  isRunning = false,
): RemoteTransport | SdpError {
  const { session, sections } = remote;
  // The sections of a group have the same array.
  const bundle = sections
    .filter((other) => group.length > 0 && other.group === group)
    .map((other) => other.media);

  const ice = mediaIce(session, media, strict);
  if (isSdpError(ice)) return ice;
  const fingerprints = mediaFingerprints(session, media);
  if (isSdpError(fingerprints)) return fingerprints;
  const setup = readSetup(session, media, bundle, isRunning && !strict ? warnings : undefined);
  if (isSdpError(setup)) return setup;
  const tlsId = mediaTlsId(session, media);
  if (isSdpError(tlsId)) return tlsId;

  if (isBundleOnly(media)) {
    // RFC 8843 §7.3.1: a section with port 0 cannot take the tag over from one we reject. Where it brings a transport
    // of its own all the same, using it is better than refusing the peer.
    if (strict || ice === undefined || fingerprints.length === 0) {
      const message =
        'the section is bundle-only, and the section whose transport it would share is rejected';
      return sdpError('bundle-tag-rejected', message, { line: media.number, mid });
    }
    const message = 'a bundle-only section with a transport of its own speaks for the group';
    warnings.push({ code: 'bundle-only-promoted', message, line: media.number, mid });
  }
  if (ice === undefined) {
    return sdpError('ice-credentials-missing', 'expected "a=ice-ufrag" and "a=ice-pwd"', {
      line: media.number,
      mid,
    });
  }
  // RFC 8827 §6.5: never plaintext.
  if (fingerprints.length === 0) {
    return sdpError('fingerprint-missing', 'expected "a=fingerprint"', { line: media.number, mid });
  }
  const trusted = fingerprints.filter(({ algorithm }) => TRUSTED_HASHES.includes(algorithm));
  if (trusted.length === 0) {
    const message = `expected a fingerprint by one of ${TRUSTED_HASHES.join(', ')}`;
    return sdpError('fingerprint-unsupported', message, { line: media.number, mid });
  }

  const options = mediaIceOptions(session, media);
  return {
    ice: { ...ice, lite: isIceLite(session), renomination: options.includes('renomination') },
    candidates: readCandidates(media, bundle, ice, strict, warnings),
    endOfCandidates: hasEndOfCandidates(session, media),
    trickle: options.includes('trickle'),
    fingerprints: trusted,
    tlsId,
    remoteSetup: setup,
  };
}

/** True for the same credentials: no ICE restart (RFC 8839 §4.4.1.1.1). */
export function sameIce(a: SdpIceParameters, b: SdpIceParameters): boolean {
  return a.usernameFragment === b.usernameFragment && a.password === b.password;
}

/**
 * One of the two alone: a restart must change both (RFC 8445 §9, RFC 8839 §4.4.1.1.1), yet RFC 5245 §9.2.1.1 took either for one,
 * and so do browsers still. Refused where the letter counts.
 */
export function checkRestart(
  before: SdpIceParameters,
  now: SdpIceParameters,
  mid: string | undefined,
): SdpError | undefined {
  const isHalf = (before.usernameFragment === now.usernameFragment) !== (before.password === now.password);
  if (!isHalf) return undefined;
  const message = 'a restart of ICE changes "a=ice-ufrag" and "a=ice-pwd", not one of them alone';
  return sdpError('ice-restart-incomplete', message, { mid });
}

/**
 * RFC 8842: another set of fingerprints, or another `a=tls-id`, announces another DTLS association. A digest by one more algorithm is no
 * other certificate (RFC 8122 §5).
 */
export function sameIdentity(before: RemoteTransport, now: RemoteTransport): boolean {
  if (before.tlsId !== undefined && now.tlsId !== undefined && before.tlsId !== now.tlsId) return false;
  const known = new Set(before.fingerprints.map(fingerprintKey));
  const algorithms = new Set(before.fingerprints.map(({ algorithm }) => algorithm));
  const again = now.fingerprints.filter(({ algorithm }) => algorithms.has(algorithm)).map(fingerprintKey);
  return known.size === new Set(again).size && again.every((key) => known.has(key));
}

function fingerprintKey({ algorithm, value }: SdpFingerprint): string {
  return `${algorithm} ${value}`;
}

/**
 * RFC 8843 §7.1.3 leaves one value for the whole group; two of them cannot both be meant. Of the other sections only
 * their own lines are read, so that many sections under a long session level still take linear time.
 * @param warnings if given, a section that differs is passed over: Firefox that is the DTLS server says `active` of a section that our
 *   offer has added, and `passive` of the others
 */
function readSetup(
  session: SessionDescription,
  media: MediaDescription,
  bundle: readonly MediaDescription[],
  warnings: SdpWarning[] | undefined,
): Setup | SdpError | undefined {
  const setup = mediaSetup(session, media);
  if (setup === undefined || isSdpError(setup)) return setup;
  for (const other of bundle) {
    if (other.port === 0) continue;
    const different = attributes(other.lines, 'setup').find(({ value }) => value !== setup);
    if (different !== undefined) {
      const message = 'sections of one BUNDLE group say different things in "a=setup"';
      const place = { line: different.line, mid: undefined };
      if (warnings === undefined) return sdpError('setup-mismatch', message, place);
      warnings.push({ code: 'role-change-ignored', message, ...place });
    }
  }
  return setup;
}

/**
 * The section's candidates. A browser that bundles from the start (bundlePolicy max-bundle) lists them in the tagged
 * section alone: if ours has none, those of a section with the same ICE credentials are the same transport's.
 */
function readCandidates(
  media: MediaDescription,
  bundle: readonly MediaDescription[],
  ice: SdpIceParameters,
  strict: boolean,
  warnings: SdpWarning[],
): TransportCandidate[] {
  const source = [media, ...bundle].find(
    (section) => sharesIce(section, ice) && hasAttribute(section.lines, 'candidate'),
  );
  const sharesPathWithRtcp = hasAttribute((source ?? media).lines, 'rtcp-mux');
  const candidates: TransportCandidate[] = [];
  for (const entry of mediaCandidates(source ?? media, strict)) {
    if (isSdpError(entry)) {
      warnings.push({ code: 'candidate-ignored', message: entry.message, line: entry.line, mid: entry.mid });
      continue;
    }
    const { candidate, line } = entry;
    const { component, usernameFragment } = candidate;
    if (addressFamily(candidate.address) === undefined && !isLocalName(candidate.address)) {
      const message =
        'a host name of no multicast DNS is not resolved; the peer may still reach us from there';
      warnings.push({ code: 'candidate-unresolved', message, line });
    } else if (usernameFragment !== undefined && usernameFragment !== ice.usernameFragment) {
      warnings.push({ code: 'candidate-ignored', message: 'of another ICE generation', line });
    } else if (component === 2 && sharesPathWithRtcp) {
      // Firefox offers RTCP a path of its own, for peers that cannot do without; it loses nothing here.
      continue;
    } else if (component !== 1) {
      warnings.push({ code: 'candidate-ignored', message: 'expected component 1', line });
    } else {
      candidates.push({ ...candidate, component });
    }
  }
  return candidates;
}

/** A name on the peer's link (RFC 6762), which ICE asks the host for; any other would let the peer choose what is looked up. */
function isLocalName(address: string): boolean {
  return address.toLowerCase().endsWith('.local');
}

function sharesIce(media: MediaDescription, { usernameFragment }: SdpIceParameters): boolean {
  return attributes(media.lines, 'ice-ufrag').every(({ value }) => value === usernameFragment);
}
