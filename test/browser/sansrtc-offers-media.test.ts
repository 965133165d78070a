/** Sansrtc that offers audio and video, and pages answer. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BundlePolicy } from '../../src/negotiation/index.ts';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import { MediaSession, kindsOf } from './media-session.ts';

const POLICIES: readonly BundlePolicy[] = ['balanced', 'max-compat', 'must-bundle'];

let host: Host;

beforeEach(async () => {
  host = await Host.listen();
});

afterEach(() => host.close());

describe.each(BROWSERS)('%s', (browserName) => {
  let browser: RunningBrowser;
  let sessions: MediaSession[] = [];

  beforeAll(async () => {
    browser = await startBrowser(browserName);
  });
  afterAll(() => browser.stop());
  afterEach(async () => {
    for (const { name } of sessions) await browser.peer.close(name);
    sessions = [];
  });

  async function begin(options?: Parameters<typeof MediaSession.begin>[2]): Promise<MediaSession> {
    const session = await MediaSession.begin(host, browser, options);
    sessions.push(session);
    return session;
  }

  /** An offer of this connection's, for which the page adds tracks of its own before it answers. */
  async function offerMedia(
    session: MediaSession,
    kinds: readonly ('audio' | 'video')[],
    channels: readonly string[] = [],
  ): Promise<void> {
    const draft = session.rtc.negotiation();
    for (const kind of kinds) draft.addMedia(kind);
    for (const label of channels) draft.addChannel(label);
    await session.weOffer(draft, () => session.setPageDirections('sendrecv'));
    await session.expectConnected();
  }

  describe('what is offered', () => {
    test.each([[['audio']], [['video']], [['audio', 'video']]] as const)('%o, both ways', async (kinds) => {
      const session = await begin();
      await offerMedia(session, kinds);
      await session.expectAgreement(...kinds.map(() => 'sendrecv' as const));
    });

    test('what the page has to send comes', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      draft.addMedia('audio', { direction: 'recvonly' });
      draft.addMedia('video', { direction: 'recvonly' });
      await session.weOffer(draft, () => browser.media.sendTracks(name));
      await session.expectConnected();
      await session.expectAgreement('recvonly', 'recvonly');
      await session.expectRtp();
    });

    test.each(POLICIES)('audio, video and data, %s', async (bundlePolicy) => {
      const session = await begin({ rtc: { bundlePolicy } });
      await offerMedia(session, ['audio', 'video'], ['chat']);
      await session.expectAgreement('sendrecv', 'sendrecv');
      await session.expectEcho('chat');
      await session.weOffer();
      await session.expectAgreement('sendrecv', 'sendrecv');
      await session.expectEcho('chat', { text: 'once more' });
    });

    test.each(['max-compat', 'max-bundle'] as const)(
      'a page with %s answers must-bundle',
      async (bundlePolicy) => {
        const session = await begin({ page: { bundlePolicy }, rtc: { bundlePolicy: 'must-bundle' } });
        await offerMedia(session, ['video', 'audio'], ['chat']);
        await session.expectAgreement('sendrecv', 'sendrecv');
        await session.expectEcho('chat');
      },
    );

    test('three encodings of one video (simulcast): no browser receives more than one', async () => {
      const session = await begin();
      const draft = session.rtc.negotiation();
      const encodings = ['l', 'm', 'h'].map((rid) => ({ rid }));
      const video = draft.addMedia('video', { direction: 'sendonly', encodings });
      const { offer } = await session.weOffer(draft);
      expect(offer).toContain('a=simulcast:send l;m;h');
      await session.expectConnected();
      await session.expectAgreement('sendonly');
      expect(video.parameters?.send.encodings).toEqual([]);
    });

    test.each([
      ['sendonly', 'sendonly'],
      ['recvonly', 'inactive'],
      ['inactive', 'inactive'],
    ] as const)('%s to a page with nothing to send: %s', async (direction, reached) => {
      const session = await begin();
      const draft = session.rtc.negotiation();
      draft.addMedia('audio', { direction });
      draft.addMedia('video', { direction });
      await session.weOffer(draft);
      await session.expectConnected();
      await session.expectAgreement(reached, reached);
    });

    test('codecs of one media alone', async () => {
      const session = await begin();
      const draft = session.rtc.negotiation();
      draft.addMedia('audio', { codecs: [{ mimeType: 'audio/PCMU', clockRate: 8000 }] });
      const vp9 = { mimeType: 'video/VP9', clockRate: 90_000, sdpFmtpLine: 'profile-id=0', rtx: true };
      const video = draft.addMedia('video', { codecs: [vp9] });
      await session.weOffer(draft);
      await session.expectConnected();
      await session.expectAgreement('sendonly', 'sendonly');
      expect(video.parameters?.send.codecs).toMatchObject([{ mimeType: 'video/VP9' }]);
      const next = session.rtc.negotiation();
      next.setCodecs(video, [{ mimeType: 'video/VP8', clockRate: 90_000 }, vp9]);
      await session.weOffer(next);
      await session.expectAgreement('sendonly', 'sendonly');
      expect(video.parameters?.send.codecs).toMatchObject([
        { mimeType: 'video/VP8' },
        { mimeType: 'video/VP9' },
      ]);
    });
  });

  describe('what the page makes of it', () => {
    test('a media that it stops before it answers', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      draft.addMedia('audio');
      const video = draft.addMedia('video');
      draft.addChannel('chat');
      const { answer } = await session.weOffer(draft, () => browser.media.stop(name, 1));
      await session.expectConnected();
      // It is stopped for good by an offer alone: until then both browsers answer `inactive`.
      expect(answer).toMatch(/^m=video 9 /m);
      await session.expectAgreement('sendonly', 'inactive');
      await session.pageOffers();
      await session.expectAgreement('sendonly');
      expect(video.stopped).toBe(true);
      await session.expectEcho('chat');
    });

    test('codecs that it prefers', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      const video = draft.addMedia('video');
      await session.weOffer(draft, async () => {
        await browser.media.setCodecs(name, 0, ['video/VP9', 'video/rtx']);
        await browser.media.setDirection(name, 0, 'sendrecv');
      });
      await session.expectConnected();
      await session.expectAgreement('sendrecv');
      expect(video.parameters?.send.codecs[0]).toMatchObject({ mimeType: 'video/VP9' });
    });
  });

  describe('what is offered later', () => {
    test('video after data', async () => {
      const session = await begin();
      await offerMedia(session, [], ['chat']);
      await session.expectEcho('chat');
      await offerMedia(session, ['video']);
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'beside the video' });
    });

    // Firefox, the DTLS server then, answers `active` for what is added, and `passive` for what was there.
    test('video after audio that the page has offered', async () => {
      const session = await begin();
      await browser.media.add(session.name, 'audio');
      await session.pageOffers();
      await session.expectConnected();
      const draft = session.rtc.negotiation();
      draft.addMedia('video');
      await session.weOffer(draft);
      await session.expectAgreement('sendrecv', 'sendonly');
      await session.expectConnected();
    });

    test('data after audio', async () => {
      const session = await begin();
      await offerMedia(session, ['audio']);
      await session.expectAgreement('sendrecv');
      await offerMedia(session, [], ['chat']);
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat');
    });

    test('other directions, one after the other', async () => {
      const session = await begin();
      await offerMedia(session, ['video']);
      for (const direction of ['sendonly', 'inactive', 'recvonly', 'sendrecv'] as const) {
        const draft = session.rtc.negotiation();
        draft.setDirection(session.rtc.media[0]!, direction); // it has one
        await session.weOffer(draft);
        await session.expectAgreement(direction);
      }
    });

    test('the page offers again what it was offered', async () => {
      const session = await begin();
      await offerMedia(session, ['audio', 'video'], ['chat']);
      const [audio, video] = session.rtc.media;
      await browser.media.setDirection(session.name, 1, 'sendonly');
      await session.pageOffers();
      await session.expectAgreement('sendrecv', 'recvonly');
      expect(session.rtc.media).toEqual([audio, video]);
      await session.expectEcho('chat');
    });

    test('the page adds a video of its own to the one that it was offered', async () => {
      const session = await begin();
      await offerMedia(session, ['video'], ['chat']);
      await browser.media.add(session.name, 'video', { track: true });
      await session.pageOffers();
      await session.expectAgreement('sendrecv', 'sendrecv');
      await session.expectEcho('chat');
    });

    test.each([
      ['audio', 'audio'],
      ['audio', 'video'],
    ] as const)('stopped %s, in whose place %s comes', async (stopped, next) => {
      const session = await begin();
      const { rtc } = session;
      await offerMedia(session, ['video', stopped], ['chat']);
      const [living] = rtc.media;
      const ended = rtc.media[1]!; // it has two
      const draft = rtc.negotiation();
      draft.stop(ended);
      const { answer } = await session.weOffer(draft);
      expect(answer).toMatch(/^m=audio 0 /m);
      expect([ended.stopped, rtc.media]).toEqual([true, [living]]);
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'while the place is free' });
      await offerMedia(session, [next]);
      const { answer: recycled } = await session.weOffer();
      expect(kindsOf(recycled)).toEqual(['video', next, 'application']);
      await session.expectAgreement('sendrecv', 'sendrecv');
      await session.expectEcho('chat', { text: 'and when it is taken' });
    });

    test('a video that comes and goes five times: its place is one', async () => {
      const session = await begin();
      const { rtc } = session;
      await offerMedia(session, [], ['chat']);
      for (let round = 0; round < 5; round++) {
        const draft = rtc.negotiation();
        const video = draft.addMedia('video');
        const { answer } = await session.weOffer(draft);
        expect(kindsOf(answer)).toEqual(['application', 'video']);
        await session.expectAgreement('sendonly');
        const end = rtc.negotiation();
        end.stop(video);
        await session.weOffer(end);
        await session.expectAgreement();
      }
      await session.expectEcho('chat');
    });

    // As where the page offers it: it throws its transport away with the section that has the tag of the BUNDLE group.
    test('the first of all is stopped: this connection ends', async () => {
      const session = await begin();
      const { connection, rtc } = session;
      await offerMedia(session, ['audio', 'video'], ['chat']);
      await session.expectEcho('chat');
      const draft = rtc.negotiation();
      draft.stop(rtc.media[0]!); // it has two
      const pending = draft.offer();
      await browser.media.setRemote(session.name, { type: 'offer', sdp: pending.sdp });
      const answer = await browser.media.setLocal(session.name);
      // The page may have ended it before its answer is here.
      if (rtc.connectionState !== 'closed') pending.accept(answer);
      expect(await connection.closed()).toMatchObject({ code: 'remote-close' });
    });

    test('a restart of ICE, with media and data', async () => {
      const session = await begin();
      const { rtc } = session;
      await offerMedia(session, ['video'], ['chat']);
      await session.expectEcho('chat');
      const draft = rtc.negotiation();
      draft.restartIce();
      const { offer, answer } = await session.weOffer(draft);
      expect(offer).not.toBe(answer);
      await session.expectConnected();
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'over the new path' });
      expect(rtc.inspect().negotiation.restartWanted).toBe(false);
    });
  });

  describe('steps', () => {
    test('an offer that is taken back before it is answered', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      const audio = draft.addMedia('audio');
      const pending = draft.offer();
      await browser.media.setRemote(name, { type: 'offer', sdp: pending.sdp });
      await browser.media.setRemote(name, { type: 'rollback' });
      pending.rollback();
      expect([audio.stopped, rtc.media]).toEqual([true, []]);
      await offerMedia(session, ['video'], ['chat']);
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat');
    });

    test('a further offer that is taken back: what was before goes on', async () => {
      const session = await begin();
      const { name, rtc } = session;
      await offerMedia(session, ['audio'], ['chat']);
      const draft = rtc.negotiation();
      draft.addMedia('video');
      const pending = draft.offer();
      await browser.media.setRemote(name, { type: 'offer', sdp: pending.sdp });
      await browser.media.setRemote(name, { type: 'rollback' });
      pending.rollback({ keepWishes: true });
      await session.expectEcho('chat');
      await session.weOffer();
      await session.expectAgreement('sendrecv', 'sendonly');
      await session.expectEcho('chat', { text: 'with the video after all' });
    });

    test('an offer that replaces one, which the page has already', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      draft.addMedia('audio');
      const first = draft.offer();
      await browser.media.setRemote(name, { type: 'offer', sdp: first.sdp });
      draft.addMedia('video');
      const second = draft.write().commit();
      await browser.media.setRemote(name, { type: 'offer', sdp: second.sdp });
      second.accept(await browser.media.setLocal(name));
      await session.expectConnected();
      await session.expectAgreement('sendonly', 'sendonly');
    });

    test('a provisional answer, and then the answer', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      draft.addMedia('audio');
      draft.addChannel('chat');
      const pending = draft.offer();
      await browser.media.setRemote(name, { type: 'offer', sdp: pending.sdp });
      const sdp = await browser.media.createAnswer(name);
      if (browserName === 'Firefox') {
        const refusal = browser.media.setLocal(name, { type: 'pranswer', sdp });
        await expect(refusal).rejects.toThrow('pranswer not yet implemented');
        return;
      }
      pending.acceptProvisional(await browser.media.setLocal(name, { type: 'pranswer', sdp }));
      await session.expectConnected();
      await session.expectEcho('chat', { text: 'before the answer' });
      await session.setPageDirections('sendrecv');
      pending.accept(await browser.media.setLocal(name));
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'after it' });
    });

    test('data that the page rejects, by an answer that it edits', async () => {
      const session = await begin();
      const { name, rtc } = session;
      const draft = rtc.negotiation();
      draft.addMedia('audio');
      const channel = draft.addChannel('chat');
      const pending = draft.offer();
      await browser.media.setRemote(name, { type: 'offer', sdp: pending.sdp });
      const answer = await browser.media.setLocal(name);
      // No browser lets a page reject it: it is told apart by what goes over the wire.
      const [mid] = /(?<=^m=application.*?a=mid:)\S+/ms.exec(answer) ?? [];
      pending.accept(
        answer
          .replace(/^m=application \d+/m, 'm=application 0')
          .replace(/^a=group:BUNDLE.*$/m, (group) => group.replace(` ${String(mid)}`, '')),
      );
      await session.expectConnected();
      await session.expectAgreement('sendonly');
      expect(channel.readyState).toBe('closed');
    });
  });
});
