/**
 * Reading a remote description: which section carries the data channels, and what it says of the peer's transport.
 *
 *   readSections     mids, BUNDLE groups, which sections are live
 *   checkHistory     RFC 3264 §8: sections keep their place; a live one keeps its kind and its mid
 *   readTransport    ICE, DTLS and SCTP attributes, with the section that speaks for the transport
 */
import { addressFamily } from '../core/address.ts';
import type {
  MediaDescription,
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
  isRejected,
  isSctpPortFormat,
  isSdpError,
  mediaCandidates,
  mediaFingerprints,
  mediaIce,
  mediaIceOptions,
  mediaMaxMessageSize,
  mediaSctpMap,
  mediaSctpPort,
  mediaSetup,
  mediaTlsId,
  readBundles,
  readMids,
  sdpError,
} from '../sdp/index.ts';
import type { MediaSection, NegotiatedTransport, RemoteTransport, TransportCandidate } from './state.ts';

/** RFC 8841 §6: what an absent `a=max-message-size` means, bytes. */
const DEFAULT_MAX_MESSAGE_SIZE = 65_536;

/** RFC 8841 §5 wants the line; 5000 is what every WebRTC stack would have written. */
const DEFAULT_SCTP_PORT = 5000;

/** RFC 8122 §5 and §7: collisions can be made for MD5 and SHA-1, so a certificate is not accepted on their word. */
const TRUSTED_HASHES: readonly string[] = ['sha-256', 'sha-384', 'sha-512'];

/** A description with its sections sorted out. */
export interface RemoteSections {
  readonly session: SessionDescription;
  readonly sections: readonly MediaSection[];
  readonly bundles: readonly (readonly string[])[];
}

export function readSections(session: SessionDescription): RemoteSections | SdpError {
  const mids = readMids(session);
  if (isSdpError(mids)) return mids;
  const bundles = readBundles(session);
  if (isSdpError(bundles)) return bundles;
  const sections = session.media.map((media, index) => ({
    mid: mids[index],
    kind: media.kind,
    protocol: media.protocol,
    formats: media.formats,
    rejected: isRejected(media, bundles),
  }));
  return { session, sections, bundles };
}

/** A later offer may add sections and reuse the slots of rejected ones, nothing else. */
export function checkHistory(
  before: readonly MediaSection[],
  now: readonly MediaSection[],
): SdpError | undefined {
  if (now.length < before.length) {
    const counts = `expected at least the ${before.length} sections negotiated so far, got ${now.length}`;
    return sdpError('section-count-mismatch', counts);
  }
  for (const [index, old] of before.entries()) {
    const section = now[index];
    if (section === undefined || old.rejected) continue;
    const place = { mid: section.mid };
    if (section.kind !== old.kind) {
      return sdpError('section-mismatch', `section ${index} was "${old.kind}" and is still in use`, place);
    }
    if (section.mid !== old.mid) {
      return sdpError('mid-mismatch', `section ${index} is in use under another "a=mid"`, place);
    }
  }
  return undefined;
}

/** The BUNDLE group of a section, its mids in order; empty if it is in none. */
export function groupOf({ sections, bundles }: RemoteSections, index: number): readonly string[] {
  const mid = sections[index]?.mid;
  return (mid === undefined ? undefined : bundles.find((mids) => mids.includes(mid))) ?? [];
}

/**
 * The section that speaks for the transport of section `index`: the one with the BUNDLE tag where it is kept, else itself
 * (RFC 9143 §7.3.1 moves the tag to the next one).
 */
export function speakerFor(
  remote: RemoteSections,
  index: number,
  isKept: (index: number) => boolean,
): number {
  const [tag] = groupOf(remote, index);
  const tagged = tag === undefined ? -1 : remote.sections.findIndex(({ mid }) => mid === tag);
  return tagged >= 0 && remote.sections[tagged]?.rejected === false && isKept(tagged) ? tagged : index;
}

/**
 * @param index the section that carries the data channels
 * @param speaker the section that speaks for its transport
 * @param warnings what is passed over is added here
 */
export function readTransport(
  remote: RemoteSections,
  { index, speaker }: { readonly index: number; readonly speaker: number },
  strict: boolean,
  warnings: SdpWarning[],
): RemoteTransport | SdpError {
  const { session, sections } = remote;
  const data = session.media[index]!;
  const media = session.media[speaker]!;
  const mid = sections[speaker]?.mid;
  const group = groupOf(remote, index);
  const bundle = session.media.filter((_, i) => group.includes(sections[i]?.mid ?? ''));

  const ice = mediaIce(session, media, strict);
  if (isSdpError(ice)) return ice;
  const fingerprints = mediaFingerprints(session, media);
  if (isSdpError(fingerprints)) return fingerprints;
  const setup = readSetup(session, media, bundle);
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

  const sctpPort = readSctpPort(data, sections[index]?.mid, strict, warnings);
  if (isSdpError(sctpPort)) return sctpPort;
  const maxMessageSize = mediaMaxMessageSize(data);
  if (isSdpError(maxMessageSize)) return maxMessageSize;

  return {
    ice: { ...ice, lite: isIceLite(session) },
    candidates: readCandidates(media, bundle, ice, strict, warnings),
    endOfCandidates: hasEndOfCandidates(session, media),
    trickle: mediaIceOptions(session, media).includes('trickle'),
    fingerprints: trusted,
    tlsId,
    remoteSetup: setup,
    sctpPort,
    maxMessageSize: maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE,
  };
}

export function sameIce(a: SdpIceParameters, b: SdpIceParameters): boolean {
  return a.usernameFragment === b.usernameFragment && a.password === b.password;
}

/** RFC 8842: another set of fingerprints, or another `a=tls-id`, announces another DTLS association. */
export function sameIdentity(before: NegotiatedTransport, now: RemoteTransport): boolean {
  const { tlsId, fingerprints } = before.plan;
  if (tlsId !== undefined && now.tlsId !== undefined && tlsId !== now.tlsId) return false;
  const known = new Set(fingerprints.map(fingerprintKey));
  const given = new Set(now.fingerprints.map(fingerprintKey));
  return known.size === given.size && [...given].every((key) => known.has(key));
}

/** RFC 8841 §5: the port belongs to the SCTP association, which lives and dies with its DTLS association. */
export function checkSctpPort(
  before: NegotiatedTransport | undefined,
  now: RemoteTransport,
  newAssociation: boolean,
  mid: string | undefined,
): SdpError | undefined {
  if (before === undefined || newAssociation || before.plan.sctpPort === now.sctpPort) return undefined;
  return sdpError('sctp-port-changed', 'the SCTP association goes on, so its port cannot change', { mid });
}

function fingerprintKey({ algorithm, value }: SdpFingerprint): string {
  return `${algorithm} ${value}`;
}

/**
 * RFC 8843 §7.1.3 leaves one value for the whole group; two of them cannot both be meant. Of the other sections only
 * their own lines are read, so that many sections under a long session level still take linear time.
 */
function readSetup(
  session: SessionDescription,
  media: MediaDescription,
  bundle: readonly MediaDescription[],
): Setup | SdpError | undefined {
  const setup = mediaSetup(session, media);
  if (setup === undefined || isSdpError(setup)) return setup;
  for (const other of bundle) {
    if (other.port === 0) continue;
    const different = attributes(other.lines, 'setup').find(({ value }) => value !== setup);
    if (different !== undefined) {
      const message = 'sections of one BUNDLE group say different things in "a=setup"';
      return sdpError('setup-mismatch', message, { line: different.line });
    }
  }
  return setup;
}

/** The peer's SCTP port, wherever its form of the section has it. */
function readSctpPort(
  media: MediaDescription,
  mid: string | undefined,
  strict: boolean,
  warnings: SdpWarning[],
): number | SdpError {
  const port = mediaSctpPort(media);
  if (isSdpError(port)) return port;
  const place = { line: media.number, mid };
  if (port === undefined) {
    if (strict) return sdpError('sctp-port-missing', 'expected "a=sctp-port"', place);
    const message = `"a=sctp-port" taken as ${DEFAULT_SCTP_PORT}`;
    warnings.push({ code: 'sctp-port-missing', message, ...place });
    return DEFAULT_SCTP_PORT;
  }
  if (isSctpPortFormat(media.formats) && mediaSctpMap(media) === undefined) {
    if (strict)
      return sdpError('sctpmap-missing', 'expected "a=sctpmap" to say what runs on the port', place);
    const message = 'no "a=sctpmap": what runs on the port is taken to be data channels';
    warnings.push({ code: 'sctpmap-missing', message, ...place });
  }
  return port;
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
    if (addressFamily(candidate.address) === undefined) {
      const message = 'a host name needs resolving; the peer may still reach us from there';
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

function sharesIce(media: MediaDescription, { usernameFragment }: SdpIceParameters): boolean {
  return attributes(media.lines, 'ice-ufrag').every(({ value }) => value === usernameFragment);
}
