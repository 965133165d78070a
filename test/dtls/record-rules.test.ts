/** What a protected record may be (record/rules.ts): what breaks a rule ends the association at once, plaintext is dropped. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import type { DtlsRole } from '../../src/dtls/index.ts';
import { ROLES, VERSIONS, other, plaintextRecord } from './hostile.ts';
import type { Betrayal } from './insider.ts';
import { betrayed, learnServerHello, pairWithInsider } from './insider.ts';
import { PERFECT, bytesOf, textOf } from './pair.ts';

const DATA = 23;
const OVERFLOW = /record_overflow/;
const UNEXPECTED = /unexpected_message/;

/** Hands `record` to the victim; it ends with `code`, at once, and tells its peer. */
function expectEnd(
  { pair }: Betrayal,
  victim: DtlsRole,
  record: Uint8Array,
  code: string,
  alert: RegExp,
): void {
  pair.engine(victim).handlePacket(record, pair.now);
  expect(pair.engine(victim).state).toBe('failed');
  pair.drain();
  expect(pair.codes(victim)).toEqual([`closed ${code}`]);
  expect(pair.received[victim]).toEqual([]);
  pair.runTo(pair.now + 50);
  expect(pair.events[other(victim)].at(-1)).toMatchObject({
    failure: { code: 'alert-received', message: expect.stringMatching(alert) },
  });
}

describe.each(ROLES)('the %s', (victim) => {
  it('D1: application data under the keys of the handshake ends the connection, and is not delivered', () => {
    const betrayal = betrayed(victim);
    const record = betrayal.insider.typed(DATA, bytesOf('epoch 2'), 50, 2);
    expectEnd(betrayal, victim, record, 'unexpected-message', UNEXPECTED);
  });

  it('D1: the same before Finished', () => {
    const { pair, insider } = pairWithInsider(victim);
    // The victim has the keys of the handshake, and waits for its peer's Finished, which is lost.
    pair.start();
    if (victim === 'server') pair.wire = (sent) => (sent.from === 'client' ? [] : PERFECT(sent));
    else
      pair.wire = (sent) =>
        sent.from === 'server' ? [{ data: sent.data.subarray(0, 150), after: 10 }] : PERFECT(sent);
    pair.runTo(30);
    expect(pair.engine(victim).state).toBe('connecting');
    pair.engine(victim).handlePacket(insider.typed(DATA, bytesOf('early'), 50, 2), pair.now);
    pair.drain();
    expect(pair.codes(victim)).toEqual(['closed unexpected-message']);
    expect(pair.received[victim]).toEqual([]);
  });

  it('D1: data of epoch 3 that comes before Finished waits for it', () => {
    const { pair, insider } = pairWithInsider(victim);
    const isFinal = victim === 'server' ? 2 : 1;
    pair.wire = (sent) => (sent.index === isFinal ? [{ data: sent.data, after: 200 }] : PERFECT(sent));
    pair.start().runTo(100);
    expect(pair.engine(victim).state).toBe('connecting');
    // Only the client's data can be ahead of its Finished here: the server's keys are not known to anybody yet.
    if (victim === 'server') {
      pair.engine(victim).handlePacket(insider.text('ahead', 50), pair.now);
      expect(pair.engine(victim).pollData()).toBeUndefined();
    }
    pair.runTo(1000);
    expect(pair.connected).toBe(true);
    expect(pair.received[victim].map(textOf)).toEqual(victim === 'server' ? ['ahead'] : []);
  });

  it('D1: DTLS 1.2: data of epoch 1 ahead of Finished is not given away before it, plaintext never', () => {
    const { pair, insider } = pairWithInsider(victim, '1.2');
    const isFinal = victim === 'server' ? 2 : 3;
    pair.wire = (sent) => (sent.index === isFinal ? [{ data: sent.data, after: 200 }] : PERFECT(sent));
    pair.start().runTo(100);
    learnServerHello(pair, insider);
    const engine = pair.engine(victim);
    expect(engine.state).toBe('connecting');
    engine.handlePacket(insider.typed(DATA, bytesOf('ahead'), 50), pair.now);
    engine.handlePacket(plaintextRecord(DATA, bytesOf('plain')), pair.now);
    expect([engine.pollData(), engine.state]).toEqual([undefined, 'connecting']);
    pair.runTo(1000);
    engine.handlePacket(plaintextRecord(DATA, bytesOf('plain')), pair.now);
    pair.drain();
    expect([pair.connected, pair.received[victim].map(textOf)]).toEqual([true, ['ahead']]);
    expect(engine.inspect().counters.plaintextIgnored).toBe(2);
  });

  it('D4: DTLS 1.3: padding counts, and one byte for the content type', () => {
    const betrayal = betrayed(victim);
    const { pair, insider } = betrayal;
    const engine = pair.engine(victim);
    engine.handlePacket(insider.text('x'.repeat(16_384), 50), pair.now);
    engine.handlePacket(insider.text('x', 51, 16_383), pair.now);
    expect([engine.pollData()?.length, engine.pollData()?.length]).toEqual([16_384, 1]);
    expectEnd(betrayal, victim, insider.text('x', 52, 16_384), 'record-overflow', OVERFLOW);
  });
});

describe.each(VERSIONS)('DTLS %s', (version) => {
  describe.each(ROLES)('the %s', (victim) => {
    it('D4: 16384 bytes of plaintext are delivered, one more is record_overflow', () => {
      const betrayal = betrayed(victim, version);
      const { pair, insider } = betrayal;
      pair.engine(victim).handlePacket(insider.typed(DATA, new Uint8Array(16_384), 50), pair.now);
      expect(pair.engine(victim).pollData()).toHaveLength(16_384);
      const record = insider.typed(DATA, new Uint8Array(16_385), 51);
      expectEnd(betrayal, victim, record, 'record-overflow', OVERFLOW);
    });

    it.each([
      ['a ChangeCipherSpec', 20, [1]],
      ['nobody knows', 24, [1, 0, 1]],
      ['with a connection id', 25, [1]],
      ['of the last of the numbers', 31, [1]],
      ['without content, of the handshake', 22, []],
      ['without content, of alerts', 21, []],
    ])('D1: a protected record %s is unexpected_message, in plaintext nothing', (_, type, body) => {
      const betrayal = betrayed(victim, version);
      const { pair, insider } = betrayal;
      const text = insider.typed(DATA, bytesOf('beside it'), 51);
      pair
        .engine(victim)
        .handlePacket(concatBytes(plaintextRecord(type as 20, Uint8Array.from(body)), text), pair.now);
      expect(textOf(pair.engine(victim).pollData() ?? new Uint8Array())).toBe('beside it');
      const record = insider.typed(type, Uint8Array.from(body), 50);
      expectEnd(betrayal, victim, record, 'unexpected-message', UNEXPECTED);
    });

    it('D1: an ACK in plaintext is counted; in DTLS 1.2 a protected one is unexpected_message', () => {
      const betrayal = betrayed(victim, version);
      const { pair, insider } = betrayal;
      const engine = pair.engine(victim);
      engine.handlePacket(plaintextRecord(26, Uint8Array.of(0, 0)), pair.now);
      expect(engine.inspect().counters.acksIgnored).toBe(1);
      const record = insider.typed(26, Uint8Array.of(0, 0), 50);
      if (version === '1.2') {
        expectEnd(betrayal, victim, record, 'unexpected-message', UNEXPECTED);
        return;
      }
      engine.handlePacket(record, pair.now);
      expect(engine.state).toBe('connected');
    });

    it.each([
      ['two in a record', [2, 40, 2, 40]],
      ['two warnings in a record', [1, 0, 1, 0]],
      ['half of one', [2]],
    ])('D6: protected alerts: %s end it with decode_error', (_, body) => {
      const betrayal = betrayed(victim, version);
      const record = betrayal.insider.typed(21, Uint8Array.from(body), 50);
      expectEnd(betrayal, victim, record, 'malformed-message', /decode_error/);
    });

    it.each([0, 3, 255])('D6: a protected alert of the odd level %i is heeded', (level) => {
      const betrayal = betrayed(victim, version);
      const { pair, insider } = betrayal;
      const record = insider.typed(21, Uint8Array.of(level, 40), 50);
      if (version === '1.2') {
        expectEnd(betrayal, victim, record, 'illegal-parameter', /illegal_parameter/);
        return;
      }
      // RFC 8446 §6: the description alone counts.
      pair.engine(victim).handlePacket(record, pair.now);
      pair.drain();
      expect(pair.codes(victim)).toEqual(['closed alert-received']);
      const second = betrayed(victim, version);
      second.pair
        .engine(victim)
        .handlePacket(second.insider.typed(21, Uint8Array.of(level, 0), 50), second.pair.now);
      expect(second.pair.engine(victim).state).toBe('closed');
    });
  });
});
