/** Limits, to the byte and the record: what just fits is taken, one more is not. */
import { describe, expect, it } from 'vitest';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { Fragment } from '../../src/dtls/messages/handshake.ts';
import { DEFAULT_LIMITS } from '../../src/dtls/options.ts';
import { ReceivedData } from '../../src/dtls/received-data.ts';
import { Reassembly } from '../../src/dtls/reassembly.ts';
import { decodeAck } from '../../src/dtls/record/ack.ts';
import { Acknowledgements } from '../../src/dtls/record/acknowledgements.ts';
import { initialEpochs } from '../../src/dtls/record/epochs.ts';
import { PlainReadEpoch12 } from '../../src/dtls/record/epoch12.ts';
import { ReadEpoch13 } from '../../src/dtls/record/epoch13.ts';
import { judgeReading, judgeWriting } from '../../src/dtls/record/key-limits.ts';
import { PlaintextWriteEpoch } from '../../src/dtls/record/write-epoch.ts';
import { PeerKeyUpdates } from '../../src/dtls/v13/key-updates.ts';
import { Conversation } from './machines.ts';
import { Pair } from './pair.ts';

it('the defaults', () => {
  expect(DEFAULT_LIMITS).toEqual({
    messageLength: 32_768,
    reassemblyBytes: 65_536,
    messagesAhead: 8,
    earlyRecords: 32,
    earlyBytes: 16_384,
    receiveQueue: 4096,
    recordsPerKey: 2 ** 32,
    recordsPerUpdate: 2 ** 23,
    forgeriesPerKey: 2 ** 36,
    keyUpdatesPerMinute: 32,
  });
});

describe('data that waits for pollData', () => {
  function received(
    limits: Partial<typeof DEFAULT_LIMITS>,
  ): (length: number, isConnected?: boolean) => boolean {
    const data = new ReceivedData({ ...DEFAULT_LIMITS, ...limits });
    return (length, isConnected = false) => data.push(new Uint8Array(length), isConnected);
  }

  it('before connected: so many bytes in all, and what does not fit leaves its room to others', () => {
    const push = received({ earlyBytes: 100 });
    expect([push(60), push(41), push(40), push(1), push(0)]).toEqual([true, false, true, false, true]);
    expect(push(1000, true)).toBe(true);
  });

  it('before connected: so many records', () => {
    const push = received({ earlyRecords: 2 });
    expect([push(1), push(1), push(1), push(1, true)]).toEqual([true, true, false, true]);
  });

  it('once connected: so many records', () => {
    const push = received({ receiveQueue: 2 });
    expect([push(1, true), push(1, true), push(1, true)]).toEqual([true, true, false]);
  });
});

describe('reassembly', () => {
  function piece(messageSeq: number, length: number): Fragment {
    return { type: 11, length, messageSeq, offset: 0, body: new Uint8Array(1) };
  }

  it('a message of messageLength bytes, and messagesAhead of them, are taken', () => {
    const incoming = new Reassembly({ messageLength: 100, reassemblyBytes: 1000, messagesAhead: 2 });
    expect(incoming.accept(piece(0, 100))).toBe('taken');
    expect(incoming.accept(piece(0, 101))).toBe('too-long');
    expect(incoming.accept(piece(2, 100))).toBe('taken');
    expect(incoming.accept(piece(3, 100))).toBe('too-far-ahead');
  });

  it('reassemblyBytes are reserved to the last byte', () => {
    const incoming = new Reassembly({ messageLength: 100, reassemblyBytes: 100, messagesAhead: 8 });
    expect(incoming.accept(piece(0, 60))).toBe('taken');
    expect(incoming.accept(piece(1, 41))).toBe('no-room');
    expect(incoming.accept(piece(1, 40))).toBe('taken');
    expect(incoming.reserved).toBe(100);
    // Of the message that waits already another candidate has the right to its place.
    expect(incoming.accept(piece(1, 30))).toBe('taken');
    expect(incoming.reserved).toBe(90);
  });

  it('two messages may be meant by one number, the third takes the place of the first', () => {
    const incoming = new Reassembly(DEFAULT_LIMITS);
    for (const length of [10, 20, 30]) incoming.accept(piece(0, length));
    expect([incoming.pending, incoming.reserved]).toEqual([2, 50]);
    expect(incoming.contradicts(piece(0, 30))).toBe(true);
    incoming.accept(piece(0, 40));
    expect([incoming.pending, incoming.reserved]).toEqual([2, 70]);
    expect(incoming.progress()).toEqual({ type: 11, received: 1, length: 30 });
  });
});

describe.each(['1.2', '1.3'] as const)('a handshake of DTLS %s', (version) => {
  const versions = { min: version, max: version };
  const talk = new Conversation({ versions }, { versions });
  talk.until();

  it.each(['client', 'server'] as const)('the %s takes a message of messageLength bytes', (role) => {
    const said = talk.side(role === 'client' ? 'server' : 'client').said;
    const longest = Math.max(...said.map(({ body }) => body.length));
    const connects = (messageLength: number): boolean => {
      const limited = { [role]: { versions, limits: { messageLength } } };
      const pair = new Pair({ client: { versions }, server: { versions }, ...limited });
      return pair.start().run().connected;
    };
    expect([connects(longest), connects(longest - 1)]).toEqual([true, false]);
  });
});

describe('acknowledgements owed', () => {
  const MTU = 1200;

  /** The numbers in the ACK, as plaintext: 13 bytes of header come first. */
  function told(owed: Acknowledgements, mtu = MTU, isLast = true): unknown {
    owed.due = true;
    const record = owed.poll(new PlaintextWriteEpoch(), mtu, isLast);
    return record && decodeAck(record.subarray(13));
  }

  it('are the newest 32, each once, sorted by epoch and number', () => {
    const owed = new Acknowledgements();
    for (let sequence = 40; sequence > 0; sequence--) owed.add(3, sequence);
    owed.add(2, 7);
    owed.add(2, 7);
    expect(owed.size).toBe(32);
    const lows = Array.from({ length: 31 }, (_, i) => ({ epoch: 3, sequence: i + 1 }));
    expect(told(owed)).toEqual([{ epoch: 2, sequence: 7 }, ...lows]);
    expect(told(owed)).toBeUndefined();
  });

  it('are as many as the datagram has room for, 16 bytes each', () => {
    const owed = new Acknowledgements();
    for (let sequence = 0; sequence < 5; sequence++) owed.add(3, sequence);
    const last = (count: number): unknown =>
      Array.from({ length: count }, (_, i) => ({ epoch: 3, sequence: 5 - count + i }));
    expect(told(owed, 24 + 2 * 16, false)).toEqual(last(2));
    expect(told(owed, 24 + 3 * 16 - 1, false)).toEqual(last(2));
    expect(told(owed, 24 + 3 * 16, false)).toEqual(last(3));
    expect(told(owed, 24 + 16, false)).toEqual(last(1));
  });

  it('are kept until they are said for the last time, and said when they are due', () => {
    const owed = new Acknowledgements();
    owed.add(2, 1);
    expect(owed.poll(new PlaintextWriteEpoch(), MTU, true)).toBeUndefined();
    expect([told(owed, MTU, false), owed.due, owed.size]).toEqual([[{ epoch: 2, sequence: 1 }], false, 1]);
    expect([told(owed, MTU, true), owed.size]).toEqual([[{ epoch: 2, sequence: 1 }], 0]);
    owed.add(2, 2);
    owed.due = true;
    expect([owed.poll(undefined, MTU, true), owed.due]).toEqual([undefined, true]);
    owed.clear();
    expect([owed.due, owed.size]).toEqual([false, 0]);
  });
});

describe('keys', () => {
  const crypto = jsCrypto();
  const limits = { ...DEFAULT_LIMITS, recordsPerKey: 100, recordsPerUpdate: 10, forgeriesPerKey: 8 };
  const keys = { aead: 'aes-128-gcm', key: new Uint8Array(16), iv: new Uint8Array(12) } as const;
  const traffic = { ...keys, sequenceNumberKey: new Uint8Array(16) };

  function writing(sequence: number, isDtls13: boolean, changes: Partial<typeof limits> = {}): string {
    const write = new PlaintextWriteEpoch();
    write.sequence = sequence;
    return judgeWriting(write, isDtls13, { ...limits, ...changes });
  }

  it('DTLS 1.2: good for recordsPerKey records', () => {
    expect([0, 10, 20, 99, 100].map((sequence) => writing(sequence, false))).toEqual([
      ...['good', 'good', 'good', 'good'],
      'worn',
    ]);
  });

  it('DTLS 1.3: replaced after recordsPerUpdate records, worn after twice as many or recordsPerKey', () => {
    expect([9, 10, 19, 20].map((sequence) => writing(sequence, true))).toEqual([
      ...['good', 'replace', 'replace'],
      'worn',
    ]);
    expect([14, 15].map((sequence) => writing(sequence, true, { recordsPerKey: 15 }))).toEqual([
      'replace',
      'worn',
    ]);
  });

  it('DTLS 1.2: good until forgeriesPerKey forged records', () => {
    const epochs = initialEpochs();
    expect(judgeReading(epochs, limits)).toBe('good');
    epochs.read12 = new PlainReadEpoch12(crypto, 1, keys);
    const verdicts = [0, 4, 7, 8].map((forged) => {
      if (epochs.read12 !== undefined) epochs.read12.forged = forged;
      return judgeReading(epochs, limits);
    });
    expect(verdicts).toEqual(['good', 'good', 'good', 'worn']);
  });

  it('DTLS 1.3: to be replaced from half of them on, unless that has been asked for', () => {
    const newest = new ReadEpoch13(crypto, 4, traffic);
    const epochs = initialEpochs();
    epochs.read13 = [newest, new ReadEpoch13(crypto, 3, traffic)];
    const judged = (forged: number): string => {
      newest.forged = forged;
      return judgeReading(epochs, limits);
    };
    expect([0, 3, 4, 7, 8].map(judged)).toEqual(['good', 'good', 'replace', 'replace', 'worn']);
    newest.successorAsked = true;
    expect([0, 3, 4, 7, 8].map(judged)).toEqual(['good', 'good', 'good', 'good', 'worn']);
  });

  it("the peer's KeyUpdates: so many at once, then one for each share of a minute", () => {
    const updates = new PeerKeyUpdates(3);
    const taken = (now: number): boolean => {
      const may = updates.mayTake(now);
      if (may) updates.take(now);
      return may;
    };
    expect([0, 0, 0, 0].map(taken)).toEqual([true, true, true, false]);
    expect([taken(19_999), taken(20_000), taken(20_000)]).toEqual([false, true, false]);
    // However long nothing comes, no more than three are saved up.
    expect([1e9, 1e9, 1e9, 1e9].map(taken)).toEqual([true, true, true, false]);
  });
});
