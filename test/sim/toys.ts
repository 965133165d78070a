/** Small machines with the poll contract, to test the network with: they have no secrets and do one thing each. */
import type { TransportAddress } from '../../src/core/address.ts';
import type { SimInput, SimOutput } from '../../src/sim/index.ts';

export type PingEvent =
  | { readonly type: 'pong'; readonly id: number; readonly roundTrip: number }
  | { readonly type: 'gaveup'; readonly id: number };

type PingOutput =
  | Extract<SimOutput, { type: 'transmit' | 'timeout' }>
  | { readonly type: 'event'; readonly event: PingEvent };

const RETRANSMIT = 200;
const TRIES = 5;

/** Sends numbered pings, each again every 200 ms until its pong comes, five times at most. */
export class Pinger {
  readonly #local: TransportAddress;
  readonly #remote: TransportAddress;
  readonly #waiting = new Map<number, { sentAt: number; tries: number; due: number }>();
  readonly #outputs: PingOutput[] = [];
  #now = 0;

  constructor(local: TransportAddress, remote: TransportAddress) {
    this.#local = local;
    this.#remote = remote;
  }

  ping(id: number): void {
    this.#waiting.set(id, { sentAt: this.#now, tries: 0, due: -Infinity });
  }

  handleInput(input: SimInput): void {
    this.#now = Math.max(this.#now, input.now);
    if (input.type !== 'receive') return;
    const id = input.data[0] ?? -1;
    const pending = this.#waiting.get(id);
    if (pending === undefined) return;
    this.#waiting.delete(id);
    this.#outputs.push({ type: 'event', event: { type: 'pong', id, roundTrip: this.#now - pending.sentAt } });
  }

  pollOutput(): PingOutput {
    for (const [id, pending] of this.#waiting) {
      if (pending.due > this.#now) continue;
      if (pending.tries === TRIES) {
        this.#waiting.delete(id);
        this.#outputs.push({ type: 'event', event: { type: 'gaveup', id } });
        continue;
      }
      if (pending.tries === 0) pending.sentAt = this.#now;
      pending.tries++;
      pending.due = this.#now + RETRANSMIT;
      this.#outputs.push(transmit(this.#local, this.#remote, [id]));
    }
    const output = this.#outputs.shift();
    if (output !== undefined) return output;
    let at = Infinity;
    for (const { due } of this.#waiting.values()) at = Math.min(at, due);
    return { type: 'timeout', at, reason: 'retransmit' };
  }
}

/** Answers every datagram with the same bytes, from the address it came to. */
export class Echo {
  readonly #outputs: SimOutput[] = [];

  handleInput(input: SimInput): void {
    if (input.type !== 'receive') return;
    this.#outputs.push(transmit(input.destination, input.source, input.data));
  }

  pollOutput(): SimOutput {
    return this.#outputs.shift() ?? { type: 'timeout', at: Infinity };
  }
}

/** What a `Recorder` tells of each datagram. */
export interface Heard {
  readonly type: 'heard';
  readonly bytes: readonly number[];
  readonly length: number;
  readonly source: TransportAddress;
  readonly destination: TransportAddress;
  readonly now: number;
}

type RecorderOutput =
  Extract<SimOutput, { type: 'transmit' | 'timeout' }> | { readonly type: 'event'; readonly event: Heard };

/** Sends what it is told and tells what it hears; of long datagrams the first four bytes. */
export class Recorder {
  readonly #local: TransportAddress;
  readonly #outputs: RecorderOutput[] = [];
  readonly inputs: SimInput['type'][] = [];

  constructor(address: string, port = 5000) {
    this.#local = { address, port };
  }

  get local(): TransportAddress {
    return this.#local;
  }

  send(
    to: { readonly local: TransportAddress } | TransportAddress,
    bytes: readonly number[] | Uint8Array,
  ): void {
    this.#outputs.push(transmit(this.#local, 'local' in to ? to.local : to, bytes));
  }

  handleInput(input: SimInput): void {
    this.inputs.push(input.type);
    if (input.type !== 'receive') return;
    const { source, destination, data, now } = input;
    const event: Heard = {
      type: 'heard',
      bytes: [...data.subarray(0, 4)],
      length: data.length,
      source,
      destination,
      now,
    };
    this.#outputs.push({ type: 'event', event });
  }

  pollOutput(): RecorderOutput {
    return this.#outputs.shift() ?? { type: 'timeout', at: Infinity };
  }
}

/** A machine made of two functions, for tests of a broken contract. */
export function machineOf(
  pollOutput: () => SimOutput,
  handleInput: (input: SimInput) => void = () => undefined,
): { handleInput(input: SimInput): void; pollOutput(): SimOutput } {
  return { handleInput, pollOutput };
}

export function transmit(
  source: TransportAddress,
  destination: TransportAddress,
  bytes: readonly number[] | Uint8Array,
): Extract<SimOutput, { type: 'transmit' }> {
  return { type: 'transmit', protocol: 'udp', source, destination, data: Uint8Array.from(bytes) };
}
