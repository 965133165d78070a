/**
 * FramedConnection: one TCP connection of ICE's, whose stream is frames both ways (RFC 4571 §2), and the bounds on how many there are.
 */
import type { Socket } from 'node:net';
import { formatIp, parseIp, type TransportAddress } from '../core/address.ts';
import { FrameReader, LENGTH_BYTES } from './frame-reader.ts';

/** How large a frame may be, and how many bytes may wait for a peer that does not read. */
export interface FrameLimits {
  readonly maxFrameSize: number;
  readonly maxQueuedBytes: number;
}

/** Frames over one socket. */
export class FramedConnection {
  readonly socket: Socket;
  readonly remote: TransportAddress;
  /** When a frame with something in it was complete, or the connection made, ms. */
  heardAt: number;
  readonly #limits: FrameLimits;
  readonly #frames = new FrameReader();

  constructor(socket: Socket, remote: TransportAddress, limits: FrameLimits, now: number) {
    this.socket = socket;
    this.remote = remote;
    this.heardAt = now;
    this.#limits = limits;
  }

  /** @returns false: the peer does not read what waits for it already, and this does not wait too */
  send(data: Uint8Array): boolean {
    if (this.socket.writableLength + LENGTH_BYTES + data.length > this.#limits.maxQueuedBytes) return false;
    const frame = Buffer.allocUnsafe(LENGTH_BYTES + data.length);
    frame.writeUInt16BE(data.length, 0);
    frame.set(data, LENGTH_BYTES);
    this.socket.write(frame);
    return true;
  }

  /** Gives each frame that is whole to `take`. @returns false: one is too long, and the stream none of ours */
  receive(chunk: Buffer, take: (frame: Uint8Array) => void, now: number): boolean {
    const { maxFrameSize } = this.#limits;
    this.#frames.feed(chunk);
    for (let frame = this.#frames.next(maxFrameSize); frame !== undefined;) {
      if (frame === 'too-long') return false;
      if (frame.length > 0) this.heardAt = now;
      take(frame);
      frame = this.#frames.next(maxFrameSize);
    }
    return true;
  }
}

/** How many connections there are, in all and by remote address. */
export class ConnectionCounts {
  size = 0;
  readonly #max: number;
  readonly #maxPerAddress: number;
  /** By whom they count for. */
  readonly #perHolder = new Map<string, number>();

  constructor(max: number, maxPerAddress: number) {
    this.#max = max;
    this.#maxPerAddress = maxPerAddress;
  }

  /** Whether one more may be, with `remote`. */
  admits(remote: TransportAddress): boolean {
    return this.size < this.#max && (this.#perHolder.get(holderOf(remote)) ?? 0) < this.#maxPerAddress;
  }

  add(remote: TransportAddress): void {
    const holder = holderOf(remote);
    this.#perHolder.set(holder, (this.#perHolder.get(holder) ?? 0) + 1);
    this.size++;
  }

  remove(remote: TransportAddress): void {
    const holder = holderOf(remote);
    const others = (this.#perHolder.get(holder) ?? 1) - 1;
    if (others === 0) this.#perHolder.delete(holder);
    else this.#perHolder.set(holder, others);
    this.size--;
  }
}

/** Who holds an address: IPv4 addresses are given out one by one, IPv6 in networks of 64 bits and more (RFC 6177). */
export function holderOf({ address }: TransportAddress): string {
  const bytes = parseIp(address);
  return bytes === undefined || bytes.length === 4 ? address : formatIp(bytes.fill(0, 8));
}
