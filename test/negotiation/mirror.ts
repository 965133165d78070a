/**
 * What an answer owes to the offer that it answers, as faults found in their texts: the twelve rules by which an answer mirrors an offer
 * (RFC 3264 §6, RFC 9143 §7.3, RFC 9429 §5.3). It knows nothing of the code that has written the answer.
 */
import { expect } from 'vitest';
import type { Direction, MediaDescription, SessionDescription } from '../../src/sdp/index.ts';
import {
  attributes,
  hasAttribute,
  hasReducedSizeRtcp,
  hasRtcpMux,
  inheritedAttribute,
  isBundleOnly,
  isDataChannelSection,
  isRejected,
  isSctpPortFormat,
  isSdpError,
  mediaCodecs,
  mediaDirection,
  mediaExtensions,
  mediaMid,
  mediaRids,
  mediaSimulcast,
  mediaSources,
  parseFormatParameters,
  parseSdp,
  readBundles,
} from '../../src/sdp/index.ts';
import { valid } from '../sdp/recorded.ts';

/** What was agreed on before, as far as it binds a later answer. */
export interface Earlier {
  /** The last description of whoever answers. */
  readonly ours: string;
  /** The last description of whoever offers, which went with `ours`. */
  readonly theirs: string;
}

interface Description {
  readonly text: string;
  readonly session: SessionDescription;
  readonly bundles: readonly (readonly string[])[];
}

/** One section, offered and answered. */
interface Pair {
  readonly index: number;
  readonly offered: MediaDescription;
  readonly answered: MediaDescription;
}

const TRANSPORT = [
  'ice-ufrag',
  'ice-pwd',
  'fingerprint',
  'setup',
  'tls-id',
  'candidate',
  'end-of-candidates',
];

/** Everything that an answer may say; of anything else it would have to be asked where it has it from. */
const KNOWN: ReadonlySet<string> = new Set([
  ...TRANSPORT,
  ...[
    'group',
    'msid-semantic',
    'ice-lite',
    'ice-options',
    'extmap-allow-mixed',
    'mid',
    'msid',
    'ssrc',
    'ssrc-group',
  ],
  ...[
    'sendrecv',
    'sendonly',
    'recvonly',
    'inactive',
    'rtcp',
    'rtcp-mux',
    'rtcp-rsize',
    'rtpmap',
    'fmtp',
    'rtcp-fb',
  ],
  ...['extmap', 'rid', 'simulcast', 'ptime', 'maxptime', 'sctp-port', 'sctpmap', 'max-message-size'],
]);

/** Every section as it should be, or a list of what is wrong, each with the number of its rule. */
export function expectMirror(offer: string, answer: string, earlier?: Earlier): void {
  expect(mirrorFaults(offer, answer, earlier)).toEqual([]);
}

/** What an answer gets wrong; empty if nothing. Throws if one of the two cannot be read. */
export function mirrorFaults(offerText: string, answerText: string, earlier?: Earlier): string[] {
  const offer = description(offerText);
  const answer = description(answerText);
  const shape = shapeFaults(offer, answer);
  if (shape.length > 0) return shape;
  const pairs = answer.session.media.map((answered, index) => {
    return { index, offered: offer.session.media[index]!, answered };
  });
  return [
    ...pairs.flatMap((pair) =>
      pair.answered.port === 0 ? rejectedFaults(answer, pair) : liveFaults(offer, answer, pair),
    ),
    ...groupFaults(offer, answer, pairs),
    ...transportFaults(offer, answer, earlier),
    ...versionFaults(answer, earlier),
    ...copyFaults(offer, answer),
  ];
}

function description(text: string): Description {
  const session = valid(parseSdp(text));
  return { text, session, bundles: valid(readBundles(session)) };
}

/** Rule 1: one section for each, in the same place, of the same kind, protocol and mid. */
function shapeFaults(offer: Description, answer: Description): string[] {
  const shape = ({ session }: Description): string[] =>
    session.media.map((media) => `${media.kind} ${media.protocol} ${String(mediaMid(media))}`);
  const [offered, answered] = [shape(offer), shape(answer)];
  return JSON.stringify(offered) === JSON.stringify(answered)
    ? []
    : [`1: expected the sections ${offered.join(', ')}, got ${answered.join(', ')}`];
}

/** Rule 2: a rejected section repeats its formats, has a `c=` line and nothing of a transport, and is in no group. */
function rejectedFaults(answer: Description, { index, offered, answered }: Pair): string[] {
  const faults: string[] = [];
  const at = `2: section ${index}`;
  if (answered.formats.join(' ') !== offered.formats.join(' '))
    faults.push(`${at} has other formats than offered`);
  if (!hasConnection(answered)) faults.push(`${at} has no c= line`);
  const mid = mediaMid(answered);
  if (mid !== undefined && answer.bundles.flat().includes(mid))
    faults.push(`${at} is rejected and in a group`);
  for (const name of TRANSPORT)
    if (hasAttribute(answered.lines, name)) faults.push(`${at} is rejected and has a=${name}`);
  return faults;
}

/** Rules 3, 8, 9 and 10: what a section in use says. */
function liveFaults(offer: Description, answer: Description, pair: Pair): string[] {
  const { index, offered, answered } = pair;
  // Port 0 in a group without `a=bundle-only` is what some stacks write for max-bundle.
  const isGrouped = offer.bundles.flat().includes(mediaMid(offered) ?? '');
  if (isRejected(offered, offer.bundles) && !isGrouped)
    return [`3: section ${index} was not offered, and is answered`];
  const faults: string[] = [];
  if (!hasConnection(answered)) faults.push(`3: section ${index} has no c= line`);
  if (hasAttribute(answered.lines, 'bundle-only'))
    faults.push(`3: section ${index} is bundle-only in an answer`);
  if (isDataChannelSection(offered)) return [...faults, ...dataFaults(pair)];
  const theirs = mediaDirection(offer.session, offered);
  const ours = mediaDirection(answer.session, answered);
  if (!fits(ours, theirs)) faults.push(`3: section ${index} is ${ours}, offered was ${theirs}`);
  return [...faults, ...codecFaults(pair), ...extensionFaults(offer, answer, pair), ...simulcastFaults(pair)];
}

/** Nothing is sent that is not received, and the other way round. */
function fits(ours: Direction, theirs: Direction): boolean {
  return (!sends(ours) || receives(theirs)) && (!receives(ours) || sends(theirs));
}

function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

/** Rule 8: the form that was offered, and a port of our own. */
function dataFaults({ index, offered, answered }: Pair): string[] {
  const faults: string[] = [];
  const isOld = isSctpPortFormat(offered.formats);
  if (!isOld && answered.formats.join(' ') !== offered.formats.join(' '))
    faults.push(`8: section ${index} has other formats`);
  if (!hasAttribute(answered.lines, isOld ? 'sctpmap' : 'sctp-port'))
    faults.push(`8: section ${index} has no port`);
  if (isOld && hasAttribute(answered.lines, 'sctp-port')) faults.push(`8: section ${index} has both forms`);
  if (!hasAttribute(answered.lines, 'max-message-size'))
    faults.push(`8: section ${index} has no max-message-size`);
  return faults;
}

/** Rule 9: numbers, feedback and RTCP as offered. */
function codecFaults({ index, offered, answered }: Pair): string[] {
  const faults: string[] = [];
  const at = `9: section ${index}`;
  // What is bundled only need not say so (RFC 8858 §4).
  const isMuxed = hasRtcpMux(offered) || isBundleOnly(offered);
  if (hasRtcpMux(answered) && !isMuxed) faults.push(`${at} has rtcp-mux, which was not offered`);
  if (hasReducedSizeRtcp(answered) && !hasReducedSizeRtcp(offered))
    faults.push(`${at} has rtcp-rsize, which was not offered`);
  const theirs = new Map(valid(mediaCodecs(offered)).map((codec) => [codec.payloadType, codec]));
  const ours = valid(mediaCodecs(answered));
  for (const { payloadType, name, clockRate, channels = 1, feedback, fmtp } of ours) {
    const codec = theirs.get(payloadType);
    if (codec === undefined) {
      faults.push(`${at} has payload type ${payloadType}, which was not offered`);
      continue;
    }
    const isSame = codec.name.toLowerCase() === name.toLowerCase() && codec.clockRate === clockRate;
    if (!isSame || (codec.channels ?? 1) !== channels)
      faults.push(`${at} means something else by payload type ${payloadType}`);
    for (const value of feedback) {
      if (!codec.feedback.includes(value))
        faults.push(`${at} gives ${value} for ${payloadType}, which was not offered`);
    }
    const apt = parseFormatParameters(fmtp ?? '').find((parameter) => parameter.name === 'apt')?.value;
    if (name.toLowerCase() === 'rtx' && !ours.some((other) => String(other.payloadType) === apt)) {
      faults.push(`${at} has rtx ${payloadType} of ${String(apt)}, which it has not`);
    }
  }
  if (ours.length !== answered.formats.length) faults.push(`${at} has a format without a codec`);
  return faults;
}

/** Rule 9: identifiers as offered, and only what was offered. */
function extensionFaults(
  offer: Description,
  answer: Description,
  { index, offered, answered }: Pair,
): string[] {
  const theirs = valid(mediaExtensions(offer.session, offered));
  return valid(mediaExtensions(answer.session, answered)).flatMap(({ id, uri, direction }) => {
    const extension = theirs.find((other) => other.uri === uri && other.id === id);
    if (extension === undefined)
      return [`9: section ${index} has extension ${id} ${uri}, which was not offered`];
    const { direction: wanted } = extension;
    return direction === undefined || wanted === undefined || fits(direction, wanted)
      ? []
      : [`9: section ${index} has extension ${id} ${direction}, offered was ${wanted}`];
  });
}

/** Rule 10: `send` against `recv`, and the same rids in both attributes, also a single one: browsers want it said. */
function simulcastFaults({ index, offered, answered }: Pair): string[] {
  const faults: string[] = [];
  const at = `10: section ${index}`;
  const rids = mediaRids(answered);
  const theirs = mediaRids(offered);
  for (const { id, direction } of rids) {
    const wanted = direction === 'send' ? 'recv' : 'send';
    if (!theirs.some((rid) => rid.id === id && rid.direction === wanted))
      faults.push(`${at} has rid ${id} ${direction}, offered was none`);
  }
  const simulcast = mediaSimulcast(answered);
  if (isSdpError(simulcast)) return [...faults, `${at}: ${simulcast.message}`];
  for (const direction of ['send', 'recv'] as const) {
    const listed = (simulcast?.[direction] ?? []).flat().map(({ rid }) => rid);
    for (const rid of listed) {
      if (!rids.some(({ id, direction: way }) => id === rid && way === direction))
        faults.push(`${at} lists ${rid} without a=rid`);
    }
    const unlisted = rids.filter(({ id, direction: way }) => way === direction && !listed.includes(id));
    if (mediaSimulcast(offered) !== undefined)
      for (const { id } of unlisted) faults.push(`${at} has rid ${id} and no a=simulcast of it`);
  }
  return faults;
}

/** Rule 4: a part of a group of the offer, in its order, of sections in use; and whoever is in use and was in it, still is. */
function groupFaults(offer: Description, answer: Description, pairs: readonly Pair[]): string[] {
  const faults: string[] = [];
  const live = new Set(
    pairs.filter(({ answered }) => answered.port !== 0).map(({ answered }) => mediaMid(answered)),
  );
  for (const group of answer.bundles) {
    const from = offer.bundles.find((mids) => group.every((mid) => mids.includes(mid)));
    if (from === undefined) faults.push(`4: the group ${group.join(' ')} is no part of one that was offered`);
    else if (from.filter((mid) => group.includes(mid)).join(' ') !== group.join(' '))
      faults.push('4: the group is in another order');
    for (const mid of group) if (!live.has(mid)) faults.push(`4: ${mid} is in the group and not in use`);
  }
  const [first, ...more] = offer.bundles
    .map((mids) => mids.filter((mid) => live.has(mid)))
    .filter(({ length }) => length > 0);
  if (more.length > 0)
    faults.push('4: sections of several groups are in use, which would be several transports');
  if (first !== undefined && answer.bundles[0]?.join(' ') !== first.join(' '))
    faults.push(`4: expected the group ${first.join(' ')}`);
  if (answer.bundles.length > 1) faults.push('4: there are several groups');
  if (
    live.size > 0 &&
    first === undefined &&
    pairs.filter(({ answered }) => answered.port !== 0).length > 1
  ) {
    faults.push('4: several sections are in use without a group, which would be several transports');
  }
  return faults;
}

/** Rules 5, 6 and 7: who speaks for the transport says all of it, the role fits, and ICE restarts exactly where the offer does. */
function transportFaults(offer: Description, answer: Description, earlier: Earlier | undefined): string[] {
  const faults: string[] = [];
  const speaker = speakerOf(answer);
  if (speaker === undefined) return faults;
  const offerer = speakerOf(offer);
  const saysOf = (of: Description, media: MediaDescription | undefined, name: string): string | undefined => {
    const found = media === undefined ? undefined : inheritedAttribute(of.session, media, name);
    return isSdpError(found) ? undefined : found?.value;
  };
  for (const name of ['ice-ufrag', 'ice-pwd', 'setup']) {
    if (saysOf(answer, speaker, name) === undefined) faults.push(`5: the tagged section has no a=${name}`);
  }
  const digests = [
    ...attributes(speaker.lines, 'fingerprint'),
    ...attributes(answer.session.lines, 'fingerprint'),
  ];
  if (digests.length === 0) faults.push('5: the tagged section has no a=fingerprint');
  const [ours, theirs] = [saysOf(answer, speaker, 'setup'), saysOf(offer, offerer, 'setup')];
  if (ours !== 'active' && ours !== 'passive') faults.push(`6: a=setup:${String(ours)} in an answer`);
  if (theirs !== 'actpass' && theirs === ours) faults.push(`6: a=setup:${ours} on both sides`);
  if (earlier === undefined) return faults;
  const before = { ours: description(earlier.ours), theirs: description(earlier.theirs) };
  const credentials = (of: Description): string => {
    return ['ice-ufrag', 'ice-pwd'].map((name) => saysOf(of, speakerOf(of), name)).join(' ');
  };
  const isRestart = credentials(before.theirs) !== credentials(offer);
  const isAnswered = credentials(before.ours) !== credentials(answer);
  if (isRestart !== isAnswered)
    faults.push(`7: the offer ${isRestart ? 'restarts' : 'does not restart'} ICE, the answer differs`);
  const said = saysOf(before.ours, speakerOf(before.ours), 'setup');
  const running = said === 'actpass' ? other(saysOf(before.theirs, speakerOf(before.theirs), 'setup')) : said;
  if (running !== ours) faults.push(`6: a=setup:${String(ours)}, the association runs as ${String(running)}`);
  return faults;
}

function other(setup: string | undefined): string {
  return setup === 'active' ? 'passive' : 'active';
}

/** The section that speaks for the transport: the first of the group, or the first in use. */
function speakerOf({ session, bundles }: Description): MediaDescription | undefined {
  const live = session.media.filter((media) => !isRejected(media, bundles));
  const group = bundles.find((mids) => live.some((media) => mids.includes(mediaMid(media) ?? '')));
  return session.media.find((media) => group !== undefined && mediaMid(media) === group[0]) ?? live[0];
}

/** Rule 11: one session, and a version that grows with every other text. */
function versionFaults(answer: Description, earlier: Earlier | undefined): string[] {
  if (earlier === undefined) return [];
  const [before, now] = [description(earlier.ours).session.origin, answer.session.origin];
  if (before.sessionId !== now.sessionId) return ['11: another sess-id'];
  const grows = BigInt(now.sessionVersion) > BigInt(before.sessionVersion);
  return grows || earlier.ours === answer.text ? [] : ['11: sess-version has not grown'];
}

/** Rule 12: nothing of the offer is repeated that an answer has no use for. */
function copyFaults(offer: Description, answer: Description): string[] {
  const faults: string[] = [];
  for (const { type, text } of [answer.session, ...answer.session.media].flatMap(({ lines }) => lines)) {
    const name = text.split(':', 1)[0] ?? '';
    if (type === 'a' && !KNOWN.has(name)) faults.push(`12: a=${name} in an answer`);
  }
  const theirs = new Set(offer.session.media.flatMap((media) => mediaSources(media)).map(({ ssrc }) => ssrc));
  for (const media of answer.session.media) {
    for (const { ssrc } of mediaSources(media))
      if (theirs.has(ssrc)) faults.push(`12: the offer's a=ssrc:${ssrc}`);
  }
  return faults;
}

function hasConnection({ lines }: MediaDescription): boolean {
  return lines.some(({ type }) => type === 'c');
}
