/**
 * Format: traces as text, JSON lines. The first line is the header (format, version, and what a replay needs: seed and options),
 * each further line one entry in the order in which it happened. docs/trace.md lists every member.
 *
 * A file that was cut between two lines is a shorter trace; one that was cut within a line, or is wrong anywhere, is
 * refused with the number of that line.
 */
import type { TransportAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import type { TraceEntry, TraceEvent } from '../rtc.ts';
import { callField, channelField, mediaField } from '../rtc/calls.ts';
import type { Field, Fields } from '../rtc/tracer/fields.ts';
import {
  TraceRefusal,
  bytes,
  count,
  deadline,
  object,
  oneOf,
  optional,
  payload,
  plain,
  text,
  time,
  unlessUsual,
  variants,
} from '../rtc/tracer/fields.ts';
import type { Trace, TraceConfiguration, TraceHeader } from './trace.ts';
import { FORMAT, VERSION } from './trace.ts';

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
    'negotiationneeded',
    'mediaadded',
    'mediachanged',
    'icegatheringstatechange',
    'icecandidate',
    'icecandidateerror',
    'resolve',
    'sctpstatechange',
    'rtp',
    'rtpstreamstart',
    'rtpstreampause',
    'rtpstreamresume',
    'rtpstreamend',
    'keyframetimeout',
    'keyframerequest',
    'senderreport',
    'packetresults',
    'remb',
    'dtmf',
    'rtcp',
    'warning',
    'closed',
  ),
  state: optional(text),
  channel: optional(channelField),
  media: optional(mediaField),
  data: optional(payload as Field<NonNullable<TraceEvent['data']>>),
  id: optional(seed),
  outcome: optional(text),
  name: optional(text),
  candidate: optional(plain<NonNullable<TraceEvent['candidate']>>()),
  error: optional(plain<NonNullable<TraceEvent['error']>>()),
  details: optional(plain<NonNullable<TraceEvent['details']>>()),
  failure: optional(plain<Failure>()),
});

type DatagramEntry = Extract<TraceEntry, { type: 'receive' }>;

const datagram: Fields<Omit<DatagramEntry, 'type'>> = {
  at: time,
  protocol,
  source: address,
  destination: address,
  data: bytes,
  ecn: optional(oneOf('not-ect', 'ect(0)', 'ect(1)', 'ce')),
  summary: text,
};

const ENTRY: Field<TraceEntry> = variants<'type', TraceEntry>('type', {
  receive: datagram,
  resolved: { at: time, name: text, addresses: plain<readonly string[]>() },
  time: { at: time },
  call: { at: time, call: callField },
  transmit: datagram,
  event: { at: time, event: EVENT },
  timeout: { at: time, deadline, reason: text },
  packet: {
    at: time,
    direction: oneOf('in', 'out'),
    kind: unlessUsual(oneOf('sctp', 'rtp', 'rtcp'), 'sctp'),
    data: bytes,
    summary: text,
  },
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
