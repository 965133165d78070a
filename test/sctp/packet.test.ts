import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { fromHex, toHex } from '../../src/core/text.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import {
  decodeCauses,
  decodeMissingParameters,
  encodeAbort,
  encodeMissingParameters,
} from '../../src/sctp/packet/causes.ts';
import { decodeForwardTsn, encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { checkPacket, verificationTagOf } from '../../src/sctp/packet/packet.ts';
import { decodeParameters, unknownRule } from '../../src/sctp/packet/parameters.ts';
import { decodeReconfig, encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { decodeSack } from '../../src/sctp/packet/sack.ts';
import { encodeChunk, encodeHeartbeat, heartbeatInfo } from '../../src/sctp/packet/simple.ts';
import recorded from '../fixtures/sctp-packets.json' with { type: 'json' };
import { chunksOf, dataChunk, kinds, packetOf, rechecksummed, reencode, sackChunk } from './wire.ts';

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);

describe('recorded packets', () => {
  const cases = recorded.packets.map(
    (packet, i) => [`${i} ${packet.from} ${packet.chunks.join('+')}`, packet] as const,
  );

  test.each(cases)('%s: passes the check and encodes to the same bytes', (_, { hex, from, chunks }) => {
    const packet = fromHex(hex) ?? new Uint8Array(0);
    expect(checkPacket(packet)).toBeUndefined();
    expect(chunksOf(packet)).toHaveLength(chunks.length);
    const again = packetOf(verificationTagOf(packet), ...chunksOf(packet).map(reencode));
    // werift puts the cookie behind the other parameters: the same content in another order.
    if (from.startsWith('werift') && chunks[0] === 'INIT ACK') {
      expect(decodeInit(chunksOf(again)[0]?.body ?? packet)).toEqual(
        decodeInit(chunksOf(packet)[0]?.body ?? again),
      );
    } else {
      expect(toHex(again)).toBe(hex);
    }
  });

  test('what browsers announce is read: FORWARD TSN and RE-CONFIG', () => {
    const inits = recorded.packets.filter(({ chunks }) => chunks[0] === 'INIT');
    expect(inits.length).toBeGreaterThan(1);
    for (const { hex } of inits) {
      const init = decodeInit(chunksOf(fromHex(hex) ?? new Uint8Array(0))[0]?.body ?? new Uint8Array(0));
      expect(init).toMatchObject({ forwardTsn: true, unrecognized: [] });
      expect(isFailure(init) ? [] : init.extensions).toEqual(expect.arrayContaining([130, 192]));
    }
  });
});

describe('the frame', () => {
  const good = packetOf(7, sackChunk({ cumulativeTsn: 1 }), dataChunk({ tsn: 2 }));

  test('two chunks', () => {
    expect(checkPacket(good)).toBeUndefined();
    expect(kinds(good)).toBe('sack+data');
  });

  test('any flipped bit fails the checksum', () => {
    for (let at = 0; at < good.length; at++) {
      const broken = good.slice();
      broken[at]! ^= 1 << (at & 7);
      expect(checkPacket(broken)).toMatchObject({ reason: 'bad-checksum' });
    }
  });

  test.each([
    ['length 0, which would never end', 0],
    ['length 3', 3],
    ['a length past the end', 200],
  ])('a chunk of %s is refused', (_, length) => {
    const broken = good.slice();
    broken[15] = length;
    expect(checkPacket(rechecksummed(broken))).toMatchObject({ reason: 'malformed-chunk' });
  });

  test('less than a header and a chunk is too short', () => {
    expect(checkPacket(good.slice(0, 15))).toMatchObject({ reason: 'packet-too-short' });
  });

  test('a last chunk without its padding is taken', () => {
    const unpadded = packetOf(7, dataChunk({ tsn: 2, payload: Uint8Array.of(1) }));
    const cut = rechecksummed(unpadded.slice(0, unpadded.length - 3));
    expect(checkPacket(cut)).toBeUndefined();
    expect(kinds(cut)).toBe('data');
  });

  test('random and mutated bytes: an answer, never an exception', () => {
    const mutation = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 6 }), fc.nat(good.length), (mutations, length) => {
        const bytes = good.slice(0, length);
        for (const { at, to } of mutations) if (at < length) bytes[at] = to;
        const packet = rechecksummed(bytes);
        if (checkPacket(packet) === undefined) expect(chunksOf(packet).length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('chunks', () => {
  test('INIT and INIT ACK round-trip', () => {
    const parameter = fc.uint8Array({ minLength: 0, maxLength: 9 });
    const init = fc.record({
      tag: u32,
      window: u32,
      outboundStreams: u16,
      inboundStreams: u16,
      initialTsn: u32,
      forwardTsn: fc.boolean(),
      zeroChecksum: fc.boolean(),
      extensions: fc.array(fc.nat(255), { maxLength: 5 }),
      cookie: fc.option(parameter, { nil: undefined }),
    });
    fc.assert(
      fc.property(init, (fields) => {
        const chunk = encodeInit(CHUNK.initAck, { ...fields, unrecognized: [] });
        const forwardTsn = fields.forwardTsn || fields.extensions.includes(CHUNK.forwardTsn);
        expect(decodeInit(chunk.subarray(4))).toEqual({ ...fields, forwardTsn, unrecognized: [] });
      }),
    );
  });

  test('unknown INIT parameters: the high bits say whether to go on and whether to report', () => {
    const base = encodeInit(CHUNK.init, {
      tag: 1,
      window: 5000,
      outboundStreams: 1,
      inboundStreams: 1,
      initialTsn: 1,
      forwardTsn: false,
      zeroChecksum: false,
      extensions: [],
      unrecognized: [],
    }).subarray(4);
    const forwardTsn = [0xc0, 0, 0, 4];
    const outcome = (type: number): { seen: boolean; reported: number } => {
      const bytes = Uint8Array.of(...base, type >> 8, type & 255, 0, 6, 1, 2, 0, 0, ...forwardTsn);
      const init = decodeInit(bytes);
      return isFailure(init)
        ? { seen: false, reported: -1 }
        : { seen: init.forwardTsn, reported: init.unrecognized.length };
    };
    expect(outcome(0x3fff)).toEqual({ seen: false, reported: 0 });
    expect(outcome(0x7fff)).toEqual({ seen: false, reported: 1 });
    expect(outcome(0xbfff)).toEqual({ seen: true, reported: 0 });
    expect(outcome(0xffff)).toEqual({ seen: true, reported: 1 });
    expect([0, 1, 2, 3].map(unknownRule)).toEqual([
      { skip: false, report: false },
      { skip: false, report: true },
      { skip: true, report: false },
      { skip: true, report: true },
    ]);
  });

  test.each([
    ['valid', [2, 3, 5, 5], [2, 3, 5, 5]],
    ['none', [], []],
    ['reversed block removed', [3, 2, 5, 6], [5, 6]],
    ['block at distance 0 removed', [0, 2, 5, 6], [5, 6]],
    ['out of order', [5, 6, 2, 3], [2, 3, 5, 6]],
    ['adjacent, out of order, melt', [4, 6, 2, 3], [2, 6]],
    ['overlapping melt', [2, 5, 4, 9], [2, 9]],
    ['one inside another', [2, 9, 4, 5], [2, 9]],
    ['at the top of the range', [65535, 65535, 2, 65534], [2, 65535]],
  ])('SACK gap blocks: %s', (_, blocks, clean) => {
    expect(decodeSack(sackChunk({ cumulativeTsn: 9, blocks }).subarray(4))).toMatchObject({ blocks: clean });
  });

  test('SACK with counts that do not fit its length is malformed', () => {
    const chunk = sackChunk({ cumulativeTsn: 9, blocks: [2, 3] });
    chunk[13] = 2;
    expect(decodeSack(chunk.subarray(4))).toMatchObject({ failed: true });
  });

  test('FORWARD TSN and RE-CONFIG round-trip', () => {
    const streams = fc.array(fc.record({ streamId: u16, unordered: fc.constant(false), sequence: u16 }), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(u32, streams, (newCumulativeTsn, skipped) => {
        const chunk = encodeForwardTsn({ newCumulativeTsn, streams: skipped });
        expect(decodeForwardTsn(chunk.subarray(4))).toEqual({ newCumulativeTsn, streams: skipped });
      }),
    );
    fc.assert(
      fc.property(
        u32,
        u32,
        u32,
        fc.array(u16, { maxLength: 9 }),
        (sequence, responseSequence, lastTsn, ids) => {
          const request = { sequence, responseSequence, lastTsn, streams: ids };
          expect(decodeReconfig(encodeOutgoingReset(request).subarray(4))).toEqual([
            { type: 'outgoing-reset', ...request },
          ]);
          expect(decodeReconfig(encodeResponse(sequence, 6).subarray(4))).toEqual([
            { type: 'response', sequence, result: 6 },
          ]);
        },
      ),
    );
  });

  test('ABORT with a one-character reason, and with no cause at all', () => {
    const chunk = encodeAbort({ code: 12, text: 'x' });
    expect(chunk).toHaveLength(9);
    expect(decodeCauses(chunk.subarray(4))).toEqual([{ code: 12, text: 'x' }]);
    expect(decodeCauses(new Uint8Array(0))).toEqual([]);
  });

  test('missing-parameter cause: none, some, and a count larger than its payload', () => {
    expect(decodeMissingParameters(encodeMissingParameters([]))).toEqual([]);
    expect(decodeMissingParameters(encodeMissingParameters([7, 9]))).toEqual([7, 9]);
    expect(decodeMissingParameters(Uint8Array.of(0x80, 0, 0, 2, 0, 7))).toBeUndefined();
  });

  test('HEARTBEAT information comes back, and only as such', () => {
    expect(heartbeatInfo(encodeHeartbeat(Uint8Array.of(1, 2, 3)).subarray(4))).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(heartbeatInfo(Uint8Array.of(0, 2, 0, 4))).toBeUndefined();
  });

  test('every decoder answers any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const decode of [decodeInit, decodeSack, decodeForwardTsn, decodeReconfig, decodeParameters]) {
          expect(typeof decode(bytes)).toBe('object');
        }
        decodeCauses(bytes);
        heartbeatInfo(bytes);
        expect(encodeChunk(200, 0, bytes).subarray(4)).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });
});
