/**
 * T001 T004 T030: every provider on either side, every version, group, kind of our certificates and MTU, on a perfect wire.
 * Counts are printed.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import type { CryptoProvider, Curve, Group } from '../../src/crypto/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Certificate, DtlsVersions } from '../../src/dtls/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import { Pair, textOf } from './pair.ts';

const CURVES: readonly Curve[] = ['secp256r1', 'secp384r1'];
const MTUS = [1400, 1200, 600, 300];
const VERSIONS: readonly DtlsVersions[] = [
  { min: '1.2', max: '1.2' },
  { min: '1.3', max: '1.3' },
  { min: '1.2', max: '1.3' },
];

/** The same keys come again and again: worked out once. */
const providers: readonly CryptoProvider[] = [memoizedCrypto(jsCrypto()), memoizedCrypto(nodeCrypto())];

function certificatesOf(crypto: CryptoProvider, seed: number): Record<Curve, Certificate> {
  const certificateOn = (curve: Curve): Certificate =>
    selfSignedCertificate({ crypto, curve, random: new SeededRandom(seed) });
  return { secp256r1: certificateOn('secp256r1'), secp384r1: certificateOn('secp384r1') };
}

const ends = providers.map((crypto) => ({
  crypto,
  client: certificatesOf(crypto, 1),
  server: certificatesOf(crypto, 2),
}));

let handshakes = 0;
afterAll(() => {
  console.log(`${handshakes} combinations, all connected`);
});

describe.each(VERSIONS.map((versions) => [`${versions.min}–${versions.max}`, versions] as const))(
  'DTLS %s',
  (_range, versions) => {
    const groups: readonly Group[] =
      versions.max === '1.2'
        ? ['x25519', 'secp256r1', 'secp384r1']
        : ['x25519', 'secp256r1', 'secp384r1', 'x25519mlkem768'];

    it.each(groups)('%s: connects with every provider, certificate and MTU', (group) => {
      for (const client of ends) {
        for (const server of ends) {
          for (const clientCurve of CURVES) {
            for (const serverCurve of CURVES) {
              for (const mtu of MTUS) {
                const name = [client.crypto.name, server.crypto.name, clientCurve, serverCurve, mtu].join();
                const ours = client.client[clientCurve];
                const theirs = server.server[serverCurve];
                const common = { versions, groups: [group], mtu };
                const pair = new Pair({
                  client: {
                    ...common,
                    crypto: client.crypto,
                    certificate: ours,
                    remoteFingerprints: [theirs.fingerprint],
                  },
                  server: {
                    ...common,
                    crypto: server.crypto,
                    certificate: theirs,
                    remoteFingerprints: [ours.fingerprint],
                  },
                });
                pair.start().run();
                handshakes++;
                const failures = [...pair.codes('client'), ...pair.codes('server')];
                expect([name, pair.connected, failures]).toEqual([name, true, []]);
                expect(Math.max(...pair.sent.map(({ data }) => data.length))).toBeLessThanOrEqual(mtu);
                expect(pair.client.inspect().handshake.group).toBe(group);
                pair.sendText('client', 'ping');
                pair.runTo(pair.now + 100);
                expect(pair.received.server.map(textOf)).toEqual(['ping']);
              }
            }
          }
        }
      }
    });
  },
);
