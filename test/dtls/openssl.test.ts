/**
 * OpenSSL's own client and server against ours, over UDP on loopback: DTLS 1.2, in both roles, with every suite and group
 * of ours that it knows, and with every kind of certificate. Runs where the program is installed; .ci/run insists on it.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CryptoProvider, Group } from '../../src/crypto/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsCipherSuite, DtlsOptions, DtlsRole, Fingerprint } from '../../src/dtls/index.ts';
import { parseFingerprint, selfSignedCertificate } from '../../src/dtls/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { describeForeign } from '../interop/availability.ts';
import { sealed, textOf } from './pair.ts';
import { freePort, Host, until } from './udp-host.ts';

const isInstalled = spawnSync('openssl', ['version']).status === 0;
const crypto = nodeCrypto();

/** What OpenSSL shows us: the kinds of certificate that gateways have. */
const KINDS = {
  p256: ['ec', 'ec_paramgen_curve:P-256'],
  p384: ['ec', 'ec_paramgen_curve:P-384'],
  rsa: ['rsa', 'rsa_keygen_bits:2048'],
  rsa3072: ['rsa', 'rsa_keygen_bits:3072'],
} as const;
type Kind = keyof typeof KINDS;

let folder = '';
const fingerprints: Partial<Record<Kind, Fingerprint>> = {};

beforeAll(() => {
  if (!isInstalled) return;
  folder = mkdtempSync(join(tmpdir(), 'sansrtc-'));
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const [algorithm, option] = KINDS[kind];
    const key = ['-newkey', algorithm, '-pkeyopt', option, '-nodes', '-keyout', `${kind}.key`];
    const args = ['req', '-x509', ...key, '-out', `${kind}.pem`, '-subj', '/CN=openssl', '-days', '30'];
    spawnSync('openssl', args, { cwd: folder });
    const show = ['x509', '-in', `${kind}.pem`, '-noout', '-fingerprint', '-sha256'];
    const shown = spawnSync('openssl', show, { cwd: folder });
    const parsed = parseFingerprint(`sha-256 ${shown.stdout.toString().split('=')[1]?.trim() ?? ''}`);
    if (isFailure(parsed)) throw new Error(parsed.reason);
    fingerprints[kind] = parsed;
  }
  // A key of RSA takes as long as it takes.
}, 60_000);

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true });
});

/** Ours, who expects OpenSSL's certificate of that kind. */
function hostOf(role: DtlsRole, kind: Kind, options: Partial<DtlsOptions>): Host {
  const fingerprint = fingerprints[kind];
  return new Host(role, { remoteFingerprints: fingerprint && [fingerprint], ...options });
}

/** Data goes both ways: OpenSSL prints what it reads and sends what it is typed. */
async function expectData(host: Host, openssl: ChildProcess): Promise<void> {
  let printed = '';
  openssl.stdout?.on('data', (data: Uint8Array) => (printed += textOf(data)));
  await until('the handshake', () => host.dtls.state === 'connected');
  const record = sealed(host.dtls, 'from us\n');
  if (record !== undefined) host.send(record);
  await until('our text in its output', () => printed.includes('from us'));
  openssl.stdin?.write('from openssl\n');
  await until('its text', () => host.received.join('').includes('from openssl'));
}

/** Our client with OpenSSL's server; `args` are the server's, which `asks` for our certificate. */
async function expectServed(
  kind: Kind,
  args: readonly string[],
  suite: DtlsCipherSuite,
  options: Partial<DtlsOptions>,
  asks = true,
): Promise<void> {
  const host = hostOf('client', kind, options);
  await host.bind();
  const port = await freePort();
  const shown = ['-cert', `${kind}.pem`, '-key', `${kind}.key`, ...(asks ? ['-Verify', '1'] : []), '-quiet'];
  const openssl = spawn('openssl', ['s_server', '-dtls1_2', '-accept', `${port}`, ...shown, ...args], {
    cwd: folder,
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 150));
    host.start(port);
    await expectData(host, openssl);
    expect(host.dtls.inspect()).toMatchObject({ tlsVersion: 'FEFD', dtlsCipher: suite });
    if (options.groups?.[0] !== undefined)
      expect(host.dtls.inspect().handshake.group).toBe(options.groups[0]);
  } finally {
    openssl.kill();
    host.stop();
  }
}

/** OpenSSL's client with our server; `args` are the client's. */
async function expectServing(
  kind: Kind,
  args: readonly string[],
  suite: DtlsCipherSuite,
  options: Partial<DtlsOptions>,
): Promise<void> {
  const host = hostOf('server', kind, options);
  const port = await host.bind();
  host.start();
  const shown = ['-cert', `${kind}.pem`, '-key', `${kind}.key`, '-quiet'];
  const connect = ['s_client', '-dtls1_2', '-connect', `127.0.0.1:${port}`];
  const openssl = spawn('openssl', [...connect, ...shown, ...args], { cwd: folder });
  try {
    await expectData(host, openssl);
    expect(host.dtls.inspect()).toMatchObject({ tlsVersion: 'FEFD', dtlsCipher: suite });
    if (options.groups?.[0] !== undefined)
      expect(host.dtls.inspect().handshake.group).toBe(options.groups[0]);
  } finally {
    openssl.kill();
    host.stop();
  }
}

const SUITES: readonly (readonly [string, DtlsCipherSuite, Group])[] = [
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'x25519'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'secp256r1'],
  ['ECDHE-ECDSA-CHACHA20-POLY1305', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'secp384r1'],
];

/** Certificate, cipher, and what its holder signs with; ours is P-256 always. */
const RSA_SERVERS: readonly (readonly [Kind, string, DtlsCipherSuite, string, CryptoProvider])[] = [
  ['rsa', 'ECDHE-RSA-AES128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'RSA-PSS+SHA256', crypto],
  ['rsa', 'ECDHE-RSA-AES256-GCM-SHA384', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'RSA+SHA256', crypto],
  [
    'rsa3072',
    'ECDHE-RSA-CHACHA20-POLY1305',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'RSA+SHA256',
    jsCrypto(),
  ],
  [
    'rsa3072',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'RSA-PSS+SHA256',
    jsCrypto(),
  ],
];

const CLIENT_KINDS: readonly (readonly [Kind, string, CryptoProvider])[] = [
  ['rsa', 'RSA-PSS+SHA256', crypto],
  ['rsa', 'RSA+SHA256', jsCrypto()],
  ['rsa3072', 'RSA-PSS+SHA256', jsCrypto()],
  ['p384', 'ECDSA+SHA384', crypto],
  ['p384', 'ECDSA+SHA256', jsCrypto()],
];

describeForeign('OpenSSL', isInstalled ? undefined : 'there is no openssl (apt-get install openssl)', () => {
  it.each(SUITES)('s_server with %s, we are the client', async (cipher, suite, group) => {
    // OpenSSL wants the curve of its certificate among a client's groups (RFC 8422 §5.1), whatever it then agrees keys with.
    const options = { versions: { max: '1.3' }, groups: [group, 'secp256r1'] } as const;
    await expectServed('p256', ['-cipher', cipher], suite, options);
  });

  it.each(SUITES)('s_client with %s, we are the server', async (cipher, suite, group) => {
    const options = { versions: { max: '1.3' }, groups: [group] } as const;
    await expectServing('p256', ['-cipher', cipher], suite, options);
  });

  it.each(RSA_SERVERS)(
    'T113 s_server with a certificate of %s and %s, we are the client (%s, %s)',
    async (kind, cipher, suite, scheme, provider) => {
      const sigalgs = ['-sigalgs', `${scheme}:ECDSA+SHA256`];
      await expectServed(kind, ['-cipher', cipher, ...sigalgs], suite, { crypto: provider });
    },
  );

  it.each(CLIENT_KINDS)(
    'T113 s_client with a certificate of %s that signs by %s, we are the server',
    async (kind, scheme, provider) => {
      // Ours is signed with the second of them; OpenSSL takes no list that names one twice.
      const schemes = [...new Set([scheme, 'ECDSA+SHA256'])].join(':');
      const args = ['-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256', '-sigalgs', schemes];
      const suite = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
      await expectServing(kind, args, suite, { crypto: provider });
    },
  );

  it('T113 s_server with a certificate of p384, we are the client', async () => {
    const suite = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
    await expectServed('p384', ['-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], suite, {});
  });

  it.each([
    ['p256', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    ['rsa', 'ECDHE-RSA-AES128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
  ] as const)(
    'C7: s_server with a certificate of %s that asks for none, we are the client',
    async (kind, cipher, suite) => {
      await expectServed(kind, ['-cipher', cipher], suite, {}, false);
    },
  );

  it('our own certificate of secp384r1 serves it in both roles', async () => {
    const suite = 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
    const certificate = selfSignedCertificate({ crypto, curve: 'secp384r1' });
    const args = ['-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
    await expectServed('p256', args, suite, { certificate });
    await expectServing('p256', args, suite, { certificate });
  });
});
