/**
 * What a forwarding unit costs: one publisher, whose packets go to 10 and to 100 subscribers. `npm run bench:media`.
 *
 *   ours     a datagram of the publisher's comes in: opened, routed, told as an event, and for each subscriber taken over by a `SourceSwitch`,
 *            written to its `RtpSender`, polled as a datagram, sealed; with sockets also sent
 *   a seal   AES-128-GCM of such a packet by `createCipheriv` of `node:crypto`; with sockets that, and sending it: the floor
 *
 * Both in turns, in rounds, in one process; the figures are medians, the ratio is of each round. CPU is of the whole process, with the collector's
 * threads. Bytes allocated are of the heap and of array buffers.
 */
import { createCipheriv } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import type { Input, RtcEvent, RtcOptions } from '../src/index.ts';
import { Rtc, SeededRandom, selfSignedCertificate } from '../src/index.ts';
import type { OutgoingPacket, RtpSender } from '../src/media/index.ts';
import { SourceSwitch, rtpMedia } from '../src/media/index.ts';

type Kind = 'video' | 'audio';
type Datagram = Extract<Input, { readonly type: 'receive' }>;

const SIZES: Readonly<Record<Kind, number>> = { video: 1100, audio: 160 };
const PACKETS = 40;
const ROUNDS = Number(process.env['ROUNDS'] ?? 30);
const WARM_UP = 6;

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto, random: new SeededRandom(1) });
let now = 0;

/** One end of a connection, and what it has sent. */
class End {
  readonly rtc: Rtc;
  readonly outbox: Datagram[] = [];
  readonly address: string;
  onEvent: (event: RtcEvent) => void = () => undefined;

  constructor(seed: number) {
    this.address = `10.0.${seed >> 8}.${seed & 255}`;
    const options: RtcOptions = { certificate, crypto, random: new SeededRandom(seed), media: rtpMedia() };
    this.rtc = new Rtc(options);
    this.rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: this.address, port: 5000 });
  }

  drain(): void {
    for (;;) {
      const output = this.rtc.pollOutput();
      if (output.type === 'timeout') return;
      if (output.type === 'event') {
        this.onEvent(output.event);
        continue;
      }
      const { protocol, source, destination, data } = output;
      // In the order of an input's fields, so that it can be one.
      this.outbox.push({ type: 'receive', now, protocol, source, destination, data, owned: true });
    }
  }
}

/** A connection of the server's with a client, signalled. */
class Connection {
  readonly server: End;
  readonly client: End;

  constructor(number: number, sends: boolean) {
    this.server = new End(2 * number + 2);
    this.client = new End(2 * number + 3);
    const draft = (sends ? this.server : this.client).rtc.negotiation();
    for (const kind of ['audio', 'video'] as const) draft.addMedia(kind, { direction: 'sendonly' });
    const offer = draft.offer();
    const received = (sends ? this.client : this.server).rtc.receiveOffer(offer.sdp);
    for (const media of received.media) media.direction = 'recvonly';
    offer.accept(received.answer());
  }

  /** Carries what both have sent, until both are quiet. */
  exchange(): void {
    for (let isQuiet = false; !isQuiet;) {
      isQuiet = true;
      for (const [from, to] of [
        [this.server, this.client],
        [this.client, this.server],
      ] as const) {
        from.drain();
        for (const datagram of from.outbox.splice(0)) {
          isQuiet = false;
          to.rtc.handleInput({ ...datagram, now });
          to.drain();
        }
      }
    }
  }

  pass(): void {
    for (const { rtc } of [this.server, this.client]) rtc.handleInput({ type: 'timeout', now });
    this.exchange();
  }
}

class Subscription {
  readonly #switch = new SourceSwitch();
  readonly #sender: RtpSender;

  constructor(sender: RtpSender) {
    this.#sender = sender;
  }

  forward(event: Extract<RtcEvent, { type: 'rtp' }>): void {
    this.#switch.select(event.stream);
    const packet: OutgoingPacket | undefined = this.#switch.forward(event);
    if (packet !== undefined) this.#sender.write(packet);
  }
}

function senderOf(end: End, kind: Kind): RtpSender {
  const sender = end.rtc.media.find((media) => media.kind === kind)?.sender();
  if (sender === undefined) throw new Error(`nothing to send ${kind} with`);
  return sender;
}

/** One publisher and its subscribers, connected. */
class Room {
  readonly publisher = new Connection(0, false);
  readonly subscribers: readonly Connection[];
  readonly #subscriptions: Readonly<Record<Kind, readonly Subscription[]>>;
  readonly #published: Readonly<Record<Kind, RtpSender>>;
  #count = 0;

  constructor(size: number) {
    this.subscribers = Array.from({ length: size }, (_, i) => new Connection(i + 1, true));
    for (const until = now + 3000; now < until; now += 20) this.pass();
    const subscriptions = (kind: Kind) =>
      this.subscribers.map(({ server }) => new Subscription(senderOf(server, kind)));
    this.#subscriptions = { video: subscriptions('video'), audio: subscriptions('audio') };
    this.#published = {
      video: senderOf(this.publisher.client, 'video'),
      audio: senderOf(this.publisher.client, 'audio'),
    };
    this.publisher.server.onEvent = (event) => {
      if (event.type !== 'rtp') return;
      for (const subscription of this.#subscriptions[event.stream.kind]) subscription.forward(event);
    };
  }

  pass(): void {
    this.publisher.pass();
    for (const subscriber of this.subscribers) subscriber.pass();
  }

  /** Datagrams of the publisher's with packets that come next. */
  publish(kind: Kind): Datagram[] {
    const { client } = this.publisher;
    for (let i = 0; i < PACKETS; i++) {
      const number = this.#count++;
      const payload = new Uint8Array(SIZES[kind]);
      // VP8 (RFC 7741): the beginning of a frame with a picture id of 15 bits, no keyframe.
      if (kind === 'video') payload.set([0x90, 0x80, 0x80 | ((number >> 8) & 0x7f), number & 0xff, 0x01]);
      this.#published[kind].write({ payload, timestamp: 3000 * number, marker: true });
    }
    client.rtc.handleInput({ type: 'timeout', now });
    client.drain();
    return client.outbox.splice(0);
  }

  /** The server's work: the datagrams it sends are in the outboxes of its ends. */
  forward(datagrams: readonly Datagram[]): void {
    const { server } = this.publisher;
    for (const datagram of datagrams) {
      server.rtc.handleInput(datagram);
      server.drain();
      for (const { server: end } of this.subscribers) {
        // Whoever writes from outside of a connection's own turn tells it the time.
        end.rtc.handleInput({ type: 'timeout', now });
        end.drain();
      }
    }
  }

  /** Takes what the server has sent out of the outboxes. */
  sent(): Datagram[] {
    return this.subscribers.flatMap(({ server }) => server.outbox.splice(0));
  }

  /** The subscribers get it, that their reports and checks come back. */
  deliver(datagrams: readonly Datagram[]): void {
    const clients = new Map(this.subscribers.map(({ client }) => [client.address, client]));
    for (const datagram of datagrams) {
      const client = clients.get(datagram.destination.address);
      client?.rtc.handleInput({ ...datagram, data: datagram.data.slice(), now });
      client?.drain();
    }
    this.pass();
  }
}

function sealAll(packets: number, size: number): Uint8Array[] {
  const sealed: Uint8Array[] = [];
  for (let i = 0; i < packets; i++) {
    const header = new Uint8Array(12).fill(i);
    const cipher = createCipheriv('aes-128-gcm', KEY, header);
    cipher.setAAD(header);
    const body = cipher.update(new Uint8Array(size));
    cipher.final();
    const datagram = new Uint8Array(28 + size);
    datagram.set(header);
    datagram.set(body, 12);
    datagram.set(cipher.getAuthTag(), 12 + size);
    sealed.push(datagram);
  }
  return sealed;
}

/** The floor itself: nothing but the seal. */
function sealOnly(packets: number, text: Uint8Array): void {
  for (let i = 0; i < packets; i++) {
    const cipher = createCipheriv('aes-128-gcm', KEY, IV);
    cipher.setAAD(IV);
    cipher.update(text);
    cipher.final();
    cipher.getAuthTag();
  }
}

const KEY = new Uint8Array(16).fill(1);
const IV = new Uint8Array(12).fill(2);

/** Sends all, and waits until they are gone. */
async function sendAll(socket: Socket, port: number, datagrams: readonly Uint8Array[]): Promise<void> {
  let left = datagrams.length;
  await new Promise<void>((resolve, reject) => {
    for (const data of datagrams) {
      socket.send(data, port, '127.0.0.1', (error) => {
        if (error !== null) reject(error);
        else if (--left === 0) resolve();
      });
    }
  });
}

/** CPU time of the process, microseconds. */
async function cpu(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function measure(
  kind: Kind,
  size: number,
  sink: { socket: Socket; port: number } | undefined,
): Promise<void> {
  const room = new Room(size);
  const count = PACKETS * size;
  const text = new Uint8Array(SIZES[kind]);
  const [ours, floors, ratios, allocated]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    now += 40;
    const published = room.publish(kind).map((datagram) => ({ ...datagram, now }));
    globalThis.gc?.();
    const held = memory();
    let grown = 0;
    let out: Datagram[] = [];
    const mine = await cpu(async () => {
      room.forward(published);
      grown = memory() - held;
      out = room.sent();
      if (sink === undefined) return;
      await sendAll(
        sink.socket,
        sink.port,
        out.map(({ data }) => data),
      );
    });
    const rtp = out.filter(({ data }) => data.length > SIZES[kind]);
    if (rtp.length !== count) throw new Error(`${rtp.length} of ${count} packets were forwarded`);
    globalThis.gc?.();
    const floor = await cpu(async () => {
      if (sink === undefined) sealOnly(count, text);
      else await sendAll(sink.socket, sink.port, sealAll(count, SIZES[kind]));
    });
    room.deliver(out);
    if (round < 0) continue;
    ours.push(mine / count);
    floors.push(floor / count);
    ratios.push(mine / floor);
    if (grown > 0) allocated.push(grown / count);
  }
  const name = `${kind}, ${SIZES[kind]} B, to ${size}${sink === undefined ? '' : ', sockets'}`;
  const cells = [median(ours).toFixed(2), median(floors).toFixed(2), median(ratios).toFixed(2)];
  const bytes = sink === undefined ? Math.round(median(allocated)) : '';
  console.log(`| ${[name, ...cells, bytes].join(' | ')} |`);
}

console.log(`node ${process.version}; CPU microseconds a forwarded packet, medians of ${ROUNDS} rounds`);
console.log('| case | ours | floor | ratio | bytes allocated |');
console.log('| --- | --- | --- | --- | --- |');
const socket = createSocket('udp4');
const sink = createSocket('udp4');
socket.bind(0, '127.0.0.1');
await once(socket, 'listening');
sink.bind(0, '127.0.0.1');
await once(sink, 'listening');
const { port } = sink.address();
// A port that nobody listens to costs an answer of the kernel's; one that nobody reads costs nothing but its buffer.
for (const through of [undefined, { socket, port }]) {
  for (const size of [10, 100]) {
    for (const kind of ['video', 'audio'] as const) await measure(kind, size, through);
  }
}
socket.close();
sink.close();
