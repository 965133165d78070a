/** The cipher suites spoken, the preferred first, and what each is made of. Numbers are those of the TLS registry. */
import type { AeadAlgorithm } from '../crypto/provider.ts';

/** IANA's names, as `RTCTransportStats.dtlsCipher` shows them. */
export type DtlsCipherSuite =
  | 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'
  | 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'
  | 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'
  | 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
  | 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'
  | 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'
  | 'TLS_AES_128_GCM_SHA256'
  | 'TLS_CHACHA20_POLY1305_SHA256'
  | 'TLS_AES_256_GCM_SHA384';

/** A version of DTLS. */
export type DtlsVersion = '1.2' | '1.3';

/** A cipher suite and its parts. */
export interface CipherSuite {
  readonly code: number;
  readonly name: DtlsCipherSuite;
  readonly version: DtlsVersion;
  readonly aead: AeadAlgorithm;
  /** Of the key schedule and the transcript. */
  readonly hash: 'sha-256' | 'sha-384';
  /** The kind of key the server of DTLS 1.2 signs with; DTLS 1.3 leaves that to the signature schemes. */
  readonly serverKey?: 'ec' | 'rsa';
}

/**
 * AES-128-GCM comes first: RFC 8827 §6.5 makes it mandatory, and both providers are fastest at it. The suites with RSA are
 * for servers with such a certificate, gateways mostly; ours never has one.
 */
export const CIPHER_SUITES: readonly CipherSuite[] = [
  // RFC 8446 appendix B.4.
  { code: 0x1301, name: 'TLS_AES_128_GCM_SHA256', version: '1.3', aead: 'aes-128-gcm', hash: 'sha-256' },
  {
    code: 0x1303,
    name: 'TLS_CHACHA20_POLY1305_SHA256',
    version: '1.3',
    aead: 'chacha20-poly1305',
    hash: 'sha-256',
  },
  { code: 0x1302, name: 'TLS_AES_256_GCM_SHA384', version: '1.3', aead: 'aes-256-gcm', hash: 'sha-384' },
  // RFC 5289 §3.2, RFC 7905 §2.
  {
    code: 0xc02b,
    name: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    version: '1.2',
    aead: 'aes-128-gcm',
    hash: 'sha-256',
    serverKey: 'ec',
  },
  {
    code: 0xcca9,
    name: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    version: '1.2',
    aead: 'chacha20-poly1305',
    hash: 'sha-256',
    serverKey: 'ec',
  },
  {
    code: 0xc02c,
    name: 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    version: '1.2',
    aead: 'aes-256-gcm',
    hash: 'sha-384',
    serverKey: 'ec',
  },
  {
    code: 0xc02f,
    name: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    version: '1.2',
    aead: 'aes-128-gcm',
    hash: 'sha-256',
    serverKey: 'rsa',
  },
  {
    code: 0xcca8,
    name: 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    version: '1.2',
    aead: 'chacha20-poly1305',
    hash: 'sha-256',
    serverKey: 'rsa',
  },
  {
    code: 0xc030,
    name: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    version: '1.2',
    aead: 'aes-256-gcm',
    hash: 'sha-384',
    serverKey: 'rsa',
  },
];
