import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../src/core/bytes.ts';
import { fromHex, toHex } from '../../src/core/text.ts';
import { MasterSecret, prf } from '../../src/dtls/schedule.ts';
import vectors from '../vectors/tls12-prf.json' with { type: 'json' };
import { crypto } from './pair.ts';

function bytes(hex: string): Uint8Array {
  const decoded = fromHex(hex);
  if (decoded === undefined) throw new Error('bad hex in a vector');
  return decoded;
}

const published = vectors.vectors.find(({ id }) => id === 'prf-sha256');
const derived = vectors.derived.find(({ id }) => id === 'derived-sha256');
if (published === undefined || derived === undefined) throw new Error('vectors are missing');

describe('key schedule', () => {
  it('RFC 5246 §5: P_SHA256 gives the published output', () => {
    const hmac = crypto.hmac('sha-256', bytes(published.secret));
    const output = prf(hmac, published.label, bytes(published.seed), published.output.length / 2);
    expect(toHex(output)).toBe(published.output);
  });

  it('RFC 7627 §4: master secret, key block and verify_data follow from the premaster secret', () => {
    const premaster = bytes(derived.pre_master_secret);
    const sessionHash = bytes(derived.session_hash);
    const master = new MasterSecret(crypto, premaster, sessionHash);
    const keys = master.expand(bytes(derived.client_random), bytes(derived.server_random));
    const expected = derived.key_block_from_ems;
    expect(toHex(keys.client.key)).toBe(expected.client_write_key);
    expect(toHex(keys.server.key)).toBe(expected.server_write_key);
    expect(toHex(keys.client.salt)).toBe(expected.client_write_iv);
    expect(toHex(keys.server.salt)).toBe(expected.server_write_iv);
    expect(toHex(master.verifyData('client', sessionHash))).toBe(derived.finished.client);
    expect(toHex(master.verifyData('server', sessionHash))).toBe(derived.finished.server);
  });

  it('SEC-21 leaves no premaster secret behind', () => {
    const premaster = bytes(derived.pre_master_secret);
    const master = new MasterSecret(crypto, premaster, bytes(derived.session_hash));
    expect(equalBytes(premaster, new Uint8Array(premaster.length))).toBe(true);
    expect(JSON.stringify(master)).toBe('{}');
  });
});
