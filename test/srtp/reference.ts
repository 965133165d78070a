/**
 * SRTP as RFC 3711 and RFC 7714 describe it, on `node:crypto` alone and written with no look at speed: what the library is held
 * against. It keeps nothing: the roll-over counter and the index are told.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { SrtpMasterKey, SrtpProfile } from '../../src/srtp/index.ts';

interface Keys {
  readonly cipher: Buffer;
  readonly authentication: Buffer;
  readonly salt: Buffer;
}

/** One direction of an association. */
export class Reference {
  readonly #isGcm: boolean;
  readonly #bits: 128 | 256;
  readonly #rtpTag: number;
  readonly #rtp: Keys;
  readonly #rtcp: Keys;

  constructor(profile: SrtpProfile, master: SrtpMasterKey) {
    this.#isGcm = profile.includes('GCM');
    this.#bits = profile.includes('256') ? 256 : 128;
    this.#rtpTag = this.#isGcm ? 16 : profile.endsWith('_32') ? 4 : 10;
    this.#rtp = this.#derive(master, 0);
    this.#rtcp = this.#derive(master, 3);
  }

  protectRtp(packet: Uint8Array, headerLength: number, rollOver: number): Buffer {
    const header = packet.subarray(0, headerLength);
    const payload = packet.subarray(headerLength);
    const counter = u32(rollOver);
    const index = Buffer.concat([counter, packet.subarray(2, 4)]);
    const ssrc = packet.subarray(8, 12);
    if (this.#isGcm) {
      const nonce = xor(Buffer.concat([Buffer.alloc(2), ssrc, index]), this.#rtp.salt);
      return Buffer.concat([header, this.#seal(this.#rtp, nonce, header, payload)]);
    }
    const body = this.#stream(this.#rtp, ssrc, index, payload);
    const tag = sha1(this.#rtp, header, body, counter).subarray(0, this.#rtpTag);
    return Buffer.concat([header, body, tag]);
  }

  protectRtcp(packet: Uint8Array, index: number, isEncrypted = true): Buffer {
    const header = packet.subarray(0, 8);
    const payload = packet.subarray(8);
    const ssrc = packet.subarray(4, 8);
    const trailer = u32(isEncrypted ? 2 ** 31 + index : index);
    if (this.#isGcm) {
      const nonce = xor(Buffer.concat([Buffer.alloc(2), ssrc, Buffer.alloc(2), u32(index)]), this.#rtcp.salt);
      return isEncrypted
        ? Buffer.concat([
            header,
            this.#seal(this.#rtcp, nonce, Buffer.concat([header, trailer]), payload),
            trailer,
          ])
        : Buffer.concat([
            packet,
            this.#seal(this.#rtcp, nonce, Buffer.concat([packet, trailer]), Buffer.alloc(0)),
            trailer,
          ]);
    }
    const wide = Buffer.concat([Buffer.alloc(2), u32(index)]);
    const body = isEncrypted ? this.#stream(this.#rtcp, ssrc, wide, payload) : payload;
    return Buffer.concat([header, body, trailer, sha1(this.#rtcp, header, body, trailer).subarray(0, 10)]);
  }

  /** Opens what AES-GCM has sealed; throws for a wrong tag. */
  openGcm(packet: Uint8Array, headerLength: number, rollOver: number): Buffer {
    const nonce = xor(
      Buffer.concat([Buffer.alloc(2), packet.subarray(8, 12), u32(rollOver), packet.subarray(2, 4)]),
      this.#rtp.salt,
    );
    const cipher = createDecipheriv(`aes-${this.#bits}-gcm`, this.#rtp.cipher, nonce);
    cipher.setAAD(packet.subarray(0, headerLength));
    cipher.setAuthTag(packet.subarray(packet.length - 16));
    const body = cipher.update(packet.subarray(headerLength, packet.length - 16));
    cipher.final();
    return Buffer.concat([packet.subarray(0, headerLength), body]);
  }

  #derive({ key, salt }: SrtpMasterKey, first: number): Keys {
    const derive = (label: number, length: number): Buffer => {
      const counter = Buffer.alloc(16);
      counter.set(salt);
      counter[7]! ^= label;
      return createCipheriv(`aes-${8 * key.length}-ctr`, key, counter).update(Buffer.alloc(length));
    };
    return {
      cipher: derive(first, key.length),
      authentication: derive(first + 1, 20),
      salt: derive(first + 2, salt.length),
    };
  }

  #stream({ cipher, salt }: Keys, ssrc: Uint8Array, index: Uint8Array, text: Uint8Array): Buffer {
    const counter = xor(
      Buffer.concat([Buffer.alloc(4), ssrc, index, Buffer.alloc(2)]),
      Buffer.concat([salt, Buffer.alloc(2)]),
    );
    return createCipheriv('aes-128-ctr', cipher, counter).update(text);
  }

  #seal({ cipher }: Keys, nonce: Uint8Array, additionalData: Uint8Array, text: Uint8Array): Buffer {
    const sealing = createCipheriv(`aes-${this.#bits}-gcm`, cipher, nonce);
    sealing.setAAD(additionalData);
    const body = sealing.update(text);
    sealing.final();
    return Buffer.concat([body, sealing.getAuthTag()]);
  }
}

function sha1({ authentication }: Keys, ...parts: readonly Uint8Array[]): Buffer {
  const mac = createHmac('sha1', authentication);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
