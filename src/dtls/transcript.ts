/**
 * The handshake transcript of DTLS 1.2 (RFC 6347 §4.2.6): every message, with the header it would have had unfragmented,
 * in the order of the handshake. HelloRequest, HelloVerifyRequest and the ClientHello it answers are left out.
 *
 * CertificateVerify signs the messages themselves, Finished their hash; so both are kept until the handshake is over.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, concatBytes } from '../core/bytes.ts';
import type { CryptoProvider, Hash } from '../crypto/provider.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HANDSHAKE_HEADER_LENGTH, writeHandshakeHeader } from './messages/handshake.ts';

export class Transcript {
  readonly #crypto: CryptoProvider;
  #hash: Hash;
  #messages: Bytes[] = [];

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
    this.#hash = crypto.hash('sha-256');
  }

  add(message: HandshakeMessage): void {
    const { type, messageSeq, body } = message;
    const header = new Uint8Array(HANDSHAKE_HEADER_LENGTH);
    writeHandshakeHeader(header, 0, type, body.length, messageSeq, 0, body.length);
    const whole = concatBytes(header, body);
    this.#messages.push(whole);
    this.#hash.update(whole);
  }

  /** SHA-256 of everything so far. */
  hash(): Bytes {
    return this.#hash.digest();
  }

  /** Everything so far, for a signature. */
  bytes(): Bytes {
    return concatBytes(...this.#messages);
  }

  /** Forgets everything: after a HelloVerifyRequest the handshake starts anew, and after Finished nobody asks again. */
  reset(): void {
    this.#messages = [];
    this.#hash = this.#crypto.hash('sha-256').update(NO_BYTES);
  }
}
