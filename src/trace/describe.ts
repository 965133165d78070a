/** Descriptions: entries in one line each, for consoles, and whole traces for `sansrtc trace summary`. */
import { formatAddress } from '../core/address.ts';
import { quote } from '../core/text.ts';
import type { TraceEntry, TraceEvent } from '../rtc.ts';
import { describeCall, describeChannel, describeData, describeMedia } from '../rtc/calls.ts';
import type { Trace } from './trace.ts';

/** A whole trace: what it is, how much of what, then each entry with its time. */
export function describeTrace({ header, entries }: Trace): string {
  const counts = new Map<string, number>();
  for (const { type } of entries) counts.set(type, (counts.get(type) ?? 0) + 1);
  const kind =
    header.seed === undefined ? 'for reading' : 'can be replayed, holds the keys of the connection';
  const lines = entries.map(
    (entry) => `${entry.at.toFixed(3).padStart(TIME_WIDTH)}  ${describeEntry(entry)}`,
  );
  return [
    `sansrtc trace, version ${header.version}: ${kind}`,
    [...counts].map(([type, count]) => `${count} ${type}`).join(', '),
    '',
    ...lines,
    '',
  ].join('\n');
}

/** Characters of the column of times, in milliseconds: a day and three decimals. */
const TIME_WIDTH = 12;

/** Without the time: `transmit to 192.0.2.2:5000, 96 bytes: STUN Binding request …`. */
export function describeEntry(entry: TraceEntry): string {
  switch (entry.type) {
    case 'receive':
      return `receive from ${formatAddress(entry.source)}, ${entry.data.length} bytes: ${entry.summary}`;
    case 'resolved':
      return `resolved ${quote(entry.name)}: ${entry.addresses.join(', ') || 'no address'}`;
    case 'time':
      return 'time';
    case 'call':
      return `call ${describeCall(entry.call)}`;
    case 'transmit':
      return `transmit to ${formatAddress(entry.destination)}, ${entry.data.length} bytes: ${entry.summary}`;
    case 'event':
      return `event ${describeEvent(entry.event)}`;
    case 'timeout':
      return `timeout ${describeTime(entry.deadline)} (${entry.reason})`;
    case 'packet':
      return `packet ${entry.direction}: ${entry.summary}`;
    case 'timer':
      return `timer ${entry.timer} ${entry.change}, ${describeTime(entry.deadline)}`;
    case 'state':
      return `state of ${entry.machine}: ${entry.from} → ${entry.to}`;
    case 'drop':
      return `drop ${entry.counter}${entry.count === 1 ? '' : ` × ${entry.count}`}`;
    case 'secret':
      return `secret ${entry.label}`;
  }
}

/** Milliseconds with three decimals at the most; `never` for `Infinity`. */
export function describeTime(at: number): string {
  return at === Infinity ? 'never' : `${Math.round(at * 1000) / 1000} ms`;
}

function describeEvent(event: TraceEvent): string {
  const parts: string[] = [event.type];
  if (event.state !== undefined) parts.push(event.state);
  if (event.channel !== undefined) parts.push(describeChannel(event.channel));
  if (event.media !== undefined) {
    const { direction, stopped } = event.media;
    parts.push(describeMedia(event.media), stopped === true ? 'stopped' : (direction ?? 'not agreed on'));
  }
  if (event.outcome !== undefined) parts.push(`${event.id ?? ''}: ${event.outcome}`);
  if (event.data !== undefined) parts.push(describeData(event.data));
  if (event.name !== undefined) parts.push(quote(event.name));
  if (event.candidate !== undefined) {
    const { type, protocol, address, port } = event.candidate;
    parts.push(type, protocol, formatAddress({ address, port }));
  }
  if (event.error !== undefined) parts.push(`${event.error.errorCode} of ${event.error.url}`);
  if (event.details !== undefined) parts.push(describeDetails(event.details));
  if (event.failure !== undefined) parts.push(`${event.failure.code}: ${event.failure.message}`);
  return parts.join(' ');
}

/** Texts and numbers by their names; of the rest, that it is there. */
function describeDetails(details: Readonly<Record<string, unknown>>): string {
  return Object.entries(details)
    .map(([name, value]) => {
      if (Array.isArray(value)) return `${name}: ${value.length}`;
      if (typeof value !== 'object' || value === null) return `${name} ${String(value)}`;
      return 'code' in value ? `${name} ${String(value.code)}` : name;
    })
    .join(', ');
}
