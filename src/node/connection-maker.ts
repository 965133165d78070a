/** ConnectionMaker: an `Rtc` with what every connection of a server in Node has: one certificate, Node's own cryptography. */
import { nodeCrypto } from '../crypto/node/index.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import type { Certificate } from '../dtls/index.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import type { RtcOptions } from '../rtc.ts';
import { Rtc } from '../rtc.ts';

/** Options of a connection that the driver makes: those of an `Rtc`, of which none is needed. */
export type ConnectionOptions = Partial<RtcOptions>;

/** Makes connections; the certificate with the first one, unless it is given. */
export class ConnectionMaker {
  #crypto: CryptoProvider | undefined;
  #certificate: Certificate | undefined;

  constructor(crypto: CryptoProvider | undefined, certificate: Certificate | undefined) {
    this.#crypto = crypto;
    this.#certificate = certificate;
  }

  /** Throws as `new Rtc` does. */
  make(options: ConnectionOptions): Rtc {
    const crypto = (this.#crypto ??= nodeCrypto());
    const certificate = (this.#certificate ??= selfSignedCertificate({ crypto }));
    return new Rtc({ certificate, crypto, ...options });
  }
}
