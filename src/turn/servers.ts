/** Servers: which one is asked, and whether a redirect leads to one that may be (RFC 8489 §10). */
import type { TransportAddress } from '../core/address.ts';
import { addressFamily, canonicalAddress, sameAddress } from '../core/address.ts';

/** The server in use and those of before. */
export class Servers {
  readonly #maxRedirects: number;
  readonly #former: TransportAddress[] = [];
  #current: TransportAddress;

  constructor({ address, port }: TransportAddress, maxRedirects: number) {
    this.#current = { address: canonicalAddress(address) ?? address, port };
    this.#maxRedirects = maxRedirects;
  }

  get current(): TransportAddress {
    return this.#current;
  }

  /** @returns why `target` may not be asked, as the end of a sentence; `undefined`: it is the one in use now */
  redirect(target: TransportAddress | undefined): string | undefined {
    if (target === undefined) return 'and does not say to which';
    if (this.#former.length >= this.#maxRedirects) return 'once too often';
    const known = [...this.#former, this.#current];
    if (known.some((server) => sameAddress(server, target))) return 'where we have been';
    if (addressFamily(target.address) !== addressFamily(this.#current.address)) return 'of the other family';
    this.#former.push(this.#current);
    this.#current = target;
    return undefined;
  }
}
