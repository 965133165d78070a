/**
 * Realms: the address spaces of a network, which are the internet and the inside of each NAT, and who stands where.
 * Private addresses may repeat in different realms, as they do at two homes.
 */
import type { RtcError } from '../core/errors.ts';
import { badArgument } from '../core/errors.ts';
import type { NetworkInterface } from './host.ts';
import type { Nat } from './nat.ts';

/** What can own an address. */
export type End = NetworkInterface | Nat;

/** The way out of an address space. */
export interface Exit {
  readonly nat: Nat;
  /** Where the NAT has its outside address. */
  readonly outside: Realm;
}

/** The addresses of one address space, and who has each. */
export class Realm {
  /** `undefined` on the internet. */
  readonly exit: Exit | undefined;
  readonly #ends = new Map<string, End>();

  constructor(exit: Exit | undefined) {
    this.exit = exit;
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

/** Every realm of a network. */
export class Realms {
  readonly internet: Realm = new Realm(undefined);
  readonly #behind = new Map<Nat, Realm>();
  readonly #homes = new Map<NetworkInterface, Realm>();

  /** The realm behind `nat`; of none: the internet. */
  behind(nat: Nat | undefined): Realm {
    return (nat && this.#behind.get(nat)) ?? this.internet;
  }

  /** Where `local` stands. */
  of(local: NetworkInterface): Realm {
    return this.#homes.get(local) ?? this.internet;
  }

  /** `nat` stands in `outside`. Throws `ERR_BAD_ARGUMENT` when its address is taken there. */
  addNat(nat: Nat, outside: Realm): void {
    outside.add(nat.address, nat);
    this.#behind.set(nat, new Realm({ nat, outside }));
  }

  /** `local` stands in `realm`. Throws `ERR_BAD_ARGUMENT` when its address is taken there. */
  addInterface(local: NetworkInterface, realm: Realm): void {
    realm.add(local.address, local);
    this.#homes.set(local, realm);
  }
}

/** The error for an address that somebody in the realm has. */
export function takenAddress(address: string): RtcError {
  return badArgument('address', 'one that is free in its realm', address);
}
