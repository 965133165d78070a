/** What the RFCs and other implementations have published of SRTP, for a provider. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../src/core/text.ts';
import type { CryptoProvider } from '../../src/crypto/provider.ts';
import { GcmRtcpCipher, GcmRtpCipher } from '../../src/srtp/gcm.ts';
import { deriveSessionKeys } from '../../src/srtp/key-derivation.ts';
import { ENCRYPTED } from '../../src/srtp/packet-cipher.ts';
import { createSrtp } from '../../src/srtp/index.ts';
import vectors from '../vectors/srtp.json' with { type: 'json' };
import { hex } from './packets.ts';

/** The published answers, for `crypto`. */
export function describeKnownAnswers(crypto: CryptoProvider): void {
  describe('known answers', () => {
    it('RFC 3711 B.2: the key stream of AES in counter mode', () => {
      const key = crypto.counterMode(hex(vectors.rfc3711_b2.key));
      for (const { counter, keystream } of vectors.rfc3711_b2.blocks) {
        const block = new Uint8Array(16);
        key.apply(hex(counter), block, 0, 16);
        expect(toHex(block)).toBe(keystream);
      }
    });

    it('RFC 3711 B.3: the session keys of a master key', () => {
      const v = vectors.rfc3711_b3;
      const master = { key: hex(v.master_key), salt: hex(v.master_salt) };
      const rtp = deriveSessionKeys(crypto, 'rtp', master, 94);
      expect(toHex(rtp.cipherKey)).toBe(v.srtp_cipher_key);
      expect(toHex(rtp.salt)).toBe(v.srtp_cipher_salt);
      expect(toHex(rtp.authenticationKey)).toBe(v.srtp_auth_key_94_bytes);
      const rtcp = deriveSessionKeys(crypto, 'rtcp', master, 20);
      expect(toHex(rtcp.cipherKey)).toBe(v.derived_srtcp.cipher_key);
      expect(toHex(rtcp.salt)).toBe(v.derived_srtcp.cipher_salt);
      expect(toHex(rtcp.authenticationKey)).toBe(v.derived_srtcp.auth_key);
    });

    it.each(['aes128', 'aes256'] as const)('RFC 7714 §11: the session keys of %s-GCM', (name) => {
      const v = vectors.rfc7714_kdf_derived[name];
      const master = { key: hex(v.master_key), salt: hex(v.master_salt) };
      const rtp = deriveSessionKeys(crypto, 'rtp', master, 0);
      const rtcp = deriveSessionKeys(crypto, 'rtcp', master, 0);
      expect([rtp.cipherKey, rtp.salt, rtcp.cipherKey, rtcp.salt].map(toHex)).toEqual([
        v.srtp_key,
        v.srtp_salt,
        v.srtcp_key,
        v.srtcp_salt,
      ]);
    });

    it('packets of libsrtp under AES128_CM_HMAC_SHA1_80', () => {
      const [rtp, rtcp] = vectors.packets_aes128_cm_hmac_sha1_80;
      const master = () => ({
        key: hex(vectors.rfc3711_b3.master_key),
        salt: hex(vectors.rfc3711_b3.master_salt),
      });
      const srtp = createSrtp({
        profile: 'SRTP_AES128_CM_HMAC_SHA1_80',
        crypto,
        local: master(),
        remote: master(),
      });
      const plainRtp = hex(rtp?.rtp ?? '');
      const buffer = new Uint8Array(plainRtp.length + 10);
      buffer.set(plainRtp);
      expect(srtp.protectRtp(buffer, 0, plainRtp.length)).toBe(buffer.length);
      expect(toHex(buffer)).toBe(rtp?.srtp);
      expect(srtp.unprotectRtp(buffer)).toBe(plainRtp.length);
      expect(toHex(buffer.subarray(0, plainRtp.length))).toBe(rtp?.rtp);

      const plainRtcp = hex(rtcp?.rtcp ?? '');
      const compound = new Uint8Array(plainRtcp.length + 14);
      // Index 0 comes first here, libsrtp begins with 1.
      compound.set(plainRtcp);
      srtp.protectRtcp(compound, 0, plainRtcp.length);
      compound.set(plainRtcp);
      expect(srtp.protectRtcp(compound, 0, plainRtcp.length)).toBe(compound.length);
      expect(toHex(compound)).toBe(rtcp?.srtcp);
      expect(srtp.unprotectRtcp(compound)).toBe(plainRtcp.length);
      expect(toHex(compound.subarray(0, plainRtcp.length))).toBe(rtcp?.rtcp);
    });

    it.each(vectors.rfc7714.srtp)('RFC 7714 $id', ({ key, salt, roc, rtp, srtp }) => {
      const algorithm = key.length === 32 ? 'aes-128-gcm' : 'aes-256-gcm';
      const cipher = new GcmRtpCipher(crypto.aead(algorithm, hex(key)), hex(salt));
      const plain = hex(rtp);
      const buffer = new Uint8Array(plain.length + 16);
      buffer.set(plain);
      const index = roc * 0x1_0000 + 0xf17b;
      cipher.seal(buffer, 0, 12, plain.length, index);
      expect(toHex(buffer)).toBe(srtp);
      expect(cipher.open(buffer, 12, index)).toBe(true);
      expect(toHex(buffer.subarray(0, plain.length))).toBe(rtp);
    });

    it.each(vectors.rfc7714.srtcp)('RFC 7714 $id', ({ key, salt, index, rtcp, srtcp }) => {
      const algorithm = key.length === 32 ? 'aes-128-gcm' : 'aes-256-gcm';
      const cipher = new GcmRtcpCipher(crypto.aead(algorithm, hex(key)), hex(salt));
      const plain = hex(rtcp);
      const buffer = new Uint8Array(plain.length + 20);
      buffer.set(plain);
      cipher.seal(buffer, 0, plain.length, index);
      expect(toHex(buffer)).toBe(srtcp);
      expect(cipher.open(buffer, ENCRYPTED + index)).toBe(true);
      expect(toHex(buffer.subarray(0, plain.length))).toBe(rtcp);
    });
  });
}
