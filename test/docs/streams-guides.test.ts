/** The programs of the guides to streams, file transfer, reconnecting and many peers run as they are pasted. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { DataChannel, Rtc } from '../../src/index.ts';
import { SeededRandom } from '../../src/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { messages, opened, send } from '../../src/streams/index.ts';
import { Programs } from '../tooling/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'sansrtc-guides-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('streams: two peers, start to end', async () => {
  const { printed } = await new Programs('docs/guides/streams.md').run('Two peers, start to end');
  expect(printed).toEqual(['you said: hello']);
});

test('file transfer: whole, and on from where it has stopped; a wrong beginning is found out', async () => {
  const { exports } = await new Programs('docs/guides/file-transfer.md').run('From Node to Node');
  const { transfer } = exports as { transfer: (source: string, target: string) => Promise<void> };
  const data = new Uint8Array(300_001);
  new SeededRandom(1).fill(data);
  const source = join(folder, 'source');
  writeFileSync(source, data);
  for (const begun of [0, 200_000]) {
    const target = join(folder, `target-${String(begun)}`);
    writeFileSync(target, data.subarray(0, begun));
    await transfer(source, target);
    expect(readFileSync(target).equals(data)).toBe(true);
  }
  const wrong = join(folder, 'wrong');
  writeFileSync(wrong, 'something else');
  await expect(transfer(source, wrong)).rejects.toThrow('checksum');
});

test('reconnecting: a restart, and another connection when the peer has vanished', async () => {
  const programs = new Programs('docs/guides/reconnecting.md');
  const { restart } = (await programs.run('Restart ICE')).exports as {
    restart: (rtc: Rtc, signal: (offer: string) => Promise<string>) => Promise<void>;
  };
  const { stayConnected } = (await programs.run('Make another connection')).exports as {
    stayConnected: (
      driver: UdpDriver,
      signal: (offer: string) => Promise<string>,
      use: (channel: DataChannel) => Promise<void>,
      options: object,
    ) => Promise<void>;
  };
  const [client, server] = [await UdpDriver.listen(), await UdpDriver.listen()];
  const served: Rtc[] = [];
  const signal = (offer: string): Promise<string> => {
    const { answer, rtc } = server.accept(offer, {}, (event) => {
      if (event.type === 'datachannel') event.channel.send('welcome');
    });
    served.push(rtc);
    return Promise.resolve(answer);
  };
  const abort = new AbortController();
  const delays: number[] = [];
  let welcomes = 0;
  let failures = 1;
  await stayConnected(
    client,
    (offer) => (failures-- > 0 ? Promise.reject(new Error('no signalling')) : signal(offer)),
    async (channel) => {
      expect((await messages(channel).next()).value).toBe('welcome');
      const { connection } = channel as { connection: Rtc };
      const before = connection.localParameters.ice.usernameFragment;
      await restart(connection, (offer) =>
        Promise.resolve((served.at(-1) as Rtc).receiveOffer(offer).answer()),
      );
      expect(connection.localParameters.ice.usernameFragment).not.toBe(before);
      await send(channel, 'still here');
      if (++welcomes === 2) abort.abort();
    },
    {
      abort: abort.signal,
      sleep: (ms: number) => {
        delays.push(ms);
        return Promise.resolve();
      },
    },
  );
  expect(welcomes).toBe(2);
  expect(delays.length).toBeGreaterThanOrEqual(2);
  await Promise.all([client.close(), server.close()]);
});

test('many peers: the server answers, refuses, and ends in order', async () => {
  const programs = new Programs('docs/guides/many-peers.md');
  const heading = 'A server in a few lines';
  (programs.code as Map<string, string>).set(
    heading,
    (programs.code.get(heading) ?? '').replace('8080', '0'),
  );
  const { driver, server, stop } = (await programs.run(heading)).exports as {
    driver: UdpDriver;
    server: import('node:http').Server;
    stop: () => Promise<void>;
  };
  process.removeAllListeners('SIGINT');
  if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${String((server.address() as { port: number }).port)}/`;
  expect((await fetch(url, { method: 'POST', body: 'hello?' })).status).toBe(400);
  const client = await UdpDriver.listen();
  const rtc = client.connection();
  const draft = rtc.negotiation();
  const echo = draft.addChannel('echo');
  const offer = draft.offer();
  offer.accept(await (await fetch(url, { method: 'POST', body: offer.sdp })).text());
  await opened(echo);
  const heard = messages(echo);
  await send(echo, 'there and back');
  expect((await heard.next()).value).toBe('there and back');
  expect(driver.endpoint.size).toBe(1);
  await stop();
  expect((await heard.next()).done).toBe(true);
  await client.close();
  const { bounded } = (await programs.run('Limits')).exports as { bounded: UdpDriver };
  await bounded.close();
});
