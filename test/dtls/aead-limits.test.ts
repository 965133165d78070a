/**
 * SEC-05: how much one key may do, with the limits lowered: records sealed (RFC 9147 §4.5.3, RFC 8446 §5.5) and records
 * that were not authentic.
 */
import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsLimits, DtlsRole, DtlsVersion } from '../../src/dtls/index.ts';
import { DEFAULT_LIMITS } from '../../src/dtls/options.ts';
import { ROLES, VERSIONS, other } from './hostile.ts';
import { Pair, connectedPair, sealed, textOf } from './pair.ts';

const crypto = nodeCrypto();

function connected(version: DtlsVersion, limits: Partial<DtlsLimits>): Pair {
  const side = { crypto, limits, versions: { min: version, max: version } };
  const pair = connectedPair({ client: side, server: side });
  return pair.runTo(pair.now + 1000);
}

/** Hands `victim` `count` records that are right but for their last byte. */
function forge(pair: Pair, victim: DtlsRole, count: number): void {
  const record = sealed(pair.engine(other(victim)), 'forged') ?? new Uint8Array();
  for (let i = 0; i < count; i++) {
    const forged = copyBytes(record);
    forged[forged.length - 1]! ^= 1 + (i % 255);
    forged[forged.length - 2]! ^= Math.floor(i / 255);
    pair.engine(victim).handlePacket(forged, pair.now);
  }
}

/** The low bits of the epoch that `role` writes in, of DTLS 1.3. */
function epochOf(pair: Pair, role: DtlsRole): number {
  return (sealed(pair.engine(role), 'x')?.[0] ?? 0) & 3;
}

it('the defaults are those of RFC 9147 §4.5.3, and below them', () => {
  expect(DEFAULT_LIMITS.forgeriesPerKey).toBe(2 ** 36);
  expect(2 * DEFAULT_LIMITS.recordsPerUpdate).toBeLessThan(2 ** 24.5);
  expect(DEFAULT_LIMITS.recordsPerKey).toBe(2 ** 32);
});

describe('records sealed', () => {
  it.each(ROLES)('DTLS 1.2: the %s ends the association at the limit, and says so once', (role) => {
    const pair = connected('1.2', { recordsPerKey: 5 });
    let records = 0;
    while (sealed(pair.engine(role), 'x') !== undefined) records++;
    // The Finished was the first.
    expect(records).toBe(4);
    pair.drain();
    expect(pair.codes(role)).toEqual(['closed record-limit']);
    expect(sealed(pair.engine(role), 'x')).toBeUndefined();
  });

  it.each(ROLES)('DTLS 1.3: the %s changes its keys at the limit, and nothing is lost on the way', (role) => {
    const pair = connected('1.3', { recordsPerUpdate: 8 });
    const texts = Array.from({ length: 64 }, (_, i) => `${role} ${i}`);
    const epochs = new Set<number>();
    for (const text of texts) {
      pair.sendText(role, text);
      epochs.add((pair.sent.at(-1)?.data[0] ?? 0) & 3);
      pair.runTo(pair.now + 30);
    }
    expect(pair.received[other(role)].map(textOf)).toEqual(texts);
    expect([pair.connected, epochs.size]).toEqual([true, 4]);
    // The peer has sealed little: its keys stay.
    expect(epochOf(pair, other(role))).toBe(3);
  });

  it('DTLS 1.3: at twice the limit without an acknowledgement it ends', () => {
    const pair = connected('1.3', { recordsPerUpdate: 8 });
    pair.wire = () => [];
    while (sealed(pair.client, 'x') !== undefined);
    pair.drain();
    expect(pair.codes('client')).toEqual(['closed record-limit']);
  });
});

describe.each(VERSIONS)('records that are not authentic, DTLS %s', (version) => {
  it.each(ROLES)('below the limit they change nothing for the %s', (victim) => {
    const pair = connected(version, { forgeriesPerKey: 100 });
    forge(pair, victim, 49);
    pair.runTo(pair.now + 1000);
    expect(pair.engine(victim).inspect().counters.recordsForged).toBe(49);
    expect([pair.connected, pair.codes(victim)]).toEqual([true, []]);
    if (version === '1.3') expect(epochOf(pair, other(victim))).toBe(3);
    pair.sendText(other(victim), 'still here');
    pair.runTo(pair.now + 1000);
    expect(pair.received[victim].map(textOf)).toEqual(['still here']);
  });

  it.each(ROLES)('at the limit the %s ends the association, and tells its peer', (victim) => {
    const pair = connected(version, { forgeriesPerKey: 100 });
    forge(pair, victim, 100);
    pair.drain();
    expect(pair.codes(victim)).toEqual(['closed forgery-limit']);
    expect(pair.engine(victim).nextTimeout()).toBe(Infinity);
    pair.runTo(pair.now + 1000);
    expect(pair.events[other(victim)].at(-1)).toMatchObject({
      type: 'closed',
      failure: { code: 'alert-received' },
    });
  });

  it('by default thousands of them end nothing', () => {
    const pair = connected(version, {});
    forge(pair, 'server', 5000);
    expect(pair.server.inspect().counters.recordsForged).toBe(5000);
    expect(pair.connected).toBe(true);
  });
});

describe('records that are not authentic, DTLS 1.3, at half the limit', () => {
  it.each(ROLES)('the %s asks for new keys, once, and counts from 0 again', (victim) => {
    const pair = connected('1.3', { forgeriesPerKey: 100 });
    const attacker = other(victim);
    for (let round = 1; round <= 6; round++) {
      forge(pair, victim, 60);
      pair.runTo(pair.now + 1000);
      expect([round, epochOf(pair, attacker)]).toEqual([round, (3 + round) & 3]);
    }
    expect([pair.connected, pair.codes(victim)]).toEqual([true, []]);
    pair.sendText(attacker, 'a');
    pair.sendText(victim, 'b');
    pair.runTo(pair.now + 1000);
    expect([pair.received[victim].map(textOf), pair.received[attacker].map(textOf)]).toEqual([['a'], ['b']]);
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });

  it('however many come before the peer has answered, it is asked once', () => {
    const pair = connected('1.3', { forgeriesPerKey: 100 });
    pair.wire = () => [];
    const before = pair.sent.length;
    forge(pair, 'server', 99);
    pair.drain();
    expect(pair.sent.length).toBe(before + 1);
  });

  it('asks even while a KeyUpdate of its own is on its way', () => {
    const pair = connected('1.3', { forgeriesPerKey: 100 });
    pair.server.updateKeys(pair.now);
    forge(pair, 'server', 60);
    pair.runTo(pair.now + 1000);
    expect([epochOf(pair, 'client'), epochOf(pair, 'server')]).toEqual([0, 1]);
  });

  it('the keys before are dropped at the limit, and the association lives', () => {
    const pair = connected('1.3', { forgeriesPerKey: 100 });
    const old = copyBytes(sealed(pair.client, 'of the old epoch') ?? new Uint8Array());
    const late = copyBytes(sealed(pair.client, 'late') ?? new Uint8Array());
    pair.client.updateKeys(pair.now);
    pair.runTo(pair.now + 1000);
    pair.server.handlePacket(late, pair.now);
    expect(textOf(pair.server.pollData() ?? new Uint8Array())).toBe('late');
    const forged = copyBytes(old);
    for (let i = 0; i < 100; i++) {
      forged[forged.length - 1] = old[old.length - 1]! ^ (1 + i);
      pair.server.handlePacket(forged, pair.now);
    }
    const { recordsWrongEpoch } = pair.server.inspect().counters;
    pair.server.handlePacket(old, pair.now);
    expect(pair.server.inspect().counters.recordsWrongEpoch).toBe(recordsWrongEpoch + 1);
    pair.sendText('client', 'on');
    pair.runTo(pair.now + 1000);
    expect([pair.connected, pair.received.server.map(textOf)]).toEqual([true, ['on']]);
  });
});
