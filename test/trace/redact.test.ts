/** What is hidden stays hidden, wherever it stands. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatIp } from '../../src/core/address.ts';
import type { Bytes } from '../../src/core/bytes.ts';
import { toHex } from '../../src/core/text.ts';
import type { TraceEntry } from '../../src/index.ts';
import { Pseudonyms } from '../../src/rtc/tracer/redact.ts';
import {
  StunAttributeType,
  StunMethod,
  StunWriter,
  attributeXorAddress,
  decodeStun,
} from '../../src/stun/index.ts';
import type { Trace } from '../../src/trace/index.ts';
import { formatTrace, parseTrace, redactTrace, replay } from '../../src/trace/index.ts';
import { channel, makePair, runUntilOpen } from '../rtc/pair.ts';
import { recordedSession } from './recorded.ts';

const session = recordedSession(9, { latency: 15, loss: 0.05 });
const REAL = ['192.0.2.1', '192.0.2.2'];

function expectNoAddress(trace: Trace): void {
  const text = formatTrace(trace);
  for (const address of REAL) expect(text).not.toContain(address);
  for (const entry of trace.entries) {
    if (entry.type !== 'receive' && entry.type !== 'transmit') continue;
    const message = decodeStun(entry.data);
    if ('failed' in message) continue;
    const mapped = attributeXorAddress(message, StunAttributeType.xorMappedAddress);
    if (mapped !== undefined) expect(REAL).not.toContain(mapped.address);
  }
}

describe('addresses', () => {
  const hidden = redactTrace(session.offerer.trace, { hideAddresses: true });

  test('there were some, and none is left: not in paths, descriptions, summaries or STUN messages', () => {
    expect(formatTrace(session.offerer.trace)).toContain(REAL[0]);
    expectNoAddress(hidden);
  });

  test('one address has one pseudonym, everywhere', () => {
    const paths = hidden.entries.flatMap((entry) => (entry.type === 'transmit' ? [entry] : []));
    expect(new Set(paths.map(({ source }) => source.address))).toEqual(new Set(['198.18.0.1']));
    expect(new Set(paths.map(({ destination }) => destination.address))).toEqual(new Set(['198.18.0.2']));
    expect(formatTrace(hidden)).toMatch(/candidate:\d+ 1 udp \d+ 198\.18\.0\.1 5000 typ host/);
    expect(formatTrace(hidden)).toContain('XOR-MAPPED-ADDRESS 198.18.0.1:5000');
  });

  test('inside STUN too: what the peer saw is the same pseudonym', () => {
    const { transactionId, message } = response('192.0.2.1');
    const pseudonyms = new Pseudonyms();
    expect(pseudonyms.inText('from 192.0.2.1')).toBe('from 198.18.0.1');
    const shown = response('198.18.0.1', transactionId).message;
    expect(toHex(pseudonyms.inStun(message))).toBe(toHex(shown));
  });

  test('the 256th address and the 65,536th carry into the next byte, of IPv4 and of IPv6', () => {
    const pseudonyms = new Pseudonyms();
    const nth = (n: number, ip: (n: number) => string): string => pseudonyms.inText(ip(n));
    const v4 = (n: number): string => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    const v6 = (n: number): string => `fe80::${(n >> 16).toString(16)}:${(n & 0xffff).toString(16)}`;
    const shown = new Map<number, [string, string]>();
    for (let n = 1; n <= 65_538; n++) shown.set(n, [nth(n, v4), nth(n, v6)]);
    expect([1, 255, 256, 511, 65_535, 65_536, 65_537].map((n) => shown.get(n))).toEqual([
      ['198.18.0.1', '2001:db8::1'],
      ['198.18.0.255', '2001:db8::ff'],
      ['198.18.1.0', '2001:db8::100'],
      ['198.18.1.255', '2001:db8::1ff'],
      ['198.18.255.255', '2001:db8::ffff'],
      ['198.19.0.0', '2001:db8::1:0'],
      ['198.19.0.1', '2001:db8::1:1'],
    ]);
  });

  test.each(['0.0.0.0', '127.0.0.1', '127.255.255.255', '::', '::1'])(
    '%s says nothing about anybody',
    (ip) => {
      expect(new Pseudonyms().inText(`from ${ip}`)).toBe(`from ${ip}`);
    },
  );

  test.each(['0.0.0.1', '1.0.0.0', '126.255.255.255', '128.0.0.1', '::2', '::100', '1::', '1::1'])(
    '%s may',
    (ip) => {
      expect(new Pseudonyms().inText(`from ${ip}`)).toMatch(/^from (198\.18\.0\.1|2001:db8::1)$/);
    },
  );

  test('an option of setTrace does the same', () => {
    const pair = makePair();
    const entries: TraceEntry[] = [];
    pair.answerer.rtc.setTrace((entry) => entries.push(entry), { hideAddresses: true });
    runUntilOpen(pair);
    expect(entries.some(({ type }) => type === 'transmit')).toBe(true);
    expectNoAddress({ header: hidden.header, entries });
  });

  test.each([
    ['192.0.2.1:5000', '198.18.0.1:5000'],
    ['The path to 192.0.2.1. It', 'The path to 198.18.0.1. It'],
    ['[2001:db8::1]:5000', '[2001:db8::1]:5000'],
    ['fe80::1%eth0', '2001:db8::1%eth0'],
    ['IN IP6 fe80::1:', 'IN IP6 2001:db8::1:'],
    ['::ffff:10.0.0.1', '::ffff:198.18.0.1'],
    ['c=IN IP4 0.0.0.0', 'c=IN IP4 0.0.0.0'],
    ['o=- 1 2 IN IP4 127.0.0.1', 'o=- 1 2 IN IP4 127.0.0.1'],
    ['[::1]:5000', '[::1]:5000'],
    ['version 1.2.3', 'version 1.2.3'],
    ['at 12:34:56', 'at 12:34:56'],
    [
      'a=fingerprint:sha-256 AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89',
      'a=fingerprint:sha-256 AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89',
    ],
  ])('in text: %s', (text, shown) => {
    // The first IPv6 pseudonym is 2001:db8::1 itself.
    expect(new Pseudonyms().inText(text)).toBe(shown);
  });

  test('any address in any text is replaced, and always by the same', () => {
    const address = fc
      .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(formatIp)
      .filter((text) => !/^(0\.0\.0\.0|127\..*|198\.18\..*|::1?)$/.test(text));
    fc.assert(
      fc.property(address, fc.constantFrom(' ', ',', '"', '[', ' (', '\n', '='), (given, before) => {
        const pseudonyms = new Pseudonyms();
        const shown = pseudonyms.inText(`x${before}${given} and ${given}.`);
        expect(shown).not.toContain(given);
        const [, first, second] = /^x[^0-9a-f]+(\S+) and (\S+)\.$/.exec(shown) ?? [];
        expect(first).toBe(second);
      }),
    );
  });

  function response(
    address: string,
    transactionId: Uint8Array = new Uint8Array(12).fill(3),
  ): { transactionId: Uint8Array; message: Bytes } {
    const message = new StunWriter('success', StunMethod.binding, transactionId)
      .xorAddress(StunAttributeType.xorMappedAddress, { address, port: 77 })
      .finish();
    return { transactionId, message };
  }
});

describe('payload', () => {
  test('no message, in the clear or sealed, is left; names, lengths and handshakes are', () => {
    const pair = makePair();
    const entries: TraceEntry[] = [];
    pair.offerer.rtc.setTrace((entry) => entries.push(entry), { hidePayload: true, secrets: true });
    runUntilOpen(pair);
    const secret = 'attack at dawn';
    channel(pair.offerer).send(secret);
    channel(pair.answerer).send(new TextEncoder().encode(secret));
    pair.net.run({ until: () => pair.offerer.messages.has('chat') });
    const text = formatTrace({ header: session.offerer.trace.header, entries });
    expect(text).not.toContain(secret);
    expect(text).not.toContain(toHex(new TextEncoder().encode(secret)));
    expect(text).toContain('DCEP OPEN \\"chat\\"');
    expect(text).toContain(`"data":{"text":"${'x'.repeat(secret.length)}"}`);
    for (const entry of entries) {
      if (entry.type !== 'transmit' || !entry.summary.startsWith('DTLS application data')) continue;
      expect(entry.data.subarray(13).every((byte) => byte === 0)).toBe(true);
    }
    const hello = entries.find((entry) => 'summary' in entry && entry.summary.includes('ClientHello'));
    expect(hello && 'data' in hello && hello.data.subarray(13).some((byte) => byte !== 0)).toBe(true);
  });
});

describe('secrets', () => {
  test('a redacted trace has neither seed, keys nor passwords, and says so when replayed', () => {
    const { trace, rtc } = session.offerer;
    const shown = redactTrace(trace);
    const text = formatTrace(shown);
    expect(text).not.toContain(rtc.localParameters.ice.password);
    expect(text).toContain('a=ice-pwd:***');
    expect(shown.header.seed).toBeUndefined();
    expect(shown.entries.some(({ type }) => type === 'secret')).toBe(false);
    expect(trace.entries.some(({ type }) => type === 'secret')).toBe(true);
    expect(() => replay(shown)).toThrow(expect.objectContaining({ code: 'ERR_TRACE' }));
  });

  test('with secrets kept and nothing else hidden, it is the same trace', () => {
    const kept = redactTrace(session.offerer.trace, { secrets: true });
    expect(formatTrace(kept)).toBe(formatTrace(session.offerer.trace));
  });

  test('what is redacted can be written and read like any other', () => {
    const shown = redactTrace(session.answerer.trace, { hideAddresses: true, hidePayload: true });
    expect(parseTrace(formatTrace(shown))).toEqual(shown);
  });
});
