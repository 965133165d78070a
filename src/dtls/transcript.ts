/**
 * The handshake transcript: every message in the order of the handshake, hashed once version and hash are known.
 *
 * DTLS 1.2 (RFC 6347 §4.2.6) hashes each with the header it would have had unfragmented; HelloRequest, HelloVerifyRequest
 * and the ClientHello it answers are left out. DTLS 1.3 (RFC 9147 §5.2) hashes them as TLS would have sent them, without
 * the fields of DTLS, and after a HelloRetryRequest puts the first ClientHello's hash in that message's place
 * (RFC 8446 §4.4.1).
 *
 * DTLS 1.2's CertificateVerify signs the messages themselves: there they are kept until the handshake is over.
 */
import type { Bytes } from '../core/bytes.ts';
import { concatBytes, writeU24 } from '../core/bytes.ts';
import type { CryptoProvider, Hash } from '../crypto/provider.ts';
import type { CipherSuite } from './cipher-suites.ts';
import type { HandshakeMessage } from './messages/handshake.ts';
import { HANDSHAKE_HEADER_LENGTH, writeHandshakeHeader } from './messages/handshake.ts';

/** RFC 8446 §4: the type of the message that stands for the first ClientHello. */
const MESSAGE_HASH = 254;

/** The transcript of one handshake. */
export class Transcript {
  readonly #crypto: CryptoProvider;
  /** What came before the suite was known. */
  #waiting: HandshakeMessage[] = [];
  #suite: CipherSuite | undefined;
  #hash: Hash | undefined;
  /** Headers and bodies in turn. */
  #messages: Uint8Array[] = [];

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  add(message: HandshakeMessage): void {
    if (this.#suite === undefined) this.#waiting.push(message);
    else this.#take(message, this.#suite);
  }

  /** The server has chosen; what has been added before counts too. */
  choose(suite: CipherSuite): void {
    if (this.#suite !== undefined) return;
    this.#suite = suite;
    this.#hash = this.#crypto.hash(suite.hash);
    for (const message of this.#waiting) this.#take(message, suite);
    this.#waiting = [];
  }

  /** Hash of everything so far; the suite must be known. */
  hash(): Bytes {
    return this.#hash?.digest() ?? new Uint8Array(0);
  }

  /** Everything so far, for a signature of DTLS 1.2. */
  bytes(): Bytes {
    return concatBytes(...this.#messages);
  }

  /** RFC 8446 §4.4.1: on a HelloRetryRequest everything so far, the first ClientHello, is replaced by its hash. */
  replaceByHash(): void {
    if (this.#suite === undefined) return;
    const digest = this.hash();
    const header = tlsHeader(MESSAGE_HASH, digest.length);
    this.#hash = this.#crypto.hash(this.#suite.hash).update(header).update(digest);
  }

  /** Forgets everything: after a HelloVerifyRequest the handshake starts anew, and after Finished nobody asks again. */
  reset(): void {
    this.#waiting = [];
    this.#suite = undefined;
    this.#hash = undefined;
    this.#messages = [];
  }

  #take({ type, messageSeq, body }: HandshakeMessage, suite: CipherSuite): void {
    if (suite.version === '1.3') {
      this.#hash?.update(tlsHeader(type, body.length)).update(body);
      return;
    }
    const header = new Uint8Array(HANDSHAKE_HEADER_LENGTH);
    writeHandshakeHeader(header, 0, type, body.length, messageSeq, 0, body.length);
    this.#messages.push(header, body);
    this.#hash?.update(header).update(body);
  }
}

/** What TLS sends before a message: msg_type 1 │ length 3. */
function tlsHeader(type: number, length: number): Bytes {
  const header = new Uint8Array(4);
  header[0] = type;
  writeU24(header, 1, length);
  return header;
}
