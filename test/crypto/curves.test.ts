/** Our curves, parameter by parameter, against those that noble makes of the same arithmetic. */
import { x25519 as witness25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nistCurve, x25519 } from '../../src/crypto/js/curves.ts';

describe('curves', () => {
  test.each([
    ['secp256r1', p256],
    ['secp384r1', p384],
  ] as const)('%s has the parameters of its standard', (name, witness) => {
    const { Point } = nistCurve(name);
    expect(Point.CURVE()).toEqual(witness.Point.CURVE());
    expect(Point.BASE.toHex()).toBe(witness.Point.BASE.toHex());
    expect(nistCurve(name)).toBe(nistCurve(name));
  });

  test('x25519 makes the public keys and secrets that others make', () => {
    const scalar = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(scalar, scalar, (ours, theirs) => {
        const publicKey = x25519().getPublicKey(ours);
        expect(publicKey).toEqual(witness25519.getPublicKey(ours));
        const peer = witness25519.getPublicKey(theirs);
        expect(x25519().getSharedSecret(ours, peer)).toEqual(witness25519.getSharedSecret(theirs, publicKey));
      }),
      { numRuns: 20 },
    );
  });
});
