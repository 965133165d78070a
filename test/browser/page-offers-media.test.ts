/** Pages that offer audio and video, and sansrtc answers. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BROWSERS, startBrowser, type RunningBrowser } from './browsers.ts';
import { Host } from './host.ts';
import { MediaSession, kindsOf, takeAll, takeNew } from './media-session.ts';

const POLICIES: readonly RTCBundlePolicy[] = ['balanced', 'max-compat', 'max-bundle'];

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

  describe('what is offered', () => {
    test.each([[['audio']], [['video']], [['audio', 'video']]] as const)('%o, both ways', async (kinds) => {
      const session = await begin();
      for (const kind of kinds) await browser.media.add(session.name, kind, { track: true });
      await session.pageOffers();
      await session.expectConnected();
      await session.expectAgreement(...kinds.map(() => 'sendrecv' as const));
      await session.expectRtp();
    });

    test.each(POLICIES)('audio, video and data, %s: nothing chosen, then both ways', async (bundlePolicy) => {
      const session = await begin({ page: { bundlePolicy } });
      const { name } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await browser.media.add(name, 'audio');
      await browser.media.add(name, 'video');
      const { offer, answer } = await session.pageOffers(() => undefined);
      // Firefox offers what it would bundle with port 0; that is no rejection.
      if (browserName === 'Firefox' && bundlePolicy === 'max-bundle')
        expect(offer).toContain('a=bundle-only');
      expect(answer).not.toMatch(/^m=\S+ 0 /m);
      await session.expectConnected();
      await session.expectAgreement('inactive', 'inactive');
      await session.expectEcho('chat');
      await session.pageOffers(takeAll);
      await session.expectAgreement('sendrecv', 'sendrecv');
      await session.expectEcho('chat', { text: 'and now with media' });
    });

    test('three encodings of one video (simulcast), all of them taken', async () => {
      const session = await begin();
      const { name } = session;
      await browser.media.add(name, 'video', { direction: 'sendonly', track: true, rids: ['l', 'm', 'h'] });
      const { offer, answer } = await session.pageOffers();
      expect(offer).toContain('a=simulcast:send l;m;h');
      expect(answer).toContain('a=simulcast:recv l;m;h');
      await session.expectConnected();
      await session.expectAgreement('recvonly');
      await session.expectRtp();
    });

    test('three encodings, of which one is taken', async () => {
      const session = await begin();
      await browser.media.add(session.name, 'video', { direction: 'sendonly', rids: ['l', 'm', 'h'] });
      const { answer } = await session.pageOffers((received) => {
        takeNew(received);
        received.media[0]?.setEncodings(['m']);
      });
      expect(answer).toContain('a=rid:m recv');
      // Without it both browsers would send their first encoding, whatever is said of rids.
      expect(answer).toContain('a=simulcast:recv m\r\n');
      expect(session.rtc.media[0]?.parameters?.receive.encodings).toMatchObject([{ rid: 'm' }]);
      await session.expectConnected();
      await session.expectAgreement('recvonly');
    });

    test.each([
      ['recvonly', 'sendonly'],
      ['sendonly', 'recvonly'],
      ['inactive', 'inactive'],
    ] as const)('%s: %s here', async (direction, here) => {
      const session = await begin();
      await browser.media.add(session.name, 'audio', { direction });
      await browser.media.add(session.name, 'video', { direction });
      await session.pageOffers();
      await session.expectConnected();
      await session.expectAgreement(here, here);
    });

    test('preferred codecs alone', async () => {
      const session = await begin();
      const { name } = session;
      const audio = await browser.media.add(name, 'audio');
      const video = await browser.media.add(name, 'video');
      await browser.media.setCodecs(name, audio, ['audio/PCMU']);
      await browser.media.setCodecs(name, video, ['video/VP9', 'video/rtx']);
      const { offer } = await session.pageOffers();
      // Firefox leaves `rtcp-fb` lines of codecs that it does not offer.
      if (browserName === 'Firefox') expect(offer).toMatch(/^a=rtcp-fb:120 /m);
      await session.expectConnected();
      await session.expectAgreement('sendrecv', 'sendrecv');
      expect(session.rtc.media.map(({ parameters }) => parameters?.receive.codecs[0]?.mimeType)).toEqual([
        'audio/PCMU',
        'video/VP9',
      ]);
    });

    test('sections that are no group: the first has the connection, the others are rejected', async () => {
      const session = await begin();
      const { name } = session;
      await browser.media.add(name, 'audio');
      await browser.media.add(name, 'video');
      const offer = await browser.media.setLocal(name);
      const answer = await session.answerTo(offer.replace(/^a=group:BUNDLE.*\r\n/m, ''));
      expect(answer).toMatch(/^m=video 0 /m);
      await session.expectConnected();
      await session.expectAgreement('sendrecv');
    });

    test('what is rejected here has ended there', async () => {
      const session = await begin();
      const { name } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await browser.media.add(name, 'audio');
      await browser.media.add(name, 'video');
      await session.pageOffers((received) => {
        takeNew(received);
        received.media[0]?.reject();
      });
      await session.expectConnected();
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat');
      expect(await browser.media.transceivers(name)).toMatchObject([
        { kind: 'audio', currentDirection: 'stopped' },
        { kind: 'video' },
      ]);
    });
  });

  describe('what is offered later', () => {
    test('video after data', async () => {
      const session = await begin();
      const { name } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await session.pageOffers();
      await session.expectConnected();
      await session.expectEcho('chat');
      await browser.media.add(name, 'video', { track: true });
      const { answer } = await session.pageOffers();
      expect(kindsOf(answer)).toEqual(['application', 'video']);
      await session.expectAgreement('sendrecv');
      await session.expectRtp();
      await session.expectEcho('chat', { text: 'beside the video' });
    });

    test('data after audio', async () => {
      const session = await begin();
      const { name } = session;
      await browser.media.add(name, 'audio', { track: true });
      await session.pageOffers();
      await session.expectConnected();
      await session.expectRtp();
      await browser.peer.openChannel(name, { label: 'chat' });
      const { answer } = await session.pageOffers();
      expect(kindsOf(answer)).toEqual(['audio', 'application']);
      await session.expectEcho('chat');
      await session.expectAgreement('sendrecv');
    });

    test('other directions, one after the other', async () => {
      const session = await begin();
      const { name } = session;
      const video = await browser.media.add(name, 'video');
      await session.pageOffers();
      await session.expectConnected();
      await session.expectAgreement('sendrecv');
      for (const [direction, here] of [
        ['sendonly', 'recvonly'],
        ['inactive', 'inactive'],
        ['recvonly', 'sendonly'],
        ['sendrecv', 'sendrecv'],
      ] as const) {
        await browser.media.setDirection(name, video, direction);
        await session.pageOffers();
        await session.expectAgreement(here);
      }
    });

    test.each([
      ['audio', 'audio'],
      ['audio', 'video'],
    ] as const)('stopped %s, in whose place %s comes', async (stopped, next) => {
      const session = await begin();
      const { name, rtc } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await browser.media.add(name, 'video');
      const second = await browser.media.add(name, stopped);
      await session.pageOffers();
      await session.expectConnected();
      const [living, ended] = rtc.media;
      await browser.media.stop(name, second);
      const { answer } = await session.pageOffers();
      expect(answer).toMatch(/^m=audio 0 /m);
      expect([ended?.stopped, rtc.media]).toEqual([true, [living]]);
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'while the place is free' });
      await browser.media.add(name, next);
      const { answer: recycled } = await session.pageOffers();
      // Firefox leaves the place of another kind free.
      const appends = browserName === 'Firefox' && next !== stopped;
      expect(kindsOf(recycled)).toEqual(
        appends ? ['video', stopped, 'application', next] : ['video', next, 'application'],
      );
      await session.expectAgreement('sendrecv', 'sendrecv');
      await session.expectEcho('chat', { text: 'and when it is taken' });
      expect(ended?.stopped).toBe(true);
    });

    // It is the tag of the BUNDLE group that browsers have hung their transport on: with its section they throw it away, and begin
    // ICE and DTLS anew, under the same credentials and with the same certificate. That is another DTLS association, which a
    // connection of sansrtc does not have; Firefox with itself loses its channels by it, too.
    test('the first of all is stopped: this connection ends', async () => {
      const session = await begin();
      const { name, connection } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      const audio = await browser.media.add(name, 'audio');
      await session.pageOffers();
      await session.expectConnected();
      await session.expectEcho('chat');
      await browser.media.stop(name, audio);
      await session.pageOffers();
      expect(await connection.closed()).toMatchObject({ code: 'remote-close' });
    });

    test('a video that comes and goes five times: its place is one', async () => {
      const session = await begin();
      const { name } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await session.pageOffers();
      await session.expectConnected();
      const mids = new Set<string | undefined>();
      for (let round = 0; round < 5; round++) {
        const video = await browser.media.add(name, 'video');
        const { answer } = await session.pageOffers();
        expect(kindsOf(answer)).toEqual(['application', 'video']);
        await session.expectAgreement('sendrecv');
        mids.add(session.rtc.media[0]?.mid);
        await browser.media.stop(name, video);
        await session.pageOffers();
        await session.expectAgreement();
      }
      expect(mids.size).toBe(5);
      await session.expectEcho('chat');
    });

    test('a restart of ICE, with media and data', async () => {
      const session = await begin();
      const { name, rtc } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await browser.media.add(name, 'video', { track: true });
      const { answer: before } = await session.pageOffers();
      await session.expectConnected();
      await session.expectEcho('chat');
      await browser.peer.restartIce(name);
      const { answer } = await session.pageOffers();
      expect(/^a=ice-ufrag:.*$/m.exec(answer)?.[0]).not.toBe(/^a=ice-ufrag:.*$/m.exec(before)?.[0]);
      await session.expectConnected();
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'over the new path' });
      await session.expectRtp();
      expect(rtc.inspect().negotiation.restartWanted).toBe(false);
    });
  });

  describe('steps', () => {
    test('an offer that is taken back before it is answered', async () => {
      const session = await begin();
      const { name, rtc } = session;
      await browser.media.add(name, 'audio');
      const received = rtc.receiveOffer(await browser.media.setLocal(name));
      received.apply();
      expect(rtc.inspect().negotiation.signalingState).toBe('have-remote-offer');
      await browser.media.setLocal(name, { type: 'rollback' });
      received.rollback();
      expect(rtc.media).toEqual([]);
      await browser.media.add(name, 'video');
      await session.pageOffers();
      await session.expectConnected();
      await session.expectAgreement('sendrecv', 'sendrecv');
    });

    test('a further offer that is taken back: what was before goes on', async () => {
      const session = await begin();
      const { name, rtc } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await browser.media.add(name, 'audio');
      await session.pageOffers();
      await session.expectConnected();
      const video = await browser.media.add(name, 'video');
      const received = rtc.receiveOffer(await browser.media.setLocal(name));
      received.apply();
      await browser.media.setLocal(name, { type: 'rollback' });
      received.rollback();
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat');
      await browser.media.stop(name, video);
      await session.pageOffers();
      await session.expectAgreement('sendrecv');
    });

    test('a provisional answer, and then the answer', async () => {
      const session = await begin();
      const { name, rtc } = session;
      await browser.peer.openChannel(name, { label: 'chat' });
      await browser.media.add(name, 'audio');
      const received = rtc.receiveOffer(await browser.media.setLocal(name));
      const provisional = { type: 'pranswer', sdp: received.provisionalAnswer() } as const;
      if (browserName === 'Firefox') {
        const refusal = browser.media.setRemote(name, provisional);
        await expect(refusal).rejects.toThrow('pranswer not yet implemented');
        return;
      }
      await browser.media.setRemote(name, provisional);
      expect((await browser.media.states(name)).signaling).toBe('have-remote-pranswer');
      await session.expectConnected();
      await session.expectEcho('chat', { text: 'before the answer' });
      takeNew(received);
      await browser.media.setRemote(name, { type: 'answer', sdp: received.answer() });
      await session.expectAgreement('sendrecv');
      await session.expectEcho('chat', { text: 'after it' });
    });
  });
});
