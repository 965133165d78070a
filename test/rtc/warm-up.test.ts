/** `warmUp`: connections in memory, before the first peer comes. */
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { CryptoProvider, RandomSource } from '../../src/index.ts';
import { RtcError, SeededRandom, warmUp } from '../../src/index.ts';

const crypto = nodeCrypto();

describe('warmUp', () => {
  it('gives a connection that is up, and has taken a message there and back', () => {
    const { ends } = warmUp({ crypto, connections: 1 });
    expect(ends.map((end) => end.connectionState)).toEqual(['connected', 'connected']);
    for (const end of ends) {
      expect(end.inspect().dtls?.tlsVersion).toBe('FEFC');
      expect(end.invariantViolation()).toBeUndefined();
    }
  });

  it('has the DTLS that it is asked for', () => {
    const { ends } = warmUp({ crypto, connections: 1, dtls: { versions: { min: '1.2', max: '1.2' } } });
    expect(ends.map((end) => end.inspect().dtls?.tlsVersion)).toEqual(['FEFD', 'FEFD']);
  });

  it('draws from the source that it is given alone', () => {
    let drawn = 0;
    const seeded = new SeededRandom(1);
    const random: RandomSource = {
      fill(bytes) {
        drawn += bytes.length;
        seeded.fill(bytes);
      },
    };
    warmUp({ crypto, random, connections: 1 });
    const once = drawn;
    expect(once).toBeGreaterThan(0);
    warmUp({ crypto, random, connections: 3 });
    expect(drawn).toBeGreaterThan(3 * once);
  });

  it('refuses options that cannot be', () => {
    for (const options of [
      { connections: 0 },
      { connections: 1.5 },
      { connections: 1001 },
      { crypto: {} },
      { times: 3 },
    ]) {
      expect(() => warmUp(options as object)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
    expect(() => warmUp({ crypto, dtls: { groups: [] } })).toThrow(RtcError);
  });

  it('says so when the provider does not work', () => {
    const broken: CryptoProvider = Object.assign(Object.create(crypto) as CryptoProvider, {
      verify: () => false,
    });
    expect(() => warmUp({ crypto: broken })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  });
});
