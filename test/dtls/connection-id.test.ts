/** Connection ids: RFC 9146 for DTLS 1.2, RFC 9147 §9 for DTLS 1.3. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { Reader, concatBytes, copyBytes, readU16, readU48 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { makeConnectionId, takeConnectionIds } from '../../src/dtls/connection-id.ts';
import { connectionIdAt, offeredConnectionIdIn } from '../../src/dtls/identification.ts';
import type { Dtls, DtlsOptions, DtlsRole, DtlsVersion } from '../../src/dtls/index.ts';
import { MAX_CONNECTION_ID_LENGTH } from '../../src/dtls/index.ts';
import {
  decodeConnectionId,
  decodeNewConnectionId,
  decodeRequestConnectionId,
  encodeConnectionId,
  encodeNewConnectionId,
} from '../../src/dtls/messages/connection-id.ts';
import { decodeClientHello, decodeServerHello, encodeClientHello } from '../../src/dtls/messages/hello.ts';
import { initialEpochs } from '../../src/dtls/record/epochs.ts';
import { ReadEpoch12WithId, WriteEpoch12WithId } from '../../src/dtls/record/epoch12-with-id.ts';
import { ReadEpoch13, WriteEpoch13 } from '../../src/dtls/record/epoch13.ts';
import { dtlsSummary, blankApplicationData } from '../../src/dtls/summary.ts';
import { ROLES, VERSIONS, fragmentOf, other, plaintextRecord } from './hostile.ts';
import { betrayed } from './insider.ts';
import type { PairOptions } from './pair.ts';
import { PERFECT, Pair, bytesOf, connectedPair, sealed, textOf } from './pair.ts';

const crypto = nodeCrypto();
const CONNECTION_ID = 54;

const ids: Record<DtlsRole, Bytes> = {
  client: Uint8Array.of(0xc0, 1, 2, 3, 4, 5, 6, 7),
  server: Uint8Array.of(0x5e, 9, 8),
};

const wanting = (id: Uint8Array): Partial<DtlsOptions> => ({
  connectionId: { length: id.length, prefix: id },
});

function pairWithIds(
  version: DtlsVersion,
  client: Partial<DtlsOptions> = wanting(ids.client),
  server: Partial<DtlsOptions> = wanting(ids.server),
  more: PairOptions = {},
): Pair {
  const versions = { min: version, max: version };
  return connectedPair({
    ...more,
    client: { crypto, versions, ...client },
    server: { crypto, versions, ...server },
  });
}

/** What a protected datagram of the pair begins with, up to the end of the id. */
function headOf(version: DtlsVersion, id: Uint8Array): RegExp {
  const hex = Buffer.from(id).toString('hex');
  return version === '1.2' ? new RegExp(`^19fefd0001[0-9a-f]{12}${hex}`) : new RegExp(`^3[cdef]${hex}`);
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe.each(VERSIONS)('DTLS %s', (version) => {
  it('each end puts the id that the other one has asked for into its protected records', () => {
    const pair = pairWithIds(version);
    expect(pair.client.connectionIds).toEqual({ local: ids.client, remote: ids.server });
    expect(pair.server.connectionIds).toEqual({ local: ids.server, remote: ids.client });
    expect(pair.client.inspect().connectionIds).toEqual({ local: 8, remote: 3 });
    for (const role of ROLES) {
      const record = sealed(pair.engine(role), `from the ${role}`) ?? new Uint8Array();
      expect(hexOf(record)).toMatch(headOf(version, ids[other(role)]));
      expect(record.length).toBe(`from the ${role}`.length + pair.engine(role).overhead);
      pair.engine(other(role)).handlePacket(record, pair.now);
      expect(textOf(pair.engine(other(role)).pollData() ?? new Uint8Array())).toBe(`from the ${role}`);
    }
    // Of the handshake only what is protected has one.
    const protectedFirst = pair.sent.filter(({ data }) => data[0] === 25 || data[0]! >= 0x30);
    for (const { from, data } of protectedFirst)
      expect(hexOf(data)).toMatch(headOf(version, ids[other(from)]));
  });

  it.each([
    ['the client alone wants one', wanting(ids.client), wanting(new Uint8Array())],
    ['the server alone wants one', wanting(new Uint8Array()), wanting(ids.server)],
  ] as const)('one direction without: %s', (_what, client, server) => {
    const pair = pairWithIds(version, client, server);
    for (const role of ROLES) {
      const wanted = pair.engine(other(role)).connectionIds?.local ?? new Uint8Array();
      const record = sealed(pair.engine(role), 'x') ?? new Uint8Array();
      if (wanted.length > 0) expect(hexOf(record)).toMatch(headOf(version, wanted));
      else expect(record[0]).toSatisfy((first: number) => first === 23 || (first & 0xf0) === 0x20);
      pair.engine(other(role)).handlePacket(record, pair.now);
      expect(pair.engine(other(role)).pollData()).toHaveLength(1);
    }
  });

  it.each([
    ['nobody speaks of them', {}, {}, false],
    ['the server does not', wanting(ids.client), {}, true],
    ['the client does not', {}, wanting(ids.server), false],
  ] as const)('nothing is agreed on where %s', (_what, client, server, isOffered) => {
    const pair = pairWithIds(version, client, server);
    expect([pair.client.connectionIds, pair.server.connectionIds]).toEqual([undefined, undefined]);
    const offer = decodeClientHello(pair.sent[0]!.data.subarray(25));
    if (isFailure(offer)) throw new Error(offer.reason);
    expect(offer.extensions.some(({ type }) => type === CONNECTION_ID)).toBe(isOffered);
    const answered = pair.sent.find(({ from }) => from === 'server');
    if (answered === undefined) throw new Error('no answer');
    const length = (answered.data[14]! << 16) | readU16(answered.data, 15);
    const answer = decodeServerHello(answered.data.subarray(25, 25 + length));
    if (isFailure(answer)) throw new Error(answer.reason);
    expect(answer.extensions.some(({ type }) => type === CONNECTION_ID)).toBe(false);
    pair.sendText('client', 'as ever');
    pair.runTo(pair.now + 20);
    expect(pair.received.server.map(textOf)).toEqual(['as ever']);
  });

  it('without the option a hello, and every record, is what it was', () => {
    const plain = connectedPair({ client: { crypto }, server: { crypto } });
    const other = connectedPair({ client: { crypto }, server: { crypto, ...wanting(ids.server) } });
    expect(other.sent[0]!.data).toEqual(plain.sent[0]!.data);
  });

  it('an id that is not ours is counted and costs the rest of its datagram alone', () => {
    const pair = pairWithIds(version);
    const [first, second] = [recordOf(pair.client, 'one'), recordOf(pair.client, 'two')];
    const forged = copyBytes(first);
    forged[version === '1.2' ? 11 : 1]! ^= 1;
    pair.server.handlePacket(concatBytes(second, forged, first), pair.now);
    expect(textFrom(pair.server)).toBe('two');
    expect(pair.server.pollData()).toBeUndefined();
    expect(pair.server.inspect().counters).toMatchObject({ recordsUnknownConnectionId: 1, recordsForged: 0 });
    pair.server.handlePacket(first, pair.now);
    expect(textFrom(pair.server)).toBe('one');
  });

  it('replays are refused as ever', () => {
    const pair = pairWithIds(version);
    const record = recordOf(pair.client, 'once');
    pair.server.handlePacket(concatBytes(record, record), pair.now);
    expect(pair.server.pollData()).toHaveLength(4);
    expect(pair.server.pollData()).toBeUndefined();
    expect(pair.server.inspect().counters.recordsReplayed).toBe(1);
  });

  it('every datagram of the handshake may be lost, or all of them come in pairs and in reverse', () => {
    const count = pairWithIds(version).sent.length;
    for (let lost = 0; lost < count; lost++) {
      const wire: PairOptions = { wire: (sent) => (sent.index === lost ? [] : PERFECT(sent)) };
      expect(pairWithIds(version, undefined, undefined, wire).connected).toBe(true);
    }
    const shaken: PairOptions = {
      wire: ({ data, index }) => [
        { data, after: 30 - (index % 4) * 7 },
        { data, after: 40 },
      ],
    };
    expect(pairWithIds(version, undefined, undefined, shaken).connected).toBe(true);
  });

  it('protected records that overtake the ServerHello are kept for it', () => {
    const pair = new Pair({
      client: { crypto, versions: { min: version, max: version }, ...wanting(ids.client) },
      server: { crypto, versions: { min: version, max: version }, ...wanting(ids.server), mtu: 300 },
      wire: ({ data, from, index }) => [{ data, after: from === 'server' && index === 1 ? 25 : 10 }],
    });
    pair.start().run();
    expect(pair.connected).toBe(true);
    expect(pair.client.inspect().counters.retransmissions).toBe(0);
  });

  it('an id longer than we would put into every record is not agreed on by a server, and ends a client', () => {
    const long = Uint8Array.from({ length: MAX_CONNECTION_ID_LENGTH + 1 }, (_, i) => i);
    const options = { crypto, versions: { min: version, max: version } };
    const asking = new Pair({
      client: { ...options, ...wanting(ids.client) },
      server: { ...options, ...wanting(ids.server) },
    });
    asking.wire = (sent) => [
      { data: sent.index === 0 ? withConnectionId(sent.data, long) : sent.data, after: 10 },
    ];
    asking.start().runTo(100);
    expect(asking.server.inspect().connectionIds).toBeNull();
    const answer = [{ type: CONNECTION_ID, data: encodeConnectionId(long) }];
    const client = { connectionId: ids.client, connectionIds: undefined, epochs: initialEpochs() };
    expect(takeConnectionIds(client, answer)).toMatchObject({ code: 'illegal-parameter' });
    expect(client.connectionIds).toBeUndefined();
    expect(() => new Pair({ client: { connectionId: { length: MAX_CONNECTION_ID_LENGTH + 1 } } })).toThrow(
      /connectionId\.length/,
    );
  });

  it.each([
    ['cut short', Uint8Array.of(9, 1, 2)],
    ['with something behind it', Uint8Array.of(1, 2, 3)],
    ['empty', new Uint8Array()],
  ])('an extension that is %s ends the handshake', (_what, data) => {
    const options = { crypto, versions: { min: version, max: version } };
    const pair = new Pair({
      client: { ...options, ...wanting(ids.client) },
      server: { ...options, ...wanting(ids.server) },
    });
    pair.wire = (sent) => [
      { data: sent.index === 0 ? withExtension(sent.data, data) : sent.data, after: 10 },
    ];
    pair.start().runTo(100);
    expect(pair.codes('server')).toEqual(['closed malformed-message']);
  });

  it('traces say what can be said of such a record, and blank it', () => {
    const pair = pairWithIds(version);
    const record = recordOf(pair.client, 'secret');
    expect(dtlsSummary(record)).toBe(`DTLS protected record with a connection id, ${record.length} bytes`);
    expect(blankApplicationData(record)).toEqual(new Uint8Array(record.length));
  });
});

describe('an answer that was not asked for', () => {
  it('ends the client', () => {
    const pair = new Pair({ client: { crypto }, server: { crypto, ...wanting(ids.server) } });
    // The server sees an offer that the client has not made.
    pair.wire = (sent) => [
      {
        data: sent.index === 0 ? withExtension(sent.data, encodeConnectionId(ids.client)) : sent.data,
        after: 10,
      },
    ];
    pair.start().runTo(100);
    expect(pair.codes('client')).toEqual(['closed extension-unsolicited']);
  });
});

describe('a second ClientHello', () => {
  it('must say of connection ids what the first one said', () => {
    const options = { crypto, versions: { min: '1.3', max: '1.3' }, requireCookie: true } as const;
    const run = (change: boolean): Pair => {
      const pair = new Pair({
        client: { ...options, ...wanting(ids.client) },
        server: { ...options, ...wanting(ids.server) },
      });
      pair.wire = (sent) => {
        const isSecond = sent.from === 'client' && sent.index > 0 && sent.data[13] === 1;
        return [
          { data: change && isSecond ? withConnectionId(sent.data, ids.server) : sent.data, after: 10 },
        ];
      };
      return pair.start().runTo(200);
    };
    expect(run(false).connected).toBe(true);
    expect(run(true).codes('server')).toEqual(['closed illegal-parameter']);
  });
});

describe('records of DTLS 1.2 with an id', () => {
  const keys = {
    aead: 'aes-128-gcm',
    key: new Uint8Array(16).fill(7),
    iv: new Uint8Array(12).fill(3, 0, 4),
  } as const;
  const id = ids.client;

  function sealedWith(type: 22 | 23, body: Uint8Array, sequence = 5): Bytes {
    const write = new WriteEpoch12WithId(crypto, 1, keys, id);
    write.sequence = sequence;
    const buffer = new Uint8Array(write.headroom + body.length + write.tailroom);
    buffer.set(body, write.headroom);
    return copyBytes(buffer, 0, write.seal(type, buffer, write.headroom, body.length));
  }

  /** §5.3, written down a second time, with another AEAD. */
  function additionalData(record: Uint8Array, innerLength: number): Uint8Array {
    const placeholder = new Uint8Array(8).fill(0xff);
    const head = record.subarray(0, 11 + id.length);
    return concatBytes(
      placeholder,
      Uint8Array.of(25, id.length),
      head,
      Uint8Array.of(innerLength >> 8, innerLength & 255),
    );
  }

  function nonceOf(record: Uint8Array): Uint8Array {
    return concatBytes(keys.iv.subarray(0, 4), record.subarray(13 + id.length, 21 + id.length));
  }

  it('are what RFC 9146 §4 and §5.3 say, by another implementation of the AEAD', () => {
    const record = sealedWith(22, bytesOf('content'));
    expect(hexOf(record.subarray(0, 13 + id.length))).toBe(`19fefd0001000000000005${hexOf(id)}0020`);
    expect(hexOf(record.subarray(13 + id.length, 21 + id.length))).toBe('0001000000000005');
    const decipher = createDecipheriv('aes-128-gcm', keys.key, nonceOf(record));
    decipher.setAAD(additionalData(record, 8));
    decipher.setAuthTag(record.subarray(-16));
    const inner = concatBytes(decipher.update(record.subarray(21 + id.length, -16)), decipher.final());
    expect(textOf(inner)).toBe('content\x16');
  });

  it('open whatever their padding is, and one of zeros alone has no type', () => {
    for (const [inner, type, text] of [
      ['data\x17', 23, 'data'],
      ['data\x17\0\0\0\0', 23, 'data'],
      ['\x16', 22, ''],
      ['\0\0\0', 0, ''],
    ] as const) {
      const plaintext = bytesOf(inner);
      const head = concatBytes(
        Uint8Array.of(25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9),
        id,
        Uint8Array.of(0, 24 + plaintext.length),
        Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 9),
      );
      const cipher = createCipheriv('aes-128-gcm', keys.key, nonceOf(head));
      cipher.setAAD(additionalData(head, plaintext.length));
      const record = concatBytes(head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
      const read = new ReadEpoch12WithId(crypto, 1, keys, id);
      const length = read.open(record, 0, record.length - 13 - id.length);
      expect([length, read.type]).toEqual([text.length, type]);
      expect(textOf(record.subarray(read.headroom, read.headroom + length))).toBe(text);
    }
  });

  it('are authenticated to the last bit, the id too', () => {
    const record = sealedWith(23, bytesOf('x'));
    for (let at = 0; at < record.length; at++) {
      // The length is the reader's to judge.
      if (at === 11 + id.length || at === 12 + id.length) continue;
      const forged = copyBytes(record);
      forged[at]! ^= 1;
      const read = new ReadEpoch12WithId(crypto, 1, keys, id);
      expect([at, read.open(forged, 0, forged.length - 13 - id.length)]).toEqual([at, -1]);
    }
    expect(
      new ReadEpoch12WithId(crypto, 1, keys, id).open(copyBytes(record), 0, record.length - 13 - id.length),
    ).toBe(1);
    expect(new ReadEpoch12WithId(crypto, 1, keys, id).open(copyBytes(record), 0, 24)).toBe(-1);
  });

  it('are the only protected ones that count where an id was agreed on', () => {
    const pair = pairWithIds('1.2');
    const record = concatBytes(
      Uint8Array.of(23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 99, 0, 40),
      new Uint8Array(40),
    );
    pair.server.handlePacket(record, pair.now);
    expect(pair.server.inspect().counters).toMatchObject({ recordsWithoutConnectionId: 1, recordsForged: 0 });
    // RFC 9146 §3: plaintext never has the format.
    const plaintext = copyBytes(recordOf(pair.client, 'x'));
    plaintext[4] = 0;
    pair.server.handlePacket(plaintext, pair.now);
    expect(pair.server.inspect().counters.recordsUnknownType).toBe(1);
  });

  it.each([
    ['zeros alone', '\0\0', /unexpected_message/],
    ['an inner type nobody knows', 'x\x19', /unexpected_message/],
    ['more than a record may hold', 'x'.repeat(16_385) + '\x17', /record_overflow/],
    ['more than that with its padding', 'x\x17' + '\0'.repeat(16_384), /record_overflow/],
  ])('end the association when they hold %s', (_what, inner, alert) => {
    const betrayal = betrayed('server', '1.2', wanting(ids.client));
    const { pair, insider } = betrayal;
    const body = bytesOf(inner);
    pair.server.handlePacket(
      insider.withId(ids.client, body.subarray(0, -1), body[body.length - 1]!, 50),
      pair.now,
    );
    pair.drain();
    pair.runTo(pair.now + 50);
    expect(pair.server.state).toBe('failed');
    expect(pair.events.client.at(-1)).toMatchObject({ failure: { message: expect.stringMatching(alert) } });
  });
});

describe('records of DTLS 1.3 with an id', () => {
  const secrets = {
    aead: 'aes-128-gcm',
    key: new Uint8Array(16).fill(1),
    iv: new Uint8Array(12).fill(2),
  } as const;
  const keys = { ...secrets, sequenceNumberKey: new Uint8Array(16).fill(3) };

  function opened(record: Bytes, idLength: number): { length: number; type: number; sequence: number } {
    const read = new ReadEpoch13(crypto, 3, keys, idLength);
    const sequence = read.sequenceOf(record, 0);
    const header =
      1 +
      ((record[0]! & 0x10) === 0 ? 0 : idLength) +
      ((record[0]! & 8) === 0 ? 1 : 2) +
      ((record[0]! & 4) === 0 ? 0 : 2);
    return { length: read.open(record, 0, record.length - header, sequence), type: read.type, sequence };
  }

  it('are as RFC 9147 §4 draws them: the header with the id is the additional data', () => {
    const write = new WriteEpoch13(crypto, 3, keys);
    write.useConnectionId(ids.client);
    write.sequence = 77;
    const buffer = new Uint8Array(write.headroom + 2 + write.tailroom);
    buffer.set(bytesOf('ab'), write.headroom);
    const record = copyBytes(buffer, 0, write.seal(23, buffer, write.headroom, 2));
    expect(record[0]).toBe(0x3f);
    expect(record.subarray(1, 9)).toEqual(ids.client);
    expect(readU16(record, 11)).toBe(2 + 1 + 16);
    const nonce = copyBytes(keys.iv);
    nonce[11]! ^= 77;
    const decipher = createDecipheriv('aes-128-gcm', keys.key, nonce);
    decipher.setAAD(concatBytes(record.subarray(0, 9), Uint8Array.of(0, 77), record.subarray(11, 13)));
    decipher.setAuthTag(record.subarray(-16));
    const inner = concatBytes(decipher.update(record.subarray(13, -16)), decipher.final());
    expect(textOf(inner)).toBe('ab\x17');
    expect(opened(record, 8)).toEqual({ length: 2, type: 23, sequence: 77 });
  });

  it('open with a short number and without a length, among others in one datagram', () => {
    const pair = pairWithIds('1.3');
    const [a, b] = [recordOf(pair.client, 'a'), recordOf(pair.client, 'b')];
    expect(a[0]! & 0x1c).toBe(0x1c);
    // Plaintext of whatever kind stands between the two.
    pair.server.handlePacket(
      concatBytes(a, plaintextRecord(22, fragmentOf(1, 0, new Uint8Array(8)), 9), b),
      pair.now,
    );
    expect([textFrom(pair.server), textFrom(pair.server)]).toEqual(['a', 'b']);
    for (const [first, tail] of [
      [0x37, Uint8Array.of(5)],
      [0x33, new Uint8Array()],
      [0x3b, new Uint8Array()],
    ] as const) {
      const short = (first & 8) === 0;
      const inner = bytesOf('s\x17');
      const header = concatBytes(
        Uint8Array.of(first),
        ids.client,
        short ? Uint8Array.of(5) : Uint8Array.of(0, 5),
        tail.length === 0 ? tail : Uint8Array.of(0, 18),
      );
      const nonce = copyBytes(keys.iv);
      nonce[11]! ^= 5;
      const cipher = createCipheriv('aes-128-gcm', keys.key, nonce);
      cipher.setAAD(header);
      const record = concatBytes(header, cipher.update(inner), cipher.final(), cipher.getAuthTag());
      const mask = new Uint8Array(16);
      crypto.mask('aes-128-gcm', keys.sequenceNumberKey).compute(record, header.length, mask);
      for (let i = 0; i < (short ? 1 : 2); i++) record[9 + i]! ^= mask[i]!;
      expect(opened(copyBytes(record), 8)).toEqual({ length: 1, type: 23, sequence: 5 });
    }
  });
});

describe('NewConnectionId and RequestConnectionId', () => {
  it('are coded as RFC 9147 §9 says', () => {
    const offer = { ids: [ids.client, ids.server, new Uint8Array()], usage: 0 };
    const body = encodeNewConnectionId(offer);
    expect(hexOf(body)).toBe('000e' + '08c001020304050607' + '035e0908' + '00' + '00');
    expect(decodeNewConnectionId(body)).toEqual(offer);
    for (let cut = 0; cut < body.length; cut++) {
      expect(isFailure(decodeNewConnectionId(body.subarray(0, cut)))).toBe(true);
    }
    expect(decodeNewConnectionId(concatBytes(body, Uint8Array.of(0)))).toMatchObject({ failed: true });
    expect(decodeNewConnectionId(Uint8Array.of(0, 2, 5, 1, 0))).toMatchObject({ failed: true });
    expect(decodeRequestConnectionId(Uint8Array.of(7))).toBe(7);
    expect(decodeRequestConnectionId(new Uint8Array())).toMatchObject({ failed: true });
    expect(decodeRequestConnectionId(Uint8Array.of(1, 2))).toMatchObject({ failed: true });
    expect(decodeConnectionId(encodeConnectionId(ids.server))).toEqual(ids.server);
  });

  const fresh = Uint8Array.from({ length: 12 }, (_, i) => 0xa0 + i);
  const NEW = 10;
  const REQUEST = 9;

  it.each(ROLES)('an immediate one is used from the next record on: the %s', (victim) => {
    const { pair, insider } = betrayed(victim, '1.3', wanting(ids.client));
    const before = pair.engine(victim).overhead;
    const body = encodeNewConnectionId({ ids: [new Uint8Array(21), fresh, ids.server], usage: 0 });
    pair.engine(victim).handlePacket(insider.messages([[NEW, nextSeq(pair, victim), body]], 60), pair.now);
    expect(pair.engine(victim).state).toBe('connected');
    expect(pair.engine(victim).connectionIds?.remote).toEqual(fresh);
    const record = recordOf(pair.engine(victim), 'x');
    expect(hexOf(record)).toMatch(headOf('1.3', fresh));
    expect(pair.engine(victim).overhead).toBe(before + 4);
    expect(record.length).toBe(1 + pair.engine(victim).overhead);
    // Its ACK has it, too, and so have new keys.
    const ack = pair.engine(victim).pollTransmit() ?? new Uint8Array();
    expect(hexOf(ack)).toMatch(headOf('1.3', fresh));
    pair.engine(victim).updateKeys(pair.now);
    expect(hexOf(pair.engine(victim).pollTransmit() ?? new Uint8Array())).toMatch(headOf('1.3', fresh));
  });

  it.each(ROLES)(
    'spare ones are not kept, a request is answered by none, once at a time: the %s',
    (victim) => {
      const { pair, insider } = betrayed(victim, '1.3', wanting(ids.client));
      const engine = pair.engine(victim);
      const spare = encodeNewConnectionId({ ids: [fresh], usage: 1 });
      const first = nextSeq(pair, victim);
      engine.handlePacket(insider.messages([[NEW, first, spare]], 60), pair.now);
      expect(engine.connectionIds?.remote).toEqual(ids.client);
      for (let i = 0; i < 50; i++) {
        engine.handlePacket(
          insider.messages([[REQUEST, first + 1 + i, Uint8Array.of(255)]], 61 + i),
          pair.now,
        );
      }
      expect(engine.state).toBe('connected');
      expect(engine.inspect().handshake.flight).toMatchObject({ number: 7, messages: 1 });
      let datagrams = 0;
      for (let data = engine.pollTransmit(); data !== undefined; data = engine.pollTransmit()) datagrams++;
      expect(datagrams).toBeLessThanOrEqual(2);
    },
  );

  it.each([
    [
      'a NewConnectionId to an end that sends none',
      NEW,
      encodeNewConnectionId({ ids: [fresh], usage: 0 }),
      {},
      /unexpected_message/,
    ],
    ['a RequestConnectionId to an end that has none', REQUEST, Uint8Array.of(1), {}, /unexpected_message/],
    [
      'no id that can be used',
      NEW,
      encodeNewConnectionId({ ids: [new Uint8Array(30), new Uint8Array()], usage: 0 }),
      wanting(ids.client),
      /illegal_parameter/,
    ],
    [
      'a usage nobody knows',
      NEW,
      encodeNewConnectionId({ ids: [fresh], usage: 2 }),
      wanting(ids.client),
      /illegal_parameter/,
    ],
    ['what does not decode', NEW, Uint8Array.of(0, 9, 0), wanting(ids.client), /decode_error/],
    ['a request that does not', REQUEST, Uint8Array.of(1, 1), wanting(ids.client), /decode_error/],
  ])('end the association: %s', (_what, type, body, options, alert) => {
    const { pair, insider } = betrayed('server', '1.3', options);
    pair.server.handlePacket(insider.messages([[type, nextSeq(pair, 'server'), body]], 60), pair.now);
    pair.drain();
    pair.runTo(pair.now + 50);
    expect(pair.server.state).toBe('failed');
    expect(pair.events.client.at(-1)).toMatchObject({ failure: { message: expect.stringMatching(alert) } });
  });
});

describe('fuzz', () => {
  const pairs = VERSIONS.map((version) => pairWithIds(version));

  it('mutated records with ids never throw, never end an association, and are never delivered', () => {
    const mutation = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(fc.nat(1), fc.boolean(), mutation, fc.nat(300), (index, isClient, changes, cut) => {
        const pair = pairs[index]!;
        const [from, to] = isClient ? (['client', 'server'] as const) : (['server', 'client'] as const);
        const record = recordOf(pair.engine(from), 'y'.repeat(cut % 40));
        const copy = copyBytes(record);
        for (const [at, value] of changes) copy[at % copy.length]! ^= value;
        const datagram = copy.subarray(0, Math.max(1, copy.length - (cut % 7)));
        const isSame = Buffer.compare(datagram, record) === 0;
        pair.engine(to).handlePacket(datagram, pair.now);
        expect(pair.connected).toBe(true);
        if (!isSame) expect(pair.engine(to).pollData()).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});

describe('an id', () => {
  it('begins with its prefix, and goes on with random bytes', () => {
    const prefix = bytesOf('abcd');
    const random = new SeededRandom(1);
    expect(makeConnectionId({ length: 3, prefix }, random)).toEqual(bytesOf('abc'));
    expect(makeConnectionId({ length: 4, prefix }, random)).toEqual(bytesOf('abcd'));
    const long = makeConnectionId({ length: 12, prefix }, random);
    expect(long.subarray(0, 4)).toEqual(prefix);
    expect(long.subarray(4)).not.toEqual(makeConnectionId({ length: 12, prefix }, random).subarray(4));
    expect(makeConnectionId({ length: 0 }, random)).toEqual(new Uint8Array());
  });
});

/** A record of application data. */
function recordOf(engine: Dtls, text: string): Bytes {
  const record = sealed(engine, text);
  if (record === undefined) throw new Error('not connected');
  return record;
}

function textFrom(engine: Dtls): string {
  return textOf(engine.pollData() ?? new Uint8Array());
}

/** The number of the peer's next message. */
function nextSeq(pair: Pair, victim: DtlsRole): number {
  // In DTLS 1.3 a client has said ClientHello and three more, a server ServerHello and five more.
  expect(pair.connected).toBe(true);
  return victim === 'server' ? 4 : 6;
}

/** A datagram of one whole ClientHello with other data in, or with, its connection_id. */
function withExtension(datagram: Uint8Array, data: Uint8Array): Bytes {
  const hello = decodeClientHello(new Reader(datagram, 25).view(datagram.length - 25));
  if (isFailure(hello)) throw new Error(hello.reason);
  const others = hello.extensions.filter(({ type }) => type !== CONNECTION_ID);
  const body = encodeClientHello({ ...hello, extensions: [...others, { type: CONNECTION_ID, data }] });
  const messageSeq = readU16(datagram, 17);
  return plaintextRecord(22, fragmentOf(1, messageSeq, body), readU48(datagram, 5));
}

function withConnectionId(datagram: Uint8Array, id: Uint8Array): Bytes {
  return withExtension(datagram, encodeConnectionId(id));
}

describe('what a datagram says of whose it is', () => {
  const hellosOf = (version: DtlsVersion): Bytes[] =>
    pairWithIds(version)
      .sent.slice(0, 2)
      .map(({ data }) => data);

  it.each(VERSIONS)('hellos offer ids, protected records have them: DTLS %s', (version) => {
    const [hello, answer] = hellosOf(version);
    expect(offeredConnectionIdIn(hello ?? new Uint8Array())).toEqual(ids.client);
    expect(offeredConnectionIdIn(answer ?? new Uint8Array())).toEqual(ids.server);
    const pair = pairWithIds(version);
    const record = recordOf(pair.client, 'x');
    const at = connectionIdAt(record);
    expect(record.subarray(at, at + 3)).toEqual(ids.server);
    expect(offeredConnectionIdIn(record)).toBeUndefined();
    // Plaintext before it, as in a flight, is passed over; what is protected without an id ends the search.
    const behind = concatBytes(
      plaintextRecord(22, new Uint8Array(5)),
      plaintextRecord(20, Uint8Array.of(1)),
      record,
    );
    expect(connectionIdAt(behind)).toBe(18 + 14 + at);
    expect(connectionIdAt(concatBytes(Uint8Array.of(0x2f, 0, 0, 0, 0), record))).toBe(-1);
    const protectedRecord = plaintextRecord(23, new Uint8Array(3));
    protectedRecord[4] = 1;
    expect(connectionIdAt(concatBytes(protectedRecord, record))).toBe(-1);
    const many = Array.from({ length: 8 }, () => plaintextRecord(20, Uint8Array.of(1)));
    expect(connectionIdAt(concatBytes(...many.slice(1), record))).toBe(7 * 14 + at);
    expect(connectionIdAt(concatBytes(...many, record))).toBe(-1);
  });

  it('a hello that is cut off anywhere before its end of the id offers none, and nothing throws', () => {
    const [hello = new Uint8Array()] = hellosOf('1.3');
    for (let length = 0; length < hello.length; length++) {
      const offered = offeredConnectionIdIn(hello.subarray(0, length));
      if (offered !== undefined) expect(offered).toEqual(ids.client);
    }
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.nat(hello.length),
        fc.boolean(),
        (noise, at, isLike) => {
          const datagram = isLike ? concatBytes(hello.subarray(0, at), noise) : noise;
          expect(connectionIdAt(datagram)).toBeGreaterThanOrEqual(-1);
          expect(offeredConnectionIdIn(datagram)?.length ?? 0).toBeLessThan(256);
        },
      ),
      { numRuns: 2000 },
    );
    const fragment = copyBytes(hello);
    fragment[13 + 8] = 1; // not the first
    expect(offeredConnectionIdIn(fragment)).toBeUndefined();
    const other = copyBytes(hello);
    other[13] = 11;
    expect(offeredConnectionIdIn(other)).toBeUndefined();
    const later = copyBytes(hello);
    later[4] = 1;
    expect(offeredConnectionIdIn(later)).toBeUndefined();
  });
});
