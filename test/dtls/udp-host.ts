/** Our engine on a UDP socket of the machine, in real time, and what tests against other programs need besides. */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { systemRandom } from '../../src/core/random.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsOptions, DtlsRole } from '../../src/dtls/index.ts';
import { Dtls, selfSignedCertificate } from '../../src/dtls/index.ts';
import { textOf } from './pair.ts';

const crypto = nodeCrypto();
/** Milliseconds: on a machine with too much to do, too. */
const PATIENCE = 120_000;

/** Our engine on a socket, with real time, until it is told to stop. */
export class Host {
  readonly dtls: Dtls;
  readonly socket: Socket = createSocket('udp4');
  readonly received: string[] = [];
  #peer: { port: number; address: string } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(role: DtlsRole, options: Partial<DtlsOptions>) {
    const certificate = selfSignedCertificate({ crypto });
    this.dtls = new Dtls({ role, crypto, certificate, random: systemRandom, ...options });
    this.socket.on('message', (data, from) => {
      this.#peer = from;
      this.dtls.handlePacket(data, performance.now());
      this.drain();
    });
  }

  bind(): Promise<number> {
    return new Promise((resolve) =>
      this.socket.bind(0, '127.0.0.1', () => resolve(this.socket.address().port)),
    );
  }

  start(port?: number): void {
    if (port !== undefined) this.#peer = { port, address: '127.0.0.1' };
    this.dtls.start(performance.now());
    this.drain();
  }

  drain(): void {
    clearTimeout(this.#timer);
    for (let data = this.dtls.pollTransmit(); data !== undefined; data = this.dtls.pollTransmit())
      this.send(data);
    for (let data = this.dtls.pollData(); data !== undefined; data = this.dtls.pollData()) {
      this.received.push(textOf(data));
    }
    const at = this.dtls.nextTimeout();
    if (at === Infinity) return;
    this.#timer = setTimeout(
      () => {
        this.dtls.handleTimeout(performance.now());
        this.drain();
      },
      Math.max(1, at - performance.now()),
    );
  }

  send(data: Uint8Array): void {
    if (this.#peer !== undefined) this.socket.send(data, this.#peer.port, this.#peer.address);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.socket.close();
  }
}

/** A port of the loopback that nobody has. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  const port = await new Promise<number>((resolve) =>
    socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)),
  );
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Waits, in real time, until `look` is true; throws after a while. */
export async function until(what: string, look: () => boolean): Promise<void> {
  const start = performance.now();
  while (!look()) {
    if (performance.now() - start > PATIENCE) throw new Error(`waited ${PATIENCE} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
