import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fragment } from '../../src/dtls/messages/handshake.ts';
import { DEFAULT_LIMITS } from '../../src/dtls/options.ts';
import { Reassembly } from '../../src/dtls/reassembly.ts';

const TYPE = 11;

function body(length: number, salt = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + salt) & 0xff);
}

function piece(whole: Uint8Array, start: number, end: number, messageSeq = 0, type = TYPE): Fragment {
  return { type, length: whole.length, messageSeq, offset: start, body: whole.subarray(start, end) };
}

function reassembly(limits: Partial<typeof DEFAULT_LIMITS> = {}): Reassembly {
  return new Reassembly({ ...DEFAULT_LIMITS, ...limits });
}

describe('reassembly', () => {
  it('T031 takes fragments in any order, overlapping and repeated, and yields the message once', () => {
    const cuts = fc.array(fc.tuple(fc.nat(400), fc.nat(120)), { maxLength: 30 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), cuts, (length, ranges) => {
        const whole = body(length);
        const incoming = reassembly();
        for (const [start, size] of ranges) {
          if (start < length) incoming.accept(piece(whole, start, Math.min(length, start + size)));
        }
        // What is still missing comes last, whole.
        incoming.accept(piece(whole, 0, length));
        expect(incoming.take()).toEqual({ type: TYPE, messageSeq: 0, body: whole });
        expect(incoming.take()).toBeUndefined();
        expect(incoming.reserved).toBe(0);
      }),
    );
  });

  it('T031 keeps the first of overlapping bytes that differ, never a mixture by turns', () => {
    const incoming = reassembly();
    const first = body(10, 1);
    const second = body(10, 2);
    incoming.accept(piece(first, 0, 6));
    incoming.accept(piece(second, 4, 10));
    expect([...(incoming.take()?.body ?? [])]).toEqual([...first.subarray(0, 6), ...second.subarray(6)]);
  });

  it('SEC-09 is not taken in by overlaps that add up to the length', () => {
    const incoming = reassembly();
    const whole = body(10);
    incoming.accept(piece(whole, 0, 5));
    incoming.accept(piece(whole, 0, 5));
    expect(incoming.take()).toBeUndefined();
  });

  it('T032 takes one byte at a time', () => {
    const incoming = reassembly();
    const whole = body(300);
    for (let i = 0; i < whole.length; i++) expect(incoming.accept(piece(whole, i, i + 1))).toBe('taken');
    expect(incoming.take()?.body).toEqual(whole);
  });

  it('T033 SEC-07 passes over an empty fragment of a message that is not empty', () => {
    const incoming = reassembly();
    expect(incoming.accept(piece(body(10), 3, 3))).toBe('duplicate');
    expect(incoming.pending).toBe(0);
  });

  it('T033 takes an empty message as one empty fragment', () => {
    const incoming = reassembly();
    expect(incoming.accept(piece(body(0), 0, 0))).toBe('taken');
    expect(incoming.take()).toEqual({ type: TYPE, messageSeq: 0, body: body(0) });
  });

  it('T034 SEC-08 keeps fragments of another type or length apart', () => {
    const incoming = reassembly();
    const whole = body(10);
    incoming.accept(piece(whole, 0, 5));
    incoming.accept(piece(body(12, 1), 5, 12));
    incoming.accept(piece(body(10, 2), 5, 9, 0, TYPE + 1));
    expect(incoming.take()).toBeUndefined();
    incoming.accept(piece(whole, 0, 10));
    expect(incoming.take()).toEqual({ type: TYPE, messageSeq: 0, body: whole });
  });

  it('yields messages in the order of message_seq', () => {
    const incoming = reassembly();
    for (const seq of [2, 0, 1]) incoming.accept(piece(body(4, seq), 0, 4, seq));
    expect([0, 1, 2].map(() => incoming.take()?.messageSeq)).toEqual([0, 1, 2]);
  });

  it('tells a repetition from a new message', () => {
    const incoming = reassembly();
    incoming.accept(piece(body(4), 0, 4));
    expect(incoming.accept(piece(body(4), 0, 4))).toBe('duplicate');
    incoming.take();
    expect(incoming.accept(piece(body(4), 0, 4))).toBe('stale');
  });

  it('SEC-06 refuses messages beyond its bounds', () => {
    const incoming = reassembly({ messageLength: 100, messagesAhead: 2 });
    expect(incoming.accept(piece(body(101), 0, 1))).toBe('too-long');
    expect(incoming.accept(piece(body(10), 0, 1, 3))).toBe('too-far-ahead');
    expect(incoming.reserved).toBe(0);
  });

  it('T037 SEC-06 gives the room of messages far ahead to the next one', () => {
    const incoming = reassembly({ reassemblyBytes: 100 });
    expect(incoming.accept(piece(body(50), 0, 1, 5))).toBe('taken');
    expect(incoming.accept(piece(body(50), 0, 1, 6))).toBe('taken');
    expect(incoming.accept(piece(body(50), 0, 1, 7))).toBe('no-room');
    expect(incoming.accept(piece(body(80), 0, 80, 0))).toBe('taken');
    expect(incoming.take()?.body).toEqual(body(80));
  });

  it('T037 finds room for the genuine message among forged ones of the same number', () => {
    const incoming = reassembly();
    for (let length = 20; length < 40; length++) incoming.accept(piece(body(length), 0, 1));
    expect(incoming.pending).toBe(2);
    incoming.accept(piece(body(10), 0, 10));
    expect(incoming.take()?.body).toEqual(body(10));
    expect(incoming.reserved).toBe(0);
  });

  it('SEC-06 never reserves more than its budget, whatever comes', () => {
    const fragments = fc.array(
      fc.record({
        seq: fc.nat(12),
        type: fc.nat(3),
        length: fc.nat(300),
        offset: fc.nat(300),
        size: fc.nat(300),
      }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(fragments, (list) => {
        const incoming = reassembly({ messageLength: 250, reassemblyBytes: 600, messagesAhead: 6 });
        for (const { seq, type, length, offset, size } of list) {
          const whole = body(length);
          incoming.accept(piece(whole, Math.min(offset, length), Math.min(length, offset + size), seq, type));
          incoming.take();
          expect(incoming.reserved).toBeLessThanOrEqual(600);
          expect(incoming.pending).toBeLessThanOrEqual(14);
        }
      }),
    );
  });
});
