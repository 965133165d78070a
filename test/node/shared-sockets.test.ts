/** E3: connections of one driver that meet one remote address get a socket each. */
import { afterEach, expect, it } from 'vitest';
import type { UdpDriver } from '../../src/node/index.ts';
import { closeDrivers, connect, DrivenPeer, listen } from './driven-peer.ts';

afterEach(closeDrivers);

function crowd(count: number, bots: UdpDriver, server: UdpDriver): [DrivenPeer, DrivenPeer][] {
  return Array.from({ length: count }, () => [new DrivenPeer(bots), new DrivenPeer(server)]);
}

async function allEcho(pairs: readonly [DrivenPeer, DrivenPeer][], offerer = 'bot'): Promise<void> {
  await Promise.all(
    pairs.map(([bot, served]) => (offerer === 'bot' ? connect(bot, served) : connect(served, bot))),
  );
  for (const [i, [bot, served]] of pairs.entries()) {
    served.onEvent = (event) => event.type === 'message' && event.channel.send(event.data);
    bot.send(`bot ${String(i)}`);
  }
  await Promise.all(pairs.map(([bot]) => bot.until('message')));
  for (const [i, [bot]] of pairs.entries()) expect(bot.received()).toEqual([`bot ${String(i)}`]);
}

it('E3: fifty bots on one driver to one server: fifty of fifty', async () => {
  const bots = await listen();
  const server = await listen();
  const pairs = crowd(50, bots, server);
  await allEcho(pairs);
  expect(bots.stats()).toMatchObject({ furtherSocketsExhausted: 0 });
  expect(bots.stats().furtherSockets).toBe(49);
  expect(server.stats().furtherSockets).toBe(0);
  expect(bots.endpoint.size).toBe(50);
  for (const peer of pairs.flat()) expect(peer.ended).toBeUndefined();
});

it('E3: and when the server offers, it is the server that takes further sockets', async () => {
  const bots = await listen();
  const server = await listen();
  await allEcho(crowd(10, bots, server), 'server');
  expect(bots.stats().furtherSockets).toBe(0);
  expect(server.stats()).toMatchObject({ furtherSockets: 9, furtherSocketsExhausted: 0 });
});

it('E3: and when the server is lite', async () => {
  const bots = await listen();
  const server = await listen();
  const pairs = Array.from(
    { length: 10 },
    () => [new DrivenPeer(bots), new DrivenPeer(server, { iceLite: true })] as [DrivenPeer, DrivenPeer],
  );
  await allEcho(pairs);
  expect(bots.stats().furtherSockets).toBe(9);
});

it('E3: the sockets are used again when connections have left', async () => {
  const bots = await listen();
  const server = await listen();
  await allEcho(crowd(3, bots, server));
  const { furtherSockets } = bots.stats();
  for (const rtc of bots.endpoint.connections()) rtc.close();
  for (const rtc of server.endpoint.connections()) rtc.close();
  bots.flush();
  server.flush();
  await allEcho(crowd(3, bots, server));
  expect(bots.stats().furtherSockets).toBe(furtherSockets);
});

it('E3: maxFurtherSockets bounds them, and what is over is counted', async () => {
  const bots = await listen({ maxFurtherSockets: 1 });
  const server = await listen({ maxFurtherSockets: 0 });
  const pairs = crowd(3, bots, server);
  await Promise.race(pairs.map(([bot, served]) => connect(bot, served)));
  await expect.poll(() => bots.stats().furtherSocketsExhausted).toBeGreaterThan(0);
  expect(bots.stats().furtherSockets).toBe(1);
  expect(bots.stats().sockets).toHaveLength(2);
});
