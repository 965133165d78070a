import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../src/core/address.ts';
import { readU16 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { decodeXorAddress, encodeXorAddress } from '../../src/stun/address.ts';
import { crc32, fingerprint } from '../../src/stun/crc32.ts';
import type { StunMessage } from '../../src/stun/index.ts';
import {
  STUN_DECODE_REASONS,
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeText,
  attributeU32,
  attributeValue,
  attributeXorAddress,
  decodeStun,
  errorCodeOf,
  errorReasonOf,
  hasAttribute,
  isStun,
  shortTermKey,
  transactionIdOf,
  unknownAttributes,
  valueOf,
  verifyIntegrity,
  verifyIntegritySha256,
} from '../../src/stun/index.ts';
import { classOf, messageType, methodOf } from '../../src/stun/registry.ts';
import { UNDERSTOOD } from '../../src/ice/messages.ts';
import { hex, messageVector, vectors } from './vectors.ts';

const crypto = jsCrypto();
const INTEGRITY_TYPES = [Type.messageIntegrity, Type.messageIntegritySha256, Type.fingerprint] as number[];

function decoded(bytes: Uint8Array): StunMessage {
  const message = decodeStun(bytes);
  if (isFailure(message)) throw new TypeError(message.reason);
  return message;
}

/** Bytes of its MESSAGE-INTEGRITY-SHA256. */
function sha256Length(message: StunMessage): number {
  return readU16(message.bytes, message.integritySha256Offset + 2);
}

describe('vectors', () => {
  it.each(vectors.messages)('$id decodes to what it says', (vector) => {
    const message = decoded(hex(vector.hex));
    expect(message.class).toBe(vector.class);
    expect(message.method).toBe(vector.methodNumber);
    expect(toHex(transactionIdOf(message))).toBe(vector.transactionId);
    expect(message.hasFingerprint).toBe(vector.verified.fingerprint === true);
    const visible = vector.attributes.filter(({ type }) => !INTEGRITY_TYPES.includes(Number(type)));
    expect(message.attributes.map((one) => [one.type, toHex(valueOf(message, one))])).toEqual(
      visible.map(({ type, value }) => [Number(type), value]),
    );
  });

  it.each(vectors.messages.filter(({ verified }) => verified.sha1))(
    '$id: its integrity verifies',
    (vector) => {
      const message = decoded(hex(vector.hex));
      const key = hex(vector.credentials?.key ?? '');
      expect(verifyIntegrity(message, crypto.hmac('sha-1', key))).toBe(true);
      expect(verifyIntegrity(message, shortTermKey(crypto, 'another password'))).toBe(false);
    },
  );

  it.each(vectors.messages.filter(({ verified }) => verified.sha256))(
    '$id: its SHA-256 integrity verifies',
    (vector) => {
      const message = decoded(hex(vector.hex));
      const key = crypto.hmac('sha-256', hex(vector.credentials?.key ?? ''));
      const length = sha256Length(message);
      expect(verifyIntegritySha256(message, key, length)).toBe(true);
      expect(verifyIntegritySha256(message, key)).toBe(length === 32);
      expect(verifyIntegritySha256(message, crypto.hmac('sha-256', new Uint8Array(32)), 16)).toBe(false);
    },
  );

  it.each(vectors.messages.filter(({ rebuildable }) => rebuildable))(
    '$id is rebuilt to the byte',
    (vector) => {
      const message = decoded(hex(vector.hex));
      const key = hex(vector.credentials?.key ?? '');
      const writer = new StunWriter(message.class, message.method, transactionIdOf(message));
      for (const attribute of message.attributes)
        writer.attribute(attribute.type, valueOf(message, attribute));
      if (message.integrityOffset >= 0) writer.integrity(crypto.hmac('sha-1', key));
      if (message.integritySha256Offset >= 0)
        writer.integritySha256(crypto.hmac('sha-256', key), sha256Length(message));
      if (message.hasFingerprint) writer.fingerprint();
      expect(toHex(writer.finish())).toBe(vector.hex);
    },
  );

  it.each([
    ['rfc5769-2.2', '192.0.2.1:32853'],
    ['rfc5769-2.3', '[2001:db8:1234:5678:11:2233:4455:6677]:32853'],
    ['ice-success-v6', '[2001:db8::c0ff:ee]:3478'],
  ])('%s carries the mapped address %s', (id, address) => {
    const mapped = attributeXorAddress(decoded(hex(messageVector(id).hex)), Type.xorMappedAddress);
    expect(mapped && formatAddress(mapped)).toBe(address);
  });

  it.each([
    ['ice-error-487', 487, 'Role Conflict'],
    ['error-487-no-reason', 487, ''],
    ['error-code-reserved-bits-set', 401, 'x'],
    ['error-420-unknown', 420, 'Unknown Attribute'],
  ])('%s is error %i "%s"', (id, code, reason) => {
    const message = decoded(hex(messageVector(id).hex));
    expect(errorCodeOf(message)).toBe(code);
    expect(errorReasonOf(message)).toBe(reason);
  });

  it('RFC 5769 §2.1: username, priority and tie-breaker', () => {
    const message = decoded(hex(messageVector('rfc5769-2.1').hex));
    expect(attributeText(message, Type.username)).toBe('evtj:h6vY');
    expect(attributeU32(message, Type.priority)).toBe(0x6e0001ff);
    expect(toHex(attributeValue(message, Type.iceControlled) ?? new Uint8Array())).toBe('932ff9b151263b36');
    expect(hasAttribute(message, Type.useCandidate)).toBe(false);
  });

  it('message types weave method and class, all 12 and 2 bits of them', () => {
    for (const { method, class: stunClass, type } of vectors.messageTypes) {
      expect(messageType(method, stunClass)).toBe(Number(type));
      expect(methodOf(Number(type))).toBe(method);
      expect(classOf(Number(type))).toBe(stunClass);
    }
  });

  it('XOR addresses of both families', () => {
    for (const { ip, port, transactionId, xor } of vectors.xorAddress) {
      const address = decodeXorAddress(hex(xor), hex(transactionId));
      // IPv4-mapped IPv6 is canonically IPv4, and goes out as such.
      const isMapped = ip.startsWith('::ffff:');
      expect(address).toEqual({ address: isMapped ? ip.slice(7) : ip, port });
      if (!isMapped) expect(toHex(encodeXorAddress({ address: ip, port }, hex(transactionId)))).toBe(xor);
    }
  });

  it('CRC-32 and FINGERPRINT', () => {
    for (const vector of vectors.crc32) {
      const bytes = hex(vector.inputHex);
      expect(crc32(bytes)).toBe(Number(vector.crc32));
      expect(fingerprint(bytes, bytes.length)).toBe(Number(vector.fingerprint));
    }
  });
});

describe('malformed messages', () => {
  const key = crypto.hmac('sha-1', hex(vectors.malformed.iceMalformedKey));
  const cases = (...expectations: string[]): typeof vectors.malformed.cases =>
    vectors.malformed.cases.filter(({ expect: outcome }) => expectations.includes(outcome));

  it('the baseline they were made from is fine', () => {
    expect(verifyIntegrity(decoded(hex(vectors.malformed.baseline)), key)).toBe(true);
  });

  it.each(cases('not-stun'))('$id is not STUN: $why', ({ hex: text }) => {
    expect(isStun(hex(text))).toBe(false);
    expect(decodeStun(hex(text))).toMatchObject({ failed: true, reason: 'not-stun' });
  });

  it.each(cases('reject', 'reject-attribute'))('$id is refused: $why', ({ hex: text }) => {
    expect(decodeStun(hex(text))).toHaveProperty('failed', true);
  });

  it.each(cases('fingerprint-bad'))('$id fails at the fingerprint: $why', ({ hex: text }) => {
    expect(decodeStun(hex(text))).toMatchObject({ failed: true, reason: 'stun-bad-fingerprint' });
  });

  it.each(cases('integrity-bad'))('$id fails at the integrity: $why', ({ hex: text }) => {
    expect(verifyIntegrity(decoded(hex(text)), key)).toBe(false);
  });

  it.each(cases('integrity-ok-but-401', 'accept', 'accept-first', 'integrity-ok-ignore-trailing'))(
    '$id verifies: $why',
    ({ hex: text }) => {
      expect(verifyIntegrity(decoded(hex(text)), key)).toBe(true);
    },
  );

  it('SEC: what an attacker appends behind MESSAGE-INTEGRITY is invisible', () => {
    const [appended] = cases('integrity-ok-ignore-trailing');
    const message = decoded(hex(appended?.hex ?? ''));
    expect(hasAttribute(message, Type.useCandidate)).toBe(false);
    expect(hasAttribute(message, Type.username)).toBe(true);
  });

  it('the first of two equal attributes wins', () => {
    const [duplicate] = cases('accept-first');
    expect(attributeText(decoded(hex(duplicate?.hex ?? '')), Type.username)).toBe('rfrg:lfrg');
  });

  it('unknown comprehension-required attributes are named, optional ones are not', () => {
    const required = vectors.malformed.cases.find(({ id }) => id === 'unknown-comprehension-required');
    const optional = vectors.malformed.cases.find(({ id }) => id === 'unknown-comprehension-optional');
    expect(unknownAttributes(decoded(hex(required?.hex ?? '')), UNDERSTOOD)).toEqual([0x7ffe]);
    expect(unknownAttributes(decoded(hex(optional?.hex ?? '')), UNDERSTOOD)).toEqual([]);
  });

  it('thousands of empty attributes are refused', () => {
    const writer = new StunWriter('request', StunMethod.binding, new Uint8Array(12));
    for (let i = 0; i < 300; i++) writer.flag(0xc000 + i);
    expect(decodeStun(writer.finish())).toMatchObject({ reason: 'stun-too-many-attributes' });
  });
});

describe('writer', () => {
  const transactionId = hex('000102030405060708090a0b');

  it('an error without a reason phrase stays small', () => {
    const bytes = new StunWriter('error', StunMethod.binding, transactionId).errorCode(487).finish();
    expect(bytes.length).toBe(28);
    expect(errorCodeOf(decoded(bytes))).toBe(487);
  });

  it('pads with zeros and counts padding in no attribute length', () => {
    const bytes = new StunWriter('request', StunMethod.binding, transactionId)
      .text(Type.username, 'abcde')
      .finish();
    expect(toHex(bytes.subarray(20))).toBe('00060005' + '6162636465' + '000000');
    expect(readU16(bytes, 2)).toBe(12);
  });

  it('UNKNOWN-ATTRIBUTES of odd count is padded', () => {
    const bytes = new StunWriter('error', StunMethod.binding, transactionId)
      .unknownAttributes([0x7ffe])
      .finish();
    expect(toHex(bytes.subarray(20))).toBe('000a00027ffe0000');
  });

  it('refuses an address that is none', () => {
    const writer = new StunWriter('success', StunMethod.binding, transactionId);
    expect(() => writer.xorAddress(Type.xorMappedAddress, { address: 'host.local', port: 1 })).toThrow(
      'IP address',
    );
  });
});

describe('properties', () => {
  const attribute = fc.record({
    // Types without a prescribed shape.
    type: fc.oneof(
      fc.constantFrom<number>(Type.realm, Type.nonce, Type.software, Type.data),
      fc.integer({ min: 0xc100, max: 0xffff }),
    ),
    value: fc.uint8Array({ maxLength: 40 }),
  });

  it('what is written is what is read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('request', 'indication', 'success', 'error' as const),
        fc.integer({ min: 0, max: 0xfff }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.array(attribute, { maxLength: 12 }),
        fc.string({ minLength: 1, maxLength: 30 }),
        (stunClass, method, id, attributes, password) => {
          const key = shortTermKey(crypto, password);
          const writer = new StunWriter(stunClass, method, id);
          for (const { type, value } of attributes) writer.attribute(type, value);
          const bytes = writer.integrity(key).fingerprint().finish();
          const before = toHex(bytes);
          const message = decoded(bytes);
          expect([message.class, message.method]).toEqual([stunClass, method]);
          expect(toHex(transactionIdOf(message))).toBe(toHex(id));
          expect(message.attributes.map((one) => [one.type, toHex(valueOf(message, one))])).toEqual(
            attributes.map(({ type, value }) => [type, toHex(value)]),
          );
          expect(verifyIntegrity(message, key)).toBe(true);
          expect(toHex(bytes)).toBe(before);
        },
      ),
    );
  });

  it('random bytes behind a valid header decode or are refused with a named reason', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 0x3fff }), (body, type) => {
        const length = body.length - (body.length % 4);
        const bytes = new Uint8Array(20 + length);
        bytes.set([type >> 8, type & 0xff, length >> 8, length & 0xff, 0x21, 0x12, 0xa4, 0x42]);
        bytes.set(body.subarray(0, length), 20);
        const message = decodeStun(bytes);
        if (isFailure(message)) expect(STUN_DECODE_REASONS).toContain(message.reason);
        else expect(message.attributes.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('a changed byte never passes the integrity check', () => {
    const original = hex(messageVector('ice-request-controlling').hex);
    const key = shortTermKey(crypto, '0123456789abcdefghijklmnopqrstuv');
    // Not the length field: it is made anew below.
    const position = fc.nat({ max: original.length - 9 }).filter((at) => at !== 2 && at !== 3);
    fc.assert(
      fc.property(position, fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = original.slice();
        bytes[at]! ^= flip;
        // Without FINGERPRINT, so that integrity is what stands in the way.
        const message = decodeStun(withoutFingerprint(bytes));
        expect(isFailure(message) || !verifyIntegrity(message, key)).toBe(true);
      }),
    );
  });

  function withoutFingerprint(bytes: Uint8Array): Uint8Array {
    const shorter = bytes.slice(0, bytes.length - 8);
    const length = shorter.length - 20;
    shorter.set([length >> 8, length & 0xff], 2);
    return shorter;
  }
});
