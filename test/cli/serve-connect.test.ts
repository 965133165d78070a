/** `sansrtc serve` and `sansrtc connect`: an echo over loopback, what is refused, how it ends, and what is said about it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cli } from '../../src/cli/cli.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { parseTrace } from '../../src/trace/index.ts';
import { fakeTerminal, isBuilt, start, type FakeTerminal } from './terminal.ts';

/** An echo peer on free ports, ended when the test is. */
async function serving(
  ...args: readonly string[]
): Promise<{ terminal: FakeTerminal; url: string; stop: () => Promise<number> }> {
  const terminal = fakeTerminal();
  const code = cli(['serve', '--port', '0', ...args], terminal);
  const stop = (): Promise<number> => {
    terminal.interrupt();
    return code;
  };
  onTestFinished(async () => {
    await stop();
  });
  const said = await Promise.race([terminal.said(/page +(\S+)/), code]);
  if (typeof said === 'number') throw new Error(terminal.err());
  return { terminal, url: said[1] ?? '', stop };
}

describe('an echo', () => {
  test('every message comes back, with its time; the server says who came and why it ended', async () => {
    const { terminal, url, stop } = await serving();
    const client = fakeTerminal();
    expect(await cli(['connect', url, '--count', '3', '--interval', '0'], client)).toBe(0);
    expect(client.out()).toMatch(
      /^1: 32 bytes there and back in .*\n2: .*\n3: .*\n3 of 3 came back; shortest .* ms/,
    );
    expect(client.err()).toMatch(
      /^connected in .*: UDP 127\.0\.0\.1:\d+ \(host\) to 127\.0\.0\.1:\d+ \(host\), DTLS 1\.3 as server/,
    );
    await terminal.said(/#1 ended after .*; 3 messages echoed, 96 bytes/);
    expect(terminal.out()).toMatch(/#1 joined from 127\.0\.0\.1; its offer has addresses: \d+ host/);
    expect(terminal.out()).toMatch(/#1 connected after .*: UDP 127\.0\.0\.1/);
    expect(await stop()).toBe(0);
    expect(terminal.out()).toMatch(/stopping\n$/);
  });

  test('of a server in a few lines, which answers 200', async () => {
    const driver = await UdpDriver.listen({
      onEvent: (event) => event.type === 'message' && event.channel.send(event.data),
    });
    const server = createServer((request, response) => {
      void text(request).then((offer) => response.end(driver.accept(offer).answer));
    }).listen(0, '127.0.0.1');
    onTestFinished(async () => {
      server.close();
      await driver.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = fakeTerminal();
    expect(await cli(['connect', `http://127.0.0.1:${port}/`, '--count', '1'], client)).toBe(0);
    expect(client.out()).toContain('1 of 1 came back');
  });

  test('of the lines of standard input', async () => {
    const { url } = await serving();
    const client = fakeTerminal(['one', 'zwei €']);
    expect(await cli(['connect', url, '--stdin'], client)).toBe(0);
    expect(client.out()).toBe('one\nzwei €\n');
    expect(client.err()).toContain('2 lines came back');
  });

  test('is recorded at both ends', async () => {
    const { terminal, url } = await serving('--trace', 'server.jsonl');
    const client = fakeTerminal();
    expect(await cli(['connect', url, '--count', '1', '--trace', 'client.jsonl'], client)).toBe(0);
    await terminal.said(/#1 ended/);
    for (const text of [terminal.files.get('server-1.jsonl'), client.files.get('client.jsonl')]) {
      const { entries } = parseTrace(text ?? '');
      expect(entries.some((entry) => entry.type === 'event' && entry.event.type === 'closed')).toBe(true);
    }
  });

  test('a server that stops tells its peers, who say so and fail', async () => {
    const { terminal, url, stop } = await serving();
    const client = fakeTerminal();
    const code = cli(['connect', url, '--count', '1000', '--interval', '100'], client);
    await client.said(/^2:/m);
    expect(await stop()).toBe(0);
    expect(terminal.out()).toContain('stopping; telling 1 peer\n');
    expect(await code).toBe(1);
    expect(client.err()).toContain('sansrtc connect: the connection ended: closed by the other side');
  });

  test('ends on Ctrl-C at the client', async () => {
    const { url } = await serving();
    const client = fakeTerminal();
    const code = cli(['connect', url, '--count', '1000'], client);
    await client.said(/^1:/m);
    client.interrupt();
    expect(await code).toBe(1);
    expect(client.err()).toContain('sansrtc connect: interrupted');
  });
});

describe('over HTTP', () => {
  const SDP = { 'content-type': 'application/sdp' };

  test('the page, and what may be asked', async () => {
    const { url } = await serving();
    expect(await (await fetch(url)).text()).toContain('<title>sansrtc echo</title>');
    const options = await fetch(`${url}echo`, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('POST, OPTIONS');
    expect(options.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('pages of other origins: as --cors says', async () => {
    const { url } = await serving('--cors', 'https://example.org');
    const options = await fetch(`${url}echo`, { method: 'OPTIONS' });
    expect(options.headers.get('access-control-allow-origin')).toBe('https://example.org');
    expect(options.headers.get('access-control-allow-methods')).toBe('POST, OPTIONS');
    expect(options.headers.get('access-control-expose-headers')).toBe('location');
  });

  test.each([
    ['GET', 'nothing', {}, undefined, 404],
    ['GET', 'echo', {}, undefined, 405],
    ['POST', 'echo', { 'content-type': 'text/plain' }, 'v=0', 415],
    ['POST', 'echo', SDP, 'v=0', 400],
    ['POST', 'echo', SDP, 'x'.repeat(70_000), 413],
    ['DELETE', 'echo/00000000-0000-0000-0000-000000000000', {}, undefined, 404],
  ])('%s /%s %j is refused and said', async (method, path, headers, body, status) => {
    const { terminal, url } = await serving();
    const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
    expect(response.status).toBe(status);
    expect((await response.text()).trim()).not.toBe('');
    expect(terminal.out()).toContain(`refused, ${status}: `);
  });

  test('more sessions than there may be', async () => {
    const { url } = await serving('--max-sessions', '1');
    const first = fakeTerminal();
    const code = cli(['connect', url, '--count', '1000'], first);
    await first.said(/^1:/m);
    const second = fakeTerminal();
    expect(await cli(['connect', url], second)).toBe(1);
    expect(second.err()).toContain('answered 503: there are 1 session already, which is the most');
    first.interrupt();
    await code;
  });
});

describe('what goes wrong is said in one line', () => {
  test.each([
    [['connect'], 'sansrtc connect: expected the URL of an echo peer'],
    [
      ['connect', 'nonsense'],
      'sansrtc connect: expected a URL that begins with http:// or https://, got "nonsense"',
    ],
    [['connect', 'http://127.0.0.1/', '--cuont', '3'], "sansrtc connect: Unknown option '--cuont'"],
    [
      ['connect', 'http://127.0.0.1/', '--turn', 'turn:x'],
      'sansrtc connect: --turn needs --username and --credential',
    ],
    [['connect', 'http://127.0.0.1/', '--relay-only'], 'sansrtc connect: --relay-only needs --turn'],
    [['serve', 'now'], 'sansrtc serve: unexpected argument "now"'],
    [
      ['serve', '--port', '70000'],
      'sansrtc serve: --port expected a whole number from 0 to 65535, got "70000"',
    ],
    [['serve', '--host', 'localhost'], 'sansrtc serve: --host expected an IP address, got "localhost"'],
    [['serve', '--announce', 'me'], 'sansrtc serve: --announce expected an IP address, got "me"'],
    [['doctor', '--stun', 'a b'], 'sansrtc doctor: --stun expected HOST or HOST:PORT, got "a b"'],
    [['dance'], 'sansrtc: unknown command "dance"'],
    [['--loud'], 'sansrtc: unknown option "--loud"'],
    [[], 'sansrtc: expected a command'],
  ])('%j: exit code 2', async (args, line) => {
    const terminal = fakeTerminal();
    expect(await cli(args, terminal)).toBe(2);
    const [first, second, third] = terminal.err().split('\n');
    expect(first).toBe(line);
    expect(second).toMatch(/^Try: sansrtc .*--help$/);
    expect(third).toBe('');
    expect(terminal.out()).toBe('');
  });

  test('a port that is taken: exit code 1', async () => {
    const { url } = await serving();
    const terminal = fakeTerminal();
    expect(await cli(['serve', '--port', new URL(url).port], terminal)).toBe(1);
    expect(terminal.err()).toMatch(
      /^sansrtc serve: HTTP 127\.0\.0\.1:\d+ is already in use: choose another --port/,
    );
  });

  test('nobody there: exit code 1', async () => {
    const { url, stop } = await serving();
    await stop();
    const terminal = fakeTerminal();
    expect(await cli(['connect', url], terminal)).toBe(1);
    expect(terminal.err()).toContain('the connection is refused; does "sansrtc serve" run there');
  });
});

describe('the installed command', () => {
  if (!isBuilt) console.info('dist is not built: bin/sansrtc.mjs is not run');

  test.skipIf(!isBuilt)('serves one process and connects from another', async () => {
    const server = start('serve', '--port', '0');
    onTestFinished(() => void server.process.kill('SIGKILL'));
    const [, url = ''] = await server.said(/page +(\S+)/);
    const client = start('connect', url, '--count', '2');
    expect(await client.ended).toBe(0);
    expect(client.out()).toContain('2 of 2 came back');
    server.process.kill('SIGINT');
    expect(await server.ended).toBe(0);
    expect(server.err()).toBe('');
  });

  test.skipIf(!isBuilt)('ends when nobody reads what it says', async () => {
    const server = start('serve', '--port', '0');
    onTestFinished(() => void server.process.kill('SIGKILL'));
    const [, url = ''] = await server.said(/page +(\S+)/);
    server.process.stdout?.destroy();
    await fetch(`${url}nothing`); // it has something to say now
    expect(await server.ended).toBe(0);
  });

  test.skipIf(!isBuilt)('--help and --version', async () => {
    for (const args of [
      ['--help'],
      ['serve', '--help'],
      ['connect', '-h'],
      ['doctor', '-h'],
      ['trace', '-h'],
    ]) {
      const command = start(...args);
      expect(await command.ended).toBe(0);
      expect(command.out()).toMatch(/^Usage: sansrtc/);
    }
    const version = start('--version');
    expect(await version.ended).toBe(0);
    expect(version.out()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
