/**
 * Passages, which both exports show: datagrams between two ends, each with its times, its fate and what is inside.
 *
 *   one trace             this end and whoever it talks to; only one time of each datagram is known
 *   two traces            of both ends, on one clock: what was sent here and never arrived there is lost
 *   a network's log       `net.datagrams` of sansrtc/sim; traces, if given, add what encryption hides
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { PacketKind } from '../core/machine.ts';
import { toHex } from '../core/text.ts';
import type { TraceEntry } from '../rtc.ts';
import { datagramSummary } from '../rtc/tracer/summary.ts';
import type { Trace } from './trace.ts';

/** A datagram as `Network.datagrams` records it; times are in milliseconds. */
export interface LoggedDatagram {
  readonly from: string;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly sentAt: number;
  /** Once, twice for a duplicate, never when it was lost. */
  readonly arrivals: readonly number[];
  /** `delivered`, `in-flight`, or why it did not arrive. */
  readonly fate: string;
  readonly length: number;
  readonly corrupted: boolean;
  /** The payload as sent, when the network keeps it (`record.bytes`). */
  readonly data: Bytes | undefined;
}

/** A packet in plaintext. */
export interface PassagePacket {
  readonly kind: PacketKind;
  readonly data: Bytes;
  readonly summary: string;
}

/** One datagram on its way from one end to the other. Times are milliseconds of the trace's clock. */
export interface Passage {
  /** The sender: the end that stands left, or right. */
  readonly from: 'left' | 'right';
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly sentAt: number;
  readonly arrivals: readonly number[];
  /** Why it did not arrive; `undefined` if it did, or is on its way. */
  readonly lost: string | undefined;
  readonly corrupted: boolean;
  readonly length: number;
  readonly data: Bytes | undefined;
  readonly summary: string;
  /** What was inside, where a trace tells. */
  readonly packets: readonly PassagePacket[];
}

/** Two ends, by name, and what passed between them. */
export interface Passages {
  readonly left: string;
  readonly right: string;
  /** In the order of sending. */
  readonly list: readonly Passage[];
}

/** What can be shown: a trace of one end, traces of both, or a network's datagrams with the traces there are. */
export type PassageSource =
  | Trace
  | readonly [Trace, Trace]
  | { readonly datagrams: readonly LoggedDatagram[]; readonly traces?: readonly Trace[] | undefined };

/** Makes passages of whatever there is to show. */
export function passagesOf(source: PassageSource): Passages {
  if ('datagrams' in source) return logged(source.datagrams, source.traces ?? []);
  if ('header' in source) return oneSided(source);
  return twoSided(source[0], source[1]);
}

// --- one end ---

type Datagram = Extract<TraceEntry, { readonly type: 'receive' | 'transmit' }>;

/** A datagram of a trace with the packets inside. */
interface Seen {
  readonly entry: Datagram;
  readonly packets: PassagePacket[];
}

/** Outgoing packets come before the datagram they are sealed in, incoming ones after the one they came in. */
function seen(trace: Trace): Seen[] {
  const all: Seen[] = [];
  let outgoing: PassagePacket[] = [];
  let incoming: PassagePacket[] = [];
  for (const entry of trace.entries) {
    if (entry.type === 'packet') {
      const { kind, data, summary } = entry;
      (entry.direction === 'out' ? outgoing : incoming).push({ kind, data, summary });
    } else if (entry.type === 'receive') {
      incoming = [];
      all.push({ entry, packets: incoming });
    } else if (entry.type === 'transmit') {
      all.push({ entry, packets: outgoing });
      outgoing = [];
    }
  }
  return all;
}

function oneSided(trace: Trace): Passages {
  const all = seen(trace);
  const first = all[0]?.entry;
  return {
    left: first === undefined ? 'this end' : formatAddress(ownAddress(first)),
    right: first === undefined ? 'the peer' : formatAddress(peerAddress(first)),
    list: all.map(({ entry, packets }) => passage(entry, packets, [entry.at], undefined)),
  };
}

function ownAddress(entry: Datagram): TransportAddress {
  return entry.type === 'transmit' ? entry.source : entry.destination;
}

function peerAddress(entry: Datagram): TransportAddress {
  return entry.type === 'transmit' ? entry.destination : entry.source;
}

function passage(
  { type, at, source, destination, data, summary }: Datagram,
  packets: readonly PassagePacket[],
  arrivals: readonly number[],
  lost: string | undefined,
): Passage {
  const from = type === 'transmit' ? 'left' : 'right';
  const { length } = data;
  return {
    from,
    source,
    destination,
    sentAt: at,
    arrivals,
    lost,
    corrupted: false,
    length,
    data,
    summary,
    packets,
  };
}

// --- both ends ---

function twoSided(left: Trace, right: Trace): Passages {
  const [ours, theirs] = [seen(left), seen(right)];
  const list = [...sentBy('left', ours, theirs), ...sentBy('right', theirs, ours)];
  const named = ours[0]?.entry;
  return {
    left: named === undefined ? 'left' : formatAddress(ownAddress(named)),
    right: named === undefined ? 'right' : formatAddress(peerAddress(named)),
    list: list.sort((a, b) => a.sentAt - b.sentAt),
  };
}

/** The datagrams one end sent, each with the arrivals that the other end saw of it. */
function sentBy(from: 'left' | 'right', sender: readonly Seen[], receiver: readonly Seen[]): Passage[] {
  const sent = sender
    .filter(({ entry }) => entry.type === 'transmit')
    .map((one) => ({ ...one, arrivals: [] as number[] }));
  const copies = new Map<string, typeof sent>();
  for (const one of sent) listAt(copies, toHex(one.entry.data)).push(one);
  for (const { entry } of receiver) {
    if (entry.type !== 'receive') continue;
    // Of equal datagrams it is the latest that has not arrived; repetitions are far apart, compared to the way they take.
    const possible = copies.get(toHex(entry.data))?.filter((one) => one.entry.at <= entry.at) ?? [];
    const due = possible.filter(({ arrivals }) => arrivals.length === 0);
    (due.at(-1) ?? possible.at(-1))?.arrivals.push(entry.at);
  }
  return sent.map(({ entry, packets, arrivals }) => ({
    ...passage(entry, packets, arrivals, arrivals.length === 0 ? 'lost' : undefined),
    from,
  }));
}

// --- a network ---

function logged(datagrams: readonly LoggedDatagram[], traces: readonly Trace[]): Passages {
  const insides = new Map<string, Seen>();
  for (const one of traces.flatMap(seen)) {
    if (one.entry.type === 'transmit') insides.set(toHex(one.entry.data), one);
  }
  const left = datagrams[0]?.from ?? 'left';
  const others = datagrams.filter(({ from }) => from !== left);
  const right = others[0]?.from ?? 'right';
  const list = datagrams
    .filter(({ from }) => from === left || from === right)
    .map((datagram) => loggedPassage(datagram, left, insides));
  return { left, right, list };
}

function loggedPassage(datagram: LoggedDatagram, left: string, insides: ReadonlyMap<string, Seen>): Passage {
  const { from, source, destination, sentAt, arrivals, fate, length, corrupted, data } = datagram;
  return {
    from: from === left ? 'left' : 'right',
    source,
    destination,
    sentAt,
    arrivals,
    lost: fate === 'delivered' || fate === 'in-flight' ? undefined : fate,
    corrupted,
    length,
    data,
    summary: data === undefined ? `${length} bytes` : datagramSummary(data),
    packets: data === undefined ? [] : (insides.get(toHex(data))?.packets ?? []),
  };
}

function listAt<Key, Item>(lists: Map<Key, Item[]>, key: Key): Item[] {
  let list = lists.get(key);
  if (list === undefined) {
    list = [];
    lists.set(key, list);
  }
  return list;
}
