/** Key agreement with ML-KEM, and certificates of RSA and P-384, between real Chromium and sansrtc in both roles. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CryptoProvider, Group } from '../../src/crypto/index.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsVersion } from '../../src/dtls/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Chromium } from './chromium.ts';
import type { Connection } from './host.ts';
import { Host } from './host.ts';

let chromium: Chromium;
let page: Page;
let host: Host;

beforeAll(async () => {
  chromium = await Chromium.launch();
});

afterAll(async () => {
  await chromium.close();
});

beforeEach(async () => {
  page = await chromium.newPage();
  host = await Host.listen();
});

afterEach(async () => {
  await page.context().close();
  await host.close();
});

/** From here on every connection of the page has a certificate of RSA. */
async function useRsa(): Promise<void> {
  await page.evaluate(async () => {
    const Native = RTCPeerConnection;
    const certificate = await Native.generateCertificate({
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 2048,
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: 'SHA-256',
    } as AlgorithmIdentifier);
    globalThis.RTCPeerConnection = class extends Native {
      constructor(configuration?: RTCConfiguration) {
        super({ ...configuration, certificates: [certificate] });
      }
    };
  });
}

async function connect(connection: Connection, role: 'client' | 'server'): Promise<void> {
  if (role === 'client') {
    const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
    const answer = connection.rtc.receiveOffer(offer).answer();
    await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
  } else {
    const draft = connection.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    await page.evaluate((sdp) => peers.answer('tab', sdp), offer.sdp);
    offer.accept(await page.evaluate(() => peers.completeDescription('tab')));
  }
  const message = { text: 'hello' };
  await page.evaluate((say) => peers.send('tab', 'chat', say), message);
  expect(await connection.receive('chat')).toEqual(message);
  const ours = connection.rtc.inspect().dtls;
  console.log(
    `sansrtc as ${role}: ${String(ours?.tlsVersion)} ${String(ours?.dtlsCipher)} ${String(ours?.handshake.group)}`,
  );
}

function rangeOf(version: DtlsVersion): { min: DtlsVersion; max: DtlsVersion } {
  return { min: version, max: version };
}

describe.each(['client', 'server'] as const)('sansrtc is the %s', (role) => {
  test.each<[string, CryptoProvider]>([
    ['js', jsCrypto()],
    ['node', nodeCrypto()],
  ])('X25519MLKEM768, provider %s', async (_name, crypto) => {
    const groups: readonly Group[] | undefined = role === 'client' ? ['x25519mlkem768', 'x25519'] : undefined;
    const connection = host.connection({ crypto, dtls: { groups } });
    await connect(connection, role);
    expect(connection.rtc.inspect().dtls?.handshake.group).toBe('x25519mlkem768');
  });

  test.each<[DtlsVersion, string, CryptoProvider]>([
    ['1.2', 'js', jsCrypto()],
    ['1.2', 'node', nodeCrypto()],
    ['1.3', 'js', jsCrypto()],
    ['1.3', 'node', nodeCrypto()],
  ])('T113 Chromium has a certificate of RSA, DTLS %s, provider %s', async (version, _name, crypto) => {
    await useRsa();
    const connection = host.connection({ crypto, dtls: { versions: rangeOf(version) } });
    await connect(connection, role);
    const isRsaSuite = role === 'client' && version === '1.2';
    expect(connection.rtc.inspect().dtls?.dtlsCipher?.includes('ECDHE_RSA')).toBe(isRsaSuite);
  });

  test.each<DtlsVersion>(['1.2', '1.3'])('ours is of P-384, DTLS %s', async (version) => {
    const crypto = nodeCrypto();
    const certificate = selfSignedCertificate({ crypto, curve: 'secp384r1' });
    const connection = host.connection({ crypto, certificate, dtls: { versions: rangeOf(version) } });
    await connect(connection, role);
  });
});
