/** Chunks, parameters and causes: every kind there and back, and what is not quite one. */
import { describe, expect, test } from 'vitest';
import type { DecodeFailure } from '../../src/core/decode.ts';
import { isFailure } from '../../src/core/decode.ts';
import { CAUSE, CHUNK, PARAMETER } from '../../src/sctp/constants.ts';
import { decodeCauses, encodeCause } from '../../src/sctp/packet/causes.ts';
import {
  decodeForwardTsn,
  decodeIForwardTsn,
  encodeForwardTsn,
  encodeIForwardTsn,
} from '../../src/sctp/packet/forward-tsn.ts';
import type { InitChunk } from '../../src/sctp/packet/init.ts';
import { decodeInit, encodeInit } from '../../src/sctp/packet/init.ts';
import { checkPacket, PacketWriter } from '../../src/sctp/packet/packet.ts';
import { decodeParameters, encodeParameter, unknownRule } from '../../src/sctp/packet/parameters.ts';
import { decodeReconfig } from '../../src/sctp/packet/reconfig.ts';
import { decodeSack } from '../../src/sctp/packet/sack.ts';
import { encodeChunk, encodeHeartbeat, heartbeatInfo } from '../../src/sctp/packet/simple.ts';
import { PUPPET_INIT } from './puppet.ts';
import { chunksOf, dataChunk, packetOf, rechecksummed, sackChunk } from './wire.ts';

const NOTHING = new Uint8Array(0);

function good<T extends object>(decoded: T | DecodeFailure): T {
  if (isFailure(decoded)) throw new Error(decoded.reason);
  return decoded;
}

describe('the frame', () => {
  test.each(Object.entries(CHUNK))(
    'a chunk of type %s, with a body of 0 to 5 bytes, and what follows it',
    (_, type) => {
      for (let length = 0; length <= 5; length++) {
        const packet = packetOf(
          1,
          encodeChunk(type, 3, new Uint8Array(length).fill(7)),
          encodeChunk(CHUNK.pad, 0, NOTHING),
        );
        expect(checkPacket(packet)).toBeUndefined();
        const [first, second] = chunksOf(packet);
        expect([first?.type, first?.flags, first?.body.length, second?.type]).toEqual([
          type,
          3,
          length,
          CHUNK.pad,
        ]);
      }
    },
  );

  test('the room that is left counts the padding, and never goes below zero', () => {
    const buffer = new Uint8Array(64);
    const writer = new PacketWriter();
    writer.begin(buffer, 0, 64, { source: 1, destination: 2 }, 3);
    expect(writer.room).toBe(52);
    writer.chunk(encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(5)));
    expect(writer.room).toBe(40);
    writer.chunk(encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(35)));
    expect(writer.room).toBe(0);
    expect(writer.finish()).toBe(64);
  });

  test.each([1, 2, 3])(
    'a length %d short of its padding at the end is taken, one short of the chunk is not',
    (missing) => {
      const whole = packetOf(1, encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(5)));
      expect(checkPacket(rechecksummed(whole.slice(0, whole.length - missing)))).toBeUndefined();
      expect(checkPacket(rechecksummed(whole.slice(0, whole.length - 3 - missing)))).toMatchObject({
        reason: 'malformed-chunk',
      });
    },
  );

  test('zero for a checksum: taken where it was announced, any other wrong number is not', () => {
    const packet = packetOf(1, dataChunk({ tsn: 1 }));
    packet.fill(0, 8, 12);
    expect([checkPacket(packet, true), checkPacket(packet, false)]).toMatchObject([
      undefined,
      { reason: 'bad-checksum' },
    ]);
    packet[11] = 1;
    expect(checkPacket(packet, true)).toMatchObject({ reason: 'bad-checksum' });
  });
});

describe('gap blocks', () => {
  const blocks = (...edges: number[]): readonly number[] =>
    good(
      decodeSack(chunksOf(packetOf(1, sackChunk({ cumulativeTsn: 1, blocks: edges })))[0]?.body ?? NOTHING),
    ).blocks;

  test.each([
    ['none', [], []],
    ['one', [2, 3], [2, 3]],
    ['two', [2, 3, 5, 6], [2, 3, 5, 6]],
    ['of one TSN each', [2, 2, 4, 4], [2, 2, 4, 4]],
    ['reversed: gone', [5, 2], []],
    ['one of two reversed', [5, 2, 7, 8], [7, 8]],
    ['unsorted: sorted', [6, 7, 2, 3], [2, 3, 6, 7]],
    ['unsorted and touching: one', [4, 5, 2, 3], [2, 5]],
    ['overlapping by one', [2, 4, 4, 6], [2, 6]],
    ['overlapping by more', [2, 6, 4, 8], [2, 8]],
    ['from the same start', [2, 3, 2, 9], [2, 9]],
    ['one inside the other', [2, 9, 4, 5], [2, 9]],
    ['up to the end of 16 bits', [0xfffe, 0xffff, 0xffff, 0xffff], [0xfffe, 0xffff]],
    ['from zero, which is the cumulative TSN itself: gone', [0, 3], []],
  ] as const)('%s', (_, given, expected) => {
    expect(blocks(...given)).toEqual(expected);
  });
});

describe('parameters', () => {
  test.each([0, 1, 2, 3, 4, 5])('one of %d bytes and one behind it', (length) => {
    const two = new Uint8Array([
      ...encodeParameter(0xc000, new Uint8Array(length).fill(1)),
      ...encodeParameter(7, Uint8Array.of(2)),
    ]);
    expect(good(decodeParameters(two)).map(({ type, value }) => [type, value.length])).toEqual([
      [0xc000, length],
      [7, 1],
    ]);
  });

  test.each([
    ['three bytes', Uint8Array.of(0, 7, 0)],
    ['a length of 3', Uint8Array.of(0, 7, 0, 3)],
    ['a length of 0', Uint8Array.of(0, 7, 0, 0, 0, 0, 0, 0)],
    ['a length past the end', Uint8Array.of(0, 7, 0, 9, 0, 0, 0, 0)],
  ])('%s: malformed', (_, bytes) => {
    expect(decodeParameters(bytes)).toMatchObject({ reason: 'malformed-parameter' });
  });

  test.each([
    [0, false, false],
    [1, false, true],
    [2, true, false],
    [3, true, true],
  ])('high bits %d of an unknown type: go on %s, report %s (RFC 9260 §3.2)', (bits, skip, report) => {
    expect(unknownRule(bits)).toEqual({ skip, report });
  });
});

describe('INIT', () => {
  const round = (init: Partial<InitChunk>): InitChunk => {
    const chunk = encodeInit(CHUNK.initAck, { ...PUPPET_INIT, ...init });
    return good(decodeInit(chunksOf(packetOf(1, chunk))[0]?.body ?? NOTHING));
  };

  test.each<[string, Partial<InitChunk>]>([
    ['no extension at all', { extensions: [], forwardTsn: false }],
    ['an odd number of extensions', { extensions: [130, 192, 64] }],
    ['zero checksum', { zeroChecksum: true }],
    ['a cookie of 1 byte', { cookie: Uint8Array.of(1) }],
    ['a cookie of 1000 bytes', { cookie: new Uint8Array(1000).fill(3) }],
    ['the largest numbers', { tag: 0xffff_ffff, window: 0xffff_ffff, initialTsn: 0xffff_ffff }],
  ])('%s: there and back', (_, fields) => {
    expect(round(fields)).toMatchObject({ ...PUPPET_INIT, ...fields });
  });

  test('partial reliability may stand in the list of extensions alone (RFC 5061 §4.2.7), as pion has it', () => {
    expect(round({ forwardTsn: false, extensions: [130, 192] }).forwardTsn).toBe(true);
    expect(round({ forwardTsn: false, extensions: [130, 194] }).forwardTsn).toBe(false);
  });

  test.each([
    ['of the draft, without a method', encodeParameter(PARAMETER.zeroChecksumAcceptable, NOTHING)],
    ['of another method', encodeParameter(PARAMETER.zeroChecksumAcceptable, Uint8Array.of(0, 0, 0, 2))],
    ['cut short', encodeParameter(PARAMETER.zeroChecksumAcceptable, Uint8Array.of(1))],
  ])('zero checksum %s: not accepted', (_, parameter) => {
    const bare = encodeInit(CHUNK.init, { ...PUPPET_INIT, extensions: [], forwardTsn: false });
    const body = new Uint8Array([...bare.subarray(4), ...parameter]);
    expect(good(decodeInit(body)).zeroChecksum).toBe(false);
  });
});

describe('the others', () => {
  test.each(Object.entries(CAUSE))('cause %s in ABORT and ERROR', (_, code) => {
    for (const type of [CHUNK.abort, CHUNK.error] as const) {
      const body = chunksOf(packetOf(1, encodeCause(type, code, Uint8Array.of(120))))[0]?.body ?? NOTHING;
      const hasText = code === CAUSE.userInitiatedAbort || code === CAUSE.protocolViolation;
      expect(decodeCauses(body)).toEqual([hasText ? { code, text: 'x' } : { code }]);
    }
  });

  test('several causes, and none', () => {
    const first = encodeCause(CHUNK.error, 1, new Uint8Array(4)).subarray(4);
    const second = encodeCause(CHUNK.error, 13, Uint8Array.of(97)).subarray(4);
    expect(decodeCauses(new Uint8Array([...first, ...second]))).toEqual([
      { code: 1 },
      { code: 13, text: 'a' },
    ]);
    expect(decodeCauses(NOTHING)).toEqual([]);
  });

  test('FORWARD TSN and I-FORWARD-TSN, with no stream and with many', () => {
    const streams = Array.from({ length: 50 }, (_, i) => ({
      streamId: i,
      unordered: i % 2 === 1,
      sequence: i * 1000,
    }));
    for (const listed of [[], streams]) {
      const forward = { newCumulativeTsn: 0xffff_fff0, streams: listed };
      expect(decodeIForwardTsn(encodeIForwardTsn(forward).subarray(4))).toEqual(forward);
      const ordered = { ...forward, streams: listed.map((stream) => ({ ...stream, unordered: false })) };
      expect(decodeForwardTsn(encodeForwardTsn(ordered).subarray(4))).toEqual(ordered);
    }
  });

  test('a RE-CONFIG response, short and with the TSNs of an SSN/TSN reset', () => {
    for (const extra of [0, 8]) {
      const value = new Uint8Array(8 + extra);
      value[3] = 9;
      value[7] = 1;
      const body = encodeParameter(PARAMETER.reconfigResponse, value);
      expect(decodeReconfig(body)).toEqual([{ type: 'response', sequence: 9, result: 1 }]);
    }
  });

  test('a HEARTBEAT gives its information back; one without is none', () => {
    expect(heartbeatInfo(encodeHeartbeat(Uint8Array.of(1, 2, 3)).subarray(4))).toEqual(
      Uint8Array.of(1, 2, 3),
    );
    expect(heartbeatInfo(NOTHING)).toBeUndefined();
    expect(heartbeatInfo(encodeParameter(2, Uint8Array.of(1)))).toBeUndefined();
  });
});
