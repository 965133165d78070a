/**
 * FurtherSockets: a driver's pool of sockets, opened when two of its connections meet one remote address.
 *
 * Between one of our sockets and one of the peer's there is one path, and two connections cannot share it, unless both ends have
 * DTLS connection ids, of which the endpoint sees to it that nobody comes here: fifty clients on
 * one driver that call one server need fifty sockets. The first has the driver's own. Each that meets an address which
 * another one has already gets a host candidate on a socket of this pool where that address is free, and keeps off the path
 * that is taken. The peer need not be told: it learns the candidate from our checks.
 *
 *   meeting ──a socket where the remote address is free, or a new one──▶ candidate        none is left ──▶ counted, they share
 *
 * Only the controlling end parts, which is the offerer, or the full one of a full and a lite end: one of two is enough, and to
 * the one that answers a known address is also a page that has reloaded behind one port, whose firewall lets this socket
 * alone through.
 */
import { formatAddress, type TransportAddress } from '../core/address.ts';
import type { SharedPath } from '../endpoint.ts';
import type { Rtc } from '../rtc.ts';

/** The bounds of a pool, and how it binds a socket. */
export interface FurtherSocketsOptions {
  /** Most sockets of this pool. */
  readonly max: number;
  /** Binds one on any free port of `address`; rejects if it cannot. */
  readonly open: (address: string) => Promise<TransportAddress>;
  /** Gives `rtc` a candidate at `local`, if it is still there. Never throws. */
  readonly give: (rtc: Rtc, local: TransportAddress) => void;
}

interface FurtherSocket {
  readonly address: string;
  readonly local: Promise<TransportAddress | undefined>;
  /** Who has which remote address here. */
  readonly taken: Map<string, Rtc>;
}

/** The pool of one driver. */
export class FurtherSockets {
  /** Meetings for which there was no socket any more, or none could be bound. */
  exhausted = 0;
  readonly #options: FurtherSocketsOptions;
  readonly #sockets: FurtherSocket[] = [];
  readonly #given = new Map<Rtc, Set<FurtherSocket>>();

  constructor(options: FurtherSocketsOptions) {
    this.#options = options;
  }

  /** Sockets of this pool that are open or about to be. They stay until the driver closes. */
  get size(): number {
    return this.#sockets.length;
  }

  /** True: the connection keeps off the path where it has met another, for it gets one of its own. */
  part({ protocol, local, remote, rtc }: SharedPath): boolean {
    if (protocol !== 'udp' || rtc.inspect().ice.role !== 'controlling') return false;
    const address = formatAddress(remote);
    const given = this.#given.get(rtc) ?? new Set();
    const isFree = (socket: FurtherSocket): boolean =>
      socket.address === local.address && !socket.taken.has(address);
    const socket = [...given, ...this.#sockets].find(isFree) ?? this.#add(local.address);
    if (socket === undefined) {
      this.exhausted++;
      return false;
    }
    socket.taken.set(address, rtc);
    if (given.has(socket)) return true; // its candidate is paired with every address of the peer's
    this.#given.set(rtc, given.add(socket));
    void socket.local.then((place) => {
      if (place !== undefined) this.#options.give(rtc, place);
    });
    return true;
  }

  /** `rtc` has left: its places are free. */
  release(rtc: Rtc): void {
    for (const { taken } of this.#given.get(rtc) ?? []) {
      for (const [address, holder] of taken) if (holder === rtc) taken.delete(address);
    }
    this.#given.delete(rtc);
  }

  #add(address: string): FurtherSocket | undefined {
    if (this.#sockets.length >= this.#options.max) return undefined;
    const local = this.#options.open(address).catch(() => {
      this.exhausted++;
      this.#sockets.splice(this.#sockets.indexOf(socket), 1);
      return undefined;
    });
    const socket: FurtherSocket = { address, local, taken: new Map() };
    this.#sockets.push(socket);
    return socket;
  }
}
