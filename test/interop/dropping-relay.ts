/**
 * A relay in user space that stands before the library's address in its description, and drops everything when it is told to.
 * Each address that it hears of gets a socket of its own towards the library, so that answers find back.
 */
import { createSocket, type Socket } from 'node:dgram';

const HOST_CANDIDATE = /^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/im;
const CANDIDATES = /^a=(?:candidate:.*|end-of-candidates)\r\n/gm;

export class DroppingRelay {
  isDropping = false;
  readonly #front: Socket;
  readonly #behind = new Map<string, Socket>();
  #library: { readonly address: string; readonly port: number } | undefined;

  static async open(): Promise<DroppingRelay> {
    const front = createSocket('udp4');
    await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
    return new DroppingRelay(front);
  }

  private constructor(front: Socket) {
    this.#front = front;
    front.on('message', (datagram, { address, port }) => {
      if (this.#library === undefined || this.isDropping) return;
      const back = this.#socketFor(address, port);
      back.send(datagram, this.#library.port, this.#library.address);
    });
  }

  /** The library's description with the relay as its only candidate. */
  inFrontOf(sdp: string): string {
    const [, address, port] = HOST_CANDIDATE.exec(sdp) ?? [];
    if (address === undefined) throw new Error(`the library has no IPv4 candidate: ${sdp}`);
    this.#library = { address, port: Number(port) };
    const candidate = `a=candidate:1 1 UDP 2122317823 127.0.0.1 ${this.#front.address().port} typ host`;
    return `${sdp.replaceAll(CANDIDATES, '')}${candidate}\r\na=end-of-candidates\r\n`;
  }

  close(): void {
    this.#front.close();
    for (const socket of this.#behind.values()) socket.close();
  }

  #socketFor(address: string, port: number): Socket {
    const key = `${address}:${port}`;
    const known = this.#behind.get(key);
    if (known !== undefined) return known;
    const back = createSocket('udp4').on('message', (datagram) => {
      if (!this.isDropping) this.#front.send(datagram, port, address);
    });
    this.#behind.set(key, back);
    return back;
  }
}
