/**
 * `getStats()` beside Chromium's own, at the two ends of one connection: the same members of W3C's, where both have them, of the
 * same types; and what one end has sent is what the other one has received.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Kind } from '../rtc/stats-spec.ts';
import { SPEC } from '../rtc/stats-spec.ts';
import { Chromium } from './chromium.ts';
import type { Connection } from './host.ts';
import { Host } from './host.ts';

type Stats = Readonly<Record<string, unknown>>;

let chromium: Chromium;
let page: Page;
let host: Host;

beforeAll(async () => {
  chromium = await Chromium.launch();
  page = await chromium.newPage();
  host = await Host.listen();
});

afterAll(async () => {
  await host.close();
  await chromium.close();
});

/** Members of W3C's that Chromium may show of such a connection, and we do not. */
const THEIRS_ALONE: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  // It has agreed on a profile, as have we, and nothing is protected by it.
  transport: ['srtpCipher'],
  // A driver's to count.
  'candidate-pair': ['bytesDiscardedOnSend', 'packetsDiscardedOnSend'],
  // Its page has gathered TCP candidates, too.
  'local-candidate': ['tcpType'],
};

async function connect(): Promise<Connection> {
  const connection = host.connection();
  const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat', protocol: 'p' }]));
  const answer = connection.rtc.receiveOffer(offer).answer();
  await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
  await connection.opened('chat');
  return connection;
}

function ofKind(all: readonly Stats[], kind: Kind): Stats[] {
  return all.filter(({ type }) => type === kind);
}

function only(all: readonly Stats[], kind: Kind): Stats {
  const [first = {}, ...more] = ofKind(all, kind);
  expect(more).toEqual([]);
  return first;
}

/** The pair that data goes over. */
function pairInUse(all: readonly Stats[]): Stats {
  const { selectedCandidatePairId } = only(all, 'transport');
  return all.find(({ id }) => id === selectedCandidatePairId) ?? {};
}

/** Each member that `all` has of this kind, with the types of its values. */
function shape(all: readonly Stats[], kind: Kind): Map<string, string> {
  const types = new Map<string, string>();
  for (const stats of ofKind(all, kind)) {
    for (const [name, value] of Object.entries(stats)) {
      if (name in SPEC[kind] && value !== null) types.set(name, typeof value);
    }
  }
  return types;
}

/** As the other end has it. */
function mirrored({ packetsSent, bytesSent, packetsReceived, bytesReceived }: Stats): Stats {
  return {
    packetsSent: packetsReceived,
    bytesSent: bytesReceived,
    packetsReceived: packetsSent,
    bytesReceived: bytesSent,
  };
}

test('Chromium and sansrtc tell the same of one connection', async () => {
  const connection = await connect();
  await connection.send('chat', { text: 'hello' });
  await page.evaluate(() => peers.receive('tab', 'chat'));
  await page.evaluate(() => peers.send('tab', 'chat', { text: 'hi' }));
  await connection.receive('chat');

  let ours: readonly Stats[] = [];
  let theirs: readonly Stats[] = [];
  // Acknowledgements may be on their way.
  await vi.waitFor(
    async () => {
      theirs = await page.evaluate(() => peers.stats('tab'));
      ours = [...connection.rtc.getStats().values()].map((stats) => ({ ...stats }));
      expect(only(ours, 'transport')).toMatchObject(mirrored(only(theirs, 'transport')));
      expect(pairInUse(ours)).toMatchObject(mirrored(pairInUse(theirs)));
      expect(pairInUse(theirs)).toMatchObject({ nominated: true });
    },
    { timeout: 20_000, interval: 200 },
  );

  for (const kind of Object.keys(SPEC) as Kind[]) {
    const [mine, their] = [shape(ours, kind), shape(theirs, kind)];
    const alone = (some: typeof mine, others: typeof mine): string[] =>
      [...some.keys()].filter((name) => !others.has(name));
    expect(alone(mine, their), `${kind}: ours alone`).toEqual([]);
    const expected = THEIRS_ALONE[kind] ?? [];
    // An address of theirs that nobody has signalled is null.
    const more = alone(their, mine).filter((name) => kind !== 'remote-candidate' || name !== 'address');
    expect(expected, `${kind}: theirs alone`).toEqual(expect.arrayContaining(more));
    for (const [name, type] of mine) expect(their.get(name), `${kind}.${name}`).toBe(type);
  }

  const [ourTransport, theirTransport] = [only(ours, 'transport'), only(theirs, 'transport')];
  expect(ourTransport).toMatchObject({
    dtlsState: theirTransport['dtlsState'],
    tlsVersion: theirTransport['tlsVersion'],
    dtlsCipher: theirTransport['dtlsCipher'],
    localCertificateId: theirTransport['remoteCertificateId'],
    remoteCertificateId: theirTransport['localCertificateId'],
  });
  expect(Number(ourTransport['selectedCandidatePairChanges'])).toBeGreaterThan(0);
  expect([ourTransport['dtlsRole'], theirTransport['dtlsRole']].sort()).toEqual(['client', 'server']);
  expect([ourTransport['iceRole'], theirTransport['iceRole']].sort()).toEqual(['controlled', 'controlling']);
  const certificates = (all: readonly Stats[]): unknown[] =>
    ofKind(all, 'certificate')
      .map(({ base64Certificate }) => String(base64Certificate))
      .sort();
  expect(certificates(ours)).toEqual(certificates(theirs));
  const { messagesSent, bytesSent, messagesReceived, bytesReceived, ...channel } = only(
    theirs,
    'data-channel',
  );
  expect(only(ours, 'data-channel')).toMatchObject({
    label: channel['label'],
    protocol: channel['protocol'],
    state: channel['state'],
    dataChannelIdentifier: channel['dataChannelIdentifier'],
    messagesSent: messagesReceived,
    bytesSent: bytesReceived,
    messagesReceived: messagesSent,
    bytesReceived: bytesSent,
  });
  expect(only(ours, 'peer-connection')).toMatchObject({ dataChannelsOpened: 1, dataChannelsClosed: 0 });
});
