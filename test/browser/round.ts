/**
 * Rounds: media that a page publishes on one connection, that the library forwards packet by packet, and that the page plays on another
 * one. Beside it, to compare with: the same from page to page, without the library.
 */
import { expect, vi } from 'vitest';
import type { OutgoingPacket, RtpEvent, RtpSender, RtpStream } from '../../src/media/index.ts';
import { SourceSwitch, rtpMedia } from '../../src/media/index.ts';
import type { Media, RtcEvent } from '../../src/rtc.ts';
import type { DroppingRelay } from '../interop/dropping-relay.ts';
import type { RunningBrowser } from './browsers.ts';
import type { Host } from './host.ts';
import { MediaSession } from './media-session.ts';
import type { PageCapability, PagePicture, PagePlayed } from './page-media.ts';

/** So long that no machine is too slow. */
export const PATIENCE = { timeout: 120_000, interval: 50 };

/** What is published. */
export interface Published {
  readonly kind: 'audio' | 'video';
  /** Default: what the browser likes best. */
  readonly codec?: PageCapability | undefined;
  readonly picture?: PagePicture | undefined;
  /** Of a simulcast, small to large. */
  readonly rids?: readonly string[] | undefined;
}

/** What decides which packets go on. */
export interface Forwarder {
  forward(event: RtpEvent): OutgoingPacket | undefined;
  /** A further packet to write. */
  next?(): OutgoingPacket | undefined;
  /** Whose keyframe it needs. */
  keyframeWish?(): { readonly rid: string | undefined } | undefined;
}

interface Parts {
  readonly publisher: MediaSession;
  readonly subscriber: MediaSession;
  readonly received: Media;
  readonly sent: Media;
  readonly sender: RtpSender;
  readonly streams: Set<RtpStream>;
  readonly forwarder: Forwarder;
}

export class Round {
  readonly browser: RunningBrowser;
  readonly publisher: MediaSession;
  readonly subscriber: MediaSession;
  /** As the library receives it. */
  readonly received: Media;
  /** As it sends it on. */
  readonly sent: Media;
  /** Keyframes that the playing end has asked for. */
  keyframeRequests = 0;
  /** The streams that are heard. */
  readonly streams: Set<RtpStream>;
  readonly #forwarder: Forwarder;
  readonly #sender: RtpSender;

  /**
   * One end publishes and is taken, the other is offered what comes. Nothing else is on either connection.
   * @param relay stands between the page and the library on both ways
   */
  static async begin(
    host: Host,
    browser: RunningBrowser,
    { kind, codec, picture, rids }: Published,
    {
      relay,
      forwarder,
    }: { relay?: [DroppingRelay, DroppingRelay]; forwarder?: (sent: Media) => Forwarder } = {},
  ): Promise<Round> {
    const rtc = { media: rtpMedia() };
    const publisher = await MediaSession.begin(host, browser, { rtc, relay: relay?.[0] });
    const streams = new Set<RtpStream>();
    publisher.connection.onEvent = (event) => {
      if (event.type === 'rtpstreamstart') streams.add(event.stream);
    };
    const { media } = browser;
    await media.add(publisher.name, kind, {
      direction: 'sendonly',
      track: true,
      ...(picture === undefined ? {} : { picture }),
      ...(rids === undefined ? {} : { rids }),
    });
    if (codec !== undefined) await media.setCodec(publisher.name, 0, codec);
    await publisher.pageOffers(({ media: [section] }) => {
      if (section === undefined) throw new Error('nothing is offered');
      section.direction = 'recvonly';
    });
    await publisher.expectConnected();
    const [received] = publisher.rtc.media;
    const agreed = received?.parameters?.receive.codecs[0];
    if (received === undefined || agreed === undefined) throw new Error('nothing is agreed on');

    const subscriber = await MediaSession.begin(host, browser, { rtc, relay: relay?.[1] });
    const draft = subscriber.rtc.negotiation();
    const { mimeType, clockRate, channels, sdpFmtpLine, rtcpFeedback, rtxPayloadType } = agreed;
    const capability = {
      mimeType,
      clockRate,
      channels,
      sdpFmtpLine,
      rtcpFeedback,
      rtx: rtxPayloadType !== undefined,
    };
    const sent = draft.addMedia(kind, { direction: 'sendonly', codecs: [capability], streams: ['round'] });
    await subscriber.weOffer(draft);
    await subscriber.expectConnected();
    await media.play(subscriber.name);
    const sender = sent.sender();
    if (sender === undefined) throw new Error('there is no sender');
    const codecs = sent.parameters?.send.codecs;
    const between = forwarder?.(sent) ?? new SourceSwitch({ codecs });
    return new Round({ publisher, subscriber, received, sent, sender, streams, forwarder: between });
  }

  private constructor({ publisher, subscriber, received, sent, sender, streams, forwarder }: Parts) {
    this.browser = publisher.browser;
    this.publisher = publisher;
    this.subscriber = subscriber;
    this.received = received;
    this.sent = sent;
    this.streams = streams;
    this.#sender = sender;
    this.#forwarder = forwarder;
    publisher.connection.onEvent = (event) => this.#onPublished(event);
    subscriber.connection.onEvent = (event) => {
      if (event.type !== 'keyframerequest') return;
      this.keyframeRequests++;
      this.requestKeyframe();
    };
    for (const stream of streams) this.#begin(stream);
    this.requestKeyframe();
  }

  /** Of every layer, or of the only one. */
  requestKeyframe(rid?: string): void {
    this.received.requestKeyframe(rid);
  }

  /** What the page has played of it. */
  async played(): Promise<PagePlayed | undefined> {
    const all = await this.browser.media.played(this.subscriber.name);
    return all.find(({ kind }) => kind === this.sent.kind);
  }

  /** It is played: so many frames more, or as much sound as takes as long. */
  async expectPlayed(frames: number): Promise<PagePlayed> {
    const [key, wanted] =
      this.sent.kind === 'video'
        ? (['framesDecoded', frames] as const)
        : (['totalSamplesReceived', frames * 500] as const);
    const before = (await this.played())?.[key] ?? 0;
    return vi.waitFor(async () => {
      const now = await this.played();
      if (now === undefined) throw new Error(`nothing has come: ${this.report()}`);
      expect(now[key], this.report()).toBeGreaterThanOrEqual(before + wanted);
      return now;
    }, PATIENCE);
  }

  async end(): Promise<void> {
    await this.browser.peer.close(this.publisher.name);
    await this.browser.peer.close(this.subscriber.name);
    this.publisher.rtc.close();
    this.subscriber.rtc.close();
  }

  /** What both connections say of themselves, for who looks for a fault. */
  report(): string {
    const [from, to] = [this.publisher, this.subscriber].map(({ rtc }) => rtc.inspect().streams);
    return JSON.stringify({ from, to }, null, 1);
  }

  #onPublished(event: RtcEvent): void {
    if (event.type === 'rtpstreamstart') this.#begin(event.stream);
    if (event.type !== 'rtp') return;
    for (let packet = this.#forwarder.forward(event); packet !== undefined; packet = this.#forwarder.next?.())
      this.#sender.write(packet);
    const wish = this.#forwarder.keyframeWish?.();
    if (wish !== undefined) this.requestKeyframe(wish.rid);
  }

  #begin(stream: RtpStream): void {
    this.streams.add(stream);
    if (this.#forwarder instanceof SourceSwitch) this.#forwarder.select(stream);
  }
}

/** The same from page to page: what a page publishes another connection of it plays, behind all of these relays, one after the other. */
export class PageToPage {
  static #count = 0;
  readonly #browser: RunningBrowser;
  readonly #names: readonly [string, string];

  static async begin(
    browser: RunningBrowser,
    { kind, codec, picture }: Published,
    relays: readonly DroppingRelay[],
  ): Promise<PageToPage> {
    const { media, peer } = browser;
    const [from, to] = [`from page ${++PageToPage.#count}`, `to page ${PageToPage.#count}`] as const;
    for (const name of [from, to]) await peer.configure(name, {});
    await media.add(from, kind, {
      direction: 'sendonly',
      track: true,
      ...(picture === undefined ? {} : { picture }),
    });
    if (codec !== undefined) await media.setCodec(from, 0, codec);
    const offer = await media.setLocal(from);
    // It learns the relay's address alone.
    await media.setRemote(to, { type: 'offer', sdp: offer.replaceAll(/^a=candidate:.*\r\n/gm, '') });
    await media.setLocal(to);
    await media.play(to);
    const answer = await peer.completeDescription(to);
    const sdp = relays.reduce((behind, relay) => relay.inFrontOf(behind), answer);
    await media.setRemote(from, { type: 'answer', sdp });
    return new PageToPage(browser, [from, to]);
  }

  private constructor(browser: RunningBrowser, names: readonly [string, string]) {
    this.#browser = browser;
    this.#names = names;
  }

  async played(): Promise<PagePlayed | undefined> {
    return (await this.#browser.media.played(this.#names[1]))[0];
  }

  async end(): Promise<void> {
    for (const name of this.#names) await this.#browser.peer.close(name);
  }
}
