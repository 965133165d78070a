/**
 * An established association and a peer that is played by hand: it says exactly what a test lets it say. By itself it
 * answers heartbeats, so that no silence ends what a test is about.
 */
import { readU32 } from '../../src/core/bytes.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import type { SctpAssociation, SctpCounter, SctpEvent } from '../../src/sctp/index.ts';
import type { InitChunk } from '../../src/sctp/packet/init.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import type { SackChunk } from '../../src/sctp/packet/sack.ts';
import type { Overrides } from './pair.ts';
import { assertInvariants, association, events, inspect } from './pair.ts';
import type { RawChunk, WireData } from './wire.ts';
import { chunksOf, dataChunk, packetOf, sackChunk } from './wire.ts';

export const PUPPET_INIT: InitChunk = {
  tag: 0x1234_5678,
  window: 1_000_000,
  outboundStreams: 65_535,
  inboundStreams: 65_535,
  initialTsn: 5000,
  forwardTsn: true,
  zeroChecksum: false,
  extensions: [CHUNK.reconfig, CHUNK.forwardTsn],
  unrecognized: [],
};

/** What a peer that can interleave announces. */
export const INTERLEAVING_EXTENSIONS: readonly number[] = [
  CHUNK.reconfig,
  CHUNK.forwardTsn,
  CHUNK.iData,
  CHUNK.iForwardTsn,
];

/** What stands on top of the association, and has its events and clocks of its own. */
export interface UpperLayer {
  handleEvent(event: SctpEvent, now: number): void;
  handleTimeout(now: number): void;
  nextTimeout(): number;
}

export class Puppet {
  readonly a: SctpAssociation;
  now = 1000;
  /** The tag under which a listens, and the TSN before its first one. */
  readonly tag: number;
  readonly base: number;
  /** Every event of a so far. */
  readonly events: SctpEvent[] = [];
  /** Every chunk a has sent since the association was up. */
  readonly heard: RawChunk[] = [];
  answersHeartbeats = true;
  /** Called with each chunk that a sends. */
  onChunk: ((chunk: RawChunk) => void) | undefined;
  upper: UpperLayer | undefined;
  #tsn: number;

  constructor(overrides: Overrides = {}, init: Partial<InitChunk> = {}) {
    const mine = { ...PUPPET_INIT, ...init };
    this.#tsn = mine.initialTsn;
    this.a = association(77, overrides);
    //   puppet -> INIT -> a, a -> INIT ACK -> puppet, puppet -> COOKIE ECHO -> a, a -> COOKIE ACK -> puppet
    this.a.handlePacket(packetOf(0, encodeInit(CHUNK.init, mine)), this.now);
    const answer = decodeInit(
      chunksOf(this.a.pollTransmit() ?? new Uint8Array(12))[0]?.body ?? new Uint8Array(0),
    );
    if (isFailure(answer)) throw new Error('no INIT ACK');
    this.tag = answer.tag;
    this.base = (answer.initialTsn - 1) >>> 0;
    this.say(encodeChunk(CHUNK.cookieEcho, 0, answer.cookie ?? new Uint8Array(0)));
    this.drain();
    this.heard.length = 0;
    this.events.length = 0;
  }

  /** One packet to a. */
  say(...chunks: readonly Uint8Array[]): void {
    this.a.handlePacket(packetOf(this.tag, ...chunks), this.now);
    assertInvariants(this.a);
  }

  /** The puppet's next TSN. */
  takeTsn(): number {
    const tsn = this.#tsn;
    this.#tsn = (this.#tsn + 1) >>> 0;
    return tsn;
  }

  /** A DATA chunk under the next TSN. */
  data(data: Partial<WireData> = {}): Bytes {
    return dataChunk({ ...data, tsn: data.tsn ?? this.takeTsn() });
  }

  /** An I-DATA chunk under the next TSN; `ppidOrFsn` is what the flags make of it. */
  iData(data: {
    streamId?: number;
    flags?: number;
    mid?: number;
    ppidOrFsn?: number;
    payload?: Uint8Array;
    tsn?: number;
  }): Bytes {
    const { streamId = 0, flags = 3, mid = 0, ppidOrFsn = 53, payload = Uint8Array.of(1) } = data;
    const body = new Uint8Array(16 + payload.length);
    const view = new DataView(body.buffer);
    view.setUint32(0, data.tsn ?? this.takeTsn());
    view.setUint16(4, streamId);
    view.setUint32(8, mid);
    view.setUint32(12, ppidOrFsn);
    body.set(payload, 16);
    return encodeChunk(CHUNK.iData, flags, body);
  }

  /** A SACK of everything up to the n-th chunk of a (0: of nothing). */
  sack(upTo: number, sack: Partial<SackChunk> = {}): Bytes {
    return sackChunk({ cumulativeTsn: (this.base + upTo) >>> 0, ...sack });
  }

  /** Numbers of the DATA chunks that a has sent, 1 for the first TSN. */
  sentNumbers(): number[] {
    return this.heard
      .filter(({ type }) => type === CHUNK.data || type === CHUNK.iData)
      .map(({ body }) => (readU32(body, 0) - this.base) | 0);
  }

  /** Bodies of the chunks of one type that a has sent. */
  heardOf(type: number): Uint8Array[] {
    return this.heard.filter((chunk) => chunk.type === type).map(({ body }) => body);
  }

  count(counter: SctpCounter): number {
    return inspect(this.a).counters[counter];
  }

  /** The `closed` event. */
  closing(): Extract<SctpEvent, { type: 'closed' }> {
    for (const event of this.events) if (event.type === 'closed') return event;
    throw new Error('not closed');
  }

  /** Takes what a has to send and to tell. */
  drain(): void {
    for (let packet = this.a.pollTransmit(); packet !== undefined; packet = this.a.pollTransmit()) {
      for (const chunk of chunksOf(packet)) {
        this.heard.push(chunk);
        if (chunk.type === CHUNK.heartbeat && this.answersHeartbeats) {
          this.say(encodeChunk(CHUNK.heartbeatAck, 0, chunk.body));
        }
        this.onChunk?.(chunk);
      }
    }
    for (const event of events(this.a)) {
      this.events.push(event);
      this.upper?.handleEvent(event, this.now);
    }
    assertInvariants(this.a);
  }

  /** Lets time pass, at the most until a has closed; milliseconds it took. `tick` is called every `period`. */
  run(duration: number, tick?: { readonly period: number; readonly does: () => void }): number {
    const startedAt = this.now;
    const end = startedAt + duration;
    let nextTick = tick === undefined ? Infinity : startedAt + tick.period;
    this.#advance();
    while (this.a.state !== 'closed') {
      const next = Math.min(this.a.nextTimeout(), this.upper?.nextTimeout() ?? Infinity, nextTick);
      if (next > end) {
        this.now = end;
        break;
      }
      this.now = Math.max(this.now, next);
      if (tick !== undefined && this.now >= nextTick) {
        nextTick += tick.period;
        tick.does();
      }
      this.#advance();
    }
    return this.now - startedAt;
  }

  #advance(): void {
    this.a.handleTimeout(this.now);
    this.upper?.handleTimeout(this.now);
    // What the upper layer makes of an event may be a packet.
    this.drain();
    this.drain();
  }
}
