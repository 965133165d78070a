/**
 * Media arguments: what a host says of its media, judged at the call and copied, so that nothing it changes afterwards counts. What
 * passes here can be written into a description.
 */
import { badArgument } from '../../core/errors.ts';
import type { OptionRule, OptionRules } from '../../core/options.ts';
import { checkOptions, flag, listOf, nested, oneOf, required } from '../../core/options.ts';
import type { CodecCapability, MediaEncoding, MediaKind, MediaWish } from '../../negotiation/index.ts';
import { checkCapability } from '../../negotiation/index.ts';
import type { Direction, SdpParameter } from '../../sdp/index.ts';

/** One encoding of what is sent, of several at once. */
export interface MediaEncodingInit {
  /** 1–16 of A–Z a–z 0–9 (RFC 8852 §3), no two alike. */
  readonly rid: string;
  /** False: it is agreed on, and not sent at first. Default true. */
  readonly active?: boolean | undefined;
  /** `max-width=1280` and the like (RFC 8851 §5), 16 at the most. Default: none. */
  readonly restrictions?: readonly SdpParameter[] | undefined;
}

/** What `OfferDraft.addMedia` can be told. */
export interface MediaInit {
  /** What is to flow, as seen from this end. Default `sendrecv`. */
  readonly direction?: Direction | undefined;
  /** In order of preference, one at the least. Default: what the connection can do of this kind. */
  readonly codecs?: readonly CodecCapability[] | undefined;
  /** URIs. Default: what the connection can do of this kind. */
  readonly headerExtensions?: readonly string[] | undefined;
  /** What is sent at once (simulcast), 16 at the most; browsers send three. Default: one plain stream. */
  readonly encodings?: readonly MediaEncodingInit[] | undefined;
  /** The identifiers of the MediaStreams that what is sent belongs to, 1–64 characters each (RFC 8830). Default: none. */
  readonly streams?: readonly string[] | undefined;
}

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

const KINDS: readonly MediaKind[] = ['audio', 'video'];

/** A token of RFC 8866 §9: no space, no control character, none of its separators. */
const TOKEN = /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]+$/;

/** RFC 8852 §3: "constrained to contain only alphanumeric characters"; libwebrtc takes 16 of them. */
const RID = /^[A-Za-z0-9]{1,16}$/;

/** RFC 8851 §10. */
const RESTRICTION_NAME = /^[A-Za-z0-9-]{1,64}$/;
const RESTRICTION_VALUE = /^[!-:<-~]{1,256}$/;

/** Encodings of one media, and restrictions of one of them. */
const MAX_ENCODINGS = 16;
const MAX_RESTRICTIONS = 16;

/** Characters of a URI that stands in an `extmap`. */
const MAX_URI = 255;

const directionRule = oneOf(DIRECTIONS);

const ridRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || !RID.test(value)) throw badArgument(name, '1–16 of A–Z a–z 0–9', value);
};

const streamRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || value.length > 64 || !TOKEN.test(value))
    throw badArgument(name, 'a token of 1 to 64 characters', value);
};

const uriRule: OptionRule = (value, name) => {
  if (typeof value !== 'string' || value.length > MAX_URI || !/^[!-~]+$/.test(value))
    throw badArgument(name, `a URI of at most ${MAX_URI} characters`, value);
};

function codecRule(kind?: MediaKind): OptionRule {
  return (value, name) => {
    checkCapability(value, name, kind);
  };
}

const restrictionRule = nested<SdpParameter>({
  name: required((value, name) => {
    // `pt` says which payload types, and is no restriction.
    if (typeof value !== 'string' || !RESTRICTION_NAME.test(value) || value === 'pt')
      throw badArgument(name, '1 to 64 of A–Z a–z 0–9 -', value);
  }),
  value: (value, name) => {
    if (typeof value !== 'string' || !RESTRICTION_VALUE.test(value))
      throw badArgument(name, '1 to 256 printable characters without a blank or ";"', value);
  },
});

const encodingRule = nested<MediaEncodingInit>({
  rid: required(ridRule),
  active: flag,
  restrictions: atMost(MAX_RESTRICTIONS, listOf(restrictionRule)),
});

const INIT_RULES: OptionRules<MediaInit> = {
  direction: directionRule,
  codecs: listOf(codecRule(), 1),
  headerExtensions: distinct(listOf(uriRule)),
  encodings: distinct(
    atMost(MAX_ENCODINGS, listOf(encodingRule)),
    (encoding) => (encoding as MediaEncodingInit).rid,
  ),
  streams: distinct(listOf(streamRule)),
};

/** Throws `ERR_BAD_ARGUMENT` for anything but `audio` and `video`. */
export function checkedKind(kind: MediaKind): MediaKind {
  oneOf(KINDS)(kind, 'kind');
  return kind;
}

/** What is wanted of new media, complete. Throws `ERR_BAD_ARGUMENT`. */
export function checkedMediaInit(kind: MediaKind, init: MediaInit): MediaWish {
  checkOptions('addMedia', init, INIT_RULES);
  const { direction = 'sendrecv', codecs, headerExtensions, encodings = [], streams = [] } = init;
  return {
    direction,
    codecs: codecs === undefined ? undefined : checkedCodecs(codecs, kind),
    headerExtensions: headerExtensions === undefined ? undefined : [...headerExtensions],
    encodings: encodings.map(copiedEncoding),
    streams: [...streams],
  };
}

/** Throws `ERR_BAD_ARGUMENT` for what is no direction. */
export function checkedDirection(direction: Direction): Direction {
  directionRule(direction, 'direction');
  return direction;
}

/** Capabilities of one kind, copied. Throws `ERR_BAD_ARGUMENT`. */
export function checkedCodecs(
  codecs: readonly CodecCapability[],
  kind: MediaKind,
): readonly CodecCapability[] {
  listOf(codecRule(kind), 1)(codecs, 'codecs');
  return codecs.map(copiedCodec);
}

/** URIs of header extensions, copied. Throws `ERR_BAD_ARGUMENT`. */
export function checkedHeaderExtensions(uris: readonly string[]): readonly string[] {
  distinct(listOf(uriRule))(uris, 'headerExtensions');
  return [...uris];
}

/** Identifiers of MediaStreams, copied. Throws `ERR_BAD_ARGUMENT`. */
export function checkedStreams(streams: readonly string[]): readonly string[] {
  distinct(listOf(streamRule))(streams, 'streams');
  return [...streams];
}

/** Rids of those offered, copied. Throws `ERR_BAD_ARGUMENT` for one that is not among them. */
export function checkedRids(rids: readonly string[], offered: readonly string[]): readonly string[] {
  distinct(listOf(oneOf(offered)))(rids, 'encodings');
  return [...rids];
}

function copiedCodec(codec: CodecCapability): CodecCapability {
  const { rtcpFeedback } = codec;
  return rtcpFeedback === undefined ? { ...codec } : { ...codec, rtcpFeedback: [...rtcpFeedback] };
}

function copiedEncoding({ rid, active = true, restrictions = [] }: MediaEncodingInit): MediaEncoding {
  return { rid, active, restrictions: restrictions.map(({ name, value }) => ({ name, value })) };
}

/** As `rule`, of a list of `max` elements at the most. */
function atMost(max: number, rule: OptionRule): OptionRule {
  return (value, name) => {
    rule(value, name);
    const { length } = value as readonly unknown[];
    if (length > max) throw badArgument(name, `at most ${max} of them`, length);
  };
}

/** As `rule`, and no two elements may have the same key. */
function distinct(rule: OptionRule, keyOf: (element: unknown) => unknown = (element) => element): OptionRule {
  return (value, name) => {
    rule(value, name);
    const keys = (value as readonly unknown[]).map(keyOf);
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) throw badArgument(name, 'no two alike', twice);
  };
}
