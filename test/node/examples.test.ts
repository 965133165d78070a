/** The examples as their readers meet them: processes that are started, and talked to from outside. */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Rtc } from '../../src/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { bundle } from './program.ts';
import { Terminal } from './terminal.ts';

const terminals: Terminal[] = [];
const drivers: UdpDriver[] = [];
let folder: string;

beforeAll(async () => {
  folder = await bundle(
    new URL('../../examples/', import.meta.url),
    [
      'chat/chat.mjs',
      'client/client.mjs',
      'client/server.mjs',
      'echo-server/server.mjs',
      'load/load.mjs',
      'load/server.mjs',
      'whip-data/client.mjs',
      'whip-data/server.mjs',
      'workers/server.mjs',
      'workers/worker.mjs',
      'workers/pool.mjs',
    ],
    ['client/page.html', 'whip-data/page.html'],
  );
});

afterEach(async () => {
  for (const { process } of terminals.splice(0)) process.kill('SIGKILL');
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
});

function start(program: string, ...args: string[]): Terminal {
  const terminal = new Terminal(join(folder, program), ...args);
  terminals.push(terminal);
  return terminal;
}

/** A client of this process: offers one channel, says hello, and tells what comes back. */
async function hello(signal: (offer: string) => Promise<string>): Promise<string> {
  const crypto = nodeCrypto();
  const driver = await UdpDriver.listen();
  drivers.push(driver);
  const rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto });
  const echoed = new Promise<string>((resolve) => {
    driver.add(rtc, (event) => {
      if (event.type === 'channelopen') event.channel.send('hello');
      if (event.type === 'message') resolve(String(event.data));
    });
  });
  const draft = rtc.negotiation();
  draft.addChannel('echo');
  const offer = draft.offer();
  offer.accept(await signal(offer.sdp));
  return echoed;
}

async function post(url: string, body: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', body });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}

describe('chat', () => {
  test('an invitation and a reply by copy and paste; lines travel both ways; one leaves', async () => {
    const [ann, bob] = [start('chat/chat.mjs', '127.0.0.1'), start('chat/chat.mjs', '127.0.0.1')];
    ann.type('');
    bob.type(await ann.sees(/paste the reply:\n(\S+)\n/));
    ann.type(await bob.sees(/send this reply back:\n(\S+)\n/));
    await Promise.all([ann.sees(/connected/), bob.sees(/connected/)]);
    ann.type('hello bob');
    bob.type('hello ann');
    await bob.sees(/^> hello bob$/m);
    await ann.sees(/^> hello ann$/m);
    ann.process.stdin.end();
    expect(await Promise.all([ann.ended(), bob.ended()])).toEqual([0, 0]);
  });

  test('what is no invitation is refused in one line', async () => {
    const ann = start('chat/chat.mjs', '127.0.0.1');
    ann.type('what?');
    expect(await ann.ended()).toBe(1);
    await ann.sees(/^chat: that is no offer: paste the whole line$/m);
  });
});

describe('whip-data', () => {
  async function room(): Promise<string> {
    const server = start('whip-data/server.mjs', '--http-port', '0');
    return server.sees(/http:\S+/);
  }

  test('two members hear each other, and one who leaves is gone', async () => {
    const url = await room();
    const [ann, bob] = [start('whip-data/client.mjs', url), start('whip-data/client.mjs', url)];
    await Promise.all([ann.sees(/connected/), bob.sees(/connected/)]);
    ann.type('is anybody here?');
    await bob.sees(/^> is anybody here\?$/m);
    bob.type('I am');
    await ann.sees(/^> I am$/m);
    bob.process.stdin.end();
    expect(await bob.ended()).toBe(0);
  });

  test('serves its page; refuses what is no offer, too long, or not here', async () => {
    const url = await room();
    expect(await (await fetch(url)).text()).toContain('new RTCPeerConnection()');
    const offer = (body: string, type = 'application/sdp'): Promise<Response> =>
      fetch(`${url}room`, { method: 'POST', headers: { 'content-type': type }, body });
    expect((await offer('v=0')).status).toBe(400);
    expect((await offer('v=0', 'text/plain')).status).toBe(415);
    expect((await offer('x'.repeat(70_000))).status).toBe(413);
    expect((await fetch(`${url}room/0-0`, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('client', () => {
  test('pasted into a chat: the invitation of one is what the other takes', async () => {
    const client = start('client/client.mjs', '--address', '127.0.0.1');
    const chat = start('chat/chat.mjs', '127.0.0.1');
    chat.type(await client.sees(/its reply here:\n(\S+)\n/));
    client.type(await chat.sees(/send this reply back:\n(\S+)\n/));
    await Promise.all([client.sees(/connected/), chat.sees(/connected/)]);
    client.type('hello chat');
    await chat.sees(/^> hello chat$/m);
    client.process.stdin.end();
    expect(await client.ended()).toBe(0);
  });

  test('joins the room of whip-data by the same POST', async () => {
    const url = await start('whip-data/server.mjs', '--http-port', '0').sees(/http:\S+/);
    const client = start('client/client.mjs', '--address', '127.0.0.1', `${url}room`);
    await client.sees(/connected/);
  });

  test('its server hands an offer to whoever asks next, and the answer back', async () => {
    const url = await start('client/server.mjs', '--http-port', '0').sees(/http:\S+/);
    const headers = { 'content-type': 'application/sdp' };
    const met = fetch(`${url}meet`, { method: 'POST', headers, body: 'an offer' });
    const { id, sdp } = (await (await fetch(`${url}next`)).json()) as { id: string; sdp: string };
    expect(sdp).toBe('an offer');
    expect((await fetch(`${url}answer/0-0`, { method: 'POST', headers, body: 'late' })).status).toBe(404);
    await fetch(`${url}answer/${id}`, { method: 'POST', headers, body: 'an answer' });
    const response = await met;
    expect([response.status, await response.text()]).toEqual([201, 'an answer']);
  });
});

test('workers: four clients on two workers are echoed', async () => {
  const server = start('workers/server.mjs', '--workers', '2', '--http-port', '0');
  const url = await server.sees(/http:\S+/);
  const echoes = await Promise.all([1, 2, 3, 4].map(() => hello((offer) => post(url, offer))));
  expect(echoes).toEqual(['hello', 'hello', 'hello', 'hello']);
});

test('echo-server: a client posts its offer and is echoed', async () => {
  const server = start('echo-server/server.mjs', '0', '0');
  const url = await server.sees(/http:\S+/);
  expect(await hello((offer) => post(url, offer))).toBe('hello');
  await expect(post(url, 'v=0')).rejects.toThrow();
});

describe('load', () => {
  test.each([
    ['all at once', ['--at-once']],
    ['with loss', ['--at-once', '--loss', '0.03']],
    ['on workers', ['--at-once', '--workers', '2']],
  ])('a few clients, %s: every one has its echo, and nothing is left', async (_, options) => {
    const load = start(
      'load/load.mjs',
      '--clients',
      '10',
      '--warm-up',
      '2',
      '--idle',
      '0',
      '--json',
      ...options,
    );
    const report = JSON.parse(await text(load.process.stdout)) as Record<string, unknown>;
    expect(report).toMatchObject({
      connected: 10,
      failures: [],
      endpointAfterClose: { connections: 0, routes: 0, armed: 0 },
    });
    expect(report['cpuPerConnection']).toBeGreaterThan(0);
  });
});
