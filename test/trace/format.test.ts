/** Traces as JSON lines: what is written is read back, and what is wrong is refused by its line. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraceEntry } from '../../src/index.ts';
import { RtcError } from '../../src/index.ts';
import { TraceRefusal, formatEntry, formatTrace, parseTrace, traceHeader } from '../../src/trace/index.ts';
import { entry, trace } from './arbitraries.ts';

const HEADER = JSON.stringify({ type: 'header', format: 'sansrtc-trace', version: 1 });

function refusalOf(text: string): TraceRefusal {
  try {
    parseTrace(text);
  } catch (error) {
    if (error instanceof TraceRefusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('JSON lines', () => {
  test('any trace is read back as it was written', () => {
    fc.assert(
      fc.property(trace, (given) => {
        expect(parseTrace(formatTrace(given))).toEqual(given);
      }),
    );
  });

  test('one entry a line, whatever its texts hold', () => {
    fc.assert(
      fc.property(entry, (given) => {
        expect(formatEntry(given)).not.toMatch(/[\n\r]/);
      }),
    );
  });

  test('an entry as it stands in the file', () => {
    const transmit: TraceEntry = {
      type: 'transmit',
      at: 12.5,
      protocol: 'udp',
      source: { address: '192.0.2.1', port: 5000 },
      destination: { address: '2001:db8::1', port: 9 },
      data: Uint8Array.of(0, 1, 254),
      summary: 'unknown, 3 bytes',
    };
    expect(formatEntry(transmit)).toBe(
      '{"type":"transmit","at":12.5,"protocol":"udp","source":{"address":"192.0.2.1","port":5000},' +
        '"destination":{"address":"2001:db8::1","port":9},"data":"0001fe","summary":"unknown, 3 bytes"}',
    );
  });

  test('JSON has no Infinity: a deadline that never comes is null', () => {
    const timeout: TraceEntry = { type: 'timeout', at: 1, deadline: Infinity, reason: 'idle' };
    expect(formatEntry(timeout)).toBe('{"type":"timeout","at":1,"deadline":null,"reason":"idle"}');
  });

  test('a file without a newline at its end, and one with the newlines of Windows', () => {
    const entries: TraceEntry[] = [{ type: 'time', at: 1 }];
    expect(parseTrace(`${HEADER}\n{"type":"time","at":1}`)).toEqual({ header: traceHeader(), entries });
    expect(parseTrace(`${HEADER}\r\n{"type":"time","at":1}\r\n`)).toEqual({ header: traceHeader(), entries });
  });

  test('members from a later time are passed over', () => {
    expect(parseTrace(`${HEADER}\n{"type":"time","at":1,"mood":"fine"}\n`).entries).toEqual([
      { type: 'time', at: 1 },
    ]);
  });
});

describe('refused, by line', () => {
  test.each([
    ['an empty file', '', 1, 'expected the header, the file is empty'],
    ['no header', '{"type":"time","at":1}\n', 1, '"type" expected "header", got "time"'],
    ['another version', HEADER.replace('1}', '2}'), 1, '"version" expected 1, got 2'],
    [
      'another format',
      HEADER.replace('sansrtc', 'other'),
      1,
      '"format" expected "sansrtc-trace", got "other-trace"',
    ],
    ['no JSON', `${HEADER}\n{"type":"time","at":1}\nnonsense\n`, 3, 'this is not JSON'],
    ['an empty line', `${HEADER}\n\n{"type":"time","at":1}\n`, 2, 'this is not JSON'],
    ['a line cut off', `${HEADER}\n{"type":"time","a`, 2, 'the file ends in the middle of this line'],
    ['a header cut off', HEADER.slice(0, 20), 1, 'the file ends in the middle of this line'],
    [
      'an unknown type',
      `${HEADER}\n{"type":"dance","at":1}\n`,
      2,
      '"type" expected one of the known, got "dance"',
    ],
    ['a name every object has', `${HEADER}\n{"type":"constructor"}\n`, 2, 'got "constructor"'],
    ['a missing member', `${HEADER}\n{"type":"time"}\n`, 2, '"at" expected a time, got nothing'],
    ['a wrong member', `${HEADER}\n{"type":"drop","at":1,"counter":"x","count":-1}\n`, 2, '"count" expected'],
    [
      'half a byte',
      `${HEADER}\n{"type":"packet","at":1,"direction":"in","data":"abc","summary":""}\n`,
      2,
      '"data" expected bytes in hexadecimal, got "abc"',
    ],
    [
      'a wrong member of a member',
      `${HEADER}\n{"type":"call","at":1,"call":{"method":"closeChannel","channel":{"index":"0","label":""}}}\n`,
      2,
      '"call.channel.index" expected a whole number from 0, got "0"',
    ],
    ['an array', `${HEADER}\n[]\n`, 2, '"entry" expected an object, got []'],
  ])('%s', (_name, text, line, message) => {
    const refusal = refusalOf(text);
    expect(refusal).toMatchObject({ code: 'ERR_TRACE', line });
    expect(refusal.message).toContain(`line ${String(line)}: `);
    expect(refusal.message).toContain(message);
    expect(refusal).toBeInstanceOf(RtcError);
  });

  test('a file cut anywhere is a shorter trace or refused at its last line', () => {
    fc.assert(
      fc.property(trace, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const whole = formatTrace(given);
        const cut = whole.slice(0, Math.floor(whole.length * share));
        const lines = cut.split('\n').length;
        try {
          const { entries } = parseTrace(cut);
          expect(entries).toEqual(given.entries.slice(0, entries.length));
        } catch (error) {
          expect(error).toBeInstanceOf(TraceRefusal);
          expect((error as TraceRefusal).line).toBe(lines);
        }
      }),
    );
  });

  test('a file changed anywhere is read or refused with a line, and nothing else happens', () => {
    fc.assert(
      fc.property(trace, fc.nat(), fc.string({ maxLength: 3 }), (given, where, put) => {
        const whole = formatTrace(given);
        const at = where % whole.length;
        try {
          parseTrace(whole.slice(0, at) + put + whole.slice(at + 1));
        } catch (error) {
          expect(error).toBeInstanceOf(TraceRefusal);
          expect((error as TraceRefusal).line).toBeGreaterThan(0);
        }
      }),
    );
  });
});
