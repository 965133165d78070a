/** Attributes at their bounds: which lengths and values each may have, how many a message takes, and where they end. */
import { describe, expect, it } from 'vitest';
import { writeU32 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { fingerprint } from '../../src/stun/crc32.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeText,
  attributeU32,
  decodeStun,
  errorCodeOf,
  isStun,
  shortTermKey,
  stunRequestUsername,
  unknownAttributes,
  verifyIntegrity,
  verifyIntegritySha256,
} from '../../src/stun/index.ts';

const transactionId = new Uint8Array(12).fill(7);

function writer(): StunWriter {
  return new StunWriter('request', StunMethod.binding, transactionId);
}

/** What becomes of a message with one attribute: `taken`, or why it is refused. */
function outcome(type: number, value: Uint8Array): string {
  const message = decodeStun(writer().attribute(type, value).finish());
  return isFailure(message) ? message.reason : 'taken';
}

/** Of the lengths up to `most` those with which an attribute of zeros is taken. */
function lengthsOf(type: number, most: number, fill = 0): number[] {
  const lengths = Array.from({ length: most + 1 }, (_, length) => length);
  return lengths.filter((length) => outcome(type, new Uint8Array(length).fill(fill)) === 'taken');
}

describe('lengths', () => {
  it.each([
    ['USE-CANDIDATE', Type.useCandidate, [0]],
    ['PRIORITY', Type.priority, [4]],
    ['CHANNEL-NUMBER', Type.channelNumber, [4]],
    ['LIFETIME', Type.lifetime, [4]],
    ['REQUESTED-TRANSPORT', Type.requestedTransport, [4]],
    ['REQUESTED-ADDRESS-FAMILY', Type.requestedAddressFamily, [4]],
    ['ICE-CONTROLLED', Type.iceControlled, [8]],
    ['ICE-CONTROLLING', Type.iceControlling, [8]],
    ['MESSAGE-INTEGRITY', Type.messageIntegrity, [20]],
    ['MESSAGE-INTEGRITY-SHA256', Type.messageIntegritySha256, [16, 20, 24, 28, 32]],
    ['UNKNOWN-ATTRIBUTES', Type.unknownAttributes, Array.from({ length: 21 }, (_, i) => 2 * i)],
  ])('%s has %j bytes', (_, type, lengths) => {
    expect(lengthsOf(type, 40)).toEqual(lengths);
  });

  it('FINGERPRINT has 4 bytes', () => {
    expect(outcome(Type.fingerprint, new Uint8Array(3))).toBe('stun-bad-attribute');
    expect(outcome(Type.fingerprint, new Uint8Array(5))).toBe('stun-bad-attribute');
    expect(outcome(Type.fingerprint, new Uint8Array(4))).toBe('stun-bad-fingerprint');
  });

  it('USERHASH has 32 bytes', () => {
    expect(lengthsOf(Type.userhash, 40)).toEqual([32]);
  });

  it.each([
    ['REALM', Type.realm],
    ['NONCE', Type.nonce],
  ])('%s has 763 bytes at the most', (_, type) => {
    expect(outcome(type, new Uint8Array(763))).toBe('taken');
    expect(outcome(type, new Uint8Array(764))).toBe('stun-bad-attribute');
  });

  it('USERNAME has 513 bytes at the most', () => {
    expect(outcome(Type.username, new Uint8Array(513))).toBe('taken');
    expect(outcome(Type.username, new Uint8Array(514))).toBe('stun-bad-attribute');
    expect(outcome(Type.username, new Uint8Array(0))).toBe('taken');
  });

  it.each([
    ['MAPPED-ADDRESS', Type.mappedAddress],
    ['XOR-MAPPED-ADDRESS', Type.xorMappedAddress],
    ['XOR-PEER-ADDRESS', Type.xorPeerAddress],
    ['XOR-RELAYED-ADDRESS', Type.xorRelayedAddress],
    ['ALTERNATE-SERVER', Type.alternateServer],
  ])('%s has 8 bytes of family 1, or 20 of family 2', (_, type) => {
    expect(lengthsOf(type, 40, 1)).toEqual([8]);
    expect(lengthsOf(type, 40, 2)).toEqual([20]);
    expect([0, 3, 255].flatMap((family) => lengthsOf(type, 40, family))).toEqual([]);
  });

  it('others have any length', () => {
    expect(lengthsOf(Type.software, 40)).toHaveLength(41);
    expect(lengthsOf(0x7ffe, 40)).toHaveLength(41);
  });
});

describe('ERROR-CODE (RFC 8489 §14.8)', () => {
  it.each([
    [3, 0, 300],
    [4, 87, 487],
    [6, 99, 699],
    [0xf8 | 3, 0, 300],
  ])('class %i and number %i are %i', (hundreds, number, code) => {
    const message = decodeStun(
      writer()
        .attribute(Type.errorCode, Uint8Array.of(0, 0, hundreds, number))
        .finish(),
    );
    expect(isFailure(message) ? message.reason : errorCodeOf(message)).toBe(code);
  });

  it.each([
    [0, 0],
    [2, 99],
    [7, 0],
    [4, 100],
    [4, 255],
  ])('class %i and number %i are none', (hundreds, number) => {
    expect(outcome(Type.errorCode, Uint8Array.of(0, 0, hundreds, number))).toBe('stun-bad-attribute');
  });

  it('needs 4 bytes', () => {
    expect(outcome(Type.errorCode, Uint8Array.of(0, 0, 4))).toBe('stun-bad-attribute');
  });
});

describe('a message', () => {
  /** Empty optional attributes. */
  function crowd(count: number): StunWriter {
    const many = writer();
    for (let i = 0; i < count; i++) many.flag(0xc000 + i);
    return many;
  }

  it('has 64 attributes at the most', () => {
    expect(decodeStun(crowd(64).finish())).toHaveProperty('attributes.length', 64);
    expect(decodeStun(crowd(65).finish())).toHaveProperty('reason', 'stun-too-many-attributes');
    expect(decodeStun(crowd(63).fingerprint().finish())).toHaveProperty('hasFingerprint', true);
    expect(decodeStun(crowd(64).fingerprint().finish())).toHaveProperty('reason', 'stun-too-many-attributes');
  });

  it('names whom it is for in its 64th attribute at the latest', () => {
    const named = (before: number): unknown =>
      stunRequestUsername(crowd(before).text(Type.username, 'me:you').finish())?.receiver;
    expect([named(0), named(63), named(64)]).toEqual(['me', 'me', undefined]);
  });

  it('ends where its last attribute does', () => {
    const whole = writer().text(Type.username, 'me:you!!').finish();
    expect(decodeStun(whole)).toHaveProperty('attributes.length', 1);
    whole[23]! += 1;
    expect(decodeStun(whole)).toHaveProperty('reason', 'stun-attribute-overrun');
    expect(stunRequestUsername(whole)).toBeUndefined();
  });

  it('is told by its first two bits, its cookie and a whole header; on a shared port by its first byte', () => {
    const bytes = writer().finish();
    const starting = (first: number): Uint8Array => Uint8Array.of(first, ...bytes.subarray(1));
    expect([0, 3, 4].map((first) => isStun(starting(first)))).toEqual([true, true, false]);
    expect(decodeStun(starting(0x3f))).not.toHaveProperty('reason');
    expect(decodeStun(starting(0x40))).toHaveProperty('reason', 'not-stun');
    expect([isStun(bytes), isStun(bytes.subarray(0, 19))]).toEqual([true, false]);
    expect(decodeStun(bytes.subarray(0, 19))).toHaveProperty('reason', 'not-stun');
    for (let at = 4; at < 8; at++) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect([isStun(changed), decodeStun(changed)]).toMatchObject([false, { reason: 'not-stun' }]);
    }
  });

  it('is as long as it says', () => {
    const bytes = writer().flag(Type.useCandidate).finish();
    for (const length of [0, 3, 5, 8]) {
      const changed = bytes.slice();
      changed[3] = length;
      expect([length, decodeStun(changed)]).toMatchObject([length, { reason: 'stun-bad-length' }]);
    }
  });

  it('has nothing behind FINGERPRINT', () => {
    const bytes = Uint8Array.of(...writer().fingerprint().finish(), 0x80, 0x22, 0, 0);
    bytes[3] = 12;
    expect(decodeStun(bytes)).toHaveProperty('reason', 'stun-bad-fingerprint');
    // Made for the length that the header says.
    writeU32(bytes, 24, fingerprint(bytes, 20));
    expect(decodeStun(bytes)).toHaveProperty('reason', 'stun-after-fingerprint');
  });
});

describe('MESSAGE-INTEGRITY', () => {
  const crypto = jsCrypto();
  const key = shortTermKey(crypto, 'password');

  it('covers what stands before it, whatever is said behind', () => {
    const bytes = writer().u32(Type.priority, 1).integrity(key).u32(Type.lifetime, 2).finish();
    const message = decodeStun(bytes);
    if (isFailure(message)) throw new Error(message.reason);
    expect([attributeU32(message, Type.priority), attributeU32(message, Type.lifetime)]).toEqual([
      1,
      undefined,
    ]);
    expect(verifyIntegrity(message, key)).toBe(true);
  });

  it('is the first of two, and none behind MESSAGE-INTEGRITY-SHA256', () => {
    const twice = decodeStun(writer().integrity(key).integrity(shortTermKey(crypto, 'other')).finish());
    if (isFailure(twice)) throw new Error(twice.reason);
    expect(verifyIntegrity(twice, key)).toBe(true);
    const behind = writer().attribute(Type.messageIntegritySha256, new Uint8Array(32)).integrity(key);
    const message = decodeStun(behind.text(Type.username, 'a:b').finish());
    if (isFailure(message)) throw new Error(message.reason);
    expect([message.integrityOffset, verifyIntegrity(message, key)]).toEqual([-1, false]);
    expect(attributeText(message, Type.username)).toBeUndefined();
  });
});

describe('MESSAGE-INTEGRITY-SHA256', () => {
  const crypto = jsCrypto();
  const key = crypto.hmac('sha-256', new Uint8Array(32).fill(3));
  const oldKey = shortTermKey(crypto, 'password');

  it('is the first of two, and may follow MESSAGE-INTEGRITY', () => {
    const other = crypto.hmac('sha-256', new Uint8Array(32));
    const message = decodeStun(
      writer().integrity(oldKey).integritySha256(key).integritySha256(other).finish(),
    );
    if (isFailure(message)) throw new Error(message.reason);
    expect([verifyIntegrity(message, oldKey), verifyIntegritySha256(message, key)]).toEqual([true, true]);
    expect(verifyIntegritySha256(message, other)).toBe(false);
  });

  it('hides what stands behind it', () => {
    const bytes = writer().u32(Type.priority, 1).integritySha256(key).u32(Type.lifetime, 2).finish();
    const message = decodeStun(bytes);
    if (isFailure(message)) throw new Error(message.reason);
    expect(verifyIntegritySha256(message, key)).toBe(true);
    expect(attributeU32(message, Type.lifetime)).toBeUndefined();
  });

  it('must be whole, unless its reader allows less', () => {
    const message = decodeStun(writer().integritySha256(key, 16).finish());
    if (isFailure(message)) throw new Error(message.reason);
    expect([16, 20, undefined].map((shortest) => verifyIntegritySha256(message, key, shortest))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is not there where it is not', () => {
    const message = decodeStun(writer().integrity(oldKey).finish());
    if (isFailure(message)) throw new Error(message.reason);
    expect([message.integritySha256Offset, verifyIntegritySha256(message, key)]).toEqual([-1, false]);
  });
});

it('attributes below 0x8000 must be understood, each is named once', () => {
  const message = decodeStun(writer().flag(0x7fff).flag(0x8000).flag(0x7fff).flag(0x0002).finish());
  if (isFailure(message)) throw new Error(message.reason);
  expect(unknownAttributes(message, new Set())).toEqual([0x7fff, 0x0002]);
  expect(unknownAttributes(message, new Set([0x7fff]))).toEqual([0x0002]);
});
