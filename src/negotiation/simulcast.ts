/**
 * Simulcast of a section (RFC 8853): several encodings of one source, each a stream with a name, its `rid` (RFC 8851). An answer has what
 * the offer sends as received, and the reverse; it leaves out what it does not want, adds nothing, and of alternatives keeps one.
 *
 *   offer     a=rid:h send   a=rid:m send   a=rid:l send   a=simulcast:send h,m;l
 *   answer    a=rid:h recv                  a=rid:l recv   a=simulcast:recv h;l
 *
 * One stream left has its `a=simulcast` still. Packets say their `rid` in a header extension; without it nobody
 * can tell the streams apart, so there is no simulcast then.
 */
import type { SdpRid, SdpSimulcast, SdpSimulcastRid } from '../sdp/index.ts';
import type { AgreedExtension } from './extensions.ts';
import { receivedExtensions, RID_EXTENSION, sentExtensions } from './extensions.ts';
import type { MediaEncoding, MediaHeaderExtension } from './media.ts';

/** What a section says of simulcast. */
export interface SimulcastLines {
  readonly rids: readonly SdpRid[];
  readonly simulcast: SdpSimulcast | undefined;
}

/** Of a section with one plain stream each way. */
export const NO_SIMULCAST: SimulcastLines = { rids: [], simulcast: undefined };

/** What flows of simulcast once a section is agreed on. */
export interface AgreedSimulcast {
  /** What is sent to this end; empty for one plain stream. */
  readonly receive: readonly MediaEncoding[];
  /** What this end sends; empty for one plain stream. */
  readonly send: readonly MediaEncoding[];
  /** There would be more, were the header extension for `rid` agreed on that way. */
  readonly lacksRidExtension: boolean;
}

/** What an answer of ours makes of an offer, and says. */
export type AnsweredSimulcast = SimulcastLines & AgreedSimulcast;

/** What this end makes of what it is offered. */
export interface SimulcastChoice {
  /** The rids to be received, in order of preference; absent: all that are offered. */
  readonly receive?: readonly string[] | undefined;
  /** What this end would send; absent: all that it is asked for. */
  readonly send?: readonly MediaEncoding[] | undefined;
}

/** One stream, whichever way it goes. */
interface Stream {
  readonly line: SdpRid;
  readonly isPaused: boolean;
}

/**
 * What a section of our offer says where this end would send `encodings`, and receive again what it has said before that it receives: an
 * offer is the whole of what its end wants (RFC 3264 §8), and a browser that is asked for no simulcast any more gives it up for good.
 * @param said our last description of the section
 */
export function offeredSimulcast(
  encodings: readonly MediaEncoding[],
  said: SimulcastLines = NO_SIMULCAST,
): SimulcastLines {
  const send = encodings.map(({ rid, active, restrictions }): Stream => ({
    line: { id: rid, direction: 'send', payloadTypes: undefined, restrictions },
    isPaused: !active,
  }));
  return linesOf(send, streamsOf(said, 'recv').flat(), send.length > 1 || said.simulcast !== undefined);
}

/** What the peer would send, for whoever answers: of alternatives the one that it likes best. Empty for one plain stream. */
export function offeredEncodings(offered: SimulcastLines): MediaEncoding[] {
  return streamsOf(offered, 'send').flatMap(([preferred]) =>
    preferred === undefined ? [] : [encodingOf(preferred)],
  );
}

/**
 * What our answer says of simulcast, and what flows then.
 * @param payloadTypes the numbers of the codecs of our answer: a `rid` whose `pt` has none of them is left out
 * @param extensions those of our answer, by `answeredExtensions`
 */
export function answeredSimulcast(
  offered: SimulcastLines,
  choice: SimulcastChoice,
  payloadTypes: ReadonlySet<number>,
  extensions: readonly AgreedExtension[],
): AnsweredSimulcast {
  const { receive, send } = choice;
  const wanted = receive === undefined ? undefined : new Map(receive.map((rid, index) => [rid, index]));
  const own = send === undefined ? undefined : new Map(send.map((encoding) => [encoding.rid, encoding]));
  const received = usableStreams(streamsOf(offered, 'send'), payloadTypes, (rid) => wanted?.has(rid) ?? true);
  if (wanted !== undefined) {
    received.sort((a, b) => (wanted.get(a.line.id) ?? 0) - (wanted.get(b.line.id) ?? 0));
  }
  const sent = usableStreams(streamsOf(offered, 'recv'), payloadTypes, (rid) => own?.has(rid) ?? true).map(
    (stream): Stream => ({
      line: stream.line,
      isPaused: stream.isPaused || own?.get(stream.line.id)?.active === false,
    }),
  );
  const [receivable, sendable] = [
    hasRid(receivedExtensions(extensions)) ? received : [],
    hasRid(sentExtensions(extensions)) ? sent : [],
  ];
  return {
    ...linesOf(sendable.map(reversed), receivable.map(reversed), offered.simulcast !== undefined),
    receive: receivable.map(encodingOf),
    send: sendable.map(encodingOf),
    lacksRidExtension: receivable.length < received.length || sendable.length < sent.length,
  };
}

/**
 * What the peer's answer leaves of the simulcast that we offered, in our order: what it receives of ours, and sends of what we receive,
 * each once, with the restrictions that it says. None is one plain stream, which is also what is left where it says nothing of them.
 * @param extensions what the answer leaves of our header extensions, by `matchAnsweredExtensions`
 */
export function matchAnsweredSimulcast(
  offered: SimulcastLines,
  answered: SimulcastLines,
  extensions: readonly AgreedExtension[],
): AgreedSimulcast {
  const send = acceptedStreams(streamsOf(offered, 'send').flat(), streamsOf(answered, 'recv'));
  const receive = acceptedStreams(streamsOf(offered, 'recv').flat(), streamsOf(answered, 'send'));
  const sendable = hasRid(sentExtensions(extensions)) ? send : [];
  const receivable = hasRid(receivedExtensions(extensions)) ? receive : [];
  return {
    send: sendable,
    receive: receivable,
    lacksRidExtension: sendable.length < send.length || receivable.length < receive.length,
  };
}

function acceptedStreams(ours: readonly Stream[], theirs: readonly (readonly Stream[])[]): MediaEncoding[] {
  const own = new Set(ours.map(({ line }) => line.id));
  const accepted = new Map<string, Stream>();
  for (const alternatives of theirs) {
    const stream = alternatives.find(({ line }) => own.has(line.id));
    if (stream !== undefined) accepted.set(stream.line.id, stream);
  }
  return ours.flatMap(({ line, isPaused }): MediaEncoding[] => {
    const stream = accepted.get(line.id);
    if (stream === undefined) return [];
    const { restrictions } = stream.line.restrictions.length === 0 ? line : stream.line;
    return [{ rid: line.id, active: !isPaused && !stream.isPaused, restrictions }];
  });
}

/**
 * The streams of one direction in order, each with its alternatives; a `rid` counts once, where it stands first, and only where a line of
 * its own declares it for that direction. Without `a=simulcast` the first `rid` is the one stream.
 */
function streamsOf({ rids, simulcast }: SimulcastLines, direction: 'send' | 'recv'): Stream[][] {
  const declared = new Map<string, SdpRid>();
  for (const line of rids) {
    if (line.direction === direction && !declared.has(line.id)) declared.set(line.id, line);
  }
  if (simulcast === undefined) {
    const [line] = declared.values();
    return line === undefined ? [] : [[{ line, isPaused: false }]];
  }
  return simulcast[direction]
    .map((alternatives) =>
      alternatives.flatMap(({ rid, paused }): Stream[] => {
        const line = declared.get(rid);
        declared.delete(rid);
        return line === undefined ? [] : [{ line, isPaused: paused }];
      }),
    )
    .filter((alternatives) => alternatives.length > 0);
}

/** Of each stream the first alternative that can be used, with the payload types that are left of its own. */
function usableStreams(
  streams: readonly (readonly Stream[])[],
  payloadTypes: ReadonlySet<number>,
  isWanted: (rid: string) => boolean,
): Stream[] {
  return streams.flatMap((alternatives) => {
    for (const { line, isPaused } of alternatives) {
      if (!isWanted(line.id)) continue;
      const left = line.payloadTypes?.filter((payloadType) => payloadTypes.has(payloadType));
      if (left?.length === 0) continue;
      return [{ line: { ...line, payloadTypes: left }, isPaused }];
    }
    return [];
  });
}

/**
 * @param isSimulcast `a=simulcast` is said also of one stream: browsers take an answer without it for one of no simulcast, and send
 * their first encoding, without a rid, whichever was chosen
 */
function linesOf(send: readonly Stream[], recv: readonly Stream[], isSimulcast: boolean): SimulcastLines {
  const rids = [...recv, ...send].map(({ line }) => line);
  if (!isSimulcast || rids.length === 0) return { rids, simulcast: undefined };
  return { rids, simulcast: { send: listOf(send), recv: listOf(recv) } };
}

function listOf(streams: readonly Stream[]): SdpSimulcastRid[][] {
  return streams.map(({ line, isPaused }) => [{ rid: line.id, paused: isPaused }]);
}

function reversed({ line, isPaused }: Stream): Stream {
  return { line: { ...line, direction: line.direction === 'send' ? 'recv' : 'send' }, isPaused };
}

function encodingOf({ line, isPaused }: Stream): MediaEncoding {
  return { rid: line.id, active: !isPaused, restrictions: line.restrictions };
}

function hasRid(extensions: readonly MediaHeaderExtension[]): boolean {
  return extensions.some(({ uri }) => uri === RID_EXTENSION);
}
