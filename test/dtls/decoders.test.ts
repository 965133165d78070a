/** Decoders of handshake messages and extensions: what is cut off, or has a byte too many, is none. */
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { decodeAlert, encodeAlert } from '../../src/dtls/alerts.ts';
import {
  decodeCertificate,
  decodeCertificateRequest,
  decodeCertificateVerify,
  encodeCertificate,
  encodeCertificateRequest,
  encodeCertificateVerify,
} from '../../src/dtls/messages/certificates.ts';
import {
  decodeCertificate13,
  decodeCertificateRequest13,
  encodeCertificate13,
  encodeCertificateRequest13,
} from '../../src/dtls/messages/certificates13.ts';
import {
  decodeCookie,
  decodeU16,
  decodeU16Vector,
  decodeVersions,
  encodeCookie,
  encodeU16,
  encodeU16Vector,
  encodeVersions,
} from '../../src/dtls/messages/extensions.ts';
import {
  decodeClientHello,
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
  encodeHelloVerifyRequest,
  encodeServerHello,
} from '../../src/dtls/messages/hello.ts';
import {
  decodeClientKeyExchange,
  decodeServerKeyExchange,
  encodeClientKeyExchange,
  encodeKeyExchangeParameters,
  encodeServerKeyExchange,
} from '../../src/dtls/messages/key-exchange.ts';
import {
  decodeKeyShare,
  decodeKeyShares,
  encodeKeyShare,
  encodeKeyShares,
} from '../../src/dtls/messages/key-share.ts';
import { decodeUseSrtp, encodeUseSrtp } from '../../src/dtls/messages/use-srtp.ts';
import { decodeAck, encodeAck } from '../../src/dtls/record/ack.ts';
import { decodeKeyUpdate, encodeKeyUpdate } from '../../src/dtls/v13/key-updates.ts';

const random = new Uint8Array(32).fill(5);
const some = Uint8Array.of(1, 2, 3);
const signed = { scheme: 0x0403, signature: some };
const extensions = [
  { type: 10, data: some },
  { type: 13, data: new Uint8Array(0) },
];
const hello = {
  version: 0xfefd,
  random,
  sessionId: some,
  cookie: some,
  cipherSuites: [0xc02b, 0xc02c],
  compressionMethods: Uint8Array.of(0, 1),
  cipherSuite: 0xc02b,
  compressionMethod: 0,
  extensions,
};
const shares = [
  { groupCode: 0x001d, publicKey: some },
  { groupCode: 0x0017, publicKey: some },
];

/** A name, bytes that decode, their decoder, and how many of them decode alone: those before the extensions; -1: none. */
type Sample = readonly [string, Uint8Array, (bytes: Uint8Array) => object | number, number];

const SAMPLES: readonly Sample[] = [
  [
    'ClientHello',
    encodeClientHello(hello),
    decodeClientHello,
    encodeClientHello({ ...hello, extensions: [] }).length,
  ],
  [
    'ServerHello',
    encodeServerHello(hello),
    decodeServerHello,
    encodeServerHello({ ...hello, extensions: [] }).length,
  ],
  ['HelloVerifyRequest', encodeHelloVerifyRequest(hello), decodeHelloVerifyRequest, -1],
  ['Certificate', encodeCertificate([some, some]), decodeCertificate, -1],
  [
    'CertificateRequest',
    encodeCertificateRequest({ certificateTypes: some, signatureSchemes: [1, 2] }),
    decodeCertificateRequest,
    -1,
  ],
  ['CertificateVerify', encodeCertificateVerify(signed), decodeCertificateVerify, -1],
  [
    'ServerKeyExchange',
    encodeServerKeyExchange(encodeKeyExchangeParameters('x25519', some), signed),
    decodeServerKeyExchange,
    -1,
  ],
  ['ClientKeyExchange', encodeClientKeyExchange(some), decodeClientKeyExchange, -1],
  ['CertificateRequest of DTLS 1.3', encodeCertificateRequest13([1, 2]), decodeCertificateRequest13, -1],
  ['Certificate of DTLS 1.3', encodeCertificate13([some, some]), decodeCertificate13, -1],
  ['KeyUpdate', encodeKeyUpdate(true), decodeKeyUpdate, -1],
  ['ACK', encodeAck([{ epoch: 2, sequence: 7 }]), decodeAck, -1],
  ['alert', encodeAlert({ level: 2, description: 40 }), decodeAlert, -1],
  ['key_share of a client', encodeKeyShares(shares), decodeKeyShares, -1],
  ['key_share of a server', encodeKeyShare({ groupCode: 0x001d, publicKey: some }), decodeKeyShare, -1],
  ['use_srtp', encodeUseSrtp([7, 8]), decodeUseSrtp, -1],
  ['supported_groups', encodeU16Vector([29, 23]), decodeU16Vector, -1],
  ['supported_versions of a client', encodeVersions([0xfefc, 0xfefd]), decodeVersions, -1],
  ['supported_versions of a server', encodeU16(0xfefc), decodeU16, -1],
];

function decodes(decoded: object | number): boolean {
  return typeof decoded === 'number' || !isFailure(decoded);
}

describe.each(SAMPLES)('%s', (_, bytes, decode, whole) => {
  it('decodes', () => {
    expect(decodes(decode(bytes))).toBe(true);
  });

  it('cut off anywhere it does not, but where only extensions are missing', () => {
    const good = Array.from(bytes.keys()).filter((length) => decodes(decode(bytes.subarray(0, length))));
    expect(good).toEqual(whole < 0 ? [] : [whole]);
  });

  it('with a byte behind it does not', () => {
    expect(decodes(decode(Uint8Array.of(...bytes, 0)))).toBe(false);
  });
});

it('a cookie that is cut off, or has a byte behind it, is empty', () => {
  const cookie = encodeCookie(some);
  expect(decodeCookie(cookie)).toEqual(some);
  expect(decodeCookie(cookie.subarray(0, 4))).toHaveLength(0);
  expect(decodeCookie(Uint8Array.of(...cookie, 0))).toHaveLength(0);
});

describe('what is not taken', () => {
  it('an extension twice', () => {
    const twice = { ...hello, extensions: [...extensions, { type: 10, data: some }] };
    expect(isFailure(decodeClientHello(encodeClientHello(twice)))).toBe(true);
    expect(isFailure(decodeServerHello(encodeServerHello(twice)))).toBe(true);
  });

  it('two shares of a group', () => {
    expect(
      isFailure(decodeKeyShares(encodeKeyShares([...shares, { groupCode: 0x0017, publicKey: random }]))),
    ).toBe(true);
    expect(decodeKeyShares(encodeKeyShares([]))).toEqual([]);
  });

  it.each([['cipher suites', { cipherSuites: [] }]])('no %s at all are none to choose from', (_, change) => {
    expect(isFailure(decodeClientHello(encodeClientHello({ ...hello, ...change })))).toBe(true);
  });

  it('an empty key', () => {
    const empty = new Uint8Array(0);
    expect(isFailure(decodeClientKeyExchange(encodeClientKeyExchange(empty)))).toBe(true);
    expect(isFailure(decodeKeyShare(encodeKeyShare({ groupCode: 0x001d, publicKey: empty })))).toBe(true);
  });

  it('half a number in a list', () => {
    expect(isFailure(decodeU16Vector(Uint8Array.of(0, 3, 0, 1, 0)))).toBe(true);
    expect(isFailure(decodeVersions(Uint8Array.of(3, 0, 1, 0)))).toBe(true);
    expect(isFailure(decodeUseSrtp(Uint8Array.of(0, 3, 0, 1, 0, 0)))).toBe(true);
    expect(isFailure(decodeUseSrtp(Uint8Array.of(0, 0, 0)))).toBe(true);
  });
});
