/** Descriptions of a peer's, put together section by section, and what an offer of ours is asked for. */
import type { MediaChange, MediaWish } from '../../src/negotiation/index.ts';
import { DIGEST_B } from './ends.ts';

/** What each section says of the transport that it is reached by. */
export const TRANSPORT: readonly string[] = [
  'a=ice-ufrag:peer',
  'a=ice-pwd:0123456789012345678901',
  `a=fingerprint:sha-256 ${DIGEST_B}`,
];

/** A section of a peer's. What is absent is as simple as can be, and in use. */
export interface SectionText {
  readonly media: string;
  /** `undefined`: it has none. */
  readonly mid?: string | undefined;
  readonly port?: number;
  readonly protocol?: string;
  readonly formats?: string;
  /** Everything behind mid and transport, in place of what there would be. */
  readonly lines?: readonly string[];
  /** Default: `TRANSPORT` and `a=setup:actpass`. */
  readonly transport?: readonly string[];
}

interface Usual {
  readonly protocol: string;
  readonly formats: string;
  readonly lines: readonly string[];
}

const USUAL: Readonly<Record<string, Usual>> = {
  audio: {
    protocol: 'UDP/TLS/RTP/SAVPF',
    formats: '111',
    lines: ['a=rtcp-mux', 'a=rtpmap:111 opus/48000/2'],
  },
  video: { protocol: 'UDP/TLS/RTP/SAVPF', formats: '96', lines: ['a=rtcp-mux', 'a=rtpmap:96 VP8/90000'] },
  application: { protocol: 'UDP/DTLS/SCTP', formats: 'webrtc-datachannel', lines: ['a=sctp-port:5000'] },
};

const UNUSUAL: Usual = { protocol: 'UDP/TLS/RTP/SAVPF', formats: '98', lines: ['a=rtcp-mux'] };

/** What stands above the sections. */
export interface SessionText {
  /** The mids of the BUNDLE group; default: of all sections in use. `null`: no group. */
  readonly group?: readonly string[] | null;
  readonly lines?: readonly string[];
  readonly version?: number;
}

/** The text of a description. */
export function described(
  sections: readonly SectionText[],
  { group, lines = [], version = 1 }: SessionText = {},
): string {
  const mids =
    group ?? sections.flatMap(({ mid, port = 9 }) => (mid === undefined || port === 0 ? [] : [mid]));
  const bundle = group === null || mids.length === 0 ? [] : [`a=group:BUNDLE ${mids.join(' ')}`];
  const preamble = ['v=0', `o=- 7 ${version} IN IP4 127.0.0.1`, 's=-', 't=0 0', ...bundle, ...lines];
  return [...preamble, ...sections.flatMap(sectionLines), ''].join('\r\n');
}

function sectionLines(section: SectionText): readonly string[] {
  const { media, mid, port = 9 } = section;
  const usual = USUAL[media] ?? UNUSUAL;
  const { protocol = usual.protocol, formats = usual.formats, lines = usual.lines } = section;
  const transport = port === 0 ? [] : (section.transport ?? [...TRANSPORT, 'a=setup:actpass']);
  const name = mid === undefined ? [] : [`a=mid:${mid}`];
  return [`m=${media} ${port} ${protocol} ${formats}`, 'c=IN IP4 0.0.0.0', ...name, ...transport, ...lines];
}

/** Transport of an answer. */
export const ANSWERED: readonly string[] = [...TRANSPORT, 'a=setup:active'];

const WISH: MediaWish = {
  direction: 'sendrecv',
  codecs: undefined,
  headerExtensions: undefined,
  encodings: [],
  streams: [],
};

/** What an offer of ours is asked for: media of its own. */
export function addition(media: string, id: number, wish: Partial<MediaWish> = {}): MediaChange {
  return { type: 'add', id, media: media === 'audio' ? 'audio' : 'video', wish: { ...WISH, ...wish } };
}
