/** Real Chromium over TCP alone: a network that passes no UDP. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chromium } from './chromium.ts';
import { Host } from './host.ts';

let chromium: Chromium;
let host: Host;

beforeAll(async () => {
  chromium = await Chromium.launch();
  host = await Host.listen({ tcp: {} });
});

afterAll(async () => {
  await chromium.close();
  await host.close();
});

function withoutUdp(sdp: string): string {
  return sdp.replaceAll(/^a=candidate:\S+ 1 udp .*\r\n/gm, '');
}

test('the answer names a TCP candidate alone: the page connects to it, and messages go both ways', async () => {
  const page = await chromium.newPage();
  const connection = host.connection();
  const offer = await page.evaluate(() => peers.offer('tab', [{ label: 'chat' }]));
  // Neither side may learn of the other's UDP address, from a description or from a check.
  const answer = withoutUdp(connection.rtc.receiveOffer(withoutUdp(offer)).answer());
  expect(answer).toMatch(/^a=candidate:.* tcptype passive/m);
  await page.evaluate((sdp) => peers.acceptAnswer('tab', sdp), answer);
  await connection.opened('chat');

  await connection.send('chat', { text: 'to the page' });
  expect(await page.evaluate(() => peers.receive('tab', 'chat'))).toEqual({ text: 'to the page' });
  await page.evaluate(() => peers.send('tab', 'chat', { text: 'from the page' }));
  expect(await connection.receive('chat')).toEqual({ text: 'from the page' });
  expect(connection.rtc.inspect().ice.selectedPair?.remote).toMatchObject({ type: 'prflx', protocol: 'tcp' });
  const { datagramsReceived, tcp } = host.driver.stats();
  expect(datagramsReceived).toBe(0);
  expect(tcp).toMatchObject({ closedUnanswered: 0, closedFrameTooLong: 0 });
  expect(tcp?.framesReceived).toBeGreaterThan(5);
  await page.context().close();
});
