/** A peer with media, as simple as can be: it offers, answers and recycles sections by RFC 3264 §8 and RFC 9429 §5.2.2. */
import { attributes, isRejected, mediaMid, parseSdp, readBundles } from '../../src/sdp/index.ts';
import { valid } from '../sdp/recorded.ts';
import { DIGEST_B } from './ends.ts';

/** One section of the peer's session. */
export interface PeerSection {
  readonly mid: string;
  readonly media: 'application' | 'audio' | 'video' | 'smell';
  readonly isLive: boolean;
}

const LINES: Readonly<Record<PeerSection['media'], readonly string[]>> = {
  application: ['UDP/DTLS/SCTP webrtc-datachannel', 'a=sctp-port:5000'],
  audio: ['UDP/TLS/RTP/SAVPF 111', 'a=inactive', 'a=rtcp-mux', 'a=rtpmap:111 opus/48000/2'],
  video: ['UDP/TLS/RTP/SAVPF 96', 'a=inactive', 'a=rtcp-mux', 'a=rtpmap:96 VP8/90000'],
  smell: ['UDP/ODOUR rose'],
};

const TRANSPORT = [
  'a=ice-ufrag:peer',
  'a=ice-pwd:0123456789012345678901',
  `a=fingerprint:sha-256 ${DIGEST_B}`,
];

/** The description of a session; every live section is in one group. */
export function written(sections: readonly PeerSection[], setup: string): string {
  const mids = sections.filter(({ isLive }) => isLive).map(({ mid }) => mid);
  const media = sections.flatMap(({ mid, media: kind, isLive }) => {
    const [protocol = '', ...own] = LINES[kind];
    const lines = [`m=${kind} ${isLive ? 9 : 0} ${protocol}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`];
    return isLive ? [...lines, ...TRANSPORT, `a=setup:${setup}`, ...own] : lines;
  });
  const preamble = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', `a=group:BUNDLE ${mids.join(' ')}`];
  return [...preamble, ...media, ''].join('\r\n');
}

/** What a description of the other end says of each section: mid, media, and whether it is in use. */
export function sectionsIn(sdp: string): PeerSection[] {
  const session = valid(parseSdp(sdp));
  const bundles = valid(readBundles(session));
  return session.media.map((media) => ({
    mid: mediaMid(media) ?? '',
    media: media.kind as PeerSection['media'],
    isLive: !isRejected(media, bundles),
  }));
}

/** The mids of its BUNDLE group. */
export function groupIn(sdp: string): string[] {
  const [group] = attributes(valid(parseSdp(sdp)).lines, 'group');
  return group?.value.split(' ').slice(1) ?? [];
}

/** The session with one section more: in the place of the first that is not live, or at the end. */
export function added(
  sections: readonly PeerSection[],
  media: PeerSection['media'],
  mid: string,
): PeerSection[] {
  const place = sections.findIndex(({ isLive }) => !isLive);
  const section: PeerSection = { mid, media, isLive: true };
  return place < 0 ? [...sections, section] : sections.map((old, i) => (i === place ? section : old));
}
