/**
 * What every foreign peer must be able to do with the library, over real UDP on loopback: connect in every role, open
 * channels of every kind from either side, exchange messages of every sort, and close whatever is open.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Host } from '../browser/host.ts';
import type { PageChannelOptions, WireMessage } from '../browser/page-peer.ts';
import type { DtlsRole } from '../../src/dtls/index.ts';
import type { ForeignPeer, RunningPeer } from './contract.ts';
import { lossySocket } from './lossy-socket.ts';
import { Meeting } from './meeting.ts';
import type { Setting } from './meeting.ts';

export interface Subject {
  readonly name: string;
  readonly start: () => Promise<RunningPeer>;
  /** The longest message it can take and send, bytes. */
  readonly largestMessage: number;
  /** DTLS roles of the library's end that it can meet; by default those that RFC 8842 prefers, the answerer being client. */
  readonly roles?: readonly (readonly [offerer: Setting['offerer'], role: DtlsRole])[];
  /** Whether it gives the stream id of a closed channel to a new one. Default true; the library always does. */
  readonly reusesIds?: boolean;
  /** Whether reliable channels beside unreliable ones lose nothing when datagrams are lost. Default true. */
  readonly mixesUnderLoss?: boolean;
  /** The DTLS version it reaches with the library's defaults, as `getStats()` writes it. */
  readonly tlsVersion: 'FEFC' | 'FEFD';
}

const BULK = 5 * 1024 * 1024;
const BURST = 100;
const LOSSY_BURST = 100;
/** The label and order of the channels that give messages up, and what ends a conversation on them. */
const PARTIAL: readonly (readonly [label: string, ordered: boolean])[] = [
  ['in order', true],
  ['in any order', false],
];
const LAST = 'last';
const PARTIES = ['sansrtc', 'foreign'] as const;
/** RFC 8842 §5.3: the answerer to `actpass` is the client. */
const PREFERRED_ROLES = [
  ['sansrtc', 'server'],
  ['foreign', 'client'],
] as const;
export const ALL_ROLES: NonNullable<Subject['roles']> = [
  ...PREFERRED_ROLES,
  ['sansrtc', 'client'],
  ['foreign', 'server'],
];

const KINDS: readonly (readonly [kind: string, options: Omit<PageChannelOptions, 'label'>])[] = [
  ['ordered, reliable', {}],
  ['unordered, reliable, of a subprotocol', { ordered: false, protocol: 'chess' }],
  ['ordered, retransmitted twice', { maxRetransmits: 2 }],
  ['unordered, never retransmitted', { ordered: false, maxRetransmits: 0 }],
  ['ordered, for 500 ms', { maxPacketLifeTime: 500 }],
  ['unordered, for 500 ms', { ordered: false, maxPacketLifeTime: 500 }],
];

export function describeConversations(subject: Subject): void {
  const { name, start, largestMessage, tlsVersion } = subject;
  const { roles = PREFERRED_ROLES, reusesIds = true, mixesUnderLoss = true } = subject;
  const messages: readonly (readonly [string, WireMessage])[] = [
    ['a string', { text: 'grüß dich, 世界 🦊' }],
    ['an empty string', { text: '' }],
    ['a binary message', { binary: '\x00\x01\x7f\x80\xff' }],
    ['an empty binary message', { binary: '' }],
    [`a string of ${largestMessage} bytes`, { text: 'x'.repeat(largestMessage) }],
    [
      `a binary message of ${largestMessage} bytes`,
      { binary: randomBytes(largestMessage).toString('latin1') },
    ],
  ];

  let running: RunningPeer;
  let peer: ForeignPeer;
  let host: Host;

  beforeAll(async () => {
    running = await start();
    peer = running.peer;
    console.log(running.description);
  }, 240_000);

  afterAll(() => running.stop());

  beforeEach(async () => {
    host = await Host.listen();
  });

  afterEach(() => host.close());

  /** Connected, with `chat` open. */
  async function meet(setting: Partial<Setting> = {}): Promise<Meeting> {
    const meeting = await Meeting.begin(host, peer, { offerer: 'foreign', ...setting });
    await meeting.connection.opened('chat');
    await peer.opened(meeting.name, 'chat');
    return meeting;
  }

  describe('connecting', () => {
    test.each(roles)('%s offers, sansrtc is the DTLS %s', async (offerer, role) => {
      const meeting = await meet({ offerer, role });
      await meeting.expectEcho('chat');
      await expectAgreement(meeting, name, role, tlsVersion);
    });

    test('six connections at the same moment, through one port', async () => {
      const settings = Array.from({ length: 6 }, (_, i): Setting => ({
        offerer: PARTIES[i % 2] ?? 'foreign',
      }));
      const meetings = await Promise.all(settings.map((setting) => meet(setting)));
      await Promise.all(meetings.map((meeting) => meeting.expectEcho('chat', { text: meeting.name })));
      expect(host.driver.endpoint.size).toBe(6);
    });
  });

  describe('messages', () => {
    test.each(messages)('%s travels both ways as what it is', async (_what, message) => {
      await (await meet()).expectEcho('chat', message);
    });

    test('one byte more than the peer takes is refused, and nothing changes', async () => {
      const meeting = await meet();
      const channel = await meeting.connection.opened('chat');
      const limit = meeting.connection.rtc.inspect().sctp['remoteMaxMessageSize'] as number;
      expect(limit).toBeGreaterThanOrEqual(largestMessage);
      expect(channel.send(new Uint8Array(limit + 1))).toBe(false);
      await meeting.expectEcho('chat');
    });

    test('5 MiB to sansrtc arrive intact', async () => {
      const meeting = await meet();
      const [sent, received] = await Promise.all([
        peer.sendBulk(meeting.name, 'chat', BULK),
        meeting.connection.receiveBulk('chat', BULK),
      ]);
      expect(received).toBe(sent.sha256);
    });

    test('5 MiB from sansrtc arrive intact', async () => {
      expect(await (await meet()).bulkFromUs('chat', BULK)).toBe(true);
    });
  });

  describe.each(PARTIES)('channels opened by %s', (opener) => {
    test.each(KINDS)('%s', async (_kind, options) => {
      const meeting = await meet();
      await meeting.openChannel(opener, { label: 'kind', ...options });
      const ours = await meeting.connection.opened('kind');
      const { ordered = true, maxRetransmits, maxPacketLifeTime, protocol = '' } = options;
      expect(ours).toMatchObject({ ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated: false });
      expect(await peer.describe(meeting.name, 'kind')).toMatchObject({
        id: ours.id,
        ordered,
        maxRetransmits: maxRetransmits ?? null,
        maxPacketLifeTime: maxPacketLifeTime ?? null,
        protocol,
        negotiated: false,
      });
      await meeting.expectEcho('kind');
    });

    test.each([true, false])('a burst on a reliable channel, ordered: %s', async (ordered) => {
      const meeting = await meet();
      await meeting.openChannel(opener, { label: 'burst', ordered });
      const texts = Array.from({ length: BURST }, (_, i) => `${i} ${'.'.repeat((i * 37) % 3000)}`);
      const theirs: string[] = [];
      const ours: string[] = [];
      for (const text of texts) {
        await peer.send(meeting.name, 'burst', { text });
        await meeting.connection.send('burst', { text });
      }
      for (let i = 0; i < BURST; i++) {
        ours.push(textOf(await meeting.connection.receive('burst')));
        theirs.push(textOf(await peer.receive(meeting.name, 'burst')));
      }
      if (!ordered)
        for (const heard of [ours, theirs]) heard.sort((a, b) => parseInt(a, 10) - parseInt(b, 10));
      expect(ours).toEqual(texts);
      expect(theirs).toEqual(texts);
    });

    test('twenty, one after the other: identifiers are used again', async () => {
      const meeting = await meet();
      const ids = new Set<number | undefined>();
      for (let i = 0; i < 20; i++) {
        const label = `channel ${i}`;
        await meeting.openChannel(opener, { label });
        ids.add((await meeting.connection.opened(label)).id);
        await meeting.expectEcho(label);
        if (i % 2 === 0) (await meeting.connection.opened(label)).close();
        else await peer.closeChannel(meeting.name, label);
        await meeting.connection.channelClosed(label);
        await peer.closed(meeting.name, label);
      }
      if (opener === 'sansrtc' || reusesIds) expect(ids.size).toBeLessThanOrEqual(2);
      expect(meeting.connection.rtc.inspect().channels).toMatchObject({
        quarantinedStreams: 0,
        refusedStreams: 0,
      });
    });
  });

  test('a negotiated channel: both create it, none opens it', async () => {
    const meeting = await meet();
    const options = { label: 'agreed', negotiated: true, id: 200 };
    await peer.openChannel(meeting.name, options);
    await meeting.openChannel('sansrtc', options);
    expect(await peer.describe(meeting.name, 'agreed')).toMatchObject({ id: 200, negotiated: true });
    await meeting.expectEcho('agreed');
  });

  test('ten channels at once, five from each side, interleaved', async () => {
    const meeting = await meet();
    const labels = Array.from({ length: 10 }, (_, i) => `channel ${i}`);
    await Promise.all(labels.map((label, i) => meeting.openChannel(PARTIES[i % 2] ?? 'foreign', { label })));
    const texts = labels.map((label) => `${label} ${'x'.repeat(20_000)}`);
    await Promise.all(labels.map((label, i) => meeting.expectEcho(label, { text: texts[i] ?? '' })));
    const ids = await Promise.all(labels.map(async (label) => (await meeting.connection.opened(label)).id));
    expect(new Set(ids).size).toBe(10);
  });

  test('5 % of all datagrams lost each way: reliable channels deliver all, the others go on behind the gaps', async () => {
    let isLossy = false;
    const lossyHost = await Host.listen({ createSocket: lossySocket(0.05, () => isLossy) });
    try {
      const meeting = await Meeting.begin(lossyHost, peer, { offerer: 'foreign' });
      await meeting.connection.opened('chat');
      const partial = mixesUnderLoss ? PARTIAL : [];
      for (const [label, ordered] of partial) {
        await meeting.openChannel('sansrtc', { label, ordered, maxRetransmits: 0 });
      }
      isLossy = true;
      await expectDelivery(meeting, partial);
      isLossy = false;
      await meeting.expectEcho('chat');
    } finally {
      await lossyHost.close();
    }
  });

  describe('closing', () => {
    test.each(PARTIES)('a channel, by %s: the other end sees it, the connection lives', async (closer) => {
      const meeting = await meet();
      await meeting.openChannel('foreign', { label: 'brief' });
      if (closer === 'sansrtc') (await meeting.connection.opened('brief')).close();
      else await peer.closeChannel(meeting.name, 'brief');
      await meeting.connection.channelClosed('brief');
      expect(await peer.closed(meeting.name, 'brief')).toContain('close');
      await meeting.expectEcho('chat');
    });

    test('ten channels, by both ends at the same moment: each closes once, the connection lives', async () => {
      const meeting = await meet();
      const labels = Array.from({ length: 10 }, (_, i) => `channel ${i}`);
      await Promise.all(labels.map((label) => meeting.openChannel('sansrtc', { label })));
      const channels = await Promise.all(labels.map((label) => meeting.connection.opened(label)));
      const theirs = labels.map((label) => peer.closeChannel(meeting.name, label));
      for (const channel of channels) channel.close();
      await Promise.all(theirs);
      for (const label of labels) {
        const log = await meeting.connection.channelClosed(label);
        expect(log.filter((type) => type === 'channelclose')).toHaveLength(1);
      }
      await meeting.expectEcho('chat');
    });

    test('the connection, by the foreign end: sansrtc ends at once and holds nothing', async () => {
      const meeting = await meet();
      await peer.close(meeting.name);
      expect(await meeting.connection.closed()).toMatchObject({ code: 'remote-close' });
      expect(await meeting.connection.channelClosed('chat')).toContain('channelclose');
      expect(meeting.connection.rtc.isEmpty).toBe(true);
    });

    test('the connection, by sansrtc: the foreign end sees its channel close', async () => {
      const meeting = await meet();
      meeting.connection.rtc.close();
      expect(await meeting.connection.closed()).toMatchObject({ code: 'local-close' });
      expect(await peer.closed(meeting.name, 'chat')).toContain('close');
      expect(host.driver.endpoint.size).toBe(0);
    });
  });
}

/** Numbered messages on `chat`, which is reliable, and on the channels of `partial`, both ways. */
async function expectDelivery({ connection, peer, name }: Meeting, partial: typeof PARTIAL): Promise<void> {
  const labels = ['chat', ...partial.map(([label]) => label)];
  const texts = Array.from({ length: LOSSY_BURST }, (_, i) => `${i} ${'.'.repeat(900)}`);
  for (const text of texts) {
    for (const label of labels) {
      await peer.send(name, label, { text });
      await connection.send(label, { text });
    }
  }
  for (const text of texts) {
    expect(await connection.receive('chat')).toEqual({ text });
    expect(await peer.receive(name, 'chat')).toEqual({ text });
  }
  for (const [label, ordered] of partial) {
    const ours: string[] = [];
    const theirs: string[] = [];
    for (let tries = 0; !ours.includes(LAST) || !theirs.includes(LAST); tries++) {
      if (tries > 200) throw new Error(`nothing comes through on the channel "${label}" any more`);
      await peer.send(name, label, { text: LAST });
      await connection.send(label, { text: LAST });
      await new Promise((resolve) => setTimeout(resolve, 50));
      ours.push(...connection.drain(label).map(textOf));
      theirs.push(...(await peer.drain(name, label)).map(textOf));
    }
    for (const heard of [ours, theirs]) {
      const numbers = heard.filter((text) => text !== LAST).map((text) => parseInt(text, 10));
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers.length).toBeGreaterThan(LOSSY_BURST / 4);
      if (ordered) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  }
}

/** Both ends tell the same story of what DTLS has agreed on, as far as the foreign one tells any; it is printed. */
export async function expectAgreement(
  { connection, peer, name: meeting }: Meeting,
  name: string,
  role: DtlsRole,
  tlsVersion: string,
): Promise<void> {
  const ours = connection.rtc.inspect().dtls;
  const theirs = await peer.transport(meeting);
  const told = theirs.tlsVersion ?? 'version not told';
  console.log(
    `sansrtc as DTLS ${role}: ${String(ours?.tlsVersion)} ${String(ours?.dtlsCipher)}; ` +
      `${name}: ${told} ${theirs.dtlsCipher ?? 'cipher not told'}`,
  );
  expect(ours).toMatchObject({ role, tlsVersion });
  expect(ours?.counters).toMatchObject({ recordsForged: 0, recordsMalformed: 0, fragmentsWrongEpoch: 0 });
  if (theirs.tlsVersion !== undefined) expect(theirs.tlsVersion).toBe(tlsVersion);
  if (theirs.dtlsCipher !== undefined) {
    expect(bareSuite(String(ours?.dtlsCipher))).toContain(bareSuite(theirs.dtlsCipher));
  }
  if (theirs.dtlsRole !== undefined) expect(theirs.dtlsRole).toBe(role === 'client' ? 'server' : 'client');
}

/** IANA and OpenSSL write the same names with different decoration. */
function bareSuite(name: string): string {
  return name.replaceAll(/^TLS_|WITH|[_-]/g, '');
}

function textOf(message: WireMessage): string {
  return 'text' in message ? message.text : 'binary';
}
