/**
 * Reassembly of handshake messages (RFC 6347 §4.2.3) from fragments in any order, overlapping or repeated.
 *
 * Fragments belong together when message_seq, type and length all agree; two that differ in type or length are two
 * candidates for the same place, so that a forged fragment cannot spoil the genuine message. Of overlapping bytes
 * the first ones stay, and a map of the bytes that have come keeps overlaps from being counted twice.
 *
 * Memory is bounded by declared lengths (`reassemblyBytes`) and distance (`messagesAhead`), and does not depend on the
 * number of fragments. When room is short, what is farthest ahead goes first: the next message always finds a place.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, copyBytes } from '../core/bytes.ts';
import type { Fragment, HandshakeMessage } from './messages/handshake.ts';

/** Bounds of what a peer can make grow. */
export interface ReassemblyLimits {
  /** Largest handshake message in bytes. */
  readonly messageLength: number;
  /** Bytes of incomplete and early messages together, by their declared lengths. */
  readonly reassemblyBytes: number;
  /** How many messages beyond the next one are kept. */
  readonly messagesAhead: number;
}

/** What became of a fragment; all but `taken` and `stale` are drops with a counter of their own. */
export type FragmentVerdict =
  | 'taken'
  | 'stale' // of a message consumed already: the peer repeats itself
  | 'duplicate' // nothing new in it
  | 'too-long'
  | 'too-far-ahead'
  | 'no-room';

/** How much of a message has come. */
export interface MessageProgress {
  readonly type: number;
  readonly received: number;
  /** As its fragments declare. */
  readonly length: number;
}

/** Candidates for one message_seq: the genuine message, and room for one forged or garbled one. */
const CANDIDATES = 2;

interface Assembly {
  readonly messageSeq: number;
  readonly type: number;
  readonly body: Bytes;
  /** 1 for every byte of `body` that has come; empty of a message that came whole. */
  readonly map: Uint8Array;
  received: number;
}

/** The peer's messages that are not whole yet, or not due. */
export class Reassembly {
  /** message_seq of the next message to be consumed. */
  nextSeq = 0;
  readonly #limits: ReassemblyLimits;
  /** In order of arrival. */
  #assemblies: Assembly[] = [];
  #reserved = 0;

  constructor(limits: ReassemblyLimits) {
    this.#limits = limits;
  }

  /** Bytes reserved by declared lengths. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Messages begun and not consumed. */
  get pending(): number {
    return this.#assemblies.length;
  }

  /** Takes what is new in `fragment`; the bytes are copied. */
  accept(fragment: Fragment): FragmentVerdict {
    if (fragment.messageSeq < this.nextSeq) return 'stale';
    if (fragment.length > this.#limits.messageLength) return 'too-long';
    if (fragment.messageSeq - this.nextSeq > this.#limits.messagesAhead) return 'too-far-ahead';
    // An empty fragment of a message that is not empty says nothing.
    if (fragment.body.length === 0 && fragment.length > 0) return 'duplicate';
    const existing = this.#find(fragment);
    if (existing !== undefined) return fill(existing, fragment) > 0 ? 'taken' : 'duplicate';
    if (!this.#makeRoom(fragment)) return 'no-room';
    const { messageSeq, type, length, body } = fragment;
    const assembly: Assembly =
      body.length === length
        ? { messageSeq, type, body: copyBytes(body), map: NO_BYTES, received: length }
        : { messageSeq, type, body: new Uint8Array(length), map: new Uint8Array(length), received: 0 };
    this.#assemblies.push(assembly);
    this.#reserved += length;
    fill(assembly, fragment);
    return 'taken';
  }

  /** True if pieces of another message have come for the place of `fragment`. */
  contradicts(fragment: Fragment): boolean {
    const { messageSeq, type, length } = fragment;
    return this.#assemblies.some(
      (other) => other.messageSeq === messageSeq && (other.type !== type || other.body.length !== length),
    );
  }

  /** Removes and answers the next message once it is complete, and moves on to the one after it. */
  take(): HandshakeMessage | undefined {
    const complete = this.#assemblies.find(
      (assembly) => assembly.messageSeq === this.nextSeq && assembly.received === assembly.body.length,
    );
    if (complete === undefined) return undefined;
    for (const assembly of this.#assemblies.filter((other) => other.messageSeq === this.nextSeq)) {
      this.#drop(assembly);
    }
    this.nextSeq++;
    return { type: complete.type, messageSeq: complete.messageSeq, body: complete.body };
  }

  /** How much of the next message has come, for diagnosis: of its candidates, the one with the most. */
  progress(): MessageProgress | undefined {
    let most: Assembly | undefined;
    for (const assembly of this.#assemblies) {
      if (assembly.messageSeq !== this.nextSeq) continue;
      if (most === undefined || assembly.received > most.received) most = assembly;
    }
    return most === undefined
      ? undefined
      : { type: most.type, received: most.received, length: most.body.length };
  }

  /** Frees everything; the handshake is over. */
  clear(): void {
    this.#assemblies = [];
    this.#reserved = 0;
  }

  #find(fragment: Fragment): Assembly | undefined {
    return this.#assemblies.find(
      (assembly) =>
        assembly.messageSeq === fragment.messageSeq &&
        assembly.type === fragment.type &&
        assembly.body.length === fragment.length,
    );
  }

  /** Evicts what is farther ahead than `fragment`, and the oldest of too many candidates for its place. */
  #makeRoom(fragment: Fragment): boolean {
    const rivals = this.#assemblies.filter((other) => other.messageSeq === fragment.messageSeq);
    const oldest = rivals[0];
    if (oldest !== undefined && rivals.length >= CANDIDATES) this.#drop(oldest);
    while (this.#reserved + fragment.length > this.#limits.reassemblyBytes) {
      const farthest = this.#farthest();
      if (farthest === undefined || farthest.messageSeq < fragment.messageSeq) return false;
      this.#drop(farthest);
    }
    return true;
  }

  #farthest(): Assembly | undefined {
    let farthest: Assembly | undefined;
    for (const assembly of this.#assemblies) {
      if (farthest === undefined || assembly.messageSeq > farthest.messageSeq) farthest = assembly;
    }
    return farthest;
  }

  #drop(assembly: Assembly): void {
    this.#assemblies = this.#assemblies.filter((other) => other !== assembly);
    this.#reserved -= assembly.body.length;
  }
}

/** Copies the bytes of `fragment` that have not come yet; answers how many. */
function fill(assembly: Assembly, fragment: Fragment): number {
  let fresh = 0;
  if (assembly.received === assembly.body.length) return fresh;
  for (let i = 0; i < fragment.body.length; i++) {
    const at = fragment.offset + i;
    if (assembly.map[at] === 1) continue;
    assembly.map[at] = 1;
    assembly.body[at] = fragment.body[i]!;
    fresh++;
  }
  assembly.received += fresh;
  return fresh;
}
