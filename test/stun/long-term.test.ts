/** Long-term credentials: keys, userhash, algorithms and what nonces say, by the vectors and at their bounds. */
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { encodeUtf8, toBase64, toHex } from '../../src/core/text.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import {
  StunAttributeType as Type,
  attributeText,
  attributeValue,
  decodePasswordAlgorithms,
  decodeStun,
  encodePasswordAlgorithms,
  longTermKey,
  nonceCookie,
  securityFeatures,
  userhash,
} from '../../src/stun/index.ts';
import { hex, messageVector, vectors } from './vectors.ts';

const crypto = jsCrypto();

describe('keys', () => {
  it.each(vectors.longTermKeys)('of "$username" at "$realm"', (vector) => {
    expect(toHex(longTermKey(crypto, 'md5', vector))).toBe(vector.md5);
    expect(toHex(longTermKey(crypto, 'sha-256', vector))).toBe(vector.sha256);
    expect(toHex(userhash(crypto, vector.username, vector.realm))).toBe(vector.userhash);
  });

  it.each(vectors.messages.filter(({ credentials }) => credentials?.mode.startsWith('long-term')))(
    'of the message $id',
    ({ credentials }) => {
      const { mode = '', key, username = '', realm = '', password = '' } = credentials ?? {};
      const algorithm = mode === 'long-term-md5' ? 'md5' : 'sha-256';
      expect(toHex(longTermKey(crypto, algorithm, { username, realm, password }))).toBe(key);
    },
  );

  it.each(vectors.turnRestCredentials)(
    'time-limited passwords are an HMAC of the username: $username',
    ({ username, secret, password, passwordSha256 }) => {
      const mac = (algorithm: 'sha-1' | 'sha-256'): string =>
        toBase64(crypto.hmac(algorithm, encodeUtf8(secret)).mac(encodeUtf8(username)));
      expect([mac('sha-1'), mac('sha-256')]).toEqual([password, passwordSha256]);
    },
  );

  it('are the same for the same password, however it is composed and spaced', () => {
    const key = (password: string): string =>
      toHex(longTermKey(crypto, 'md5', { username: 'u', realm: 'r', password }));
    expect(key('caf\u0065\u0301')).toBe(key('caf\u00e9'));
    expect(key('a\u00a0b\u3000c')).toBe(key('a b c'));
    expect(key('Cafe')).not.toBe(key('cafe'));
  });
});

describe('nonces', () => {
  const nothing = { passwordAlgorithms: false, usernameAnonymity: false };

  it('of the RFC’s example: usernames are hidden', () => {
    const message = decodeStun(hex(messageVector('rfc8489-b.1-erratum6268').hex));
    if (isFailure(message)) throw new Error(message.reason);
    const nonce = attributeText(message, Type.nonce) ?? '';
    expect(securityFeatures(nonce)).toEqual({ ...nothing, usernameAnonymity: true });
    const hidden = attributeValue(message, Type.userhash) ?? new Uint8Array();
    expect(toHex(hidden)).toBe(messageVector('rfc8489-b.1-erratum6268').credentials?.userhash);
  });

  it.each([false, true])('say what was written, password algorithms %s', (passwordAlgorithms) => {
    for (const usernameAnonymity of [false, true]) {
      const features = { passwordAlgorithms, usernameAnonymity };
      expect(securityFeatures(`${nonceCookie(features)}and more`)).toEqual(features);
    }
  });

  it.each([
    '',
    'f//499k954d6OL34oL9FSTvy64sA',
    'obMatJos2',
    'obMatJos2AA',
    'obMatJos2A?AD',
    'xobMatJos2AAAD',
  ])('"%s" says nothing', (nonce) => {
    expect(securityFeatures(nonce)).toEqual(nothing);
  });

  it('may have features that are not known here', () => {
    expect(securityFeatures('obMatJos2////')).toEqual({ passwordAlgorithms: true, usernameAnonymity: true });
    expect(securityFeatures('obMatJos2///8')).toEqual(nothing);
  });
});

describe('password algorithms', () => {
  it('are told in their order', () => {
    expect(toHex(encodePasswordAlgorithms(['sha-256', 'md5']))).toBe('0002000000010000');
    expect(decodePasswordAlgorithms(hex('0002000000010000'))).toEqual(['sha-256', 'md5']);
  });

  it('that are not known, or have parameters, are passed over', () => {
    expect(decodePasswordAlgorithms(hex('00090003aabbcc00' + '00010000'))).toEqual(['md5']);
    expect(decodePasswordAlgorithms(hex('0001000411223344' + '00020000'))).toEqual(['sha-256']);
    expect(decodePasswordAlgorithms(hex('00090000'))).toEqual([]);
  });

  it.each(['', '00', '0001', '000100', '000100000002', '0001000400020000ff', '00020004'])(
    'a value of %s has none',
    (value) => {
      expect(decodePasswordAlgorithms(hex(value))).toEqual([]);
    },
  );
});
