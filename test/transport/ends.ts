/** Two transports that know of each other, and a wire between them without delay. */
import type { Bytes } from '../../src/core/bytes.ts';
import { Clock } from '../../src/core/clock.ts';
import type { Failure } from '../../src/core/errors.ts';
import type { PacketKind, PacketSource } from '../../src/core/machine.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import type { SrtpSupport } from '../../src/srtp/index.ts';
import type { Transmit, TransportEvent } from '../../src/transport/index.ts';
import { Transport } from '../../src/transport/index.ts';

const ADDRESSES = [
  { address: '192.0.2.1', port: 1000 },
  { address: '192.0.2.2', port: 2000 },
] as const;

const crypto = jsCrypto();
const certificates = [11, 12].map((seed) =>
  selfSignedCertificate({ crypto, random: new SeededRandom(seed) }),
);

/** A plain packet that has arrived, or passed a tap. */
export interface Passed {
  readonly kind: PacketKind;
  readonly packet: Bytes;
}

/** Packets of one kind to send. */
export class Source implements PacketSource {
  readonly kind: PacketKind;
  readonly urgency = 'paced';
  readonly largestPacket = 1200;
  readonly packets: Uint8Array[] = [];

  constructor(kind: PacketKind) {
    this.kind = kind;
  }

  pollPacket(into: Bytes, offset: number): number {
    const packet = this.packets.shift();
    if (packet !== undefined) into.set(packet, offset);
    return packet?.length ?? 0;
  }
}

/** One end: a transport, what it sends, what has arrived, what it has said. */
export class End {
  readonly transport: Transport;
  readonly clock = new Clock(true, 0);
  readonly rtp = new Source('rtp');
  readonly rtcp = new Source('rtcp');
  readonly sctp = new Source('sctp');
  readonly received: Passed[] = [];
  readonly tapped: (Passed & { readonly direction: 'in' | 'out' })[] = [];
  readonly events: TransportEvent[] = [];
  readonly #index: 0 | 1;

  constructor(index: 0 | 1, srtp: SrtpSupport | undefined) {
    const certificate = certificates[index];
    if (certificate === undefined) throw new Error('no certificate');
    this.#index = index;
    this.transport = new Transport({
      certificate,
      crypto,
      random: new SeededRandom(100 + index),
      clock: this.clock,
      iceLite: false,
      mtu: 1200,
      largestDatagram: { 4: 1472, 6: 1452 },
      srtp,
    });
    this.transport.tap = {
      keyLog: undefined,
      packet: (direction, kind, packet) => this.tapped.push({ direction, kind, packet: packet.slice() }),
    };
    this.transport.addLocalCandidate({ type: 'host', protocol: 'udp', ...ADDRESSES[index] }, 0);
  }

  start(other: End): void {
    const fingerprint = certificates[1 - this.#index]?.fingerprint;
    this.transport.start(
      {
        ice: other.transport.iceParameters,
        iceRole: this.#index === 0 ? 'controlling' : 'controlled',
        dtlsRole: this.#index === 0 ? 'client' : 'server',
        fingerprints: fingerprint === undefined ? [] : [fingerprint],
      },
      0,
    );
    for (const candidate of other.transport.localCandidates) this.transport.addRemoteCandidate(candidate, 0);
    this.transport.endOfRemoteCandidates(0);
  }

  /** A datagram from the other end's address, or from another port there. */
  receive(data: Uint8Array, owned = false, port: number = ADDRESSES[this.#index === 0 ? 1 : 0].port): void {
    const source = { ...ADDRESSES[this.#index === 0 ? 1 : 0], port };
    const path = { protocol: 'udp', source, destination: ADDRESSES[this.#index] } as const;
    this.transport.receive(path, data, this.clock.now, owned);
  }

  /** Delivers what has come, and answers the next datagram. */
  poll(): Transmit | undefined {
    for (let event = this.transport.pollEvent(); event !== undefined; event = this.transport.pollEvent()) {
      this.events.push(event);
    }
    this.transport.deliver(
      { handlePacket: (kind, packet) => this.received.push({ kind, packet }) },
      this.clock.now,
    );
    const own = this.transport.pollTransmit();
    if (own !== undefined) return own;
    for (const source of [this.rtcp, this.rtp, this.sctp]) {
      const sealed = this.transport.seal(source, this.clock.now);
      if (sealed !== undefined) return sealed;
    }
    return undefined;
  }

  close(reason: Failure): void {
    this.transport.close(reason, this.clock.now);
  }
}

/** Two ends. */
export class Ends {
  readonly a: End;
  readonly b: End;
  #now = 0;

  constructor(a: SrtpSupport | undefined, b: SrtpSupport | undefined) {
    this.a = new End(0, a);
    this.b = new End(1, b);
    for (const { clock, transport } of [this.a, this.b]) clock.advance(0, transport);
    this.a.start(this.b);
    this.b.start(this.a);
  }

  /** Runs both for `time` milliseconds. */
  run(time = 3000, owned = false): this {
    for (const until = this.#now + time; this.#now < until; this.#now += 10) {
      for (const { clock, transport } of [this.a, this.b]) {
        clock.advance(this.#now, transport);
        transport.handleTimeout(this.#now);
      }
      for (let isQuiet = false; !isQuiet;) {
        isQuiet = true;
        for (const [from, to] of [
          [this.a, this.b],
          [this.b, this.a],
        ] as const) {
          for (let sent = from.poll(); sent !== undefined; sent = from.poll()) {
            isQuiet = false;
            to.receive(sent.data, owned);
          }
        }
      }
    }
    return this;
  }
}
