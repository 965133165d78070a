/** RTCP that ends early, lies about its counts and padding, or names more than it carries: counted, never thrown, at a bounded cost. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../src/core/bytes.ts';
import type { RtcpPacket } from '../../../src/rtp/index.ts';
import { MAX_NAMED_PACKETS, readRtcp } from '../../../src/rtp/index.ts';
import { compoundOf, hex } from './packets.ts';

const PLI: RtcpPacket = { type: 'pli', senderSsrc: 1, mediaSsrc: 2 };
const pli = compoundOf(PLI);

/** What is read of these bytes between two good packets, which are left out. */
function between(bytes: string): ReturnType<typeof readRtcp> {
  const { packets, ...counts } = readRtcp(concatBytes(pli, hex(bytes), pli));
  expect(packets.at(0)).toEqual(PLI);
  expect(packets.at(-1)).toEqual(PLI);
  return { packets: packets.slice(1, -1), ...counts };
}

const MALFORMED = { packets: [], malformed: 1, unknown: 0 };
const UNKNOWN = { packets: [], malformed: 0, unknown: 1 };

describe('compounds', () => {
  it('empty bytes are an empty compound', () => {
    expect(readRtcp(new Uint8Array(0))).toEqual({ packets: [], malformed: 0, unknown: 0 });
  });

  it('reduced in size: what has no report in front is read alike', () => {
    expect(readRtcp(pli)).toEqual({ packets: [PLI], malformed: 0, unknown: 0 });
  });

  it('one that ends early is read up to there', () => {
    for (let cut = 1; cut < pli.length; cut++) {
      expect(readRtcp(concatBytes(pli, pli.subarray(0, cut)))).toEqual({
        packets: [PLI],
        malformed: 1,
        unknown: 0,
      });
    }
  });

  it('behind a length that lies, or another version, nothing is read', () => {
    for (const bytes of [
      '81ce0003 00000001 00000002',
      '81ceffff 00000001 00000002',
      '41ce0002 00000001 00000002',
    ]) {
      expect(readRtcp(concatBytes(hex(bytes)))).toEqual(MALFORMED);
    }
    expect(readRtcp(concatBytes(hex('01ce0002 00000001 00000002'), pli))).toEqual(MALFORMED);
  });

  it('types and formats that are not known are counted, and what follows is read', () => {
    expect(between('80d00001 00000001')).toEqual(UNKNOWN);
    expect(between('80c00000')).toEqual(UNKNOWN);
    // TMMBR, SLI.
    expect(between('83cd0002 00000001 00000002')).toEqual(UNKNOWN);
    expect(between('82ce0002 00000001 00000002')).toEqual(UNKNOWN);
  });
});

describe('padding', () => {
  it('is left out, of the last packet and of any other', () => {
    expect(between('a1ce0003 00000001 00000002 00000004').packets).toEqual([PLI]);
    const padded = hex('afcd0005 00000001 00000002 00010001 00000500 2001 04 01');
    expect(readRtcp(padded).packets).toMatchObject([{ type: 'transport-feedback', deltas: [4] }]);
  });

  it('that is none, longer than its packet, or eats what is needed, is malformed', () => {
    expect(between('a1ce0003 00000001 00000002 00000000')).toEqual(MALFORMED);
    expect(between('a1ce0003 00000001 00000002 00000011')).toEqual(MALFORMED);
    expect(between('a1ce0003 00000001 00000002 000000ff')).toEqual(MALFORMED);
    expect(between('a1ce0003 00000001 00000002 00000008')).toEqual(MALFORMED);
    expect(between('a0cb0000')).toEqual(MALFORMED);
  });
});

describe('counts that lie', () => {
  it.each([
    ['SR without its body', '80c80000'],
    ['SR that ends in its body', '80c80005 00000001 00000001 00000001 00000001 00000001'],
    ['SR with more reports than it has', '81c80006 00000001 00000001 00000001 00000001 00000001 00000001'],
    ['RR without an SSRC', '80c90000'],
    ['RR with more reports than it has', '9fc90001 00000001'],
    ['SDES with more chunks than it has', '82ca0002 00000001 00000000'],
    ['SDES whose text is longer than it', '81ca0002 00000001 01ff6162'],
    ['SDES without an end', '81ca0002 00000001 01026162'],
    ['BYE with more SSRCs than it has', '82cb0001 00000001'],
    ['BYE whose reason is longer than it', '81cb0002 00000001 04626162'],
    ['APP without a name', '80cc0001 00000001'],
    ['APP with a name of no ASCII', '80cc0002 00000001 ff626162'],
    ['XR without an SSRC', '80cf0000'],
    ['XR with a block longer than it', '80cf0002 00000001 04000002'],
    ['XR with an RRTR that is too short', '80cf0003 00000001 04000001 00000002'],
    ['XR with a DLRR of half a report', '80cf0004 00000001 05000002 00000002 00000003'],
    ['NACK without an entry', '81cd0002 00000001 00000002'],
    ['NACK without SSRCs', '81cd0001 00000001'],
    ['PLI without SSRCs', '81ce0001 00000001'],
    ['FIR without an entry', '84ce0002 00000001 00000000'],
    ['FIR with half an entry', '84ce0003 00000001 00000000 00000002'],
    ['REMB with more SSRCs than it has', '8fce0005 00000001 00000000 52454d42 ff17ffff 00000002'],
    ['REMB without a rate', '8fce0003 00000001 00000000 52454d42'],
    ['feedback of an application without SSRCs', '8fce0001 00000001'],
  ])('%s', (_, bytes) => {
    expect(between(bytes)).toEqual(MALFORMED);
  });

  it('what is left behind what was counted is of no interest', () => {
    expect(between('80c90002 00000001 00000007').packets).toEqual([
      { type: 'receiver-report', ssrc: 1, reports: [] },
    ]);
  });
});

describe('transport-wide feedback', () => {
  const head = '00000001 00000002';

  it.each([
    ['on nothing', `8fcd0005 ${head} 00010000 00000500 20000000`],
    ['that ends before its chunks', `8fcd0004 ${head} 00010001 00000500`],
    ['that ends within its chunks', `8fcd0005 ${head} 000100ff 00000500 20012001`],
    ['that ends before its deltas', `8fcd0005 ${head} 0001000e 00000500 bfff0101`],
    ['with a reserved status in a run', `8fcd0005 ${head} 00010001 00000500 60010000`],
    ['with a reserved status in a vector', `8fcd0005 ${head} 00010003 00000500 cf000101`],
    ['with a run of none', `8fcd0005 ${head} 00010001 00000500 20002001`],
  ])('%s is malformed', (_, bytes) => {
    expect(between(bytes)).toEqual(MALFORMED);
  });

  it('what a chunk says beyond the count is not read', () => {
    const read = (chunk: string): unknown =>
      between(`8fcd0005 ${head} 00010001 00000500 ${chunk} 0400`).packets[0];
    for (const chunk of ['3fff', 'bfff', 'd7ff']) expect(read(chunk)).toMatchObject({ deltas: [4] });
  });

  it('a run of thousands in a few bytes is taken once in a compound, and no further', () => {
    // 8,190 that did not come, one that did.
    const claim = hex(`8fcd0006 ${head} 00011fff 00000500 1ffe2001 04000000`);
    const { packets, malformed } = readRtcp(concatBytes(claim, claim, claim, pli));
    expect(packets.map(({ type }) => type)).toEqual(['transport-feedback', 'pli']);
    expect(malformed).toBe(2);
  });

  it('more than the bound is refused before it is counted out', () => {
    expect(between(`8fcd0006 ${head} 0001ffff 00000500 1fff1fff 04000000`)).toEqual(MALFORMED);
  });
});

describe('congestion control feedback', () => {
  it.each([
    ['without a time', '8bcd0001 00000001'],
    ['that ends within a stream', '8bcd0003 00000001 00000002 00010000'],
    ['with more packets than it has', '8bcd0004 00000001 00000002 00010003 80008000'],
    ['with more packets than any has', '8bcd0004 00000001 00000002 0001ffff 80008000'],
  ])('%s is malformed', (_, bytes) => {
    expect(between(bytes)).toEqual(MALFORMED);
  });
});

describe('the largest datagrams', () => {
  /** So many of these in 65,507 bytes. */
  const full = (bytes: Uint8Array): Uint8Array =>
    concatBytes(...Array<Uint8Array>(Math.floor(65_507 / bytes.length)).fill(bytes));

  const named = (bytes: Uint8Array): number => {
    let count = 0;
    for (const packet of readRtcp(bytes).packets) {
      if (packet.type === 'nack') count += packet.sequenceNumbers.length;
      else if (packet.type === 'transport-feedback') count += packet.deltas.length;
      else if (packet.type === 'congestion-feedback') {
        for (const { packets } of packet.streams) count += packets.length;
      }
    }
    return count;
  };

  it('a NACK of maximal length is refused; one that fills 1,500 bytes is not', () => {
    const nack = (words: number): Uint8Array => {
      const bytes = new Uint8Array(4 * words + 4).fill(0xff);
      bytes.set(hex('81cd'), 0);
      bytes.set([words >> 8, words & 0xff], 2);
      return bytes;
    };
    expect(readRtcp(nack(16_000))).toEqual(MALFORMED);
    expect(named(nack(370))).toBe(368 * 17);
  });

  it.each([
    ['NACKs', '81cd0003 00000001 00000002 0001ffff'],
    ['runs', '8fcd0006 00000001 00000002 00010100 00000500 00ff2001 04000000'],
    ['streams of RFC 8888', '8bcd0006 00000001 00000002 00010004 80008000 80008000 00000003'],
  ])('full of %s they name no more packets than the bound, in all', (_, bytes) => {
    expect(named(full(hex(bytes)))).toBeLessThanOrEqual(MAX_NAMED_PACKETS);
    expect(named(full(hex(bytes)))).toBeGreaterThan(MAX_NAMED_PACKETS - 300);
  });

  it('full of the smallest packets they are read', () => {
    expect(readRtcp(full(hex('80cb0000'))).packets).toHaveLength(16_376);
  });
});
