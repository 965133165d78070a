/** F1: a busy server. Hundreds of handshakes at once in one process, with one certificate, over a network that loses. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsVersion } from '../../src/dtls/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { howMany } from '../how-many.ts';
import type { Wire } from './pair.ts';
import { Pair } from './pair.ts';

const CROWD = howMany(100, 500);
const LOSS = 0.02;

describe.each<DtlsVersion>(['1.2', '1.3'])('DTLS %s', (version) => {
  it(`T009 F1d ${CROWD} handshakes at once on one certificate, 2 % of all datagrams lost: all connect`, () => {
    const crypto = nodeCrypto();
    const certificate = selfSignedCertificate({ crypto, random: new SeededRandom(3) });
    const random = new SeededRandom(4);
    const lossy: Wire = ({ data }) => (random.unit() < LOSS ? [] : [{ data, after: 5 + random.unit() * 30 }]);
    const side = {
      crypto,
      certificate,
      remoteFingerprints: [certificate.fingerprint],
      versions: { min: version, max: version },
    };
    const pairs = Array.from({ length: CROWD }, (_, seed) =>
      new Pair({ seed, wire: lossy, client: side, server: side }).start(),
    );
    // One clock for all: in each turn, everything due within it.
    for (let now = 0; now < 15_000 && pairs.some((pair) => !pair.settled); now += 20) {
      for (const pair of pairs) pair.runTo(now);
    }
    const connected = pairs.filter((pair) => pair.connected).length;
    const slowest = Math.max(...pairs.map(({ now }) => now));
    console.log(`DTLS ${version}: ${connected} of ${CROWD} connected, the last after ${slowest} ms`);
    expect(connected).toBe(CROWD);
  });
});
