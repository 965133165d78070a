/** What every provider must do as either side of X25519MLKEM768, and as the answering side of the other groups. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { copyBytes } from '../../src/core/bytes.ts';
import type { RandomSource } from '../../src/core/random.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { CryptoProvider, Group } from '../../src/crypto/index.ts';
import { hex, X25519_LOW_ORDER } from './known-answers.ts';

interface HybridVector {
  /** d ‖ z of ML-KEM, then the scalar of X25519. */
  readonly seed: string;
  readonly clientShare: string;
  readonly serverShare: string;
  readonly secret: string;
}

/** Made by OpenSSL. */
const vector = JSON.parse(
  readFileSync(new URL('../vectors/x25519mlkem768.json', import.meta.url), 'utf8'),
) as HybridVector;

const CLIENT_SHARE = 1184 + 32;
const SERVER_SHARE = 1088 + 32;
const GROUPS: readonly Group[] = ['x25519mlkem768', 'x25519', 'secp256r1', 'secp384r1'];

/** Gives `bytes` once. */
function once(bytes: Uint8Array): RandomSource {
  return { fill: (target) => target.set(bytes.subarray(0, target.length)) };
}

export function describeHybrid(provider: CryptoProvider): void {
  describe('key agreement, asked and answered', () => {
    it.each(GROUPS)('%s: both sides have one secret, the same seed the same share', (group) => {
      const asking = provider.keyExchange(group, new SeededRandom(1));
      const answer = provider.answerKeyExchange(group, asking.publicKey, new SeededRandom(2));
      expect(answer?.secret).toHaveLength(group === 'x25519mlkem768' ? 64 : group === 'secp384r1' ? 48 : 32);
      expect(asking.deriveSecret(answer?.publicKey ?? new Uint8Array())).toEqual(answer?.secret);
      expect(provider.keyExchange(group, new SeededRandom(1)).publicKey).toEqual(asking.publicKey);
      expect(provider.keyExchange(group, new SeededRandom(3)).publicKey).not.toEqual(asking.publicKey);
    });

    it.each(GROUPS)('%s: shares of a wrong length have no answer and no secret', (group) => {
      const asking = provider.keyExchange(group, new SeededRandom(1));
      const answer = provider.answerKeyExchange(group, asking.publicKey, new SeededRandom(2));
      for (const [share, of] of [
        [asking.publicKey, 'client'],
        [answer?.publicKey ?? new Uint8Array(), 'server'],
      ] as const) {
        for (const bad of [
          new Uint8Array(0),
          share.subarray(1),
          share.subarray(0, share.length - 1),
          Uint8Array.of(...share, 0),
        ]) {
          if (of === 'client') {
            expect(provider.answerKeyExchange(group, bad, new SeededRandom(3))).toBeUndefined();
          } else expect(asking.deriveSecret(bad)).toBeUndefined();
        }
      }
    });
  });

  describe('x25519mlkem768', () => {
    it('gives the share and the secret that OpenSSL gives', () => {
      const exchange = provider.keyExchange('x25519mlkem768', once(hex(vector.seed)));
      expect(exchange.group).toBe('x25519mlkem768');
      expect(exchange.publicKey).toHaveLength(CLIENT_SHARE);
      expect(exchange.publicKey).toEqual(hex(vector.clientShare));
      expect(exchange.deriveSecret(hex(vector.serverShare))).toEqual(hex(vector.secret));
    });

    it('answers the share that OpenSSL gives, each time with another ciphertext', () => {
      const first = provider.answerKeyExchange(
        'x25519mlkem768',
        hex(vector.clientShare),
        new SeededRandom(1),
      );
      const second = provider.answerKeyExchange(
        'x25519mlkem768',
        hex(vector.clientShare),
        new SeededRandom(2),
      );
      expect(first?.publicKey).toHaveLength(SERVER_SHARE);
      expect(first?.publicKey).not.toEqual(second?.publicKey);
      const client = provider.keyExchange('x25519mlkem768', once(hex(vector.seed)));
      expect(client.deriveSecret(first?.publicKey ?? new Uint8Array())).toEqual(first?.secret);
    });

    it('a changed ciphertext gives another secret, and no error that would tell (FIPS 203 §6.3)', () => {
      const client = provider.keyExchange('x25519mlkem768', once(hex(vector.seed)));
      const changed = hex(vector.serverShare);
      changed[500]! ^= 1;
      const secret = client.deriveSecret(changed);
      expect(secret).toHaveLength(64);
      expect(secret?.subarray(0, 32)).not.toEqual(hex(vector.secret).subarray(0, 32));
      expect(secret?.subarray(32)).toEqual(hex(vector.secret).subarray(32));
      expect(client.deriveSecret(changed)).toEqual(secret);
    });

    it('refuses an encapsulation key with a coefficient that is not below the modulus (FIPS 203 §7.2)', () => {
      const share = hex(vector.clientShare);
      // Twelve bits each, the first two of them all ones: 4095 where 3328 is the most.
      share.fill(0xff, 0, 3);
      expect(provider.answerKeyExchange('x25519mlkem768', share, new SeededRandom(1))).toBeUndefined();
    });

    it.each(X25519_LOW_ORDER)(
      'refuses an x25519 share of low order in either share: %s (SEC-18)',
      (_, point) => {
        const clientShare = hex(vector.clientShare);
        clientShare.set(point, 1184);
        expect(
          provider.answerKeyExchange('x25519mlkem768', clientShare, new SeededRandom(1)),
        ).toBeUndefined();
        const serverShare = hex(vector.serverShare);
        serverShare.set(point, 1088);
        const client = provider.keyExchange('x25519mlkem768', once(hex(vector.seed)));
        expect(client.deriveSecret(serverShare)).toBeUndefined();
      },
    );

    it('keeps nothing of the shares it is given', () => {
      const client = provider.keyExchange('x25519mlkem768', once(hex(vector.seed)));
      const share = hex(vector.serverShare);
      const before = copyBytes(share);
      client.deriveSecret(share);
      expect(share).toEqual(before);
      share.fill(0);
      expect(client.deriveSecret(before)).toEqual(hex(vector.secret));
    });
  });
}
