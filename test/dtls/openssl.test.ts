/**
 * OpenSSL's own client and server against ours, over UDP on loopback: DTLS 1.2, in both roles, with every suite and group
 * of ours that it knows. Runs where the program is installed; .ci/run insists on it.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemRandom } from '../../src/core/random.ts';
import type { Group } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsCipherSuite, DtlsOptions, DtlsRole } from '../../src/dtls/index.ts';
import { Dtls, parseFingerprint, selfSignedCertificate } from '../../src/dtls/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { describeForeign } from '../interop/availability.ts';
import { sealed, textOf } from './pair.ts';

const isInstalled = spawnSync('openssl', ['version']).status === 0;
const crypto = nodeCrypto();
const PATIENCE = 5000;

let folder = '';
let fingerprint = { algorithm: '', value: '' };

beforeAll(() => {
  if (!isInstalled) return;
  folder = mkdtempSync(join(tmpdir(), 'sansrtc-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
  const args = ['req', '-x509', ...key, '-out', 'cert.pem', '-subj', '/CN=openssl', '-days', '30'];
  spawnSync('openssl', args, { cwd: folder });
  const shown = spawnSync('openssl', ['x509', '-in', 'cert.pem', '-noout', '-fingerprint', '-sha256'], {
    cwd: folder,
  });
  const parsed = parseFingerprint(`sha-256 ${shown.stdout.toString().split('=')[1]?.trim() ?? ''}`);
  if (isFailure(parsed)) throw new Error(parsed.reason);
  fingerprint = parsed;
});

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true });
});

/** Our engine on a socket, with real time, until it is told to stop. */
class Host {
  readonly dtls: Dtls;
  readonly socket: Socket = createSocket('udp4');
  readonly received: string[] = [];
  #peer: { port: number; address: string } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(role: DtlsRole, options: Partial<DtlsOptions>) {
    const certificate = selfSignedCertificate({ crypto });
    const remoteFingerprints = [fingerprint];
    this.dtls = new Dtls({ role, crypto, certificate, random: systemRandom, remoteFingerprints, ...options });
    this.socket.on('message', (data, from) => {
      this.#peer = from;
      this.dtls.handlePacket(data, performance.now());
      this.drain();
    });
  }

  bind(): Promise<number> {
    return new Promise((resolve) =>
      this.socket.bind(0, '127.0.0.1', () => resolve(this.socket.address().port)),
    );
  }

  start(port?: number): void {
    if (port !== undefined) this.#peer = { port, address: '127.0.0.1' };
    this.dtls.start(performance.now());
    this.drain();
  }

  drain(): void {
    clearTimeout(this.#timer);
    for (let data = this.dtls.pollTransmit(); data !== undefined; data = this.dtls.pollTransmit())
      this.send(data);
    for (let data = this.dtls.pollData(); data !== undefined; data = this.dtls.pollData()) {
      this.received.push(textOf(data));
    }
    const at = this.dtls.nextTimeout();
    if (at === Infinity) return;
    this.#timer = setTimeout(
      () => {
        this.dtls.handleTimeout(performance.now());
        this.drain();
      },
      Math.max(1, at - performance.now()),
    );
  }

  send(data: Uint8Array): void {
    if (this.#peer !== undefined) this.socket.send(data, this.#peer.port, this.#peer.address);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.socket.close();
  }
}

async function until(what: string, look: () => boolean): Promise<void> {
  const start = performance.now();
  while (!look()) {
    if (performance.now() - start > PATIENCE) throw new Error(`waited ${PATIENCE} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
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

const SUITES: readonly (readonly [string, DtlsCipherSuite, Group])[] = [
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'x25519'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'secp256r1'],
  ['ECDHE-ECDSA-CHACHA20-POLY1305', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'secp384r1'],
];

describeForeign('OpenSSL', isInstalled ? undefined : 'there is no openssl (apt-get install openssl)', () => {
  it.each(SUITES)('s_server with %s, we are the client', async (cipher, suite, group) => {
    // OpenSSL wants the curve of its certificate among a client's groups (RFC 8422 §5.1), whatever it then agrees keys with.
    const host = new Host('client', { versions: { max: '1.3' }, groups: [group, 'secp256r1'] });
    await host.bind();
    const reserved = createSocket('udp4');
    const port = await new Promise<number>((resolve) =>
      reserved.bind(0, '127.0.0.1', () => resolve(reserved.address().port)),
    );
    await new Promise<void>((resolve) => reserved.close(() => resolve()));
    const args = ['s_server', '-dtls1_2', '-accept', String(port), '-cert', 'cert.pem', '-key', 'key.pem'];
    const openssl = spawn('openssl', [...args, '-Verify', '1', '-cipher', cipher, '-quiet'], { cwd: folder });
    try {
      await new Promise((resolve) => setTimeout(resolve, 150));
      host.start(port);
      await expectData(host, openssl);
      expect(host.dtls.inspect()).toMatchObject({
        tlsVersion: 'FEFD',
        dtlsCipher: suite,
        handshake: { group },
      });
    } finally {
      openssl.kill();
      host.stop();
    }
  });

  it.each(SUITES)('s_client with %s, we are the server', async (cipher, suite, group) => {
    const host = new Host('server', { versions: { max: '1.3' }, groups: [group] });
    const port = await host.bind();
    host.start();
    const args = [
      's_client',
      '-dtls1_2',
      '-connect',
      `127.0.0.1:${port}`,
      '-cert',
      'cert.pem',
      '-key',
      'key.pem',
    ];
    const openssl = spawn('openssl', [...args, '-cipher', cipher, '-quiet'], { cwd: folder });
    try {
      await expectData(host, openssl);
      expect(host.dtls.inspect()).toMatchObject({
        tlsVersion: 'FEFD',
        dtlsCipher: suite,
        handshake: { group },
      });
    } finally {
      openssl.kill();
      host.stop();
    }
  });
});
