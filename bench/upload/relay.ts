/**
 * A relay between a browser and a server that loses datagrams each way: it stands in the server's description, and the server
 * hears of no other address of the browser's. So every server is behind the same path, whatever its sockets are.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { randomUnit, SeededRandom } from '../../src/core/random.ts';

const CANDIDATE = /^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host/im;

export class Relay {
  /** The part of all datagrams that is lost each way, 0 … 1. */
  loss = 0;
  readonly #random: SeededRandom;
  readonly #front: Socket;
  readonly #back: Socket;
  #browser: AddressInfo | undefined;
  #server: { readonly address: string; readonly port: number } | undefined;

  static async open(seed: number): Promise<Relay> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))),
    );
    return new Relay(sockets[0], sockets[1], seed);
  }

  private constructor(front: Socket, back: Socket, seed: number) {
    this.#random = new SeededRandom(seed);
    this.#front = front;
    this.#back = back;
    front.on('message', (datagram, from) => {
      this.#browser = { ...from, family: 'IPv4' };
      if (this.#server !== undefined) this.#carry(back, datagram, this.#server);
    });
    back.on('message', (datagram) => {
      if (this.#browser !== undefined) this.#carry(front, datagram, this.#browser);
    });
  }

  /** The server's description with the relay as its only candidate. */
  inFrontOf(sdp: string): string {
    const [line, address = '', port = ''] = CANDIDATE.exec(sdp) ?? [];
    if (line === undefined) throw new Error('the server has no IPv4 candidate');
    this.#server = { address, port: Number(port) };
    const here = `a=candidate:1 1 UDP 2122317823 127.0.0.1 ${this.#front.address().port} typ host`;
    return `${withoutCandidates(sdp)}${here}\r\na=end-of-candidates\r\n`;
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }

  #carry(by: Socket, datagram: Uint8Array, to: { readonly address: string; readonly port: number }): void {
    if (randomUnit(this.#random) >= this.loss) by.send(datagram, to.port, to.address);
  }
}

/** A description of data alone, whose candidates are not to be known. */
export function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=(?:candidate:.*|end-of-candidates)\r?\n/gm, '');
}
