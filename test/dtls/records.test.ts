/** Records of an established association, and of one that is not: T090–T099. */
import { describe, expect, it } from 'vitest';
import { concatBytes, copyBytes, readU16, readU48, writeU48 } from '../../src/core/bytes.ts';
import { DTLS_HEADROOM, DTLS_TAILROOM, Dtls } from '../../src/dtls/index.ts';
import { ContentType, writeRecordHeader } from '../../src/dtls/record/record.ts';
import {
  LOCAL_CLOSE,
  Pair,
  bytesOf,
  certificates,
  connectedPair,
  engineOptions,
  sealed,
  textOf,
} from './pair.ts';

/** A plaintext record of epoch 0. */
function plaintextRecord(type: ContentType, body: Uint8Array): Uint8Array {
  const record = new Uint8Array(13 + body.length);
  writeRecordHeader(record, 0, type, 0, 99, body.length);
  record.set(body, 13);
  return record;
}

function recordOf(engine: Dtls, text: string): Uint8Array {
  const record = sealed(engine, text);
  if (record === undefined) throw new Error('not connected');
  return record;
}

function received(engine: Dtls): string[] {
  const texts: string[] = [];
  for (let data = engine.pollData(); data !== undefined; data = engine.pollData()) texts.push(textOf(data));
  return texts;
}

describe('seal', () => {
  it('T096 makes a record in place and leaves the rest of the buffer alone', () => {
    const { client } = connectedPair();
    const buffer = new Uint8Array(200).fill(0xee);
    buffer.set(bytesOf('hello'), 50);
    const length = client.seal(buffer, 50, 5);
    expect(length).toBe(client.headroom + 5 + 16);
    const start = 50 - client.headroom;
    expect(buffer[start]).toBe(ContentType.applicationData);
    expect(readU16(buffer, start + 1)).toBe(0xfefd);
    expect(readU16(buffer, start + 11)).toBe(length - 13);
    expect(buffer.subarray(0, start).every((byte) => byte === 0xee)).toBe(true);
    expect(buffer.subarray(start + length).every((byte) => byte === 0xee)).toBe(true);
  });

  it('T097 T098 SEC-05 the nonce is epoch ‖ sequence, and never the same twice', () => {
    const { client } = connectedPair();
    const nonces = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const record = recordOf(client, 'x');
      expect(record.subarray(13, 21)).toEqual(record.subarray(3, 11));
      nonces.add(record.subarray(13, 21).join());
    }
    expect(nonces.size).toBe(300);
  });

  it('T096 answers -1 before connected and after the end', () => {
    const client = new Dtls(engineOptions('client'));
    expect(client.seal(new Uint8Array(100), 30, 5)).toBe(-1);
    client.start(0);
    expect(client.seal(new Uint8Array(100), 30, 5)).toBe(-1);
    const pair = connectedPair();
    pair.client.close(LOCAL_CLOSE, pair.now);
    expect(pair.client.seal(new Uint8Array(100), 30, 5)).toBe(-1);
  });

  it('T096 refuses more than a record holds, and a buffer without room, before anything has changed', () => {
    const { client, server } = connectedPair();
    const buffer = new Uint8Array(20_000);
    expect(() => client.seal(buffer, 30, 16_385)).toThrow(expect.objectContaining({ code: 'ERR_TOO_LARGE' }));
    expect(() => client.seal(buffer, 20, 5)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    expect(() => client.seal(buffer, 19_980, 5)).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
    );
    expect(buffer.every((byte) => byte === 0)).toBe(true);
    server.handlePacket(recordOf(client, 'ok'), 100);
    expect(received(server)).toEqual(['ok']);
  });

  it('takes records of 0 and 16384 bytes', () => {
    const { client, server } = connectedPair();
    for (const length of [0, 16_384]) {
      const buffer = new Uint8Array(DTLS_HEADROOM + length + DTLS_TAILROOM);
      const size = client.seal(buffer, DTLS_HEADROOM, length);
      server.handlePacket(buffer.subarray(0, size), 100);
      expect(server.pollData()).toHaveLength(length);
    }
  });

  it('ends the association when a key has done its work', () => {
    const pair = connectedPair({ client: { limits: { recordsPerKey: 3 } } });
    // The Finished was the first.
    expect(sealed(pair.client, 'a')).toBeDefined();
    expect(sealed(pair.client, 'b')).toBeDefined();
    expect(sealed(pair.client, 'c')).toBeUndefined();
    pair.drain();
    expect(pair.codes('client')).toEqual(['closed record-limit']);
  });
});

describe('application records', () => {
  it('T092 a bad record does not spoil the good ones beside it', () => {
    const { client, server } = connectedPair();
    const [first, bad, last] = [recordOf(client, 'a'), recordOf(client, 'b'), recordOf(client, 'c')];
    bad[bad.length - 1]! ^= 1;
    server.handlePacket(concatBytes(first, bad, last), 100);
    expect(received(server)).toEqual(['a', 'c']);
    expect(server.inspect().counters.recordsForged).toBe(1);
  });

  it('T091 SEC-04 T095 a forged record of the far future does not move the window', () => {
    const { client, server } = connectedPair();
    const genuine = recordOf(client, 'a');
    const forged = copyBytes(genuine);
    writeU48(forged, 5, 2 ** 40);
    server.handlePacket(forged, 100);
    server.handlePacket(genuine, 100);
    expect(received(server)).toEqual(['a']);
  });

  it('T094 SEC-04 a replay is dropped before it is opened', () => {
    const { client, server } = connectedPair();
    const record = recordOf(client, 'a');
    server.handlePacket(record, 100);
    server.handlePacket(record, 100);
    expect(received(server)).toEqual(['a']);
    expect(server.inspect().counters).toMatchObject({ recordsReplayed: 1, recordsForged: 0 });
  });

  it('T094 late records of the window arrive, older ones do not', () => {
    const { client, server } = connectedPair();
    const records = Array.from({ length: 300 }, (_, i) => recordOf(client, String(i)));
    for (const index of [299, 100, 43]) server.handlePacket(records[index] ?? new Uint8Array(), 100);
    expect(received(server)).toEqual(['299', '100']);
  });

  it.each([
    ['type', 0],
    ['epoch', 4],
    ['sequence', 10],
    ['length', 12],
    ['explicit nonce', 20],
    ['ciphertext', 21],
  ])('T093 a record with a changed %s is dropped', (_, at) => {
    const { client, server } = connectedPair();
    const record = recordOf(client, 'hello');
    record[at]! ^= 3;
    server.handlePacket(record, 100);
    expect(received(server)).toEqual([]);
    expect(server.state).toBe('connected');
    const { counters } = server.inspect();
    const drops = [counters.recordsForged, counters.recordsWrongEpoch, counters.recordsMalformed];
    expect(drops.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
  });

  it('T093 a record longer than any plaintext makes it is dropped unopened, in every epoch', () => {
    const { server } = connectedPair();
    for (const epoch of [0, 1]) {
      const record = new Uint8Array(13 + 17_000);
      writeRecordHeader(record, 0, ContentType.applicationData, epoch, 5, 17_000);
      server.handlePacket(record, 100);
    }
    expect(server.inspect().counters).toMatchObject({ recordsOversized: 2, recordsForged: 0 });
  });

  it('T099 the datagram is neither written to nor kept', () => {
    const { client, server } = connectedPair();
    const record = recordOf(client, 'hello');
    const before = copyBytes(record);
    server.handlePacket(record, 100);
    expect(record).toEqual(before);
    record.fill(0xaa);
    expect(received(server)).toEqual(['hello']);
  });

  it('T099 what comes out is independent of what comes next', () => {
    const { client, server } = connectedPair();
    server.handlePacket(concatBytes(recordOf(client, 'one'), recordOf(client, 'two')), 100);
    const [first, second] = [server.pollData(), server.pollData()];
    first?.fill(0);
    expect(textOf(second ?? new Uint8Array())).toBe('two');
  });

  it('counts what nobody polls beyond the queue', () => {
    const { client, server } = connectedPair({ server: { limits: { receiveQueue: 2 } } });
    for (const text of ['a', 'b', 'c']) server.handlePacket(recordOf(client, text), 100);
    expect(received(server)).toEqual(['a', 'b']);
    expect(server.inspect().counters.dataDropped).toBe(1);
  });
});

describe('plaintext', () => {
  const data = plaintextRecord(ContentType.applicationData, bytesOf('attack'));

  it.each([0, 1, 2, 3, 4])(
    'T090 SEC-10 application data of epoch 0 is never delivered, after %i datagrams',
    (count) => {
      const pair = new Pair().start();
      while (pair.sent.length <= count && pair.step(1000));
      pair.server.handlePacket(data, pair.now);
      pair.client.handlePacket(data, pair.now);
      pair.run();
      expect(pair.connected).toBe(true);
      expect([...pair.received.client, ...pair.received.server]).toEqual([]);
      expect(pair.server.inspect().counters.plaintextIgnored).toBe(1);
    },
  );

  it('SEC-11 T102 no plaintext alert or handshake message ends or resets an established association', () => {
    const pair = connectedPair();
    pair.sendText('client', 'a');
    pair.sendText('server', 'b');
    pair.runTo(pair.now + 100);
    for (const record of [
      plaintextRecord(ContentType.alert, Uint8Array.of(2, 40)),
      plaintextRecord(ContentType.alert, Uint8Array.of(1, 0)),
      plaintextRecord(ContentType.changeCipherSpec, Uint8Array.of(1)),
      ...pair.sent.slice(0, 4).map(({ data: datagram }) => datagram),
    ]) {
      pair.client.handlePacket(record, pair.now);
      pair.server.handlePacket(record, pair.now);
    }
    expect([pair.client.pollTransmit(), pair.server.pollTransmit()]).toEqual([undefined, undefined]);
    expect(pair.connected).toBe(true);
  });

  it('SEC-14 T120 a ChangeCipherSpec at any time changes nothing', () => {
    const pair = new Pair().start();
    const spec = plaintextRecord(ContentType.changeCipherSpec, Uint8Array.of(1));
    do {
      pair.client.handlePacket(spec, pair.now);
      pair.server.handlePacket(spec, pair.now);
    } while (!pair.settled && pair.step(1000));
    expect(pair.connected).toBe(true);
  });

  it('T125 a plaintext Finished is not a Finished', () => {
    const pair = new Pair({
      wire: (sent) => (sent.index === 3 ? [] : [{ data: sent.data, after: 10 }]),
    }).start();
    pair.runTo(35);
    // message_seq 5 follows the five messages of the server's first flight.
    const body = new Uint8Array(24);
    body.set([20, 0, 0, 12, 0, 5, 0, 0, 0, 0, 0, 12]);
    pair.client.handlePacket(plaintextRecord(ContentType.handshake, body), pair.now);
    expect(pair.client.inspect().counters.fragmentsWrongEpoch).toBe(1);
    expect(pair.run().connected).toBe(true);
  });
});

describe('records that come too early', () => {
  it('T057 Finished before ClientKeyExchange is held until the keys are known', () => {
    // Small datagrams: those of flight 5 arrive in reverse.
    const pair = new Pair({
      client: { mtu: 256 },
      wire: ({ from, data, index }) => [{ data, after: from === 'client' && index > 0 ? 60 - index : 10 }],
    });
    pair.start().run();
    expect(pair.connected).toBe(true);
    expect(pair.client.inspect().counters).toMatchObject({ retransmissions: 0, repetitions: 0 });
    expect(pair.now).toBeLessThan(100);
  });

  it('T057 data that overtakes the final flight is delivered after connected', () => {
    const pair = new Pair({ wire: ({ data, index }) => [{ data, after: index === 3 ? 50 : 10 }] }).start();
    pair.runTo(35);
    expect(pair.server.state).toBe('connected');
    pair.sendText('server', 'first');
    pair.runTo(60);
    expect(pair.received.client).toEqual([]);
    pair.run();
    expect(pair.received.client.map(textOf)).toEqual(['first']);
  });

  it('T124 data packed behind Finished is delivered', () => {
    const pair = new Pair({ wire: ({ data, index }) => (index === 3 ? [] : [{ data, after: 10 }]) }).start();
    pair.runTo(35);
    const final = pair.sent[3]?.data ?? new Uint8Array();
    pair.client.handlePacket(concatBytes(final, recordOf(pair.server, 'packed')), pair.now);
    pair.drain();
    expect(pair.client.state).toBe('connected');
    expect(pair.received.client.map(textOf)).toEqual(['packed']);
  });

  it('holds only so many, and lets them go at the end', () => {
    const server = new Dtls({ ...engineOptions('server'), limits: { earlyRecords: 2 } });
    server.start(0);
    const pair = connectedPair();
    for (let i = 0; i < 4; i++) server.handlePacket(recordOf(pair.client, 'x'), 1);
    expect(server.inspect().queued.heldRecords).toBe(2);
    expect(server.inspect().counters.recordsHeldDropped).toBe(2);
    server.close(LOCAL_CLOSE, 2);
    expect(server.inspect().queued).toEqual({ events: 0, alerts: 0, data: 0, heldRecords: 0 });
  });

  it('before start nothing is taken', () => {
    const server = new Dtls(engineOptions('server'));
    server.handlePacket(new Uint8Array(30), 0);
    expect(server.inspect().counters.datagramsIgnored).toBe(1);
    expect(server.nextTimeout()).toBe(Infinity);
  });
});

it('the sequence numbers of both epochs go on across repeated flights', () => {
  const pair = new Pair({
    wire: ({ data, index }) => (index === 3 || index === 5 ? [] : [{ data, after: 10 }]),
  });
  pair.start().run();
  const finals = pair.sent.filter(
    ({ from, data }) => from === 'server' && data[0] === ContentType.changeCipherSpec,
  );
  expect(finals).toHaveLength(3);
  expect(finals.map(({ data }) => readU48(data, 14 + 5))).toEqual([0, 1, 2]);
  expect(new Set(finals.map(({ data }) => data.subarray(14 + 13).join())).size).toBe(3);
  expect(certificates.client.der).toEqual(pair.server.remoteCertificate);
});
