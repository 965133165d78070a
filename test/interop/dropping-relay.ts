/**
 * A relay in user space that stands before an address in a description, the library's or a page's, and drops everything, or a part
 * of it by a seed, when it is told to. Each address that it hears of gets a socket of its own towards that one, so that answers find
 * back.
 */
import { createSocket, type Socket } from 'node:dgram';
import { randomUnit, SeededRandom } from '../../src/core/random.ts';

const HOST_CANDIDATE = /^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/im;
const CANDIDATES = /^a=(?:candidate:.*|end-of-candidates)\r\n/gm;
/** Up to the end of the section that speaks for all others. */
const FIRST_SECTION = /^[^]*?\r\nm=[^]*?\r\n(?=m=|$)/;

export class DroppingRelay {
  isDropping = false;
  /** The part that is lost each way, 0 … 1. */
  loss = 0;
  /** How many datagrams have come, and how many of them were dropped. */
  readonly counters = { heard: 0, dropped: 0 };
  readonly #random = new SeededRandom(1);
  readonly #front: Socket;
  readonly #behind = new Map<string, Socket>();
  #target: { readonly address: string; readonly port: number } | undefined;

  static async open(): Promise<DroppingRelay> {
    const front = createSocket('udp4');
    await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
    return new DroppingRelay(front);
  }

  private constructor(front: Socket) {
    this.#front = front;
    front.on('message', (datagram, { address, port }) => {
      if (this.#target === undefined || this.#isLost()) return;
      const back = this.#socketFor(address, port);
      back.send(datagram, this.#target.port, this.#target.address);
    });
  }

  /** A description with the relay as its only candidate, before the first IPv4 address that it has. */
  inFrontOf(sdp: string): string {
    const [, address, port] = HOST_CANDIDATE.exec(sdp) ?? [];
    if (address === undefined) throw new Error(`there is no IPv4 candidate: ${sdp}`);
    this.#target = { address, port: Number(port) };
    const candidate = `a=candidate:1 1 UDP 2122317823 127.0.0.1 ${this.#front.address().port} typ host`;
    const bare = sdp.replaceAll(CANDIDATES, '');
    return bare.replace(FIRST_SECTION, (section) => `${section}${candidate}\r\na=end-of-candidates\r\n`);
  }

  close(): void {
    this.#front.close();
    for (const socket of this.#behind.values()) socket.close();
  }

  #isLost(): boolean {
    this.counters.heard++;
    const isLost = this.isDropping || (this.loss > 0 && randomUnit(this.#random) < this.loss);
    if (isLost) this.counters.dropped++;
    return isLost;
  }

  #socketFor(address: string, port: number): Socket {
    const key = `${address}:${port}`;
    const known = this.#behind.get(key);
    if (known !== undefined) return known;
    const back = createSocket('udp4').on('message', (datagram) => {
      if (!this.#isLost()) this.#front.send(datagram, port, address);
    });
    this.#behind.set(key, back);
    return back;
  }
}
