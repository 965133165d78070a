/**
 * An address space: the internet, or the inside of one NAT. Private addresses may repeat in different realms, as they
 * do at two homes.
 */
import type { RtcError } from '../core/errors.ts';
import { badArgument } from '../core/errors.ts';
import type { NetworkInterface } from './host.ts';
import type { Nat } from './nat.ts';

/** What can own an address. */
export type End = NetworkInterface | Nat;

/** The addresses of one address space, and who has each. */
export class Realm {
  /** The way out; `undefined` on the internet. */
  readonly gateway: Nat | undefined;
  readonly #ends = new Map<string, End>();

  constructor(gateway: Nat | undefined) {
    this.gateway = gateway;
  }

  add(address: string, end: End): void {
    if (this.#ends.has(address)) throw takenAddress(address);
    this.#ends.set(address, end);
  }

  /** Who has this address, in its canonical text, in this realm. */
  find(address: string): End | undefined {
    return this.#ends.get(address);
  }
}

/** The error for an address that somebody in the realm has. */
export function takenAddress(address: string): RtcError {
  return badArgument('address', 'one that is free in its realm', address);
}
