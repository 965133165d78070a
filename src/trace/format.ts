/**
 * Traces as text: JSON lines. The first line is the header (format, version, and what a replay needs: seed and options),
 * each further line one entry in the order in which it happened. docs/trace.md lists every member.
 *
 * A file that was cut between two lines is a shorter trace; one that was cut within a line, or is wrong anywhere, is
 * refused with the number of that line.
 */
import type { SendOptions } from '../channel/index.ts';
import type { Failure } from '../core/errors.ts';
import type { TransportAddress } from '../core/address.ts';
import type { RtcOptions, TraceCall, TraceChannel, TraceEntry, TraceEvent } from '../rtc.ts';
import { TraceRefusal } from './refusal.ts';
import type { Field, Fields } from './fields.ts';
import {
  bytes,
  count,
  deadline,
  flag,
  object,
  oneOf,
  optional,
  payload,
  plain,
  text,
  time,
  variants,
} from './fields.ts';

/** The options of an `Rtc` that are plain data; certificate and randomness come from the seed. */
export type TraceConfiguration = Omit<RtcOptions, 'certificate' | 'crypto' | 'random'>;

/** The first line: what the file is, and what a replay needs. */
export interface TraceHeader {
  readonly type: 'header';
  readonly format: 'sansrtc-trace';
  readonly version: 1;
  /**
   * Where all randomness, the certificate's key included, comes from: 64 hexadecimal digits, or a number. A trace with a
   * seed can be replayed, and must be kept as secret as the keys of the connection.
   */
  readonly seed?: number | string | undefined;
  readonly options?: TraceConfiguration | undefined;
}

/** A recorded connection as plain data: a `TraceRecorder`'s, or one that `parseTrace` has read. */
export interface Trace {
  readonly header: TraceHeader;
  readonly entries: readonly TraceEntry[];
}

const FORMAT = 'sansrtc-trace';
const VERSION = 1;

/** A header, of a trace that can be replayed if both are given. */
export function traceHeader(seed?: number | string, options?: TraceConfiguration): TraceHeader {
  return {
    type: 'header',
    format: FORMAT,
    version: VERSION,
    ...(seed === undefined ? {} : { seed }),
    ...(options === undefined ? {} : { options }),
  };
}

/** The whole trace, one line each, every line ended. */
export function formatTrace(trace: Trace): string {
  return [formatHeader(trace.header), ...trace.entries.map(formatEntry), ''].join('\n');
}

/** One line without its end, for writing a trace as it happens. */
export function formatHeader(header: TraceHeader): string {
  return JSON.stringify(HEADER.write(header));
}

/** One line without its end. */
export function formatEntry(entry: TraceEntry): string {
  return JSON.stringify(ENTRY.write(entry));
}

/** Reads what `formatTrace` wrote. Throws a `TraceRefusal` with the number of the first line that is wrong. */
export function parseTrace(file: string): Trace {
  const lines = file.split('\n');
  const rest = lines.pop() ?? '';
  if (rest !== '') lines.push(rest);
  const first = lines[0];
  if (first === undefined) throw new TraceRefusal('expected the header, the file is empty', 1);
  const isLast = (index: number): boolean => index === lines.length - 1 && rest !== '';
  const header = parseLine(HEADER, first, 1, isLast(0));
  const entries = lines.slice(1).map((line, i) => parseLine(ENTRY, line, i + 2, isLast(i + 1)));
  return { header, entries };
}

/** The line of the file that entry `index` stands on, from 1. */
export function lineOf(index: number): number {
  return index + 2;
}

function parseLine<T>(field: Field<T>, line: string, number: number, isCutOff: boolean): T {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new TraceRefusal(
      isCutOff ? 'the file ends in the middle of this line' : 'this is not JSON',
      number,
    );
  }
  try {
    return field.read(json, '');
  } catch (error) {
    if (error instanceof TraceRefusal) throw new TraceRefusal(error.message, number);
    throw error;
  }
}

const seed: Field<number | string> = {
  write: (value) => value,
  read: (json, path) => (typeof json === 'string' ? text.read(json, path) : time.read(json, path)),
};

const HEADER: Field<TraceHeader> = object<TraceHeader>({
  type: oneOf('header'),
  format: oneOf(FORMAT),
  version: oneOf(VERSION),
  seed: optional(seed),
  options: optional(plain<TraceConfiguration>()),
});

const protocol = oneOf('udp', 'tcp');

const address: Field<TransportAddress> = object<TransportAddress>({ address: text, port: count });

const channel: Field<TraceChannel> = object<TraceChannel>({ index: count, id: optional(count), label: text });

const CALL: Field<TraceCall> = variants<'method', TraceCall>('method', {
  addLocalCandidate: { candidate: plain() },
  addRemoteCandidate: { candidate: plain() },
  start: { parameters: plain() },
  createChannel: { channel, label: text, options: plain(), draft: optional(count) },
  offer: { draft: count, sdp: text },
  accept: { sdp: text },
  rollback: {},
  answer: { offer: text, sdp: text },
  send: { channel, data: payload, options: optional(plain<SendOptions>()), accepted: flag },
  pauseReading: { channel },
  resumeReading: { channel },
  setLowThreshold: { channel, bytes: count },
  setPriority: { channel, priority: oneOf('very-low', 'low', 'medium', 'high') },
  closeChannel: { channel },
  setPathHeld: { path: plain(), held: flag },
  close: {},
});

const EVENT: Field<TraceEvent> = object<TraceEvent>({
  type: oneOf(
    'datachannel',
    'channelopen',
    'message',
    'channelclosing',
    'channelclose',
    'channelerror',
    'bufferedamountlow',
    'messageoutcome',
    'sendbufferlow',
    'connectionstatechange',
    'iceconnectionstatechange',
    'dtlsstatechange',
    'sctpstatechange',
    'warning',
    'closed',
  ),
  state: optional(text),
  channel: optional(channel),
  data: optional(payload as Field<NonNullable<TraceEvent['data']>>),
  id: optional(seed),
  outcome: optional(text),
  failure: optional(plain<Failure>()),
});

type DatagramEntry = Extract<TraceEntry, { type: 'receive' }>;

const datagram: Fields<Omit<DatagramEntry, 'type'>> = {
  at: time,
  protocol,
  source: address,
  destination: address,
  data: bytes,
  summary: text,
};

const ENTRY: Field<TraceEntry> = variants<'type', TraceEntry>('type', {
  receive: datagram,
  time: { at: time },
  call: { at: time, call: CALL },
  transmit: datagram,
  event: { at: time, event: EVENT },
  timeout: { at: time, deadline, reason: text },
  packet: { at: time, direction: oneOf('in', 'out'), data: bytes, summary: text },
  timer: { at: time, timer: text, change: oneOf('armed', 'fired', 'disarmed'), deadline },
  state: {
    at: time,
    machine: oneOf('rtc', 'signaling', 'ice', 'dtls', 'dtls.handshake', 'sctp'),
    from: text,
    to: text,
  },
  drop: { at: time, counter: text, count },
  secret: { at: time, label: text, clientRandom: bytes, secret: bytes },
});
