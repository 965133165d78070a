/** What only DTLS 1.3 has: ACKs and selective retransmission, key updates, the unified header. */
import { describe, expect, it } from 'vitest';
import { concatBytes, copyBytes } from '../../src/core/bytes.ts';
import type { DtlsOptions, DtlsRole } from '../../src/dtls/index.ts';
import { decodeAck, encodeAck } from '../../src/dtls/record/ack.ts';
import { nearestSequence } from '../../src/dtls/record/unified-header.ts';
import type { PairOptions, Sent, Wire } from './pair.ts';
import { LOCAL_CLOSE, PERFECT, Pair, connectedPair, sealed, textOf } from './pair.ts';

const versions = { min: '1.3', max: '1.3' } as const;

function pair13(options: PairOptions = {}): Pair {
  return new Pair({
    ...options,
    client: { versions, ...options.client },
    server: { versions, ...options.server },
  });
}

function connected13(options: Partial<DtlsOptions> = {}): Pair {
  const pair = connectedPair({ client: { versions, ...options }, server: { versions, ...options } });
  return pair.runTo(pair.now + 1000);
}

function counters(pair: Pair, role: DtlsRole): ReturnType<Pair['client']['inspect']>['counters'] {
  return pair.engine(role).inspect().counters;
}

function bytesFrom(pair: Pair, role: DtlsRole): number {
  return pair.sent.reduce((sum, { from, data }) => sum + (from === role ? data.length : 0), 0);
}

/** True for an ACK of the server's: of one record it has 40 bytes, and nothing else that it says then has as many. */
function isServersAck({ from, index, data }: Sent): boolean {
  return from === 'server' && index > 1 && data.length >= 40;
}

describe('ACK', () => {
  it('T071 round trip; what is malformed is refused', () => {
    const numbers = [
      { epoch: 2, sequence: 0 },
      { epoch: 3, sequence: 2 ** 48 - 1 },
    ];
    expect(decodeAck(encodeAck(numbers))).toEqual(numbers);
    expect(decodeAck(encodeAck([]))).toEqual([]);
    for (const bad of [[], [0], [0, 1, 0], [0, 16, 1], [0, 0, 9]]) {
      expect(decodeAck(Uint8Array.from(bad))).toMatchObject({ reason: 'ack-malformed' });
    }
    const huge = encodeAck([{ epoch: 0, sequence: 0 }]);
    huge[2] = 1;
    expect(decodeAck(huge)).toEqual([{ epoch: -1, sequence: 0 }]);
  });

  it('T070 only what was lost is sent again', () => {
    // client 0: ClientHello; server 1 … n: its flight in small datagrams; the second of them is lost
    const mtu = 300;
    const whole = pair13({ client: { mtu }, server: { mtu } }).start().run();
    const flight = bytesFrom(whole, 'server');
    const lossy = pair13({
      client: { mtu },
      server: { mtu },
      wire: (sent) => (sent.index === 2 ? [] : PERFECT(sent)),
    })
      .start()
      .run();
    expect(lossy.connected).toBe(true);
    const repeated = bytesFrom(lossy, 'server') - flight;
    expect(repeated).toBeGreaterThan(0);
    expect(repeated).toBeLessThan(flight / 2);
    // The gap was told at once: nobody has waited for a timer.
    expect(counters(lossy, 'server')).toMatchObject({ retransmissions: 0, repetitions: 1 });
  });

  it('T072 T074 the last flight is repeated until it is acknowledged, even once data flows', () => {
    // The server's ACK is lost, which is its second datagram: 0 ClientHello, 1 flight, 2 last flight, 3 ACK.
    const pair = pair13({ wire: (sent) => (sent.index === 3 ? [] : PERFECT(sent)) })
      .start()
      .run();
    expect(pair.connected).toBe(true);
    expect(pair.client.inspect().handshake.flight.messages).toBe(3);
    pair.sendText('client', 'early');
    pair.runTo(pair.now + 2000);
    expect(pair.received.server.map(textOf)).toEqual(['early']);
    expect(counters(pair, 'client').retransmissions).toBe(1);
    expect(pair.client.inspect().handshake.flight.messages).toBe(0);
    expect(pair.client.nextTimeout()).toBe(Infinity);
  });

  it('T074 data that overtakes the last flight is held, not lost', () => {
    const overtaken: Wire = (sent) => (sent.index === 2 ? [{ data: sent.data, after: 200 }] : PERFECT(sent));
    const pair = pair13({ wire: overtaken }).start();
    pair.runTo(30);
    expect(pair.client.state).toBe('connected');
    pair.sendText('client', 'first');
    pair.runTo(100);
    expect(pair.server.state).toBe('connecting');
    expect(pair.received.server).toEqual([]);
    pair.runTo(1000);
    expect(pair.received.server.map(textOf)).toEqual(['first']);
  });

  it('a peer that never acknowledges ends the handshake within its gate, or is left alone if it sends data', () => {
    const silent = pair13({
      wire: (sent) => (sent.from === 'client' || sent.index < 3 ? PERFECT(sent) : []),
    }).start();
    silent.runTo(20_000);
    expect(silent.codes('client')).toEqual(['closed unacknowledged']);
    expect(silent.client.nextTimeout()).toBe(Infinity);
    const deaf = pair13({ wire: (sent) => (isServersAck(sent) ? [] : PERFECT(sent)) })
      .start()
      .run();
    deaf.sendText('server', 'x');
    deaf.runTo(10_000);
    expect(deaf.client.timeoutReason()).toBe('dtlsRetransmit');
    deaf.runTo(20_000);
    expect([deaf.client.state, deaf.client.nextTimeout(), deaf.codes('client')]).toEqual([
      'connected',
      Infinity,
      [],
    ]);
  });

  it('one that comes after it was given up begins anew: the next KeyUpdate is awaited', () => {
    const pair = pair13({
      wire: (sent) => (isServersAck(sent) ? [{ data: sent.data, after: 16_000 }] : PERFECT(sent)),
    })
      .start()
      .run();
    pair.sendText('server', 'x');
    pair.runTo(15_500);
    expect([pair.client.state, pair.client.nextTimeout()]).toEqual(['connected', Infinity]);
    pair.runTo(20_000);
    pair.wire = () => [];
    const { retransmissions } = counters(pair, 'client');
    pair.client.updateKeys(pair.now);
    pair.runTo(30_000);
    expect(counters(pair, 'client').retransmissions).toBeGreaterThan(retransmissions);
    expect(pair.client.timeoutReason()).toBe('dtlsRetransmit');
    // It has its time, and is given up as the flight before it was.
    pair.runTo(60_000);
    expect([pair.client.state, pair.client.nextTimeout()]).toEqual(['connected', Infinity]);
  });

  it('T071 SEC-11 in plaintext it changes nothing', () => {
    const pair = pair13({ wire: () => [] }).start();
    const ack = encodeAck([{ epoch: 0, sequence: 0 }]);
    const forged = concatBytes(Uint8Array.of(26, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, ack.length), ack);
    pair.client.handlePacket(forged, 5);
    expect(counters(pair, 'client').acksIgnored).toBe(1);
    pair.client.handleTimeout(400);
    expect(pair.client.pollTransmit()).toBeDefined();
  });

  it('T060 a flight nobody answers is sent at 0, 400, 1200, 2800, then every 3 s', () => {
    const pair = pair13({ wire: () => [] }).start();
    pair.runTo(14_000);
    const times = pair.sent.filter(({ from }) => from === 'client').map(({ at }) => at);
    expect(times).toEqual([0, 400, 1200, 2800, 5800, 8800, 11_800]);
  });
});

describe('T075 KeyUpdate', () => {
  it.each([
    ['alone', false, [4, 3]],
    ['with a request', true, [4, 4]],
  ] as const)('%s: data flows before, meanwhile and after', (_, request, epochs) => {
    const pair = connected13();
    pair.sendText('client', 'before');
    pair.client.updateKeys(pair.now, request);
    pair.drain();
    pair.sendText('client', 'meanwhile');
    pair.runTo(pair.now + 1000);
    pair.sendText('client', 'after');
    pair.sendText('server', 'back');
    pair.runTo(pair.now + 1000);
    expect(pair.received.server.map(textOf)).toEqual(['before', 'meanwhile', 'after']);
    expect(pair.received.client.map(textOf)).toEqual(['back']);
    // The low bits of the epoch are in the header.
    const last = (role: DtlsRole): number => (sealed(pair.engine(role), 'x')?.[0] ?? 0) & 3;
    expect([last('client'), last('server')]).toEqual(epochs.map((epoch) => epoch & 3));
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });

  it('happens by itself after limits.recordsPerUpdate records, again and again', () => {
    const pair = connected13({ limits: { recordsPerUpdate: 10 } });
    const texts = Array.from({ length: 100 }, (_, i) => String(i));
    for (const text of texts) {
      pair.sendText('client', text);
      pair.runTo(pair.now + 50);
    }
    expect(pair.received.server.map(textOf)).toEqual(texts);
    expect(pair.connected).toBe(true);
  });

  it('SEC-05 a key that is never acknowledged away ends the connection before it wears out', () => {
    const pair = connected13({ limits: { recordsPerUpdate: 10 } });
    pair.wire = () => [];
    let records = 0;
    while (sealed(pair.client, 'x') !== undefined) records++;
    expect(records).toBe(20);
    pair.drain();
    expect(pair.codes('client')).toEqual(['closed record-limit']);
  });

  it.each([0, 1, 2, 3])('survives the loss of datagram %i of the exchange', (lost) => {
    const pair = connected13();
    const start = pair.sent.length;
    pair.wire = (sent) => (sent.index === start + lost ? [] : PERFECT(sent));
    pair.client.updateKeys(pair.now, true);
    pair.runTo(pair.now + 5000);
    pair.wire = PERFECT;
    pair.sendText('client', 'a');
    pair.sendText('server', 'b');
    pair.runTo(pair.now + 1000);
    expect([pair.received.server.map(textOf), pair.received.client.map(textOf)]).toEqual([['a'], ['b']]);
    expect(pair.client.inspect().handshake.flight.messages).toBe(0);
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });

  it('both sides at once agree', () => {
    const pair = connected13();
    pair.client.updateKeys(pair.now, true);
    pair.server.updateKeys(pair.now, true);
    pair.runTo(pair.now + 5000);
    pair.sendText('client', 'a');
    pair.sendText('server', 'b');
    pair.runTo(pair.now + 1000);
    expect([pair.received.server.length, pair.received.client.length]).toEqual([1, 1]);
  });
});

describe('protected records', () => {
  function recordOf(pair: Pair, text: string): Uint8Array {
    return sealed(pair.client, text) ?? new Uint8Array();
  }

  it('T091 T094 T095 forged and replayed ones are dropped, and change nothing', () => {
    const pair = connected13();
    const record = recordOf(pair, 'a');
    for (let bit = 0; bit < record.length * 8; bit += 3) {
      const forged = copyBytes(record);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      pair.server.handlePacket(forged, pair.now);
    }
    expect(pair.server.pollData()).toBeUndefined();
    pair.server.handlePacket(record, pair.now);
    pair.server.handlePacket(record, pair.now);
    expect(pair.server.pollData()).toHaveLength(1);
    expect(pair.server.pollData()).toBeUndefined();
    expect(counters(pair, 'server').recordsReplayed).toBeGreaterThanOrEqual(1);
    expect(pair.server.state).toBe('connected');
  });

  it('T092 T093 T076 a bad one does not spoil those beside it; an unknown epoch, a connection id and a short one are counted', () => {
    const pair = connected13();
    const [first, bad, last] = [recordOf(pair, 'a'), copyBytes(recordOf(pair, 'b')), recordOf(pair, 'c')];
    bad[bad.length - 1]! ^= 1;
    pair.server.handlePacket(concatBytes(first, bad, last), pair.now);
    expect(
      [pair.server.pollData(), pair.server.pollData()].map((data) => textOf(data ?? new Uint8Array())),
    ).toEqual(['a', 'c']);
    const strange = copyBytes(recordOf(pair, 'd'));
    strange[0] = 0x2c; // epoch 4: its keys are not there
    pair.server.handlePacket(strange, pair.now);
    expect(counters(pair, 'server').recordsWrongEpoch).toBe(1);
    const malformed = counters(pair, 'server').recordsMalformed;
    strange[0] = 0x3f;
    pair.server.handlePacket(strange, pair.now);
    pair.server.handlePacket(Uint8Array.of(0x2f, 0, 0, 0, 15, ...new Uint8Array(15)), pair.now);
    pair.server.handlePacket(Uint8Array.of(0x2f, 0), pair.now);
    expect(counters(pair, 'server').recordsMalformed).toBe(malformed + 2);
    expect(counters(pair, 'server').recordsUnknownConnectionId).toBe(1);
  });

  it('T079 SEC-10 SEC-11 plaintext of any kind reaches nothing once connected', () => {
    const pair = connected13();
    const before = pair.server.inspect().handshake;
    for (const type of [20, 21, 22, 23, 26]) {
      for (const body of [
        [2, 40],
        [1, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0],
      ]) {
        const record = Uint8Array.of(type, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 7, 0, body.length, ...body);
        pair.server.handlePacket(record, pair.now);
        pair.client.handlePacket(record, pair.now);
      }
    }
    pair.drain();
    expect(pair.connected).toBe(true);
    expect(pair.server.inspect().handshake).toEqual(before);
    expect(pair.received).toEqual({ client: [], server: [] });
  });

  it('T077 numbers are reconstructed to the nearest, around cycles and from 0', () => {
    expect(nearestSequence(0, 16, 0)).toBe(0);
    expect(nearestSequence(0xffff, 16, 0)).toBe(0xffff);
    expect(nearestSequence(0xffff, 16, 0x10000)).toBe(0xffff);
    expect(nearestSequence(0, 16, 0xfffe)).toBe(0x10000);
    expect(nearestSequence(5, 8, 0x1fe)).toBe(0x205);
    expect(nearestSequence(0xfd, 8, 0x202)).toBe(0x1fd);
    // Of two that are equally near the later one.
    expect(nearestSequence(0, 8, 0x80)).toBe(0x100);
    expect(nearestSequence(0x80, 8, 0x100)).toBe(0x180);
    for (let sequence = 0; sequence < 1000; sequence++) {
      for (const ahead of [-127, -1, 0, 1, 127]) {
        const expected = Math.max(0, sequence + ahead);
        if (sequence - expected <= 127) expect(nearestSequence(sequence & 0xff, 8, expected)).toBe(sequence);
      }
    }
  });

  it('survive a gap of thousands of lost ones, and the cycle of 16 bits', () => {
    const pair = connected13();
    for (let i = 0; i < 70_000; i++) {
      const record = sealed(pair.client, 'x');
      if (record !== undefined && i % 30_000 === 0) pair.server.handlePacket(record, pair.now);
    }
    pair.server.handlePacket(recordOf(pair, 'y'), pair.now);
    expect(counters(pair, 'server').recordsForged).toBe(0);
  });

  it('T100 close_notify is answered in kind', () => {
    const pair = connected13();
    pair.sendText('client', 'last words');
    pair.client.close(LOCAL_CLOSE, pair.now);
    pair.runTo(pair.now + 100);
    expect(pair.received.server.map(textOf)).toEqual(['last words']);
    expect(pair.events.server).toContainEqual({ type: 'closed' });
    expect([pair.client.state, pair.server.state]).toEqual(['closed', 'closed']);
  });
});
