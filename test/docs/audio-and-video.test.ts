/** docs/guides/audio-and-video.md: its program, as pasted, gives the page and sends back what a client sends. */
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Rtc, selfSignedCertificate } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { freePort } from '../free-port.ts';
import { Terminal } from '../node/terminal.ts';
import { unpacked } from './guide-files.ts';

const terminals: Terminal[] = [];

afterAll(() => {
  for (const { process } of terminals) process.kill('SIGKILL');
});

test('a client hears its own packets', async () => {
  const port = String(await freePort());
  const folder = await unpacked('docs/guides/audio-and-video.md', (code) => code.replaceAll('8080', port));
  const server = new Terminal(join(folder, 'mirror.mjs'));
  terminals.push(server);
  const url = await server.sees(/^(http:\S+)$/m);
  expect(await (await fetch(url)).text()).toContain('getUserMedia');
  expect((await fetch(url, { method: 'POST', body: 'hello?' })).status).toBe(400);

  const client = await UdpDriver.listen();
  try {
    const rtc = new Rtc({ certificate: selfSignedCertificate(), media: rtpMedia() });
    const heard = new Promise<Uint8Array>((resolve) => {
      client.add(rtc, (event) => {
        if (event.type === 'rtp') resolve(event.packet.payload);
      });
    });
    const draft = rtc.negotiation();
    const media = draft.addMedia('audio', { direction: 'sendrecv' });
    const offer = draft.offer();
    const response = await fetch(url, { method: 'POST', body: offer.sdp });
    offer.accept(await response.text());
    let timestamp = 0;
    const talk = setInterval(() => {
      media.sender()?.write({ payload: Uint8Array.of(0x78, 1, 2), timestamp: (timestamp += 960) });
    }, 20);
    expect(await heard).toEqual(Uint8Array.of(0x78, 1, 2));
    clearInterval(talk);
  } finally {
    await client.close();
  }
});
