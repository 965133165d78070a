/**
 * Two DTLS engines back to back on a virtual clock. The wire between them is a function from each datagram to the
 * copies that arrive, so a test says what happens to it in one line.
 */
import type { Bytes } from '../../src/core/bytes.ts';
import { copyBytes } from '../../src/core/bytes.ts';
import type { Failure } from '../../src/core/errors.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { Certificate, DtlsEvent, DtlsOptions, DtlsRole } from '../../src/dtls/index.ts';
import { DTLS_TAILROOM, Dtls, selfSignedCertificate } from '../../src/dtls/index.ts';

export const crypto = jsCrypto();

/** What `close` is told. */
export const LOCAL_CLOSE: Failure = { layer: 'rtc', code: 'local-close', message: 'This end has closed.' };

export const certificates: Record<DtlsRole, Certificate> = {
  client: selfSignedCertificate({ random: new SeededRandom(11), crypto }),
  server: selfSignedCertificate({ random: new SeededRandom(12), crypto }),
};

/** A datagram on its way. */
export interface Sent {
  readonly from: DtlsRole;
  /** Counted from 0, over both directions. */
  readonly index: number;
  readonly data: Bytes;
  readonly at: number;
}

/** What arrives of a datagram, and how many ms later. An empty list is a loss. */
export type Wire = (sent: Sent) => readonly { readonly data: Uint8Array; readonly after: number }[];

/** Everything arrives, 10 ms later. */
export const PERFECT: Wire = ({ data }) => [{ data, after: 10 }];

export function dropping(...indices: readonly number[]): Wire {
  return (sent) => (indices.includes(sent.index) ? [] : PERFECT(sent));
}

interface Arrival {
  readonly to: DtlsRole;
  readonly data: Uint8Array;
  readonly at: number;
  readonly order: number;
}

export interface PairOptions {
  readonly seed?: number;
  readonly wire?: Wire;
  readonly client?: Partial<DtlsOptions>;
  readonly server?: Partial<DtlsOptions>;
}

export class Pair {
  readonly client: Dtls;
  readonly server: Dtls;
  readonly events: Record<DtlsRole, DtlsEvent[]> = { client: [], server: [] };
  readonly received: Record<DtlsRole, Bytes[]> = { client: [], server: [] };
  /** Every datagram, lost ones too. */
  readonly sent: Sent[] = [];
  wire: Wire;
  now = 0;
  #arrivals: Arrival[] = [];
  #order = 0;

  constructor(options: PairOptions = {}) {
    const seed = options.seed ?? 1;
    this.wire = options.wire ?? PERFECT;
    this.client = new Dtls({ ...engineOptions('client', seed), ...options.client });
    this.server = new Dtls({ ...engineOptions('server', seed), ...options.server });
  }

  start(): this {
    this.server.start(this.now);
    this.client.start(this.now);
    this.drain();
    return this;
  }

  engine(role: DtlsRole): Dtls {
    return role === 'client' ? this.client : this.server;
  }

  /** Runs until both are connected or over, or nothing is left to happen before `until`. */
  run(until = 60_000): this {
    this.drain();
    while (!this.settled && this.step(until));
    return this;
  }

  /** Runs everything up to `until`. */
  runTo(until: number): this {
    this.drain();
    while (this.step(until));
    this.now = until;
    return this;
  }

  get settled(): boolean {
    return isSettled(this.client) && isSettled(this.server);
  }

  get connected(): boolean {
    return this.client.state === 'connected' && this.server.state === 'connected';
  }

  /** The next thing to happen, an arrival or a deadline; false when none is left before `until`. */
  step(until: number): boolean {
    const arrival = this.#earliestArrival();
    const deadline = Math.min(this.client.nextTimeout(), this.server.nextTimeout());
    const at = Math.min(arrival?.at ?? Infinity, deadline);
    if (at > until) return false;
    this.now = Math.max(this.now, at);
    if (arrival !== undefined && arrival.at <= deadline) {
      this.#arrivals = this.#arrivals.filter((other) => other !== arrival);
      this.engine(arrival.to).handlePacket(arrival.data, this.now);
    } else {
      for (const role of ['client', 'server'] as const) {
        if (this.engine(role).nextTimeout() <= this.now) this.engine(role).handleTimeout(this.now);
        if (this.engine(role).nextTimeout() <= this.now) throw new Error('a deadline was left in the past');
      }
    }
    this.drain();
    return true;
  }

  drain(): void {
    for (const role of ['client', 'server'] as const) {
      const engine = this.engine(role);
      for (let data = engine.pollTransmit(); data !== undefined; data = engine.pollTransmit()) {
        this.send(role, data);
      }
      for (let event = engine.pollEvent(); event !== undefined; event = engine.pollEvent()) {
        this.events[role].push(event);
      }
      for (let data = engine.pollData(); data !== undefined; data = engine.pollData()) {
        this.received[role].push(data);
      }
    }
  }

  /** Puts a datagram on the wire. */
  send(from: DtlsRole, data: Bytes): void {
    const sent = { from, index: this.sent.length, data, at: this.now };
    this.sent.push(sent);
    const to = from === 'client' ? 'server' : 'client';
    for (const copy of this.wire(sent)) {
      this.#arrivals.push({ to, data: copy.data, at: this.now + copy.after, order: this.#order++ });
    }
  }

  /** Seals `text` and puts it on the wire. */
  sendText(from: DtlsRole, text: string): void {
    const record = sealed(this.engine(from), text);
    if (record === undefined) throw new Error(`${from} is not connected`);
    this.send(from, record);
  }

  /** Codes of the failures a side has reported, warnings first as they came. */
  codes(role: DtlsRole): string[] {
    return this.events[role].flatMap((event) =>
      event.type === 'connected' || event.failure === undefined
        ? []
        : [`${event.type} ${event.failure.code}`],
    );
  }

  #earliestArrival(): Arrival | undefined {
    let earliest: Arrival | undefined;
    for (const arrival of this.#arrivals) {
      if (
        earliest === undefined ||
        arrival.at < earliest.at ||
        (arrival.at === earliest.at && arrival.order < earliest.order)
      ) {
        earliest = arrival;
      }
    }
    return earliest;
  }
}

/**
 * Options of a side that knows the other's fingerprint. It speaks DTLS 1.2 unless a test says otherwise, and asks for no
 * cookie, as in an `Rtc`.
 */
export function engineOptions(role: DtlsRole, seed = 1): DtlsOptions {
  return {
    role,
    versions: { min: '1.2', max: '1.2' },
    certificate: certificates[role],
    crypto,
    random: new SeededRandom(seed).split(role),
    remoteFingerprints: [certificates[role === 'client' ? 'server' : 'client'].fingerprint],
    requireCookie: false,
  };
}

/** A pair that is connected. */
export function connectedPair(options: PairOptions = {}): Pair {
  const pair = new Pair(options).start().run();
  if (!pair.connected) throw new Error(`not connected: ${JSON.stringify(pair.events)}`);
  return pair;
}

export function sealed(engine: Dtls, text: string): Bytes | undefined {
  const plaintext = bytesOf(text);
  const { headroom } = engine;
  const buffer = new Uint8Array(headroom + plaintext.length + DTLS_TAILROOM);
  buffer.set(plaintext, headroom);
  const length = engine.seal(buffer, headroom, plaintext.length);
  return length < 0 ? undefined : copyBytes(buffer, 0, length);
}

export function bytesOf(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function isSettled(engine: Dtls): boolean {
  return engine.state !== 'new' && engine.state !== 'connecting';
}
