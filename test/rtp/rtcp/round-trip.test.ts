/** Whatever can be written is read as what it was, alone and in compounds, and nothing that is read throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_NAMED_PACKETS, isRtcp, readRtcp, rtcpLength, writeRtcp } from '../../../src/rtp/index.ts';
import { compoundOf, rtcpPacket } from './packets.ts';

describe('written and read', () => {
  it('a packet of any type is what it was, in as many bytes as were foretold', () => {
    fc.assert(
      fc.property(rtcpPacket, fc.nat(20), (packet, offset) => {
        const length = rtcpLength(packet);
        const into = new Uint8Array(offset + length + 8).fill(0xaa);
        expect(writeRtcp(packet, into, offset)).toBe(length);
        expect(length % 4).toBe(0);
        const written = into.subarray(offset, offset + length);
        expect(isRtcp(written)).toBe(true);
        expect(readRtcp(written)).toEqual({ packets: [packet], malformed: 0, unknown: 0 });
        expect(into.subarray(0, offset).every((byte) => byte === 0xaa)).toBe(true);
        expect(into.subarray(offset + length).every((byte) => byte === 0xaa)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('a compound of any packets is what it was', () => {
    fc.assert(
      fc.property(fc.array(rtcpPacket, { maxLength: 5 }), (packets) => {
        expect(readRtcp(compoundOf(...packets))).toEqual({ packets, malformed: 0, unknown: 0 });
      }),
    );
  });
});

describe('mutated', () => {
  it('any bytes are read without throwing, and name no more packets than the bound', () => {
    fc.assert(
      fc.property(
        fc.array(rtcpPacket, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
        (packets, changes, cut) => {
          const bytes = compoundOf(...packets);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const { packets: read } = readRtcp(bytes.subarray(0, bytes.length - (cut % 9)));
          let named = 0;
          for (const packet of read) {
            if (packet.type === 'nack') named += packet.sequenceNumbers.length;
            if (packet.type === 'transport-feedback') named += packet.deltas.length;
          }
          expect(named).toBeLessThanOrEqual(MAX_NAMED_PACKETS);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('what is read of mutated bytes can be written, and is read alike', () => {
    fc.assert(
      fc.property(rtcpPacket, fc.nat(), fc.nat(255), (packet, at, value) => {
        const bytes = compoundOf(packet);
        bytes[4 + (at % (bytes.length - 4))] = value;
        for (const read of readRtcp(bytes).packets) {
          // The text of others may be longer in UTF-8 than their bytes were, where those were none.
          if (read.type === 'source-description' || read.type === 'bye') continue;
          // What is named twice is written once.
          if (read.type === 'nack') continue;
          expect(readRtcp(compoundOf(read)).packets).toEqual([read]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('random bytes are read without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readRtcp(bytes);
        isRtcp(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});
