/**
 * The streams in use, and the choice of new ones.
 *
 * A channel is a pair of streams, one each way, of the same number. The number is free again when both directions have
 * been reset (RFC 8831 §6.7), and not before: a stream whose reset was refused or never answered stays taken
 * ("quarantined") until the association ends, or until the missing reset comes after all.
 */
import type { ChannelState } from './data-channel.ts';

/** A pair of streams that is not free: who has it, and how far each direction is. */
export interface Stream {
  readonly id: number;
  /**
   * Who has the stream: a channel; nobody yet, as its OPEN has not come in whole; or nobody any more, with its resets
   * outstanding (`refused`) or given up (`quarantined`).
   */
  occupant: ChannelState | 'half-open' | 'refused' | 'quarantined';
  /** Our direction; `closing.ts` moves it. */
  outgoing: 'in-use' | 'draining' | 'resetting' | 'reset';
  /** The peer's direction. */
  incoming: 'in-use' | 'reset';
}

/** The channel that has the stream, if it has one. */
export function channelOf(stream: Stream): ChannelState | undefined {
  return typeof stream.occupant === 'string' ? undefined : stream.occupant;
}

/** The DTLS role, which decides who has which identifiers. */
export type ChannelRole = 'client' | 'server';

/** RFC 8832 §6: the client chooses from the even identifiers, the server from the odd ones. */
export function parityOf(role: ChannelRole): 0 | 1 {
  return role === 'client' ? 0 : 1;
}

/** True if the identifier is one that the end with this role chooses; false while the role is not known. */
export function hasParityOf(role: ChannelRole | undefined, streamId: number): boolean {
  return role !== undefined && streamId % 2 === parityOf(role);
}

/** At most 65535 entries: the identifiers bound it. */
export class StreamTable {
  readonly #streams = new Map<number, Stream>();
  /** Per parity: every identifier below it is taken. */
  readonly #lowest: [number, number] = [0, 1];
  /** How many have no channel any more. */
  #lost = 0;

  get(id: number): Stream | undefined {
    return this.#streams.get(id);
  }

  /** Takes a free identifier for `occupant`. */
  occupy(id: number, occupant: Stream['occupant']): Stream {
    const stream: Stream = { id, occupant, outgoing: 'in-use', incoming: 'in-use' };
    if (isLost(stream)) this.#lost++;
    this.#streams.set(id, stream);
    return stream;
  }

  /** Refused and quarantined streams. */
  get lostCount(): number {
    return this.#lost;
  }

  /** The stream has no channel any more, or never had one. */
  lose(stream: Stream, how: 'refused' | 'quarantined'): void {
    if (!isLost(stream)) this.#lost++;
    stream.occupant = how;
  }

  release(stream: Stream): void {
    this.#streams.delete(stream.id);
    if (isLost(stream)) this.#lost--;
    const parity = stream.id % 2 === 0 ? 0 : 1;
    this.#lowest[parity] = Math.min(this.#lowest[parity], stream.id);
  }

  /** The lowest free number of a parity, in range or not: low ones fit a peer that announces few streams. */
  lowestFree(parity: 0 | 1): number {
    let id = this.#lowest[parity];
    while (this.#streams.has(id)) id += 2;
    this.#lowest[parity] = id;
    return id;
  }

  clear(): void {
    this.#streams.clear();
    this.#lost = 0;
  }

  /** Every stream that is not free. */
  all(): Iterable<Stream> {
    return this.#streams.values();
  }

  /** How many streams have this occupant. Scans: for inspection. */
  count(occupant: 'half-open' | 'refused' | 'quarantined'): number {
    let count = 0;
    for (const stream of this.#streams.values()) if (stream.occupant === occupant) count++;
    return count;
  }
}

function isLost({ occupant }: Stream): boolean {
  return occupant === 'refused' || occupant === 'quarantined';
}
