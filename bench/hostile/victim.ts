/** An association, its channels, and a peer played by hand that has set it up and says whatever it likes. */
import { DataChannels } from '../../src/channel/index.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { SctpAssociation } from '../../src/sctp/index.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { ChunkCursor, PacketWriter, verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';

export const FIRST_TSN = 5000;
const PORTS = { source: 5000, destination: 5000 };
const PLAIN: readonly number[] = [CHUNK.reconfig, CHUNK.forwardTsn];
const INTERLEAVING: readonly number[] = [...PLAIN, CHUNK.iData, CHUNK.iForwardTsn];

export class Victim {
  readonly association: SctpAssociation;
  readonly channels: DataChannels;
  readonly interleaving: boolean;
  now = 1000;
  /** Of its own TSNs, the one before the first. */
  readonly base: number;
  /** Bytes said so far, as SCTP packets. */
  said = 0;
  readonly #tag: number;
  readonly #buffer = new Uint8Array(66_000);
  readonly #writer = new PacketWriter();

  constructor(interleaving: boolean) {
    this.interleaving = interleaving;
    // Bounds far away: what is measured is the cost of a state, not how soon it is refused.
    this.association = new SctpAssociation({
      random: new SeededRandom(7),
      receiveWindow: 2 ** 30,
      remoteMaxMessageSize: 2 ** 30,
      maxOpenMessages: 1_000_000,
      maxOpenMessagesPerStream: 1_000_000,
      maxFragments: 1_000_000,
      maxMessageSize: 2 ** 24,
    });
    this.channels = new DataChannels(this.association, { limits: { maxChannels: 60_000 } });
    this.channels.setRole('server');
    const init = encodeInit(CHUNK.init, {
      tag: 0x1234_5678,
      window: 2 ** 30,
      outboundStreams: 65_535,
      inboundStreams: 65_535,
      initialTsn: FIRST_TSN,
      forwardTsn: true,
      zeroChecksum: false,
      extensions: interleaving ? INTERLEAVING : PLAIN,
      unrecognized: [],
    });
    this.association.handlePacket(this.packet(0, init), this.now);
    const answer = chunks(this.association.pollTransmit())[0];
    const decoded = decodeInit(answer?.body ?? new Uint8Array(0));
    if (isFailure(decoded) || decoded.cookie === undefined) throw new Error('no INIT ACK');
    this.#tag = decoded.tag;
    this.base = (decoded.initialTsn - 1) >>> 0;
    this.say(encodeChunk(CHUNK.cookieEcho, 0, decoded.cookie));
    this.drain();
  }

  packet(tag: number, ...encoded: readonly Uint8Array[]): Bytes {
    this.#writer.begin(this.#buffer, 0, this.#buffer.length, PORTS, tag);
    for (const chunk of encoded) this.#writer.chunk(chunk);
    return this.#buffer.slice(0, this.#writer.finish());
  }

  /** A packet of these chunks, ready to be said. */
  prepare(...encoded: readonly Uint8Array[]): Bytes {
    return this.packet(this.#tag, ...encoded);
  }

  say(...encoded: readonly Uint8Array[]): void {
    this.hear(this.prepare(...encoded));
  }

  /** One packet in, as a host does it: fed, its events taken, its answers polled. */
  hear(packet: Bytes): void {
    this.said += packet.length;
    this.association.handleOwnedPacket(packet, this.now);
    this.drain();
  }

  drain(): void {
    const { association, channels } = this;
    for (let event = association.pollEvent(); event !== undefined; event = association.pollEvent())
      channels.handleSctpEvent(event, this.now);
    while (channels.pollEvent() !== undefined);
    // What it has to say: a host's socket takes a few packets at a time.
    for (let i = 0; i < 4 && association.pollTransmitInto(this.#buffer, 0, this.now) > 0; i++);
  }
}

function chunks(packet: Bytes | undefined): { readonly body: Uint8Array }[] {
  if (packet === undefined) return [];
  const cursor = new ChunkCursor();
  cursor.begin(packet);
  const all: { body: Uint8Array }[] = [];
  while (cursor.next()) all.push({ body: cursor.body });
  return all;
}

export function tagOf(packet: Uint8Array): number {
  return verificationTagOf(packet);
}
