/**
 * DatagramLog: what was sent, by whom, and what became of it; with a digest over all bytes, ways and times,
 * by which two runs are compared.
 */
import type { Protocol, TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { copyBytes } from '../core/bytes.ts';
import { Counters } from '../core/counters.ts';
import type { LinkLoss } from './link.ts';
import type { SimTransmit } from './machine.ts';

/** Why a datagram did not get through. */
export type Loss =
  | LinkLoss
  /** Nobody has the address, or the port. */
  | 'no-route'
  | 'no-listener'
  | 'interface-down'
  /** A NAT had no mapping for the port, or its filter refused the sender. */
  | 'nat-filtered'
  | 'nat-no-hairpin'
  | 'nat-ports-exhausted'
  /** The host was frozen and its receive buffer full. */
  | 'receive-buffer-full';

/** What became of one copy of a datagram. */
export type Fate = 'in-flight' | 'delivered' | Loss;

const FATES: readonly Fate[] = [
  'in-flight',
  'delivered',
  'cut',
  'dropped',
  'too-big',
  'queue-full',
  'lost',
  'burst-lost',
  'no-route',
  'no-listener',
  'interface-down',
  'nat-filtered',
  'nat-no-hairpin',
  'nat-ports-exhausted',
  'receive-buffer-full',
];

/** One datagram, as its sender sent it. Times are virtual milliseconds. */
export interface DatagramRecord {
  /** Position among all datagrams of the network, from 0. */
  readonly index: number;
  /** The direction it took, and its position there (`link.inject`); `undefined` when it found none. */
  readonly link: string | undefined;
  readonly linkIndex: number | undefined;
  /** Name of the sending peer. */
  readonly from: string;
  /** Name of the peer it was delivered to. */
  readonly to: string | undefined;
  readonly protocol: Protocol;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly sentAt: number;
  /** Bytes of UDP payload. */
  readonly length: number;
  /** Of a duplicated datagram: `delivered` when one copy was. */
  readonly fate: Fate;
  /** When it was handed to a machine: once, or twice for a duplicate. */
  readonly arrivals: readonly number[];
  readonly corrupted: boolean;
  /** The payload as sent, when `record.bytes` is on. */
  readonly data: Bytes | undefined;
}

/** A record while its datagram is under way. */
export type OpenRecord = { -readonly [Key in keyof DatagramRecord]: DatagramRecord[Key] } & {
  arrivals: number[];
};

/** What is kept of each datagram; counts and digest are kept anyway. */
export interface LogOptions {
  /** Keep a record of every datagram. Default true. */
  readonly datagrams?: boolean | undefined;
  /** Keep a copy of every payload too. Default false. */
  readonly bytes?: boolean | undefined;
}

/** All datagrams of a network, in the order of sending. */
export class DatagramLog {
  readonly records: OpenRecord[] = [];
  readonly #counters = new Counters<Fate>(FATES);
  readonly #digest = new Digest();
  readonly #keep: boolean;
  readonly #keepBytes: boolean;
  #sent = 0;

  constructor(options: LogOptions) {
    this.#keep = options.datagrams ?? true;
    this.#keepBytes = options.bytes ?? false;
  }

  /** Fates of all copies so far. */
  counts(): Record<Fate, number> {
    return this.#counters.snapshot();
  }

  digest(): string {
    return this.#digest.text();
  }

  sent(from: string, transmit: SimTransmit, now: number): OpenRecord {
    const { source, destination, data } = transmit;
    const record: OpenRecord = {
      index: this.#sent++,
      link: undefined,
      linkIndex: undefined,
      from,
      to: undefined,
      protocol: transmit.protocol,
      source,
      destination,
      sentAt: now,
      length: data.length,
      fate: 'in-flight',
      arrivals: [],
      corrupted: false,
      data: this.#keepBytes ? copyBytes(data) : undefined,
    };
    if (this.#keep) this.records.push(record);
    this.#digest.time(now);
    this.#digest.word(source.port);
    this.#digest.word(destination.port);
    this.#digest.characters(source.address);
    this.#digest.characters(destination.address);
    this.#digest.bytes(data);
    return record;
  }

  /** A copy of the datagram sets out. */
  departed(): void {
    this.#counters.add('in-flight');
  }

  /** It never set out. */
  refused(record: OpenRecord, loss: Loss): void {
    record.fate = loss;
    this.#counters.add(loss);
    this.#digest.word(record.index);
    this.#digest.characters(loss);
  }

  /** A copy that had set out is lost at the last hop. */
  lost(record: OpenRecord, loss: Loss): void {
    if (record.fate !== 'delivered') record.fate = loss;
    this.#counters.add('in-flight', -1);
    this.#counters.add(loss);
    this.#digest.word(record.index);
    this.#digest.characters(loss);
  }

  delivered(record: OpenRecord, to: string, now: number): void {
    record.fate = 'delivered';
    record.to = to;
    record.arrivals.push(now);
    this.#counters.add('in-flight', -1);
    this.#counters.add('delivered');
    this.#digest.word(record.index);
    this.#digest.time(now);
  }
}

/** Two 32-bit lanes of multiply-and-xor over 32-bit words: enough to tell runs apart, no defence against anybody. */
class Digest {
  #a = 0x811c_9dc5;
  #b = 0x2545_f491;

  word(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x0100_0193);
    this.#b = Math.imul(this.#b ^ (this.#a >>> 15) ^ value, 0x9e37_79b1);
  }

  /** Milliseconds, to the nanosecond. */
  time(milliseconds: number): void {
    const nanoseconds = Math.round(milliseconds * 1e6);
    this.word(nanoseconds >>> 0);
    this.word(Math.floor(nanoseconds / 0x1_0000_0000));
  }

  characters(text: string): void {
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  bytes(bytes: Uint8Array): void {
    const whole = bytes.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      this.word(bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    }
    for (let i = whole; i < bytes.length; i++) this.word(bytes[i]!);
    this.word(bytes.length);
  }

  text(): string {
    return hex32(this.#a) + hex32(this.#b);
  }
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
