/** Real Firefox: the conversations of every foreign peer, both versions of DTLS, and the habits that are its own. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { DtlsRole, DtlsVersions } from '../../src/dtls/index.ts';
import type { RtcEvent } from '../../src/rtc.ts';
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

type Case = readonly [versions: DtlsVersions, offerer: 'sansrtc' | 'foreign', role: DtlsRole, reached: string];

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

  test.each(CASES)('versions %o, %s offers, sansrtc is the %s: %s', async (versions, offerer, role, reached) => {
    const meeting = await Meeting.begin(host, firefox.peer, { offerer, versions });
    await meeting.expectEcho('chat');
    await expectAgreement(meeting, 'Firefox', role, reached);
  });

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

  test('F1a A14 it answers a re-offer as "active" though it is the DTLS server: the roles stay, a warning says so', async () => {
    const meeting = await Meeting.begin(host, firefox.peer, { offerer: 'foreign' });
    await meeting.expectEcho('chat');
    const { connection, peer, name } = meeting;
    const before = connection.events.length;

    const offer = connection.rtc.negotiation().offer();
    const answer = await peer.answer(name, offer.sdp);
    expect(answer).toContain('a=setup:active');
    offer.accept(answer);

    await meeting.expectEcho('chat', { text: 'after the re-offer' });
    const warnings = connection.events.slice(before).filter(isWarning);
    expect(warnings.map(({ failure }) => failure.code)).toContain('role-change-ignored');
    expect(connection.rtc.inspect()).toMatchObject({
      connectionState: 'connected',
      dtls: { role: 'client' },
    });
  });
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

function isWarning(event: RtcEvent): event is Extract<RtcEvent, { type: 'warning' }> {
  return event.type === 'warning';
}
