/**
 * What every peer with media must do: publish audio and video to the library, and play what the library forwards of it, over two
 * connections, with either end offering, and while datagrams are lost.
 *
 *   the peer ──publishes──▶ Rtc ──SourceSwitch──▶ Rtc ──▶ the peer, as another
 *            ◀─ keyframe requests, NACK ──      ◀─ keyframe requests, NACK ──
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Host, type Connection } from '../browser/host.ts';
import { SourceSwitch, rtpMedia, type RtpStream } from '../../src/media/index.ts';
import type { CodecCapability } from '../../src/negotiation/index.ts';
import type { Media, RtcEvent } from '../../src/rtc.ts';
import type { RunningPeer } from './contract.ts';
import { lossySocket } from './lossy-socket.ts';

/** A peer and what it is held to. */
export interface MediaSubject {
  readonly name: string;
  readonly start: () => Promise<RunningPeer>;
  /** What is to be played, at the least, before the peer's patience ends. */
  readonly enough: { readonly audio: number; readonly video: number };
}

const LOSS = 0.05;
const PATIENCE = 30_000;

const FEEDBACK = ['nack', 'nack pli', 'ccm fir', 'transport-cc'];
const CODECS: Readonly<Record<Media['kind'], readonly CodecCapability[]>> = {
  audio: [{ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, rtcpFeedback: ['transport-cc'] }],
  video: [{ mimeType: 'video/VP8', clockRate: 90_000, rtcpFeedback: FEEDBACK, rtx: true }],
};
const KINDS = ['audio', 'video'] as const;

type Offerer = 'sansrtc' | 'foreign';

let meetings = 0;

/** The library's two ends, and what goes from the one to the other. */
class Forwarding {
  readonly publisher: Connection;
  readonly viewer: Connection;
  /** What the peer calls its ends. */
  readonly publisherName: string;
  readonly viewerName: string;
  readonly switches: Readonly<Record<Media['kind'], SourceSwitch>>;
  readonly #streams = new Map<Media['kind'], RtpStream>();
  keyframeRequests = 0;

  static async begin(host: Host, { peer }: RunningPeer, offerer: Offerer): Promise<Forwarding> {
    const number = ++meetings;
    const publisher = await meet(host, peer, offerer, `publisher ${number}`, 'publish');
    const viewer = await meet(host, peer, offerer, `viewer ${number}`, 'watch');
    return new Forwarding(publisher, viewer, number);
  }

  private constructor(publisher: Connection, viewer: Connection, number: number) {
    this.publisher = publisher;
    this.viewer = viewer;
    this.publisherName = `publisher ${number}`;
    this.viewerName = `viewer ${number}`;
    const switchOf = (kind: Media['kind']): SourceSwitch =>
      new SourceSwitch({ codecs: this.#sent(kind)?.parameters?.send.codecs });
    this.switches = { audio: switchOf('audio'), video: switchOf('video') };
    publisher.onEvent = (event) => this.#published(event);
    viewer.onEvent = (event) => this.#watched(event);
  }

  #sent(kind: Media['kind']): Media | undefined {
    return this.viewer.rtc.media.find((one) => one.kind === kind);
  }

  #published(event: RtcEvent): void {
    if (event.type !== 'rtp') return;
    // Its beginning may have been while the viewer was signalled.
    if (this.#streams.get(event.stream.kind) !== event.stream) {
      this.#streams.set(event.stream.kind, event.stream);
      this.switches[event.stream.kind].select(event.stream);
      this.#requestKeyframe();
    }
    const sender = this.#sent(event.stream.kind)?.sender();
    if (sender?.isWritable !== true) return;
    const packet = this.switches[event.stream.kind].forward(event);
    if (packet !== undefined) sender.write(packet);
  }

  #watched(event: RtcEvent): void {
    if (event.type === 'keyframerequest') this.keyframeRequests++;
    if (
      event.type === 'keyframerequest' ||
      (event.type === 'connectionstatechange' && event.state === 'connected')
    )
      this.#requestKeyframe();
  }

  #requestKeyframe(): void {
    const stream = this.#streams.get('video');
    if (stream !== undefined) this.publisher.rtc.requestKeyframe(stream.mediaId, stream.rid);
  }

  close(): void {
    this.publisher.rtc.close();
    this.viewer.rtc.close();
  }
}

/** Signals one connection with media of both kinds, one way. */
async function meet(
  host: Host,
  peer: RunningPeer['peer'],
  offerer: Offerer,
  name: string,
  part: 'publish' | 'watch',
): Promise<Connection> {
  const connection = host.connection({ codecs: CODECS, media: rtpMedia() });
  const direction = part === 'publish' ? 'recvonly' : 'sendonly';
  if (offerer === 'foreign') {
    await peer[part](name);
    await peer.offer(name, []);
    const received = connection.rtc.receiveOffer(await peer.completeDescription(name));
    for (const section of received.media) section.direction = direction;
    await peer.acceptAnswer(name, received.answer());
    return connection;
  }
  const draft = connection.rtc.negotiation();
  for (const kind of KINDS) draft.addMedia(kind, { direction });
  const offer = draft.offer();
  if (part === 'publish') await peer.publish(name);
  await peer.answer(name, offer.sdp);
  offer.accept(await peer.completeDescription(name));
  return connection;
}

/** The sum of a field over all stats of a type. */
function sum({ rtc }: Connection, type: string, field: string): number {
  const rows = [...rtc.getStats().values()].filter((row) => row.type === type);
  return rows.reduce(
    (total, row) => total + Number((row as object as Record<string, unknown>)[field] ?? 0),
    0,
  );
}

export function describeForwarding({ name, start, enough }: MediaSubject): void {
  describe.each([0, LOSS])(`${name} publishes and plays, with %d of all datagrams lost`, (loss) => {
    let running: RunningPeer;
    let host: Host;
    /** Handshakes are left alone: what they do under loss others test. */
    let isLossy = false;

    beforeAll(async () => {
      running = await start();
      host = await Host.listen({ createSocket: lossySocket(loss, () => isLossy) });
    });

    afterAll(async () => {
      await host.close();
      await running.stop();
    });

    test.each<Offerer>(['sansrtc', 'foreign'])('audio and video, offered by %s', async (offerer) => {
      isLossy = false;
      const forwarding = await Forwarding.begin(host, running, offerer);
      const { publisher, viewer, publisherName, viewerName } = forwarding;
      try {
        const played = await vi.waitFor(
          async () => {
            const now = await running.peer.played(viewerName);
            isLossy = now.video > 0 && now.audio > 0;
            expect(now.audio, 'audio').toBeGreaterThanOrEqual(enough.audio);
            expect(now.video, 'video').toBeGreaterThanOrEqual(enough.video);
            return now;
          },
          { timeout: PATIENCE, interval: 50 },
        );
        const facts = {
          played,
          received: sum(publisher, 'inbound-rtp', 'packetsReceived'),
          recovered: publisher.rtc.inspect().streams?.counters['recoveredPackets'],
          nacksSent: sum(publisher, 'inbound-rtp', 'nackCount'),
          sent: sum(viewer, 'outbound-rtp', 'packetsSent'),
          sentAgain: sum(viewer, 'outbound-rtp', 'retransmittedPacketsSent'),
          keyframeRequests: forwarding.keyframeRequests,
          keyframesAskedFor: (await running.peer.played(publisherName)).keyframeRequests,
        };
        console.log(`${name}, offered by ${offerer}, ${loss * 100} % lost:`, JSON.stringify(facts));
        expect(played.problems).toEqual([]);
        expect(facts.sent).toBeGreaterThan(0);
        expect(facts.keyframesAskedFor, 'keyframe requests at the publisher').not.toBe(0);
        if (loss === 0) return;
        expect(facts.nacksSent, 'NACKs to the publisher').toBeGreaterThan(0);
        expect(facts.recovered, 'packets that the publisher has sent again').toBeGreaterThan(0);
        expect(facts.sentAgain, 'packets that the library has sent again').toBeGreaterThan(0);
      } finally {
        forwarding.close();
      }
    });
  });
}
