/** `Rtc.getStats()`: W3C's dictionaries, member by member, and what they say of connections whose numbers are known. */
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { RTCStats, RTCStatsReport } from '../../src/index.ts';
import { Rtc } from '../../src/index.ts';
import type { IceAgent } from '../../src/ice/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { datagramKind } from '../../src/rtc.ts';
import { howMany } from '../how-many.ts';
import { CandidateIds } from '../../src/rtc/stats/candidate-ids.ts';
import { iceStats } from '../../src/rtc/stats/ice.ts';
import { IcePair } from '../ice/pair.ts';
import type { End, Pair } from './pair.ts';
import { certificates, channel, makeOpenPair, makePair, makeUnsignalledPair } from './pair.ts';
import type { Kind } from './stats-spec.ts';
import { COMMON, SPEC } from './stats-spec.ts';

type Stats<K extends Kind> = RTCStats & { readonly type: K };

function all<K extends Kind>(report: RTCStatsReport, kind: K): Stats<K>[] {
  return [...report.values()].filter((stats): stats is Stats<K> => stats.type === kind);
}

function one<K extends Kind>(report: RTCStatsReport, kind: K): Stats<K> {
  const [first, ...more] = all(report, kind);
  if (first === undefined || more.length > 0) throw new RangeError(`${more.length + 1} of ${kind}`);
  return first;
}

/** What has a value from the beginning on; the rest comes with what it tells of. */
const ALWAYS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  'peer-connection': ['dataChannelsOpened', 'dataChannelsClosed'],
  'data-channel': [
    'label',
    'protocol',
    'state',
    'messagesSent',
    'bytesSent',
    'messagesReceived',
    'bytesReceived',
  ],
  transport: [
    'packetsSent',
    'packetsReceived',
    'bytesSent',
    'bytesReceived',
    'dtlsState',
    'selectedCandidatePairChanges',
  ],
  'candidate-pair': [
    'state',
    'nominated',
    'requestsSent',
    'consentRequestsSent',
    'totalRoundTripTime',
    'bytesSent',
  ],
  'local-candidate': [
    'address',
    'port',
    'protocol',
    'candidateType',
    'priority',
    'foundation',
    'usernameFragment',
  ],
  'remote-candidate': ['address', 'port', 'protocol', 'candidateType', 'priority', 'foundation'],
  certificate: ['fingerprint', 'fingerprintAlgorithm', 'base64Certificate'],
  'inbound-rtp': ['ssrc', 'kind', 'transportId', 'packetsReceived', 'bytesReceived', 'packetsLost', 'jitter'],
  'outbound-rtp': ['ssrc', 'kind', 'transportId', 'active', 'packetsSent', 'bytesSent', 'mediaSourceId'],
  'remote-inbound-rtp': ['ssrc', 'localId', 'packetsLost', 'fractionLost', 'jitter'],
  'remote-outbound-rtp': ['ssrc', 'localId', 'packetsSent', 'bytesSent', 'reportsSent', 'remoteTimestamp'],
  codec: ['payloadType', 'mimeType', 'clockRate', 'transportId'],
  'media-source': ['kind', 'trackIdentifier'],
};

function isOfType(value: unknown, type: string, report: RTCStatsReport): boolean {
  switch (type) {
    case 'DOMString':
      return typeof value === 'string';
    case 'DOMString?':
      return value === null || typeof value === 'string';
    case 'enum':
      return Object.hasOwn(SPEC, String(value));
    case 'boolean':
      return typeof value === 'boolean';
    case 'ms':
    case 's':
      return typeof value === 'number' && Number.isFinite(value) && value >= 0;
    case 'count':
    case 'bytes':
      return Number.isSafeInteger(value) && Number(value) >= 0;
    case '0–65535':
      return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
    case '-':
      return false;
    default:
      if (Object.hasOwn(SPEC, type)) return report.get(String(value))?.type === type;
      return typeof value === 'string' && type.split('|').includes(value);
  }
}

/** What is wrong with a report: members that are no W3C's, of another type, or missing; references to nothing. */
function faults(report: RTCStatsReport): string[] {
  return [...report].flatMap(([id, stats]) => {
    const spec = SPEC[stats.type];
    const wrong = Object.entries(stats)
      .filter(([name, value]) => !isOfType(value, spec[name] ?? '-', report))
      .map(
        ([name, value]) => `${stats.type}.${name} is ${JSON.stringify(value)}, not ${spec[name] ?? 'there'}`,
      );
    const missing = [...Object.keys(COMMON), ...(ALWAYS[stats.type] ?? [])].filter(
      (name) => !(name in stats),
    );
    if (stats.id !== id) wrong.push(`${stats.id} stands under ${id}`);
    return [...wrong, ...missing.map((name) => `${stats.type}.${name} is missing`)];
  });
}

function expectSound(report: RTCStatsReport): void {
  expect(faults(report)).toEqual([]);
  const list = [...report.values()];
  expect(JSON.parse(JSON.stringify(list))).toEqual(list);
  expect(new Set(list.map(({ timestamp }) => timestamp)).size).toBe(1);
}

/** A pair with a channel, and with audio and video both ways; `write` sends a packet of each from either end. */
function makeMediaPair(): Pair & { readonly write: () => void } {
  const media = rtpMedia({ reports: { audio: 200, video: 200 } });
  const pair = makeUnsignalledPair({ conditions: { latency: 20 }, offerer: { media }, answerer: { media } });
  const draft = pair.offerer.rtc.negotiation();
  draft.addChannel('chat');
  for (const kind of ['audio', 'video'] as const) draft.addMedia(kind, { direction: 'sendrecv' });
  const offer = draft.offer();
  const received = pair.answerer.rtc.receiveOffer(offer.sdp);
  for (const one of received.media) one.direction = 'sendrecv';
  offer.accept(received.answer());
  let written = 0;
  const write = (): void => {
    written++;
    for (const { rtc } of [pair.offerer, pair.answerer]) {
      for (const one of rtc.media) {
        pair.net.after(
          0,
          () => void one.sender()?.write({ payload: new Uint8Array(50), timestamp: 960 * written }),
        );
      }
    }
  };
  return { ...pair, write };
}

describe('the shape', () => {
  it('is W3C’s at every stage of a connection, and JSON', () => {
    const fresh = new Rtc({ certificate: certificates[0] });
    expectSound(fresh.getStats());
    expect([...fresh.getStats().values()].map(({ type }) => type)).toEqual([
      'peer-connection',
      'transport',
      'certificate',
    ]);
    const pair = makeMediaPair();
    const stop = pair.net.now + 3000;
    while (pair.net.now < stop) {
      pair.net.run({ limit: 7 });
      pair.write();
      for (const { rtc } of [pair.offerer, pair.answerer]) expectSound(rtc.getStats());
    }
    expect(new Set([...pair.offerer.rtc.getStats().values()].map(({ type }) => type))).toEqual(
      new Set(Object.keys(SPEC)),
    );
    pair.offerer.rtc.close();
    pair.net.run({ limit: 1000 });
    for (const { rtc } of [pair.offerer, pair.answerer]) expectSound(rtc.getStats());
  });

  it('has everything that an open connection without media can have', () => {
    const { net, offerer } = makeOpenPair({ conditions: { latency: 20 } });
    channel(offerer).send('hello');
    net.run({ limit: 10_000 });
    const report = offerer.rtc.getStats();
    for (const kind of ['peer-connection', 'data-channel', 'transport', 'candidate-pair'] as const) {
      const expected = Object.entries(SPEC[kind]).filter(([, type]) => type !== '-');
      const names = expected.map(([name]) => name).filter((name) => name !== 'srtpCipher');
      expect(Object.keys(one(report, kind)).sort()).toEqual(names.sort());
    }
  });

  it('takes no argument: simple-peer takes any other length for the API with a callback', () => {
    expect(new Rtc({ certificate: certificates[0] }).getStats.length).toBe(0);
  });

  it('never changes once it is given out', () => {
    const { net, offerer } = makeOpenPair({ conditions: { latency: 20 } });
    const before = offerer.rtc.getStats();
    const text = JSON.stringify([...before]);
    channel(offerer).send('hello');
    net.run({ limit: 20_000 });
    expect(JSON.stringify([...before])).toBe(text);
  });
});

/** The DTLS datagrams that an end sends and takes, counted from outside under the names of W3C's members. */
function countDtls({ rtc, tap }: End): Record<string, number> {
  const counts = { packetsSent: 0, bytesSent: 0, packetsReceived: 0, bytesReceived: 0 };
  const times = { lastPacketSentTimestamp: NaN, lastPacketReceivedTimestamp: NaN };
  const all = { ...counts, ...times };
  tap.carries = (data) => {
    if (datagramKind(data) === 'dtls') {
      all.packetsSent++;
      all.bytesSent += data.length;
      all.lastPacketSentTimestamp = rtc.inspect().now;
    }
    return true;
  };
  tap.input = (input, pass) => {
    if (input.type === 'receive' && datagramKind(input.data) === 'dtls') {
      all.packetsReceived++;
      all.bytesReceived += input.data.length;
      all.lastPacketReceivedTimestamp = input.now;
    }
    pass();
  };
  return all;
}

describe('the values', () => {
  it('are those that were counted outside, in transport and pair alike', () => {
    const pair = makeUnsignalledPair({ conditions: { latency: 20 } });
    const ends = [pair.offerer, pair.answerer].map((end) => ({ end, counts: countDtls(end) }));
    const draft = pair.offerer.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(pair.answerer.rtc.receiveOffer(offer.sdp).answer());
    pair.net.run({ limit: 2000 });
    for (let i = 0; i < 5; i++) channel(pair.offerer).send(new Uint8Array(1000));
    pair.net.run({ limit: 60_000 });
    for (const { end, counts } of ends) {
      const report = end.rtc.getStats();
      const { lastPacketSentTimestamp, lastPacketReceivedTimestamp, ...traffic } = counts;
      expect(traffic['packetsSent']).toBeGreaterThan(10);
      expect(one(report, 'transport')).toMatchObject(traffic);
      expect(one(report, 'candidate-pair')).toMatchObject({
        ...traffic,
        lastPacketSentTimestamp,
        lastPacketReceivedTimestamp,
      });
    }
  });

  it('of round trips are seconds', () => {
    const { net, offerer } = makeOpenPair({ conditions: { latency: 20 } });
    net.run({ limit: 30_000 });
    const pair = one(offerer.rtc.getStats(), 'candidate-pair');
    expect(pair).toMatchObject({ state: 'succeeded', nominated: true, currentRoundTripTime: 0.04 });
    expect(pair.totalRoundTripTime).toBeCloseTo(0.04 * pair.responsesReceived, 9);
    expect(pair.consentRequestsSent).toBeGreaterThan(3);
    expect(pair.timestamp).toBe(offerer.rtc.inspect().now);
  });

  it('of ICE are the counters of the agent', () => {
    const { net, offerer, answerer } = makeOpenPair({ conditions: { latency: 20 } });
    net.run({ limit: 60_000 });
    for (const { rtc } of [offerer, answerer]) {
      const { counters } = rtc.inspect().ice;
      expect(one(rtc.getStats(), 'candidate-pair')).toMatchObject({
        requestsSent: counters['check-sent'],
        consentRequestsSent: counters['consent-sent'],
        requestsReceived: counters['request-received'],
        responsesSent: counters['response-sent'],
        responsesReceived: counters['response-received'],
      });
    }
  });

  it('of the transport: roles, states, what DTLS has agreed on', () => {
    const { offerer, answerer } = makeOpenPair({ conditions: { latency: 20 } });
    const mine = one(offerer.rtc.getStats(), 'transport');
    const theirs = one(answerer.rtc.getStats(), 'transport');
    expect(mine).toMatchObject({ iceRole: 'controlling', dtlsRole: 'server', dtlsState: 'connected' });
    expect(theirs).toMatchObject({ iceRole: 'controlled', dtlsRole: 'client', dtlsState: 'connected' });
    expect(mine.iceLocalUsernameFragment).toBe(offerer.rtc.localParameters.ice.usernameFragment);
    const { dtls } = offerer.rtc.inspect();
    expect(mine).toMatchObject({ tlsVersion: dtls?.tlsVersion, dtlsCipher: dtls?.dtlsCipher });
  });

  it('of DTLS 1.2 say so', () => {
    const dtls = { versions: { max: '1.2' } } as const;
    const { offerer } = makeOpenPair({ offerer: { dtls } });
    expect(one(offerer.rtc.getStats(), 'transport')).toMatchObject({
      tlsVersion: 'FEFD',
      dtlsCipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    });
  });

  it('of the transport before anything is decided', () => {
    const { offerer } = makeUnsignalledPair();
    expect(one(offerer.rtc.getStats(), 'transport')).toMatchObject({
      iceRole: 'unknown',
      dtlsRole: 'unknown',
      iceState: 'new',
      dtlsState: 'new',
      selectedCandidatePairChanges: 0,
    });
    const draft = offerer.rtc.negotiation();
    draft.addChannel('chat');
    draft.offer();
    expect(one(offerer.rtc.getStats(), 'transport').iceRole).toBe('controlling');
  });

  it('of certificates: each end shows both', () => {
    const { offerer, answerer } = makeOpenPair();
    const shown = [offerer, answerer].map(({ rtc }) => {
      const report = rtc.getStats();
      const { localCertificateId, remoteCertificateId = '' } = one(report, 'transport');
      return [localCertificateId, remoteCertificateId].map((id) => report.get(id));
    });
    const expected = certificates.map(({ der, fingerprint }) => ({
      fingerprint: fingerprint.value,
      fingerprintAlgorithm: 'sha-256',
      base64Certificate: Buffer.from(der).toString('base64'),
    }));
    expect(shown[0]).toMatchObject(expected);
    expect(shown[1]).toMatchObject(expected.toReversed());
  });

  it('of channels: what has passed, open and closed ones, and no closed one', () => {
    const { net, offerer, answerer } = makeOpenPair();
    channel(offerer).send('four');
    channel(offerer).send(new Uint8Array(10));
    offerer.rtc.createChannel('more', { protocol: 'p' });
    net.run({ limit: 1000 });
    expect(all(offerer.rtc.getStats(), 'data-channel')).toMatchObject([
      { label: 'chat', protocol: '', state: 'open', messagesSent: 2, bytesSent: 14, messagesReceived: 0 },
      { label: 'more', protocol: 'p', state: 'open', messagesSent: 0, bytesSent: 0 },
    ]);
    expect(all(answerer.rtc.getStats(), 'data-channel')).toMatchObject([
      { label: 'chat', messagesReceived: 2, bytesReceived: 14, dataChannelIdentifier: channel(offerer).id },
      { label: 'more' },
    ]);
    channel(offerer).close();
    expect(one(offerer.rtc.getStats(), 'peer-connection')).toMatchObject({
      dataChannelsOpened: 2,
      dataChannelsClosed: 1,
    });
    expect(all(offerer.rtc.getStats(), 'data-channel')).toMatchObject([
      { state: 'closing' },
      { state: 'open' },
    ]);
    net.run({ limit: 1000 });
    for (const { rtc } of [offerer, answerer]) {
      expect(all(rtc.getStats(), 'data-channel')).toMatchObject([{ label: 'more' }]);
      expect(one(rtc.getStats(), 'peer-connection')).toMatchObject({
        dataChannelsOpened: 2,
        dataChannelsClosed: 1,
      });
    }
  });

  it('of channels that never open count for nothing', () => {
    const { offerer } = makeUnsignalledPair();
    const waiting = offerer.rtc.createChannel('waits');
    const [stats] = all(offerer.rtc.getStats(), 'data-channel');
    expect(stats).toMatchObject({ state: 'connecting' });
    expect(stats).not.toHaveProperty('dataChannelIdentifier');
    waiting.close();
    expect(one(offerer.rtc.getStats(), 'peer-connection')).toMatchObject({
      dataChannelsOpened: 0,
      dataChannelsClosed: 0,
    });
  });

  it('name the pair in the very drain that opens the channel, nominated or not', () => {
    const pair = makePair({ conditions: { latency: 20 } });
    const seen: boolean[] = [];
    for (const { rtc, tap } of [pair.offerer, pair.answerer]) {
      tap.hears = ({ type }) => {
        if (type !== 'channelopen' && type !== 'datachannel') return;
        const report = rtc.getStats();
        const { selectedCandidatePairId = '', selectedCandidatePairChanges } = one(report, 'transport');
        seen.push(report.get(selectedCandidatePairId)?.type === 'candidate-pair');
        expect(selectedCandidatePairChanges).toBe(1);
      };
    }
    pair.net.run({ limit: 5000 });
    expect(seen).toEqual([true, true]);
  });
});

describe('addresses of the peer’s', () => {
  it('are those that its signalling has told', () => {
    const { offerer } = makeOpenPair();
    expect(one(offerer.rtc.getStats(), 'remote-candidate')).toMatchObject({
      address: '192.0.2.2',
      port: 5000,
      candidateType: 'host',
      usernameFragment: one(offerer.rtc.getStats(), 'remote-candidate').usernameFragment,
    });
  });

  it('are null where checks alone have shown them', () => {
    const pair = makeUnsignalledPair();
    const draft = pair.offerer.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    const silent = offer.sdp.replaceAll(/a=candidate:.*\r\n/g, '');
    offer.accept(pair.answerer.rtc.receiveOffer(silent).answer());
    pair.net.run({ limit: 2000 });
    const report = pair.answerer.rtc.getStats();
    const remote = one(report, 'remote-candidate');
    expect(remote).toMatchObject({ candidateType: 'prflx', address: null });
    expect(remote.usernameFragment).toBe(pair.offerer.rtc.localParameters.ice.usernameFragment);
    expect(JSON.stringify([...report])).not.toContain('192.0.2.1');
  });
});

/** As browsers publish them. */
const NAME = '2a8f8c5a-7f5e-4c0e-9d2b-0c1d2e3f4a5b.local';

it('addresses of the peer’s are null where the host has resolved a name to them', () => {
  const pair = makeUnsignalledPair();
  const { offerer, answerer } = pair;
  answerer.tap.hears = (event) => {
    if (event.type !== 'resolve') return;
    expect(event.name).toBe(NAME);
    answerer.rtc.handleInput({
      type: 'resolved',
      now: pair.net.now,
      name: NAME,
      addresses: ['192.0.2.1'],
    });
  };
  const draft = offerer.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  const silent = offer.sdp.replaceAll(/a=candidate:.*\r\n/g, '');
  offer.accept(answerer.rtc.receiveOffer(silent).answer());
  answerer.rtc.addRemoteCandidate(`candidate:1 1 udp 2130706175 ${NAME} 5000 typ host`);
  pair.net.run({ limit: 2000 });
  const report = answerer.rtc.getStats();
  expect(one(report, 'transport').iceState).toBe('connected');
  expect(one(report, 'remote-candidate')).toMatchObject({ candidateType: 'host', address: null, port: 5000 });
  expect(JSON.stringify([...report])).not.toContain('192.0.2.1');
});

describe('the end', () => {
  it('leaves what was counted last; channels are gone', () => {
    const { net, offerer, answerer } = makeOpenPair();
    channel(offerer).send('hello');
    net.run({ limit: 1000 });
    const before = offerer.rtc.getStats();
    offerer.rtc.close();
    net.run({ limit: 1000 });
    expect(offerer.rtc.isEmpty && answerer.rtc.isEmpty).toBe(true);
    const after = offerer.rtc.getStats();
    const gone = all(before, 'data-channel').map(({ id }) => id);
    expect([...after.keys()]).toEqual([...before.keys()].filter((id) => !gone.includes(id)));
    expect(one(after, 'transport')).toMatchObject({ iceState: 'closed', dtlsState: 'closed' });
    expect(one(after, 'transport')).not.toHaveProperty('selectedCandidatePairId');
    // The ABORT and the close_notify.
    expect(one(after, 'transport').packetsSent).toBe(one(before, 'transport').packetsSent + 2);
    expect(one(after, 'candidate-pair').bytesReceived).toBe(one(before, 'candidate-pair').bytesReceived);
    expect(one(after, 'peer-connection')).toMatchObject({ dataChannelsOpened: 1, dataChannelsClosed: 1 });
  });
});

/** `end` restarts ICE, where nothing stands in the way. */
function restart({ offerer, answerer }: Pair, end: End): void {
  const other = end === offerer ? answerer : offerer;
  if (![end, other].every(({ rtc }) => rtc.signalingState === 'stable')) return;
  end.rtc.restartIce();
  const offer = end.rtc.negotiation().offer();
  offer.accept(other.rtc.receiveOffer(offer.sdp).answer());
}

describe('an ICE restart', () => {
  const ids = new CandidateIds();
  const reported = (agent: IceAgent): RTCStatsReport =>
    new Map<string, RTCStats>(iceStats(agent.stats(), ids, 0).map((stats) => [stats.id, stats]));
  const idsOf = (report: RTCStatsReport): Set<string> => new Set(report.keys());

  it('deletes the candidates and pairs of before: the pair in use when a new one is', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.a.host('192.0.2.3', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    pair.run(2000);
    const { agent } = pair.a;
    const before = reported(agent);
    expect(all(before, 'candidate-pair')).toHaveLength(2);
    const used = all(before, 'candidate-pair').find(({ nominated }) => nominated);
    if (used === undefined) throw new RangeError('no pair is nominated');
    agent.restart(pair.now);
    const kept = [used.id, used.localCandidateId, used.remoteCandidateId];
    const during = reported(agent);
    expect([...idsOf(during)].filter((id) => before.has(id)).sort()).toEqual(kept.sort());
    for (const id of kept) {
      expect(during.get(id)?.type).toBe(before.get(id)?.type);
    }
    expect(during.get(used.localCandidateId)).toEqual(before.get(used.localCandidateId));
    expect(all(during, 'local-candidate')).toHaveLength(3);
    pair.b.agent.restart(pair.now);
    pair.signal();
    pair.run(10_000);
    const after = reported(agent);
    expect([...idsOf(after)].filter((id) => before.has(id))).toEqual([]);
    expect(all(after, 'candidate-pair')).toHaveLength(2);
    expect([...idsOf(after)].filter((id) => during.has(id))).toHaveLength(2);
    expect(agent.stats().pairChanges).toBe(2);
  });

  it('of a whole connection: the pair in use stays in the report until there is another one, and counts on', () => {
    const pair = makeOpenPair({ conditions: { latency: 20 } });
    const { net, offerer } = pair;
    const before = offerer.rtc.getStats();
    const used = one(before, 'candidate-pair');
    restart(pair, offerer);
    channel(offerer).send('over the old pair');
    net.run({ limit: 5 });
    const during = offerer.rtc.getStats();
    expect(one(during, 'transport')).toMatchObject({ selectedCandidatePairId: used.id });
    const still = all(during, 'candidate-pair').find(({ id }) => id === used.id);
    expect(still?.bytesSent).toBeGreaterThan(used.bytesSent);
    net.run({ limit: 5000 });
    const after = offerer.rtc.getStats();
    expect(faults(after)).toEqual([]);
    expect(one(after, 'candidate-pair').id).not.toBe(used.id);
    expect(one(after, 'transport')).toMatchObject({
      selectedCandidatePairId: one(after, 'candidate-pair').id,
      selectedCandidatePairChanges: 2,
    });
    expect(one(after, 'transport').iceLocalUsernameFragment).not.toBe(
      one(before, 'transport').iceLocalUsernameFragment,
    );
    const deleted = [used.id, used.localCandidateId, used.remoteCandidateId];
    expect(deleted.filter((id) => after.has(id))).toEqual([]);
  });

  it('that is taken back brings those of before back', () => {
    const { a, now } = IcePair.connected();
    const before = reported(a.agent);
    a.agent.restart(now);
    expect(idsOf(reported(a.agent))).not.toEqual(idsOf(before));
    a.agent.cancelRestart(now);
    expect(idsOf(reported(a.agent))).toEqual(idsOf(before));
  });
});

/** The members that count, by what they are counted in. */
function counters(report: RTCStatsReport): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [id, stats] of report) {
    for (const [name, value] of Object.entries(stats)) {
      const counted = ['count', 'bytes'].includes(SPEC[stats.type][name] ?? '') && name !== 'priority';
      if (counted || name === 'totalRoundTripTime') counts.set(`${id} ${name}`, Number(value));
    }
  }
  return counts;
}

describe('whatever happens', () => {
  it('asking changes nothing', () => {
    const inspections = [false, true].map((asks) => {
      const pair = makePair({ conditions: { latency: 20, loss: 0.02 } });
      const { net, offerer, answerer } = pair;
      for (const { rtc, tap } of [offerer, answerer]) {
        tap.hears = () => {
          if (asks) rtc.getStats();
        };
        tap.input = (_, pass) => {
          pass();
          if (asks) rtc.getStats();
        };
      }
      net.run({ limit: 20_000 });
      channel(offerer).send(new Uint8Array(50_000));
      net.run({ limit: 20_000 });
      return [offerer, answerer].map(({ rtc, events }) => [rtc.inspect(), events.length]);
    });
    expect(inspections[1]).toEqual(inspections[0]);
  });

  it('counters never fall, ids stay what they are, references hold', () => {
    const step = fc.record({
      what: fc.constantFrom(
        'send',
        'channel',
        'close-channel',
        'cut',
        'heal',
        'wait',
        'candidate',
        'restart',
      ),
      end: fc.boolean(),
      wait: fc.integer({ min: 0, max: 6000 }),
    });
    const steps = fc.array(step, { maxLength: 25 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 1000 }), (plan, seed) => {
        const pair = makePair({ seed, conditions: { latency: 15, loss: 0.05 } });
        const { net, offerer, answerer } = pair;
        const last = new Map<End, RTCStatsReport>();
        let extra = 0;
        for (const { what, end: isOfferer, wait } of plan) {
          const end = isOfferer ? offerer : answerer;
          const chat = end.channels.get('chat');
          if (what === 'send' && chat?.readyState === 'open') chat.send(new Uint8Array(wait));
          if (what === 'channel' && end.rtc.connectionState !== 'closed') end.rtc.createChannel(`c${wait}`);
          if (what === 'close-channel') [...end.channels.values()].at(-1)?.close();
          if (what === 'cut') net.partition([offerer.host], [answerer.host]);
          if (what === 'heal') net.heal();
          if (what === 'restart') restart(pair, end);
          if (what === 'candidate') {
            const line = `candidate:1 1 udp ${wait + 1} 192.0.2.77 ${1000 + extra++} typ host`;
            end.rtc.addRemoteCandidate(line);
          }
          net.run({ limit: wait });
          for (const one of [offerer, answerer]) {
            const report = one.rtc.getStats();
            expect(faults(report)).toEqual([]);
            const before = last.get(one);
            if (before !== undefined) {
              const now = counters(report);
              for (const [name, count] of counters(before))
                expect(now.get(name) ?? Infinity, name).toBeGreaterThanOrEqual(count);
              for (const [id, { type }] of before) expect(report.get(id)?.type ?? type).toBe(type);
            }
            last.set(one, report);
          }
        }
      }),
      { numRuns: howMany(20, 200) },
    );
  });
});
