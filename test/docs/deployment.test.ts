/** docs/guides/behind-1to1-nat.md and docker-kubernetes.md: their servers run as they stand, and tell peers what the guides say. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Rtc, selfSignedCertificate } from '../../src/index.ts';
import { UdpDriver } from '../../src/node/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sansrtc-docs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the first JavaScript block of a guide, with `more` behind it. @returns what it exports. */
async function run(guide: string, more: string): Promise<Record<string, unknown>> {
  const text = readFileSync(new URL(`../../docs/guides/${guide}.md`, import.meta.url), 'utf8');
  const [, code] = /^```js\n([\s\S]*?)^```$/m.exec(text) ?? [];
  expect(code).toBeDefined();
  const file = join(folder, `${guide}.mjs`);
  // The port of the guide may be somebody else's on this machine.
  writeFileSync(file, `${(code ?? '').replace('port: 3478', 'port: 0')}\n${more}`);
  return (await import(/* @vite-ignore */ file)) as Record<string, unknown>;
}

/** The offer of a client with one channel. */
function offering(): { rtc: Rtc; sdp: string; accept: (answer: string) => void } {
  const rtc = new Rtc({ certificate: selfSignedCertificate() });
  const draft = rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  return { rtc, sdp: offer.sdp, accept: (answer) => offer.accept(answer) };
}

/** Address and port of each candidate. */
function candidates(sdp: string): string[] {
  return [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+ \d+) typ host/gm)].map(([, place]) => place ?? '');
}

describe('behind a 1:1 NAT', () => {
  test('the answer has the public address, and nothing else', async () => {
    const { driver, join: answer } = (await run('behind-1to1-nat', 'export { driver, join };')) as {
      driver: UdpDriver;
      join: (offer: string) => string;
    };
    try {
      expect(candidates(answer(offering().sdp))).toEqual([
        `203.0.113.7 ${driver.stats().sockets[0]?.local.port ?? 0}`,
      ]);
    } finally {
      await driver.close();
    }
  });
});

describe('in a container', () => {
  test('the published address and port are told; probes; refused offers', async () => {
    Object.assign(process.env, { PUBLIC_ADDRESS: '203.0.113.7', PUBLIC_PORT: '40000' });
    const before = process.listeners('SIGTERM');
    const { driver, server } = (await run('docker-kubernetes', 'export { driver, server };')) as {
      driver: UdpDriver;
      server: Server;
    };
    const mine = process.listeners('SIGTERM').filter((listener) => !before.includes(listener));
    try {
      if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
      const answer = await fetch(url, { method: 'POST', body: offering().sdp });
      expect(answer.status).toBe(201);
      expect(candidates(await answer.text())).toEqual(['203.0.113.7 40000']);
      expect((await fetch(url, { method: 'POST', body: 'no offer' })).status).toBe(400);
      expect((await fetch(url, { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(413);
      expect(mine).toHaveLength(1);
    } finally {
      for (const listener of mine) process.off('SIGTERM', listener);
      delete process.env['PUBLIC_ADDRESS'];
      delete process.env['PUBLIC_PORT'];
      server.close();
      await driver.close();
    }
  });
});
