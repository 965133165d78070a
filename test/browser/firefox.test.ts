/** Real Firefox: the conversations of every foreign peer, both versions of DTLS, and the habits that are its own. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { DtlsRole, DtlsVersions } from '../../src/dtls/index.ts';
import { ALL_ROLES, describeConversations, expectAgreement } from '../interop/conversations.ts';
import { Meeting } from '../interop/meeting.ts';
import { Firefox } from './firefox.ts';
import { Host } from './host.ts';

const MEBIBYTE = 1024 * 1024;

describe('conversations', () => {
  describeConversations({
    name: 'Firefox',
    start: () => Firefox.launch(),
    largestMessage: 262_144,
    roles: ALL_ROLES,
    tlsVersion: 'FEFC',
  });
});

type Case = readonly [
  versions: DtlsVersions,
  offerer: 'sansrtc' | 'foreign',
  role: DtlsRole,
  reached: string,
];

const CASES: readonly Case[] = [
  [{ min: '1.3', max: '1.3' }, 'foreign', 'client', 'FEFC'],
  [{ min: '1.3', max: '1.3' }, 'sansrtc', 'server', 'FEFC'],
  [{ min: '1.2', max: '1.2' }, 'foreign', 'client', 'FEFD'],
  [{ min: '1.2', max: '1.2' }, 'sansrtc', 'server', 'FEFD'],
];

describe('Firefox as it comes', () => {
  let firefox: Firefox;
  let host: Host;

  beforeAll(async () => {
    firefox = await Firefox.launch();
  });
  afterAll(() => firefox.stop());
  beforeEach(async () => {
    host = await Host.listen();
  });
  afterEach(() => host.close());

  test.each(CASES)(
    'versions %o, %s offers, sansrtc is the %s: %s',
    async (versions, offerer, role, reached) => {
      const meeting = await Meeting.begin(host, firefox.peer, { offerer, versions });
      await meeting.expectEcho('chat');
      await expectAgreement(meeting, 'Firefox', role, reached);
    },
  );

  test.each(['foreign', 'sansrtc'] as const)('%s offers, crypto/js speaks DTLS 1.3', async (offerer) => {
    const meeting = await Meeting.begin(host, firefox.peer, { offerer, rtc: { crypto: jsCrypto() } });
    await meeting.expectEcho('chat');
    await expectAgreement(meeting, 'Firefox', offerer === 'foreign' ? 'client' : 'server', 'FEFC');
  });

  test('a message of 1 MiB and a bit, both ways', async () => {
    const limit = 2 * MEBIBYTE;
    const meeting = await Meeting.begin(host, firefox.peer, {
      offerer: 'foreign',
      rtc: { maxMessageSize: limit },
    });
    await meeting.expectEcho('chat', { text: 'x'.repeat(MEBIBYTE + 1) });
    await meeting.expectEcho('chat', { binary: '\x00\xff'.repeat(MEBIBYTE / 2 + 1) });
  });

  test('it answers a path MTU probe: packets grow', async () => {
    const meeting = await Meeting.begin(host, firefox.peer, { offerer: 'foreign' });
    // A browser that is too busy to read loses packets, and three large ones in a row look like a black hole for a second.
    await vi.waitFor(
      async () => {
        expect(await meeting.bulkFromUs('chat', MEBIBYTE)).toBe(true);
        expect(meeting.connection.rtc.inspect().sctp.pathMtu).toMatchObject({
          state: 'complete',
          size: 1470,
        });
      },
      { timeout: 15_000, interval: 300 },
    );
  });

  test.each(['foreign', 'sansrtc'] as const)(
    'F1a B7/A13 a re-offer by either end, after %s has offered first: the roles stay, the conversation goes on',
    async (offerer) => {
      const meeting = await Meeting.begin(host, firefox.peer, { offerer });
      await meeting.expectEcho('chat');
      const { connection, peer, name } = meeting;
      const { dtlsRole } = connection.rtc.inspect();

      const offer = connection.rtc.negotiation().offer();
      const answer = await peer.answer(name, offer.sdp);
      // It has been seen to say `active` here as the server, after an ICE restart of Chromium's.
      expect(answer).toContain(dtlsRole === 'client' ? 'a=setup:passive' : 'a=setup:active');
      offer.accept(answer);
      await meeting.expectEcho('chat', { text: 'after our re-offer' });

      const theirs = await peer.offer(name, [{ label: 'another' }]);
      await peer.acceptAnswer(name, connection.rtc.receiveOffer(theirs).answer());
      await meeting.expectEcho('another', { text: 'after its re-offer' });
      expect(connection.rtc.inspect()).toMatchObject({ connectionState: 'connected', dtlsRole });
    },
  );
});

describe('Firefox that speaks DTLS 1.2 at most', () => {
  let firefox: Firefox;
  let host: Host;

  beforeAll(async () => {
    firefox = await Firefox.launch('1.2');
    host = await Host.listen();
  });
  afterAll(async () => {
    await firefox.stop();
    await host.close();
  });

  test.each(ALL_ROLES)('%s offers, sansrtc speaks both and is the %s', async (offerer, role) => {
    const meeting = await Meeting.begin(host, firefox.peer, { offerer, role });
    await meeting.expectEcho('chat');
    await expectAgreement(meeting, 'Firefox', role, 'FEFD');
  });
});
