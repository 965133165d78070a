/** Whole connections on paths of every width: DTLS, SCTP and what ICE says of the path (RFC 8899). */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { RtcOptions } from '../../src/index.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import type { Pair, PairOptions } from './pair.ts';
import { channel, closedReason, makePair, runUntilOpen } from './pair.ts';

const PIECE = 32_768;
/** IPv4 and UDP. */
const HEADERS = 28;

interface PathMtuInspection {
  readonly state: string;
  readonly size: number;
  readonly max: number;
}

interface SctpInspection {
  readonly pathMtu: PathMtuInspection;
  readonly counters: Readonly<Record<string, number>>;
}

function sctp(pair: Pair): SctpInspection {
  return pair.offerer.rtc.inspect().sctp;
}

/** An open pair, and the sizes of the datagrams that the offerer has sent. */
function open(conditions: LinkConditions, options: PairOptions = {}): { pair: Pair; sizes: number[] } {
  const pair = makePair({
    crypto: nodeCrypto(),
    conditions: { latency: 20, ...conditions },
    network: { record: { datagrams: false, events: false } },
    ...options,
  });
  const sizes: number[] = [];
  pair.offerer.tap.carries = (data) => {
    sizes.push(data.length);
    return true;
  };
  runUntilOpen(pair);
  return { pair, sizes };
}

function received(pair: Pair): number {
  return pair.answerer.messages.get('chat')?.length ?? 0;
}

function transfer(pair: Pair, pieces: number, limit = 120_000): string {
  const target = received(pair) + pieces;
  for (let i = 0; i < pieces; i++) channel(pair.offerer).send(new Uint8Array(PIECE).fill(i));
  return pair.net.run({ until: () => received(pair) === target, limit }).reason;
}

describe.each(['1.2', '1.3'] as const)('DTLS %s', (version) => {
  const dtls: Partial<RtcOptions> = { dtls: { versions: { min: version, max: version } } };

  test.each([
    [1500, 'complete'],
    [1400, 'complete'],
    [1280, 'complete'],
    [1200, 'error'],
    [1000, 'error'],
    [600, 'error'],
    [576, 'error'],
  ])('an MTU of %i: connects, a mebibyte arrives, and what is sent in the end fits', (mtu, state) => {
    const { pair, sizes } = open({ mtu }, { offerer: dtls, answerer: dtls });
    expect(transfer(pair, 32)).toBe('condition');
    pair.net.run({ limit: 60_000 });
    sizes.length = 0;
    expect(transfer(pair, 16)).toBe('condition');
    const largest = Math.max(...sizes);
    expect(largest).toBeLessThanOrEqual(mtu - HEADERS);
    expect(largest).toBeGreaterThan(mtu - HEADERS - 20);
    // What `inspect` says is what is on the wire.
    expect(sctp(pair).pathMtu).toMatchObject({ state, size: largest });
  });
});

describe('the sizes of a connection', () => {
  test('pathMtu: false: no datagram is larger than `mtu`, and there are no probes', () => {
    const { pair, sizes } = open({}, { offerer: { pathMtu: false } });
    expect(transfer(pair, 32)).toBe('condition');
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1200);
    expect(sctp(pair).pathMtu.state).toBe('disabled');
    expect(sctp(pair).counters['path-mtu-probes-sent']).toBe(0);
  });

  test('a connection that says little sends no probe, and wakes nobody up for one', () => {
    const { pair, sizes } = open({});
    channel(pair.offerer).send('hello');
    pair.net.run({ limit: 1000 });
    sizes.length = 0;
    pair.net.run({ limit: 600_000 });
    expect(Math.max(...sizes)).toBeLessThan(200);
    expect(sctp(pair).counters['path-mtu-probes-sent']).toBe(0);
  });

  test.each([
    [['192.0.2.1', '192.0.2.2'] as const, 1472],
    [['2001:db8::1', '2001:db8::2'] as const, 1452],
  ])('over %j: %i bytes at the most, though the path carries more', (addresses, max) => {
    const { pair, sizes } = open({ mtu: 9000 }, { addresses });
    expect(transfer(pair, 32)).toBe('condition');
    expect(Math.max(...sizes)).toBeLessThanOrEqual(max);
    expect(Math.max(...sizes)).toBeGreaterThan(max - 4);
    expect(sctp(pair).pathMtu).toMatchObject({ state: 'complete', max: Math.max(...sizes) });
  });

  test('pathMtu.max: 16 KiB over loopback', () => {
    const { pair, sizes } = open({}, { offerer: { pathMtu: { max: 16_384 } } });
    expect(transfer(pair, 64)).toBe('condition');
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384);
    expect(Math.max(...sizes)).toBeGreaterThan(16_380);
  });

  test('from 1500 to 1300 in the middle of a transfer: it goes on, and nothing is lost', () => {
    const { pair } = open({ mtu: 1500, rate: 2e7, queueLimit: 200_000 });
    for (let i = 0; i < 100; i++) channel(pair.offerer).send(new Uint8Array(PIECE));
    pair.net.run({ until: () => received(pair) >= 40, limit: 60_000 });
    expect(sctp(pair).pathMtu.state).toBe('complete');
    const start = pair.net.now;
    pair.net.link(pair.offerer.host, pair.answerer.host, { latency: 20, mtu: 1300, rate: 2e7 });
    expect(pair.net.run({ until: () => received(pair) === 100, limit: 60_000 }).reason).toBe('condition');
    expect(pair.net.now - start).toBeLessThan(10_000);
    expect(sctp(pair).counters['path-mtu-black-holes']).toBe(1);
  });

  test('a path that narrows below the chunks in flight ends within dataProgress, and says why', () => {
    const { pair } = open({ mtu: 1280, rate: 1e7 }, { offerer: { pathMtu: { max: 1180 } } });
    for (let i = 0; i < 100; i++) channel(pair.offerer).send(new Uint8Array(PIECE));
    pair.net.run({ until: () => received(pair) >= 20, limit: 60_000 });
    pair.net.link(pair.offerer.host, pair.answerer.host, { latency: 20, mtu: 800, rate: 1e7 });
    const start = pair.net.now;
    pair.net.run({ until: () => closedReason(pair.offerer) !== undefined, limit: 60_000 });
    expect(closedReason(pair.offerer)).toMatchObject({ layer: 'sctp', gate: 'dataProgress' });
    expect(pair.net.now - start).toBeLessThan(36_000);
  });
});
