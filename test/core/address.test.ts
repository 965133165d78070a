import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressFamily,
  canonicalAddress,
  formatAddress,
  formatIp,
  parseIp,
  sameAddress,
} from '../../src/core/address.ts';

describe('canonicalAddress', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    // RFC 5952 §4.2.2: a single group of zeros stays.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    // RFC 5952 §4.2.3: the longest run is shortened, of equal ones the first.
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:0:0', '1:2:3:4:5:6::'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::192.0.2.1', '::c000:201'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  test.each([
    '',
    'localhost',
    'e1f7c8c2-0a6c-4c52-b0f1-0123456789ab.local',
    '192.0.2',
    '192.0.2.1.1',
    '192.0.2.256',
    '192.0.2.01',
    '192.0.2.-1',
    '192.0.2.1 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    ':1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:',
    '1::2:',
    '192.0.2.1::',
    '::192.0.2.1:1',
    '192.0.2.1:80',
    '[::1]',
  ])('"%s" is no address', (text) => {
    expect(canonicalAddress(text)).toBeUndefined();
    expect(addressFamily(text)).toBeUndefined();
  });

  const ipv6 = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }).chain((groups) =>
    // Many zeros, so that "::" is exercised.
    fc
      .array(fc.nat(7), { maxLength: 8 })
      .map((zeros) => groups.map((group, i) => (zeros.includes(i) ? 0 : group))),
  );

  test('any writing of an IPv6 address has the canonical text that Node and the URL parser give it', () => {
    fc.assert(
      fc.property(ipv6, (groups) => {
        const text = groups.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':');
        const canonical = canonicalAddress(text) ?? expect.unreachable();
        if (canonical.includes('.')) return;
        expect(`[${canonical}]`).toBe(new URL(`http://[${text}]/`).hostname);
        expect(canonicalAddress(canonical)).toBe(canonical);
      }),
    );
  });

  test('agrees with Node on what is an address', () => {
    const alphabet = fc.constantFrom(...'0123456789abfF:.'.split(''), '::', '255', 'ffff');
    const text = fc.array(alphabet, { maxLength: 20 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (candidate) => {
        expect(canonicalAddress(candidate) !== undefined).toBe(isIP(candidate) !== 0);
      }),
    );
  });

  test('bytes and text are the same address', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (address) => {
        const text = formatIp(address);
        const parsed = parseIp(text) ?? expect.unreachable();
        expect(formatIp(parsed)).toBe(text);
        if (parsed.length === address.length) expect(Array.from(parsed)).toEqual(Array.from(address));
      }),
    );
  });
});

test('an IPv4-mapped address is an IPv4 address', () => {
  expect(addressFamily('::ffff:192.0.2.1')).toBe(4);
  expect(addressFamily('2001:db8::1')).toBe(6);
  expect(formatIp(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1))).toBe('192.0.2.1');
});

test('an address with its port, for people', () => {
  expect(formatAddress({ address: '192.0.2.1', port: 3478 })).toBe('192.0.2.1:3478');
  expect(formatAddress({ address: '2001:db8::1', port: 3478 })).toBe('[2001:db8::1]:3478');
});

test('addresses are the same when both parts are', () => {
  const a = { address: '192.0.2.1', port: 1 };
  expect(sameAddress(a, { address: '192.0.2.1', port: 1 })).toBe(true);
  expect(sameAddress(a, { address: '192.0.2.1', port: 2 })).toBe(false);
  expect(sameAddress(a, { address: '192.0.2.2', port: 1 })).toBe(false);
});
