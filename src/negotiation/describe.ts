/**
 * Writing our own descriptions, in the shape browsers write theirs (RFC 9429 §5.2, §5.3).
 *
 * A rejected section keeps its place, kind, protocol, formats and mid, with port 0 and nothing of a transport; its `c=`
 * line is there because Firefox refuses a section without one, `a=inactive` because the default would be sendrecv.
 * A section without media has `rtcp-mux` and one codec beside the transport. The data channels' keeps the form it has in the session: the one of before RFC 8841 where the peer has offered that.
 */
import { badArgument } from '../core/errors.ts';
import { addressFamily } from '../core/address.ts';
import type { MediaDescription, SdpCandidate, SdpLine } from '../sdp/index.ts';
import {
  attributeLine,
  DATA_CHANNEL_FORMAT,
  isIceText,
  isSctpPortFormat,
  isTlsId,
  sdpLine,
  writeCandidate,
  writeSdp,
} from '../sdp/index.ts';
import type { InactiveMedia } from './inactive.ts';
import type { OfferSetup } from './role.ts';
import type { LocalTransport, MediaSection, NegotiationState } from './state.ts';

/** As many as SCTP has; INIT says how many there are in fact. */
const MAX_STREAMS = 65_535;

/** What a description of ours says beyond its sections. */
export interface Description {
  readonly sections: readonly MediaSection[];
  /** The mids of the BUNDLE group, the tag first; empty for none. */
  readonly bundle: readonly string[];
  readonly setup: OfferSetup;
  /** Bytes; `Infinity` for no limit. */
  readonly maxMessageSize: number;
  readonly tlsId: string | undefined;
}

/** Throws `ERR_BAD_ARGUMENT` for a `local` that could not be read back. */
export function describe(state: NegotiationState, description: Description, local: LocalTransport): string {
  checkLocal(local);
  const { sections, bundle } = description;
  const session = [sdpLine('s', '-'), sdpLine('t', '0 0')];
  if (bundle.length > 0) session.push(attributeLine('group', `BUNDLE ${bundle.join(' ')}`));
  if (local.ice.lite) session.push(attributeLine('ice-lite'));
  return writeSdp({
    origin: {
      username: '-',
      sessionId: state.config.sessionId,
      sessionVersion: String(state.nextVersion),
      networkType: 'IN',
      addressType: 'IP4',
      // RFC 9429 §5.2.1: a meaningless address, so that the real one does not leak.
      address: '127.0.0.1',
    },
    lines: session,
    media: sections.map((section) => {
      if (section.rejected) return rejectedSection(section);
      const transport = transportLines(section, description, local);
      return section.inactive === undefined
        ? dataSection(section, transport, description, local)
        : inactiveSection(section, section.inactive, transport);
    }),
  });
}

/** Where a section is reached, and by whom: the same in every section that is kept. */
interface SectionTransport {
  readonly port: number;
  readonly lines: readonly SdpLine[];
}

/** Candidates stand in the section that has the BUNDLE tag alone (RFC 9143 §10.1.2), or in the only one. */
function transportLines(
  { mid }: MediaSection,
  { bundle, setup, tlsId }: Description,
  local: LocalTransport,
): SectionTransport {
  const { address, port } = defaultCandidate(local.candidates);
  const lines: SdpLine[] = [connectionLine(address)];
  if (bundle.length === 0 || bundle[0] === mid) {
    for (const candidate of local.candidates) {
      lines.push(attributeLine('candidate', writeCandidate(candidate)));
    }
    if (local.endOfCandidates) lines.push(attributeLine('end-of-candidates'));
  }
  lines.push(
    attributeLine('ice-ufrag', local.ice.usernameFragment),
    attributeLine('ice-pwd', local.ice.password),
    attributeLine('ice-options', 'trickle'),
  );
  for (const { algorithm, value } of local.fingerprints) {
    lines.push(attributeLine('fingerprint', `${algorithm} ${value}`));
  }
  lines.push(attributeLine('setup', setup));
  if (tlsId !== undefined) lines.push(attributeLine('tls-id', tlsId));
  if (mid !== undefined) lines.push(attributeLine('mid', mid));
  return { port, lines };
}

function dataSection(
  section: MediaSection,
  transport: SectionTransport,
  { maxMessageSize }: Description,
  local: LocalTransport,
): MediaDescription {
  const lines = [...transport.lines];
  const sctpPort = String(local.sctpPort);
  const formIsOld = isSctpPortFormat(section.formats);
  if (formIsOld) lines.push(attributeLine('sctpmap', `${sctpPort} ${DATA_CHANNEL_FORMAT} ${MAX_STREAMS}`));
  else lines.push(attributeLine('sctp-port', sctpPort));
  lines.push(attributeLine('max-message-size', maxMessageSize === Infinity ? '0' : String(maxMessageSize)));
  const media = { ...mediaLine(section), port: transport.port, lines };
  // The older form has each end's own port there.
  return formIsOld ? { ...media, formats: [sctpPort] } : media;
}

function inactiveSection(
  section: MediaSection,
  { format, attributes }: InactiveMedia,
  { port, lines }: SectionTransport,
): MediaDescription {
  const codec = attributes.map((text) => attributeLine(text));
  const own = [attributeLine('inactive'), attributeLine('rtcp-mux'), ...codec];
  return { ...mediaLine(section), formats: [format], port, lines: [...lines, ...own] };
}

function rejectedSection(section: MediaSection): MediaDescription {
  const lines = [connectionLine('0.0.0.0')];
  if (section.mid !== undefined) lines.push(attributeLine('mid', section.mid));
  if (section.kind !== 'application') lines.push(attributeLine('inactive'));
  return { ...mediaLine(section), port: 0, lines };
}

function mediaLine({ kind, protocol, formats }: MediaSection): Omit<MediaDescription, 'port' | 'lines'> {
  return { kind, protocol, formats, number: 0 };
}

function connectionLine(address: string): SdpLine {
  return sdpLine('c', `IN IP${addressFamily(address) ?? 4} ${address}`);
}

/** From the most to the least likely to be reachable for a peer without ICE (RFC 8445 §5.1.4). */
const DEFAULT_ORDER = ['relay', 'srflx', 'host', 'prflx'] as const;

/** Where a peer that knows nothing of ICE would send; port 9 and no address while there are no candidates (RFC 9429 §5.2.1). */
function defaultCandidate(candidates: readonly SdpCandidate[]): { address: string; port: number } {
  const usable = candidates.filter(
    ({ address, protocol }) => protocol === 'udp' && addressFamily(address) !== undefined,
  );
  for (const type of DEFAULT_ORDER) {
    const ofType = usable.filter((candidate) => candidate.type === type);
    const chosen = ofType.find(({ address }) => addressFamily(address) === 4) ?? ofType[0];
    if (chosen !== undefined) return chosen;
  }
  return { address: '0.0.0.0', port: 9 };
}

function checkLocal({ ice, fingerprints, sctpPort, maxMessageSize, tlsId }: LocalTransport): void {
  if (!isIceText(ice.usernameFragment, 4, 256)) {
    throw badArgument('usernameFragment', '4–256 of A–Z a–z 0–9 + /', ice.usernameFragment);
  }
  if (!isIceText(ice.password, 22, 256))
    throw badArgument('password', '22–256 of A–Z a–z 0–9 + /', '(a secret)');
  if (fingerprints.length === 0) throw badArgument('fingerprints', 'at least one', 'none');
  if (!Number.isInteger(sctpPort) || sctpPort < 1 || sctpPort > 65_535) {
    throw badArgument('sctpPort', 'an integer of 1–65535', sctpPort);
  }
  if (maxMessageSize !== Infinity && (!Number.isSafeInteger(maxMessageSize) || maxMessageSize < 1)) {
    throw badArgument('maxMessageSize', 'a positive integer or Infinity', maxMessageSize);
  }
  if (tlsId !== undefined && !isTlsId(tlsId))
    throw badArgument('tlsId', '20–255 of A–Z a–z 0–9 + / - _', tlsId);
}
