/** Room: a publisher and its subscribers, each connected to the one server between them, in virtual time and without sockets. */
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Input, Output, RtcEvent, RtcOptions } from '../../src/index.ts';
import type { TransportAddress } from '../../src/index.ts';
import { Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';
import type { RtpSender } from '../../src/media/index.ts';
import { SourceSwitch, rtpMedia } from '../../src/media/index.ts';

export type Kind = 'video' | 'audio';
export type Transmit = Extract<Output, { readonly type: 'transmit' }>;
type Receive = Extract<Input, { readonly type: 'receive' }>;
type RtpEvent = Extract<RtcEvent, { readonly type: 'rtp' }>;

/** Bytes of a payload. */
export const SIZES: Readonly<Record<Kind, number>> = { video: 1100, audio: 160 };

/** Milliseconds that a connection gets to come about. */
const CONNECT_TIME = 3000;
const TICK = 20;

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto, random: new SeededRandom(1) });
let now = 0;

/** The time passes. */
export function advance(milliseconds: number): void {
  now += milliseconds;
}

/** One end of a connection. */
export class End {
  readonly rtc: Rtc;
  readonly address: string;
  /** What it has sent, unless somebody else takes it. */
  outbox: Transmit[] = [];
  send: (output: Transmit) => void = (output) => this.outbox.push(output);
  onRtp: (event: RtpEvent) => void = () => undefined;

  constructor(seed: number) {
    this.address = `10.0.${seed >> 8}.${seed & 255}`;
    const options: RtcOptions = { certificate, crypto, random: new SeededRandom(seed), media: rtpMedia() };
    this.rtc = new Rtc(options);
    this.rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: this.address, port: 5000 });
  }

  receive(input: Receive): void {
    this.rtc.handleInput(input);
    this.drain();
  }

  /** Whoever calls from outside of a connection's own turn tells it the time. */
  wake(): void {
    this.rtc.handleInput({ type: 'timeout', now });
    this.drain();
  }

  drain(): void {
    for (;;) {
      const output = this.rtc.pollOutput();
      if (output.type === 'timeout') return;
      if (output.type === 'transmit') this.send(output);
      else if (output.event.type === 'rtp') this.onRtp(output.event);
    }
  }
}

/** `output` as its receiver gets it. */
export function received({ protocol, source, destination, data }: Transmit): Receive {
  return { type: 'receive', now, protocol, source, destination, data, owned: true };
}

/** A connection of the server's with a client. */
class Connection {
  readonly server: End;
  readonly client: End;

  /** @param isSubscriber the client receives; it sends otherwise */
  constructor(number: number, isSubscriber: boolean) {
    this.server = new End(2 * number + 2);
    this.client = new End(2 * number + 3);
    const [sends, takes] = isSubscriber ? [this.server, this.client] : [this.client, this.server];
    const draft = sends.rtc.negotiation();
    for (const kind of ['audio', 'video'] as const) draft.addMedia(kind, { direction: 'sendonly' });
    const offer = draft.offer();
    const answer = takes.rtc.receiveOffer(offer.sdp);
    for (const media of answer.media) media.direction = 'recvonly';
    offer.accept(answer.answer());
  }

  /** The time is told, and all that is sent arrives, until both are quiet. */
  pass(): void {
    this.server.wake();
    this.client.wake();
    while (this.server.outbox.length + this.client.outbox.length > 0) {
      for (const output of this.server.outbox.splice(0)) this.client.receive(received(output));
      for (const output of this.client.outbox.splice(0)) this.server.receive(received(output));
    }
  }
}

/** By its first two bytes (RFC 5761 §4, RFC 7983 §7). */
function isRtp([first = 0, second = 0]: Uint8Array): boolean {
  return first >= 128 && first <= 191 && (second < 192 || second > 223);
}

class Subscription {
  readonly #switch = new SourceSwitch();
  readonly #sender: RtpSender;

  constructor(sender: RtpSender) {
    this.#sender = sender;
  }

  forward(event: RtpEvent): void {
    this.#switch.select(event.stream);
    const packet = this.#switch.forward(event);
    if (packet !== undefined) this.#sender.write(packet);
  }
}

function senderOf(end: End, kind: Kind): RtpSender {
  const sender = end.rtc.media.find((media) => media.kind === kind)?.sender();
  if (sender === undefined) throw new Error(`nothing to send ${kind} with`);
  return sender;
}

/** All of them. */
export class Room {
  readonly #publisher = new Connection(0, false);
  readonly #subscribers: readonly Connection[];
  readonly #clients: ReadonlyMap<string, End>;
  readonly #published: Readonly<Record<Kind, RtpSender>>;
  #count = 0;

  constructor(size: number) {
    this.#subscribers = Array.from({ length: size }, (_, i) => new Connection(i + 1, true));
    this.#clients = new Map(this.#subscribers.map(({ client }) => [client.address, client]));
    for (let passed = 0; passed < CONNECT_TIME; passed += TICK) {
      advance(TICK);
      this.pass();
    }
    const subscriptions = (kind: Kind) =>
      this.#subscribers.map(({ server }) => new Subscription(senderOf(server, kind)));
    const subscribed = { video: subscriptions('video'), audio: subscriptions('audio') };
    const { client, server } = this.#publisher;
    this.#published = { video: senderOf(client, 'video'), audio: senderOf(client, 'audio') };
    server.onRtp = (event) => {
      for (const subscription of subscribed[event.stream.kind]) subscription.forward(event);
    };
  }

  /** What is due, and the reports and checks of both sides: not measured. */
  pass(): void {
    this.#publisher.pass();
    for (const subscriber of this.#subscribers) subscriber.pass();
  }

  /** The next `count` packets of the publisher's, as the server gets them. */
  publish(kind: Kind, count: number): Receive[] {
    const { client } = this.#publisher;
    for (let i = 0; i < count; i++) {
      const number = this.#count++;
      const payload = new Uint8Array(SIZES[kind]);
      // VP8 (RFC 7741): the beginning of a frame with a picture id of 15 bits, no keyframe.
      if (kind === 'video') payload.set([0x90, 0x80, 0x80 | ((number >> 8) & 0x7f), number & 0xff, 0x01]);
      this.#published[kind].write({ payload, timestamp: 3000 * number, marker: true });
    }
    client.wake();
    return client.outbox.splice(0).map(received);
  }

  /** The server's work, which is measured: the packets that it sends for each subscriber are given to `send`. */
  forward(datagrams: readonly Receive[], send: (output: Transmit) => void): void {
    const { server } = this.#publisher;
    for (const { server: end } of this.#subscribers) {
      end.send = (output) => {
        if (isRtp(output.data)) send(output);
        else end.outbox.push(output);
      };
    }
    for (const datagram of datagrams) {
      server.receive(datagram);
      for (const { server: end } of this.#subscribers) end.wake();
    }
    for (const { server: end } of this.#subscribers) end.send = (output) => end.outbox.push(output);
  }

  /** A subscriber gets what was sent to it. */
  deliver(data: Uint8Array<ArrayBuffer>, source: TransportAddress, destination: TransportAddress): void {
    this.#clients
      .get(destination.address)
      ?.receive(received({ type: 'transmit', protocol: 'udp', source, destination, data }));
  }
}
