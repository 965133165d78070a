/** Media that come and go for a minute, on one connection: what the page adds is sent back to it, played, and taken away again. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { SourceSwitch, rtpMedia } from '../../src/media/index.ts';
import type { RtpSender, RtpStream } from '../../src/media/index.ts';
import type { Media } from '../../src/rtc.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import { MediaSession } from './media-session.ts';
import { PATIENCE } from './round.ts';

const A_MINUTE = 60_000;

let host: Host;

beforeAll(async () => {
  host = await Host.listen();
});
afterAll(() => host.close());

/** One media on its way back. */
interface Way {
  readonly number: number;
  readonly from: Media;
  readonly to: Media;
  readonly forwarder: SourceSwitch;
  readonly sender: RtpSender;
}

describe.each(BROWSERS)('%s', (browserName) => {
  let browser: RunningBrowser;

  beforeAll(async () => {
    browser = await startBrowser(browserName);
  });
  afterAll(() => browser.stop());

  test(
    'tracks are added and removed for a minute, and what is there is played',
    { timeout: 600_000 },
    async () => {
      const session = await MediaSession.begin(host, browser, { rtc: { media: rtpMedia() } });
      const { rtc, name } = session;
      const { media, peer } = browser;
      const ways: Way[] = [];
      const streams = new Map<number, RtpStream>();
      session.connection.onEvent = (event) => {
        if (event.type === 'rtpstreamstart') {
          streams.set(event.stream.mediaId, event.stream);
          ways.find(({ from }) => from.id === event.stream.mediaId)?.forwarder.select(event.stream);
        }
        if (event.type === 'rtp')
          for (const { forwarder, sender, from } of ways) {
            const packet = from.id === event.stream.mediaId ? forwarder.forward(event) : undefined;
            if (packet !== undefined) sender.write(packet);
          }
        if (event.type === 'keyframerequest')
          ways.find(({ to }) => to.id === event.mediaId)?.from.requestKeyframe();
      };

      /** The page adds a track, and is offered it back. */
      async function add(kind: 'audio' | 'video'): Promise<Way> {
        const known = new Set(rtc.media);
        const number = await media.add(name, kind, { direction: 'sendonly', track: true });
        await session.pageOffers(({ media: sections }) => {
          for (const section of sections) if (section.media === undefined) section.direction = 'recvonly';
        });
        const from = rtc.media.find((one) => !known.has(one));
        if (from === undefined) throw new Error('the offer added no media');
        const draft = rtc.negotiation();
        const to = draft.addMedia(kind, { direction: 'sendonly', streams: [`way-${number}`] });
        await session.weOffer(draft);
        const sender = to.sender();
        if (sender === undefined) throw new Error('there is no sender');
        const way = {
          number,
          from,
          to,
          sender,
          forwarder: new SourceSwitch({ codecs: to.parameters?.send.codecs }),
        };
        ways.push(way);
        const stream = streams.get(from.id);
        if (stream !== undefined) way.forwarder.select(stream);
        from.requestKeyframe();
        return way;
      }

      async function remove(way: Way): Promise<void> {
        ways.splice(ways.indexOf(way), 1);
        const draft = rtc.negotiation();
        draft.stop(way.to);
        await session.weOffer(draft);
        await media.stop(name, way.number);
        await session.pageOffers();
        expect([way.from.stopped, way.to.stopped]).toEqual([true, true]);
      }

      async function expectPlayed(): Promise<void> {
        const before = await media.played(name);
        await vi.waitFor(async () => {
          const now = await media.played(name);
          for (const { to } of ways) {
            const [earlier, later] = [before, now].map((all) => all.find(({ mid }) => mid === to.mid));
            const report = JSON.stringify({ mid: to.mid, now, media: rtc.inspect().media }, null, 1);
            const key = to.kind === 'video' ? 'framesDecoded' : 'totalSamplesReceived';
            expect(later?.[key] ?? 0, report).toBeGreaterThan((earlier?.[key] ?? 0) + 2);
          }
        }, PATIENCE);
      }

      await peer.openChannel(name, { label: 'chat' });
      await session.pageOffers();
      await session.expectConnected();
      await media.play(name);
      const start = performance.now();
      let rounds = 0;
      for (; performance.now() - start < A_MINUTE || rounds < 3; rounds++) {
        const video = await add('video');
        await add('audio');
        await expectPlayed();
        await add('video');
        await expectPlayed();
        await remove(video);
        await expectPlayed();
        for (const way of [...ways]) await remove(way);
        await session.expectEcho('chat', { text: `after round ${rounds}` });
      }
      console.log(`${browser.description}: ${rounds} rounds`);
      await peer.close(name);
    },
  );
});
