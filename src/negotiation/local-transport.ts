/**
 * Local transport: what this end says of how it is reached, and by whom, the same in every section that is in use. All of them
 * are in one BUNDLE group and share it (RFC 9143).
 */
import { addressFamily } from '../core/address.ts';
import { badArgument } from '../core/errors.ts';
import type { SdpCandidate, SdpFingerprint, SdpIceParameters, SdpLine } from '../sdp/index.ts';
import { attributeLine, isIceText, isTlsId, sdpLine, writeCandidate } from '../sdp/index.ts';
import type { OfferSetup } from './role.ts';

/** This end's side of the transport. Nothing of it is kept but the ICE credentials. */
export interface LocalTransport {
  readonly ice: SdpIceParameters & { readonly lite: boolean; readonly renomination?: boolean };
  readonly candidates: readonly SdpCandidate[];
  readonly endOfCandidates: boolean;
  readonly fingerprints: readonly SdpFingerprint[];
  /** `a=tls-id`, 20–255 characters; written in offers, and in answers to offers that have one. */
  readonly tlsId?: string | undefined;
}

/** What a section of ours says of the transport. */
export interface SectionTransport {
  /** Of the `m=` line. */
  readonly port: number;
  readonly lines: readonly SdpLine[];
}

/**
 * What a section says that has no transport of its own (RFC 9143 §6): a peer without BUNDLE takes it for rejected. It repeats that of
 * its group, though RFC 9143 §7.1.3 leaves that to the section with the tag: a page of Firefox 153 dies of an answer to an offer
 * with such a section without `ice-ufrag`. Firefox repeats it in offers of its own.
 */
export function bundleOnlyTransport(
  mid: string | undefined,
  setup: OfferSetup,
  local: LocalTransport,
): SectionTransport {
  const lines = [
    connectionLine('0.0.0.0'),
    attributeLine('bundle-only'),
    ...identityLines(mid, setup, local),
  ];
  return { port: 0, lines };
}

/**
 * What section `mid` says of the transport. Candidates stand in the section that has the BUNDLE tag alone (RFC 9143 §10.1.2), or
 * in the only one.
 * @param bundle the mids of the group, the tag first; empty for none
 */
export function writeTransport(
  mid: string | undefined,
  bundle: readonly string[],
  setup: OfferSetup,
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
  lines.push(...identityLines(mid, setup, local));
  return { port, lines };
}

/** Who this end is for ICE and DTLS, and which section says so. */
function identityLines(mid: string | undefined, setup: OfferSetup, local: LocalTransport): SdpLine[] {
  const lines = [
    attributeLine('ice-ufrag', local.ice.usernameFragment),
    attributeLine('ice-pwd', local.ice.password),
    attributeLine('ice-options', local.ice.renomination === true ? 'trickle renomination' : 'trickle'),
  ];
  for (const { algorithm, value } of local.fingerprints) {
    lines.push(attributeLine('fingerprint', `${algorithm} ${value}`));
  }
  lines.push(attributeLine('setup', setup));
  if (local.tlsId !== undefined) lines.push(attributeLine('tls-id', local.tlsId));
  if (mid !== undefined) lines.push(attributeLine('mid', mid));
  return lines;
}

/** The `c=` line of an address. */
export function connectionLine(address: string): SdpLine {
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

/** Throws `ERR_BAD_ARGUMENT` for what could not be read back. */
export function checkLocalTransport({ ice, fingerprints, tlsId }: LocalTransport): void {
  if (!isIceText(ice.usernameFragment, 4, 256)) {
    throw badArgument('usernameFragment', '4–256 of A–Z a–z 0–9 + /', ice.usernameFragment);
  }
  if (!isIceText(ice.password, 22, 256))
    throw badArgument('password', '22–256 of A–Z a–z 0–9 + /', '(a secret)');
  if (fingerprints.length === 0) throw badArgument('fingerprints', 'at least one', 'none');
  if (tlsId !== undefined && !isTlsId(tlsId))
    throw badArgument('tlsId', '20–255 of A–Z a–z 0–9 + / - _', tlsId);
}
