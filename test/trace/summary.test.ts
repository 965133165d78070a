/** One line about a datagram: right for real ones, harmless for all others. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeOpen } from '../../src/channel/index.ts';
import { Writer } from '../../src/core/bytes.ts';
import { packetSummary } from '../../src/rtc/tracer/summary.ts';
import { datagramSummary } from '../../src/rtc/tracer/summary.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeAbort } from '../../src/sctp/packet/causes.ts';
import { encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { PacketWriter } from '../../src/sctp/packet/packet.ts';
import { encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk } from '../../src/sctp/packet/simple.ts';
import { StunAttributeType, StunMethod, StunWriter } from '../../src/stun/index.ts';
import { recordedSession } from './recorded.ts';

const TRANSACTION = new Uint8Array(12).fill(1);

function packetOf(...chunks: readonly Uint8Array[]): Uint8Array {
  const buffer = new Uint8Array(2000);
  const writer = new PacketWriter();
  writer.begin(buffer, 0, 2000, { source: 5000, destination: 5000 }, 1);
  for (const chunk of chunks) writer.chunk(chunk);
  return buffer.slice(0, writer.finish());
}

function dataChunk(
  flags: number,
  tsn: number,
  stream: number,
  ppid: number,
  payload: Uint8Array,
): Uint8Array {
  const value = new Writer().u32(tsn).u16(stream).u16(0).u32(ppid).raw(payload).finish();
  return encodeChunk(CHUNK.data, flags, value);
}

describe('STUN', () => {
  test('a check, with the attributes people look for', () => {
    const check = new StunWriter('request', StunMethod.binding, TRANSACTION)
      .text(StunAttributeType.username, 'them:us')
      .u32(StunAttributeType.priority, 7)
      .flag(StunAttributeType.useCandidate)
      .attribute(0xc057, new Uint8Array(4))
      .finish();
    expect(datagramSummary(check)).toBe(
      'STUN Binding request USERNAME "them:us" PRIORITY 7 USE-CANDIDATE 0xc057',
    );
  });

  test('its answers, good and bad', () => {
    const good = new StunWriter('success', StunMethod.binding, TRANSACTION)
      .xorAddress(StunAttributeType.xorMappedAddress, { address: '2001:db8::1', port: 5 })
      .finish();
    expect(datagramSummary(good)).toBe('STUN Binding success XOR-MAPPED-ADDRESS [2001:db8::1]:5');
    const bad = new StunWriter('error', StunMethod.binding, TRANSACTION).errorCode(487).finish();
    expect(datagramSummary(bad)).toBe('STUN Binding error ERROR-CODE 487');
  });

  test('a malformed one says why, a text with a line break stays on its line', () => {
    expect(datagramSummary(new Uint8Array(20))).toBe('STUN, 20 bytes, malformed: not-stun');
    const broken = new StunWriter('request', StunMethod.binding, TRANSACTION)
      .text(StunAttributeType.username, 'a\nb')
      .finish();
    expect(datagramSummary(broken)).toBe('STUN Binding request USERNAME "a\\nb"');
  });
});

describe('DTLS', () => {
  test('a whole handshake reads as the RFC draws it', () => {
    const { net, offerer } = recordedSession(1);
    const dtls = net.datagrams.map(({ data }) => datagramSummary(data ?? new Uint8Array(0)));
    const said = (part: string): boolean => dtls.includes(part);
    expect(said('DTLS ClientHello')).toBe(true);
    expect(
      said('DTLS ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone'),
    ).toBe(true);
    expect(
      said('DTLS Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, encrypted handshake'),
    ).toBe(true);
    expect(said('DTLS ChangeCipherSpec, encrypted handshake')).toBe(true);
    expect(dtls.at(-1)).toBe('DTLS encrypted alert');
    expect(offerer.rtc.isEmpty).toBe(true);
  });

  test('fragments, alerts and trailing rubbish', () => {
    const header = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0];
    const fragment = Uint8Array.of(...header, 0, 14, 11, 0, 0, 9, 0, 1, 0, 0, 4, 0, 0, 2, 0, 0);
    expect(datagramSummary(fragment)).toBe('DTLS Certificate (4–6 of 9)');
    const alert = Uint8Array.of(21, ...header.slice(1), 0, 2, 2, 40, 7);
    expect(datagramSummary(alert)).toBe('DTLS alert handshake_failure, 1 bytes that are no record');
  });

  test('a datagram of hundreds of records makes a short line', () => {
    const records = new Uint8Array(13 * 200);
    for (let at = 0; at < records.length; at += 13) records.set([20, 254, 253], at);
    expect(datagramSummary(records)).toBe(`DTLS ${'ChangeCipherSpec, '.repeat(16)}…`);
  });
});

describe('SCTP', () => {
  test.each([
    ['DATA', dataChunk(3, 5, 1, 51, new Uint8Array(9)), 'DATA 5 stream 1 text 9 bytes'],
    ['DATA in parts', dataChunk(2, 5, 1, 53, new Uint8Array(9)), 'DATA 5 stream 1 binary 9 bytes first'],
    [
      'unordered DATA',
      dataChunk(7, 5, 1, 57, new Uint8Array(1)),
      'DATA 5 stream 1 empty binary 1 bytes unordered',
    ],
    ['DCEP ACK', dataChunk(3, 5, 1, 50, Uint8Array.of(2)), 'DATA 5 stream 1 DCEP ACK'],
    [
      'DCEP OPEN',
      dataChunk(3, 5, 1, 50, encodeOpen({ label: 'a"b', protocol: '', priority: 0, ordered: true })),
      'DATA 5 stream 1 DCEP OPEN "a\\"b"',
    ],
    [
      'bad DCEP',
      dataChunk(3, 5, 1, 50, Uint8Array.of(9)),
      'DATA 5 stream 1 DCEP malformed: dcep-unknown-type',
    ],
    [
      'SACK',
      encodeChunk(
        CHUNK.sack,
        0,
        new Writer().u32(4294967295).u32(1000).u16(2).u16(1).u16(2).u16(3).u16(5).u16(5).u32(9).finish(),
      ),
      'SACK 4294967295 window 1000 gaps 1–2 4 1 duplicates',
    ],
    [
      'SACK of everything',
      encodeChunk(CHUNK.sack, 0, new Writer().u32(7).u32(1000).u16(0).u16(0).finish()),
      'SACK 7 window 1000',
    ],
    ['ABORT', encodeAbort({ code: 12, text: 'bye' }), 'ABORT cause 12 "bye"'],
    [
      'RE-CONFIG',
      encodeOutgoingReset({ sequence: 1, responseSequence: 2, lastTsn: 3, streams: [4, 6] }),
      'RE-CONFIG reset of 4 6',
    ],
    ['RE-CONFIG response', encodeResponse(1, 6), 'RE-CONFIG response 6'],
    ['FORWARD TSN', encodeForwardTsn({ newCumulativeTsn: 8, streams: [] }), 'FORWARD TSN 8'],
    ['HEARTBEAT', encodeChunk(CHUNK.heartbeat, 0, new Uint8Array(0)), 'HEARTBEAT'],
    ['an unknown chunk', encodeChunk(99, 0, new Uint8Array(0)), 'chunk 99'],
    ['a short DATA', encodeChunk(CHUNK.data, 3, new Uint8Array(4)), 'DATA malformed'],
  ])('%s', (_name, chunk, said) => {
    expect(packetSummary('sctp', packetOf(chunk))).toBe(`SCTP ${said}`);
  });

  test('several chunks, and a packet whose checksum is wrong', () => {
    const packet = packetOf(
      encodeChunk(CHUNK.cookieAck, 0, new Uint8Array(0)),
      dataChunk(3, 1, 0, 51, new Uint8Array(2)),
    );
    expect(packetSummary('sctp', packet)).toBe('SCTP COOKIE ACK, DATA 1 stream 0 text 2 bytes');
    packet[0]! ^= 1;
    expect(packetSummary('sctp', packet)).toBe(
      `SCTP, ${String(packet.length)} bytes, malformed: bad-checksum`,
    );
  });
});

test('a record of a type that nobody uses (heartbeat, RFC 6520) is told as such: a stranger may send one', () => {
  const record = Uint8Array.of(24, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2);
  expect(datagramSummary(record)).toBe('DTLS record of the unknown type 24, 15 bytes');
});

describe('whatever comes', () => {
  const { net, offerer, answerer } = recordedSession(2, { latency: 5 });
  const real = [
    ...net.datagrams.map(({ data }) => data ?? new Uint8Array(0)),
    ...[...offerer.trace.entries, ...answerer.trace.entries].flatMap((entry) =>
      entry.type === 'packet' ? [entry.data] : [],
    ),
  ];

  function expectShortLine(line: string): void {
    expect(line.length).toBeLessThan(4000);
    // eslint-disable-next-line no-control-regex -- that there are none is the point
    expect(line).not.toMatch(/[\u0000-\u001f]/);
  }

  test('random bytes make one short line and throw nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500, size: 'max' }), (bytes) => {
        expectShortLine(datagramSummary(bytes));
        for (const kind of ['sctp', 'rtp', 'rtcp'] as const) expectShortLine(packetSummary(kind, bytes));
      }),
    );
  });

  test('real packets with some bytes changed do too', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(
        fc.constantFrom(...real),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (packet, all) => {
          const bytes = packet.slice();
          for (const [at, value] of all) bytes[at % bytes.length] = value;
          expectShortLine(datagramSummary(bytes));
          expectShortLine(packetSummary('sctp', packetOf(bytes.subarray(12, 1500))));
          for (const kind of ['rtp', 'rtcp'] as const) expectShortLine(packetSummary(kind, bytes));
        },
      ),
    );
  });
});
