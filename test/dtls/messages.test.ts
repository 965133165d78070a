import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reader } from '../../src/core/bytes.ts';
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
  HANDSHAKE_HEADER_LENGTH,
  decodeFragment,
  writeHandshakeHeader,
} from '../../src/dtls/messages/handshake.ts';
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

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
function bytes(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength });
}
const extensions = fc.uniqueArray(fc.record({ type: u16, data: bytes(0, 40) }), {
  selector: ({ type }) => type,
  maxLength: 8,
});
const signed = fc.record({ scheme: u16, signature: bytes(0, 80) });

function survivesRoundTrip<T>(
  values: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(decode(encode(value))).toEqual(value);
    }),
  );
}

describe('handshake messages', () => {
  it('ClientHello survives a round trip', () => {
    const hello = fc.record({
      version: u16,
      random: bytes(32, 32),
      sessionId: bytes(0, 32),
      cookie: bytes(0, 255),
      cipherSuites: fc.array(u16, { minLength: 1, maxLength: 20 }),
      compressionMethods: bytes(0, 4),
      extensions,
    });
    survivesRoundTrip(hello, encodeClientHello, decodeClientHello);
  });

  it('ServerHello survives a round trip', () => {
    const hello = fc.record({
      version: u16,
      random: bytes(32, 32),
      sessionId: bytes(0, 32),
      cipherSuite: u16,
      compressionMethod: u8,
      extensions,
    });
    survivesRoundTrip(hello, encodeServerHello, decodeServerHello);
  });

  it('HelloVerifyRequest survives a round trip', () => {
    const request = fc.record({ version: u16, cookie: bytes(0, 255) });
    survivesRoundTrip(request, encodeHelloVerifyRequest, decodeHelloVerifyRequest);
  });

  it('Certificate survives a round trip', () => {
    const chain = fc.array(bytes(1, 300), { maxLength: 4 });
    survivesRoundTrip(chain, encodeCertificate, decodeCertificate);
  });

  it('CertificateRequest and CertificateVerify survive a round trip', () => {
    const request = fc.record({
      certificateTypes: bytes(0, 8),
      signatureSchemes: fc.array(u16, { maxLength: 8 }),
    });
    fc.assert(
      fc.property(request, signed, (asked, proof) => {
        expect(decodeCertificateRequest(encodeCertificateRequest(asked))).toEqual(asked);
        expect(decodeCertificateVerify(encodeCertificateVerify(proof))).toEqual(proof);
      }),
    );
  });

  it('both key exchanges survive a round trip', () => {
    fc.assert(
      fc.property(bytes(1, 133), signed, (publicKey, proof) => {
        const parameters = encodeKeyExchangeParameters('secp256r1', publicKey);
        expect(decodeServerKeyExchange(encodeServerKeyExchange(parameters, proof))).toEqual({
          groupCode: 0x0017,
          publicKey,
          parameters,
          signed: proof,
        });
        expect(decodeClientKeyExchange(encodeClientKeyExchange(publicKey))).toEqual(publicKey);
      }),
    );
  });

  it('no decoder throws for any bytes', () => {
    const decoders = [
      decodeClientHello,
      decodeServerHello,
      decodeHelloVerifyRequest,
      decodeCertificate,
      decodeCertificateRequest,
      decodeCertificateVerify,
      decodeServerKeyExchange,
      decodeClientKeyExchange,
      decodeAlert,
    ];
    fc.assert(
      fc.property(bytes(0, 200), (input) => {
        for (const decode of decoders) expect(typeof decode(input)).toBe('object');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('handshake fragments', () => {
  function fragment(length: number, offset: number, size: number): Uint8Array {
    const record = new Uint8Array(HANDSHAKE_HEADER_LENGTH + size);
    writeHandshakeHeader(record, 0, 11, length, 3, offset, size);
    return record;
  }

  it('reads what it writes', () => {
    const record = fragment(100, 20, 30);
    expect(decodeFragment(new Reader(record))).toEqual({
      type: 11,
      length: 100,
      messageSeq: 3,
      offset: 20,
      body: record.subarray(HANDSHAKE_HEADER_LENGTH),
    });
  });

  it.each([
    ['reaches beyond the message', fragment(100, 80, 21)],
    ['reaches beyond the record', fragment(100, 0, 10).subarray(0, 20)],
    ['has half a header', fragment(100, 0, 10).subarray(0, 8)],
  ])('T036 refuses a fragment that %s', (_, record) => {
    expect(decodeFragment(new Reader(record))).toMatchObject({ failed: true });
  });
});

describe('alerts', () => {
  it('T104 are exactly two bytes of a known level', () => {
    expect(decodeAlert(encodeAlert({ level: 2, description: 40 }))).toEqual({ level: 2, description: 40 });
    for (const body of [[], [2], [2, 40, 0], [3, 0], [0, 0]]) {
      expect(decodeAlert(Uint8Array.from(body))).toMatchObject({ failed: true });
    }
  });
});
