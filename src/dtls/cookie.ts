/**
 * Cookies of a server (RFC 6347 §4.2.1, RFC 9147 §5.1): who returns one has received it, so it is where it says to be, and
 * is worth a key agreement.
 *
 * A cookie is HMAC(secret, binding, hello), over what stays the same in a client's second hello. The secret is drawn
 * once a connection, from the injected source; nothing is remembered of a hello.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES, equalConstantTime } from '../core/bytes.ts';
import type { RandomSource } from '../core/random.ts';
import { randomBytes } from '../core/random.ts';
import type { CryptoProvider, HmacKey } from '../crypto/provider.ts';
import { encodeU16Vector } from './messages/extensions.ts';
import type { ClientHello } from './messages/hello.ts';
import type { DtlsConfiguration } from './options.ts';

const SECRET_LENGTH = 32;

/** The cookies of one connection: what they are made of is checked when they come back. */
export class Cookies {
  readonly #secret: HmacKey;
  readonly #binding: Uint8Array;

  /** @param binding bytes that name the client, its address for one */
  constructor(crypto: CryptoProvider, random: RandomSource, binding: Uint8Array = NO_BYTES) {
    this.#secret = crypto.hmac('sha-256', randomBytes(random, SECRET_LENGTH));
    this.#binding = binding;
  }

  /** 32 bytes. */
  issue(hello: ClientHello): Bytes {
    const { random, sessionId, cipherSuites, compressionMethods } = hello;
    // Each part is of fixed length, or has its length in front: no two hellos read the same.
    return this.#secret.mac(
      random,
      Uint8Array.of(sessionId.length),
      sessionId,
      encodeU16Vector(cipherSuites),
      Uint8Array.of(compressionMethods.length),
      compressionMethods,
      this.#binding,
    );
  }

  /** True if `cookie` was issued for this hello. */
  accepts(hello: ClientHello, cookie: Uint8Array): boolean {
    return equalConstantTime(cookie, this.issue(hello));
  }
}

/** Undefined where the configuration asks for none. */
export function cookiesFor(configuration: DtlsConfiguration): Cookies | undefined {
  const { crypto, random, requireCookie, cookieBinding } = configuration;
  return requireCookie ? new Cookies(crypto, random, cookieBinding) : undefined;
}
