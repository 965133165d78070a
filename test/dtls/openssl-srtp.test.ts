/**
 * use_srtp and cookies against OpenSSL's own client and server, over UDP on loopback, DTLS 1.2 in both roles: both ends
 * print the same keys for each profile. Runs where the program is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SrtpProfile } from '../../src/dtls/index.ts';
import { parseFingerprint } from '../../src/dtls/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import { toHex } from '../../src/core/text.ts';
import { sealed, textOf } from './pair.ts';
import { Host, freePort, until } from './udp-host.ts';

const isInstalled = spawnSync('openssl', ['version']).status === 0;

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

/** [OpenSSL's name, ours, bytes of keying material] */
const SRTP: readonly (readonly [string, SrtpProfile, number])[] = [
  ['SRTP_AES128_CM_SHA1_80', 'SRTP_AES128_CM_HMAC_SHA1_80', 60],
  ['SRTP_AEAD_AES_128_GCM', 'SRTP_AEAD_AES_128_GCM', 56],
  ['SRTP_AEAD_AES_256_GCM', 'SRTP_AEAD_AES_256_GCM', 88],
];

/** Our keys in the order of the keying material, as hex. */
function keysOf(host: Host): string {
  const keys = host.dtls.srtpKeys();
  if (keys === undefined) return 'none';
  const { client, server } = keys;
  return [client.key, server.key, client.salt, server.salt].map(toHex).join('');
}

describe.runIf(isInstalled)('OpenSSL', () => {
  /** What either program prints of its keys. */
  async function printedKeys(openssl: ChildProcess, read: () => string): Promise<string> {
    await until('its keying material', () => /Keying material: [0-9A-F]+\s/.test(read()));
    expect(openssl.exitCode).toBeNull();
    return /Keying material: ([0-9A-F]+)/.exec(read())?.[1]?.toLowerCase() ?? '';
  }

  const exporting = ['-use_srtp', '', '-keymatexport', 'EXTRACTOR-dtls_srtp', '-keymatexportlen', ''];

  it.each(SRTP)(
    'T002 %s: s_client and our server agree on it, and on the keys',
    async (name, profile, length) => {
      const host = new Host('server', { remoteFingerprints: [fingerprint], srtpProfiles: [profile] });
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
      const offered = `SRTP_AES128_CM_SHA1_32:${name}`;
      const openssl = spawn('openssl', [...args, ...exporting.with(1, offered).with(5, String(length))], {
        cwd: folder,
      });
      let printed = '';
      openssl.stdout.on('data', (data: Uint8Array) => (printed += textOf(data)));
      try {
        await until('the handshake', () => host.dtls.state === 'connected');
        expect(await printedKeys(openssl, () => printed)).toBe(keysOf(host));
        expect(printed).toContain(`profile=${name}`);
        expect(host.dtls.inspect().srtpCipher).toBe(profile);
      } finally {
        openssl.kill();
        host.stop();
      }
    },
  );

  it.each(SRTP)(
    'T002 %s: our client and s_server agree on it, and on the keys',
    async (name, profile, length) => {
      const srtpProfiles: SrtpProfile[] = ['SRTP_AES128_CM_HMAC_SHA1_32', profile];
      const host = new Host('client', { remoteFingerprints: [fingerprint], srtpProfiles });
      await host.bind();
      const port = await freePort();
      const args = ['s_server', '-dtls1_2', '-accept', String(port), '-cert', 'cert.pem', '-key', 'key.pem'];
      const wanted = exporting.with(1, name).with(5, String(length));
      const openssl = spawn('openssl', [...args, '-Verify', '1', ...wanted], { cwd: folder });
      let printed = '';
      openssl.stdout.on('data', (data: Uint8Array) => (printed += textOf(data)));
      try {
        await until('it listens', () => printed.includes('ACCEPT'));
        host.start(port);
        await until('the handshake', () => host.dtls.state === 'connected');
        expect(await printedKeys(openssl, () => printed)).toBe(keysOf(host));
        expect(host.dtls.inspect().srtpCipher).toBe(profile);
      } finally {
        openssl.kill();
        host.stop();
      }
    },
  );

  it('T006 s_client returns the cookie that our server asks for', async () => {
    const host = new Host('server', { remoteFingerprints: [fingerprint], requireCookie: true });
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
    const openssl = spawn('openssl', [...args, '-quiet'], { cwd: folder });
    try {
      await expectData(host, openssl);
      expect(host.dtls.inspect().handshake.flight.number).toBe(6);
    } finally {
      openssl.kill();
      host.stop();
    }
  });
});
