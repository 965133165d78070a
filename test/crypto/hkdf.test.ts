/** HKDF-Expand (RFC 5869 §2.3), to the length that is asked for. */
import { expect, test } from 'vitest';
import { hkdfExpand } from '../../src/crypto/hkdf.ts';
import { jsCrypto } from '../../src/crypto/index.ts';

const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'hex'));

// RFC 5869, appendix A.1.
const PRK = hex('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5');
const INFO = hex('f0f1f2f3f4f5f6f7f8f9');
const OKM = '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865';

test.each([1, 16, 31, 32, 33, 42])('%d bytes of the test vector', (length) => {
  const output = hkdfExpand(jsCrypto().hmac('sha-256', PRK), INFO, length);
  expect(Buffer.from(output).toString('hex')).toBe(OKM.slice(0, 2 * length));
});
