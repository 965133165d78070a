/** One connection of the library's with a page, which have audio and video, and what both have to agree on after every exchange. */
import { expect, vi } from 'vitest';
import type { Media, OfferDraft, ReceivedOffer, RtcOptions } from '../../src/rtc.ts';
import type { Direction } from '../../src/sdp/index.ts';
import type { DroppingRelay } from '../interop/dropping-relay.ts';
import type { WireMessage } from './page-peer.ts';
import type { PageCodec, PageTransceiver } from './page-media.ts';
import type { RunningBrowser } from './browsers.ts';
import type { Connection, Host } from './host.ts';

const REVERSED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** What becomes of an offer of the page's, before it is answered. */
export type Choose = (received: ReceivedOffer) => void;

export interface Exchange {
  readonly offer: string;
  readonly answer: string;
}

/** Takes whatever is offered, both ways. */
export const takeAll: Choose = ({ media }) => {
  for (const section of media) section.direction = 'sendrecv';
};

/** Takes what is new both ways, and leaves the rest as it is. */
export const takeNew: Choose = ({ media }) => {
  for (const section of media) if (section.media === undefined) section.direction = 'sendrecv';
};

/** The kinds of the sections of a description, in their order. */
export function kindsOf(sdp: string): string[] {
  return [...sdp.matchAll(/^m=(\S+)/gm)].map(([, kind]) => kind ?? '');
}

export interface SessionOptions {
  readonly rtc?: Partial<RtcOptions>;
  readonly page?: RTCConfiguration;
  /** Whatever goes either way goes through it. */
  readonly relay?: DroppingRelay | undefined;
}

let sessions = 0;

export class MediaSession {
  readonly connection: Connection;
  readonly browser: RunningBrowser;
  /** What the page's end is called in the requests to it. */
  readonly name: string;

  /** Stands between the two ends, if they do not reach each other by themselves. */
  readonly #relay: DroppingRelay | undefined;

  private constructor(connection: Connection, browser: RunningBrowser, name: string, relay?: DroppingRelay) {
    this.connection = connection;
    this.browser = browser;
    this.name = name;
    this.#relay = relay;
  }

  /** Two ends that know nothing of each other. */
  static async begin(
    host: Host,
    browser: RunningBrowser,
    { rtc, page = {}, relay }: SessionOptions = {},
  ): Promise<MediaSession> {
    const name = `session ${++sessions}`;
    await browser.peer.configure(name, page);
    // Without a profile for SRTP no browser sends anything.
    const dtls = { srtpProfiles: ['SRTP_AES128_CM_HMAC_SHA1_80'] as const };
    return new MediaSession(host.connection({ dtls, ...rtc }), browser, name, relay);
  }

  get rtc(): Connection['rtc'] {
    return this.connection.rtc;
  }

  /** The page offers, and takes the answer. */
  async pageOffers(choose: Choose = takeNew): Promise<Exchange> {
    const { media } = this.browser;
    const offer = await media.setLocal(this.name);
    return { offer, answer: await this.answerTo(offer, choose) };
  }

  /** An offer that the page has made is answered. */
  async answerTo(offer: string, choose: Choose = takeNew): Promise<string> {
    const received = this.rtc.receiveOffer(offer);
    choose(received);
    const sdp = received.answer();
    await this.browser.media.setRemote(this.name, { type: 'answer', sdp: this.#onTheWay(sdp) });
    return sdp;
  }

  /** The library offers, and takes the answer. */
  async weOffer(
    draft: OfferDraft = this.rtc.negotiation(),
    beforeAnswer?: () => Promise<void>,
  ): Promise<Exchange> {
    const { media } = this.browser;
    const pending = draft.offer();
    await media.setRemote(this.name, { type: 'offer', sdp: this.#onTheWay(pending.sdp) });
    await beforeAnswer?.();
    const answer = await media.setLocal(this.name);
    pending.accept(answer);
    return { offer: pending.sdp, answer };
  }

  /** What the page offers us it has to take from us as well: its transceivers for our media begin as `recvonly`. */
  async setPageDirections(direction: RTCRtpTransceiverDirection): Promise<void> {
    const { media } = this.browser;
    for (const [number, one] of (await media.transceivers(this.name)).entries())
      if (!one.isGone) await media.setDirection(this.name, number, direction);
  }

  /** The page's transceiver of this media. */
  async transceiverOf({ mid }: Media): Promise<PageTransceiver> {
    const found = (await this.transceivers()).find((one) => one.mid === mid);
    if (found === undefined) throw new Error(`the page has no transceiver of mid ${String(mid)}`);
    return found;
  }

  /** The page's living ones. */
  async transceivers(): Promise<PageTransceiver[]> {
    const all = await this.browser.media.transceivers(this.name);
    return all.filter(({ isGone }) => !isGone);
  }

  /** The page is told of no other way to us than the relay; its own addresses we never learn. */
  #onTheWay(sdp: string): string {
    return this.#relay === undefined ? sdp : this.#relay.inFrontOf(sdp);
  }

  /** ICE and DTLS are up at both ends. */
  async expectConnected(): Promise<void> {
    await vi.waitFor(
      async () => {
        const { connection } = await this.browser.media.states(this.name);
        expect([connection, this.rtc.connectionState]).toEqual(['connected', 'connected']);
      },
      { timeout: 20_000, interval: 20 },
    );
  }

  /** RTP of the page's comes in. */
  async expectRtp(): Promise<void> {
    const count = (): number => this.rtc.inspect().counters.droppedRtp;
    const before = count();
    await vi.waitFor(() => expect(count()).toBeGreaterThan(before + 10), { timeout: 20_000, interval: 20 });
  }

  /** The page speaks, and hears it back. */
  async expectEcho(label: string, message: WireMessage = { text: `on ${label}` }): Promise<void> {
    const { peer } = this.browser;
    await peer.send(this.name, label, message);
    const heard = await this.connection.receive(label);
    expect(heard).toEqual(message);
    await this.connection.send(label, heard);
    expect(await peer.receive(this.name, label)).toEqual(message);
  }

  /**
   * Both ends are stable and think the same of every media: which there are, where they stand, what flows, as what.
   * @param expected the directions as this end sees them, by their order in `Rtc.media`
   */
  async expectAgreement(...expected: readonly Direction[]): Promise<void> {
    const { rtc } = this;
    const { signaling } = await this.browser.media.states(this.name);
    const { negotiation, media: carriedOut } = rtc.inspect();
    expect([signaling, negotiation.signalingState]).toEqual(['stable', 'stable']);
    expect(rtc.media.map(({ currentDirection }) => currentDirection)).toEqual(expected);
    expect(sorted(carriedOut.map(({ mid }) => mid))).toEqual(sorted(rtc.media.map(({ mid }) => mid)));
    expect(carriedOut).toEqual(negotiation.media);
    const theirs = (await this.transceivers()).filter(
      ({ currentDirection }) => currentDirection !== null && currentDirection !== 'stopped',
    );
    expect(sorted(theirs.map(({ mid }) => mid))).toEqual(sorted(rtc.media.map(({ mid }) => mid)));
    for (const media of rtc.media) expectSame(media, await this.transceiverOf(media));
  }
}

function expectSame(media: Media, theirs: PageTransceiver): void {
  const { kind, currentDirection, parameters } = media;
  if (parameters === undefined || currentDirection === null) throw new Error('nothing is agreed on');
  expect(theirs).toMatchObject({ kind, currentDirection: REVERSED[currentDirection] });
  expect(parameters).toMatchObject({ media: kind, mid: theirs.mid, direction: currentDirection });
  if (receives(currentDirection)) {
    // Chromium that has answered names what it was offered and has left out, too.
    expect(shown(theirs.sends)).toEqual(expect.arrayContaining(shown(flat(media, 'receive'))));
    expect(theirs.rids).toEqual(parameters.receive.encodings.map(({ rid }) => rid));
  }
  // Who has offered goes on to say all that it would take.
  if (sends(currentDirection) && theirs.receives !== undefined)
    expect(shown(theirs.receives)).toEqual(expect.arrayContaining(shown(flat(media, 'send'))));
}

function sends(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly';
}

function receives(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly';
}

/** The codecs of one way as W3C lists them: what is sent again is a codec, too. */
function flat({ kind, parameters }: Media, way: 'send' | 'receive'): PageCodec[] {
  const codecs = parameters?.[way].codecs ?? [];
  return codecs.flatMap(({ payloadType, mimeType, clockRate, rtxPayloadType }) => [
    { payloadType, mimeType, clockRate },
    ...(rtxPayloadType === undefined
      ? []
      : [{ payloadType: rtxPayloadType, mimeType: `${kind}/rtx`, clockRate }]),
  ]);
}

function shown(codecs: readonly PageCodec[]): string[] {
  return sorted(
    codecs.map(({ payloadType, mimeType, clockRate }) => `${payloadType} ${mimeType}/${clockRate}`),
  ) as string[];
}

function sorted(values: readonly (string | null | undefined)[]): (string | null | undefined)[] {
  return [...values].sort();
}
