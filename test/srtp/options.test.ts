import { describe, expect, it } from 'vitest';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { SrtpOptions } from '../../src/srtp/index.ts';
import { createSrtp, srtpSupport } from '../../src/srtp/index.ts';
import { MasterKeys } from './packets.ts';

const crypto = jsCrypto();
const profile = 'SRTP_AEAD_AES_128_GCM';
const keys = new MasterKeys(profile, 1);
const error: unknown = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' });

describe('the options of SRTP', () => {
  it.each<SrtpOptions>([
    { maxSources: 0 },
    { maxSources: 1.5 },
    { replayWindow: 32 },
    { replayWindow: 100 },
    { replayWindow: 65_536 },
    { maxRtpPackets: 0 },
    { maxRtpPackets: 2 ** 48 + 1 },
    { maxRtcpPackets: 2 ** 31 + 1 },
    { maxRtcpPackets: NaN },
  ])('%j is refused', (options) => {
    expect(() => srtpSupport(options)).toThrow(error);
    const init = { ...options, profile, crypto, local: keys.of(0), remote: keys.of(1) } as const;
    expect(() => createSrtp(init)).toThrow(error);
    expect(init.local).toEqual(keys.of(0));
  });

  it('support refuses what it does not know', () => {
    expect(() => srtpSupport({ profiles: [] })).toThrow(error);
    expect(() => srtpSupport({ profiles: ['SRTP_NULL' as typeof profile] })).toThrow(error);
    expect(() => srtpSupport({ window: 64 } as SrtpOptions)).toThrow(error);
  });

  it('keys of another length are refused', () => {
    const other = new MasterKeys('SRTP_AES128_CM_HMAC_SHA1_80', 1);
    expect(() => createSrtp({ profile, crypto, local: other.of(0), remote: keys.of(1) })).toThrow(error);
    expect(() => createSrtp({ profile, crypto, local: keys.of(0), remote: other.of(1) })).toThrow(error);
  });

  it('support hands its options to what it makes, and offers the cheapest first', () => {
    const support = srtpSupport({ maxRtpPackets: 1 });
    expect(support.profiles).toEqual([
      'SRTP_AEAD_AES_128_GCM',
      'SRTP_AEAD_AES_256_GCM',
      'SRTP_AES128_CM_HMAC_SHA1_80',
      'SRTP_AES128_CM_HMAC_SHA1_32',
    ]);
    expect(srtpSupport({ profiles: ['SRTP_AES128_CM_HMAC_SHA1_80'] }).profiles).toHaveLength(1);
    const srtp = support.create({ profile, crypto, local: keys.of(0), remote: keys.of(1) });
    const buffer = new Uint8Array(100);
    buffer[0] = 0x80;
    expect(srtp.protectRtp(buffer, 0, 20)).toBe(36);
    buffer[3] = 1;
    expect(srtp.protectRtp(buffer, 0, 20)).toBe(-1);
  });
});
