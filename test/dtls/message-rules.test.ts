/** What a protected handshake message may be, and what follows a change of keys. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import type { DtlsRole } from '../../src/dtls/index.ts';
import { ROLES, fragmentOf, other } from './hostile.ts';
import type { Betrayal } from './insider.ts';
import { betrayed, learnServerHello, pairWithInsider } from './insider.ts';
import { PERFECT, textOf } from './pair.ts';

const KEY_UPDATE = 24;
const FINISHED = 20;
const NO = Uint8Array.of(0);

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
  pair.runTo(pair.now + 50);
  expect(pair.events[other(victim)].at(-1)).toMatchObject({
    failure: { code: 'alert-received', message: expect.stringMatching(alert) },
  });
}

/** The number of the next message of `victim`'s peer: the client says 2 hellos at the most, the server one. */
function nextSeq(victim: DtlsRole): number {
  return victim === 'server' ? 4 : 6;
}

/** Both have keys, and the victim waits for the rest of its peer's flight, which is lost. */
function halfWay(victim: DtlsRole): Betrayal {
  const betrayal = pairWithInsider(victim, '1.3', { mtu: 300 });
  const { pair } = betrayal;
  let count = 0;
  pair.wire = (sent) => (sent.from !== victim && count++ > 1 ? [] : PERFECT(sent));
  pair.start().runTo(35);
  return betrayal;
}

describe.each(ROLES)('the %s', (victim) => {
  it.each([
    ['a ServerHello', 2],
    ['a ClientHello', 1],
    ['a HelloVerifyRequest', 3],
    ['a HelloRequest', 0],
    ['an EndOfEarlyData', 5],
    ['a ServerKeyExchange', 12],
    ['a ClientKeyExchange', 16],
    ['a KeyUpdate', KEY_UPDATE],
    ['a NewSessionTicket', 4],
    ['one nobody knows', 99],
  ])('D3: during a handshake of DTLS 1.3 %s of epoch 2 is unexpected_message, at once', (_, type) => {
    const betrayal = halfWay(victim);
    const { pair, insider } = betrayal;
    expect(pair.engine(victim).state).toBe('connecting');
    pair.engine(victim).handlePacket(insider.messages([[type, 3, NO]], 50, 2), pair.now);
    expect(pair.engine(victim).state).toBe('failed');
    pair.drain();
    expect(pair.codes(victim)).toEqual(['closed unexpected-message']);
  });

  it('D3: during a handshake of DTLS 1.2 a protected message that is not Finished is unexpected_message', () => {
    const { pair, insider } = pairWithInsider(victim, '1.2');
    // The client has keys once it has sent Finished; the server once it has read ClientKeyExchange, without what follows.
    pair.wire = (sent) =>
      sent.index === 2 && victim === 'server'
        ? [{ data: sent.data.subarray(0, -61), after: 10 }]
        : sent.index > 2
          ? []
          : PERFECT(sent);
    pair.start().runTo(35);
    learnServerHello(pair, insider);
    expect(pair.engine(victim).inspect().handshake.state).toBe('await-finished');
    pair.engine(victim).handlePacket(insider.messages([[11, 7, NO]], 50), pair.now);
    pair.drain();
    expect(pair.codes(victim)).toEqual(['closed unexpected-message']);
  });

  it.each([0, 1, 2, 3, 5, 8, 11, 12, 13, 14, 15, 16, 20, 99])(
    'D3: after a handshake of DTLS 1.3 a message of type %i is unexpected_message, at once',
    (type) => {
      const betrayal = betrayed(victim);
      const record = betrayal.insider.messages([[type, nextSeq(victim), new Uint8Array(40)]], 50);
      expectEnd(betrayal, victim, record, 'unexpected-message', /unexpected_message/);
    },
  );

  it('D3: what does not decode, is too long, or contradicts itself ends it as well', () => {
    for (const [first, body, code] of [
      [undefined, Uint8Array.of(KEY_UPDATE, 0, 0, 1), 'malformed-message'],
      [
        undefined,
        fragmentOf(KEY_UPDATE, nextSeq(victim), new Uint8Array(40_000), 0, 10),
        'malformed-message',
      ],
      [
        fragmentOf(KEY_UPDATE, nextSeq(victim), new Uint8Array(40), 0, 10),
        fragmentOf(KEY_UPDATE, nextSeq(victim), new Uint8Array(41), 10, 10),
        'illegal-parameter',
      ],
    ] as const) {
      const { pair, insider } = betrayed(victim);
      if (first !== undefined) pair.engine(victim).handlePacket(insider.typed(22, first, 50), pair.now);
      expect(pair.engine(victim).state).toBe('connected');
      pair.engine(victim).handlePacket(insider.typed(22, body, 51), pair.now);
      pair.drain();
      expect(pair.codes(victim)).toEqual([`closed ${code}`]);
    }
  });

  it.each([
    ['a second Finished', FINISHED, 9],
    ['a Certificate', 11, 9],
    ['a Certificate with an old number', 11, 0],
    ['one nobody knows', 99, 9],
  ])('D3 D5: after a handshake of DTLS 1.2 %s is unexpected_message', (_, type, seq) => {
    const betrayal = betrayed(victim, '1.2');
    const record = betrayal.insider.messages([[type, seq, new Uint8Array(12)]], 50);
    expectEnd(betrayal, victim, record, 'unexpected-message', /unexpected_message/);
  });

  it('D5: the same Finished again is a repetition, and harmless; a second one is not', () => {
    const betrayal = betrayed(victim);
    const { pair, insider } = betrayal;
    const finishedSeq = nextSeq(victim) - 1;
    pair
      .engine(victim)
      .handlePacket(insider.messages([[FINISHED, finishedSeq, new Uint8Array(32)]], 50, 2), pair.now);
    expect(pair.engine(victim).state).toBe('connected');
    const second = insider.messages([[FINISHED, finishedSeq + 1, new Uint8Array(32)]], 51, 2);
    expectEnd(betrayal, victim, second, 'unexpected-message', /unexpected_message/);
  });

  it('D5: behind a KeyUpdate, data under the old keys is welcome, a message is not', () => {
    const betrayal = betrayed(victim);
    const { pair, insider } = betrayal;
    const engine = pair.engine(victim);
    const seq = nextSeq(victim);
    engine.handlePacket(insider.messages([[KEY_UPDATE, seq, NO]], 50), pair.now);
    engine.handlePacket(insider.text('still welcome', 51), pair.now);
    expect(textOf(engine.pollData() ?? NO)).toBe('still welcome');
    pair.runTo(pair.now + 100);
    const late = insider.messages([[KEY_UPDATE, seq + 1, NO]], 52);
    expectEnd(betrayal, victim, late, 'unexpected-message', /unexpected_message/);
  });

  it('A7 D5: nothing stands behind a KeyUpdate in its record, and nothing ahead of it waits', () => {
    const seq = nextSeq(victim);
    for (const order of [
      [0, 1],
      [1, 0],
      [2, 1, 0],
    ]) {
      const betrayal = betrayed(victim);
      const list = order.map((i) => [KEY_UPDATE, seq + i, NO] as const);
      const record = betrayal.insider.messages(list, 50);
      expectEnd(betrayal, victim, record, 'unexpected-message', /unexpected_message/);
      expect(betrayal.pair.engine(victim).inspect().counters.keyUpdatesDeferred).toBe(0);
    }
  });

  it('A7: a KeyUpdate before our ACK of the last one is a violation (RFC 9147 §8)', () => {
    const betrayal = betrayed(victim);
    const { insider } = betrayal;
    const seq = nextSeq(victim);
    const both = concatBytes(
      insider.messages([[KEY_UPDATE, seq, NO]], 50, 3),
      insider.messages([[KEY_UPDATE, seq + 1, NO]], 0, 4),
    );
    expectEnd(betrayal, victim, both, 'unexpected-message', /unexpected_message/);
  });

  it('A7: more than limits.keyUpdatesPerMinute wait until they are repeated later', () => {
    const { pair, insider } = betrayed(victim, '1.3', { limits: { keyUpdatesPerMinute: 5 } });
    const engine = pair.engine(victim);
    const seq = nextSeq(victim);
    const update = (i: number, sequence: number): Uint8Array =>
      insider.messages([[KEY_UPDATE, seq + i, NO]], sequence, 3 + i);
    for (let i = 0; i < 5; i++) {
      engine.handlePacket(update(i, 100), pair.now);
      expect(engine.pollTransmit()).toBeDefined();
    }
    for (let again = 0; again < 20; again++) engine.handlePacket(update(5, 100 + again), pair.now + again);
    expect(engine.pollTransmit()).toBeUndefined();
    expect([engine.state, engine.inspect().counters.keyUpdatesDeferred]).toEqual(['connected', 20]);
    // One in twelve seconds.
    engine.handlePacket(update(5, 150), pair.now + 12_100);
    expect(engine.pollTransmit()).toBeDefined();
    engine.handlePacket(update(6, 150), pair.now + 12_200);
    expect([engine.pollTransmit(), engine.inspect().counters.keyUpdatesDeferred]).toEqual([undefined, 21]);
    expect(engine.invariantViolation()).toBeUndefined();
  });

  it('A7: request_update is 0 or 1', () => {
    const betrayal = betrayed(victim);
    const record = betrayal.insider.messages([[KEY_UPDATE, nextSeq(victim), Uint8Array.of(2)]], 50);
    expectEnd(betrayal, victim, record, 'illegal-parameter', /illegal_parameter/);
  });
});
