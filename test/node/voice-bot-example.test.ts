/** examples/voice-bot with the library itself as its caller, who speaks in packets of Opus that are none to a decoder. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { DataChannel } from '../../src/channel/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Rtc } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { AUDIO_LEVEL_URI, writeAudioLevel } from '../../src/rtp/index.ts';
import { bundle } from './program.ts';
import { Terminal } from './terminal.ts';

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
let server: Terminal;
let url: string;
let driver: UdpDriver;

beforeAll(async () => {
  const folder = await bundle(
    new URL('../../examples/', import.meta.url),
    ['voice-bot/server.mjs'],
    ['voice-bot/page.html', 'voice-bot/greeting.opus'],
  );
  server = new Terminal(join(folder, 'voice-bot/server.mjs'), '--http-port', '0');
  url = await server.sees(/http:\S+/);
});
afterAll(() => void server.process.kill('SIGKILL'));
beforeEach(async () => {
  driver = await UdpDriver.listen();
});
afterEach(() => driver.close());

function post(body: string, type = 'application/sdp'): Promise<Response> {
  return fetch(`${url}call`, { method: 'POST', headers: { 'content-type': type }, body });
}

/** One call: a packet every 20 ms, loud or quiet, as `isLoud` says. */
class Caller {
  isLoud = false;
  loudPackets = 0;
  /** What the bot has told, and what it has said. */
  readonly told: Record<string, unknown>[] = [];
  readonly heard: string[] = [];
  readonly rtc = new Rtc({ certificate, crypto, media: rtpMedia() });
  readonly channel: DataChannel;
  readonly #timer: NodeJS.Timeout;
  location = '';
  #count = 0;

  constructor() {
    driver.add(this.rtc, (event) => {
      if (event.type === 'message') this.told.push(JSON.parse(String(event.data)) as Record<string, unknown>);
      if (event.type === 'rtp') this.heard.push(Buffer.from(event.packet.payload).toString('hex'));
    });
    const draft = this.rtc.negotiation();
    const voice = draft.addMedia('audio');
    this.channel = draft.addChannel('bot');
    const offer = draft.offer();
    void post(offer.sdp).then(async (response) => {
      this.location = new URL(response.headers.get('location') ?? '', url).href;
      offer.accept(await response.text());
    });
    this.#timer = setInterval(() => {
      const value = writeAudioLevel({ level: this.isLoud ? -20 : -127, isVoice: this.isLoud });
      // Its number is in it, so that it can be told apart when it comes back.
      const payload = Uint8Array.of(0x78, this.isLoud ? 1 : 0, ++this.#count >> 8, this.#count & 0xff);
      if (this.isLoud) this.loudPackets++;
      const extensions = [{ uri: AUDIO_LEVEL_URI, value }];
      voice.sender()?.write({ payload, timestamp: this.#count * 960, extensions });
    }, 20);
  }

  async isTold(expected: Record<string, unknown>): Promise<void> {
    await vi.waitFor(() => expect(this.told).toContainEqual(expect.objectContaining(expected)), {
      timeout: 20_000,
      interval: 10,
    });
  }

  hangUp(): void {
    clearInterval(this.#timer);
    this.rtc.close();
  }
}

let caller: Caller;
beforeEach(() => {
  caller = new Caller();
});
afterEach(() => caller.hangUp());

test('it greets, is interrupted, and says back what it has heard, packet by packet, in order', async () => {
  await caller.isTold({ type: 'state', state: 'speaking' });
  await vi.waitFor(() => expect(caller.heard.length).toBeGreaterThan(10), { timeout: 20_000 });
  caller.isLoud = true;
  await caller.isTold({ type: 'interrupted' });
  await vi.waitFor(() => expect(caller.loudPackets).toBeGreaterThan(25), { timeout: 20_000 });
  caller.isLoud = false;
  await caller.isTold({ type: 'heard' });
  const before = caller.heard.length;
  await vi.waitFor(() => expect(caller.told.at(-1)).toEqual({ type: 'state', state: 'listening' }), {
    timeout: 20_000,
  });
  const said = caller.heard.slice(before).filter((payload) => payload.startsWith('7801'));
  expect(said.length).toBeGreaterThan(5);
  expect(said).toEqual([...said].sort());
});

test('keys and words steer it', async () => {
  await caller.isTold({ type: 'state', state: 'speaking' });
  caller.channel.send('stop');
  await caller.isTold({ type: 'state', state: 'listening' });
  caller.told.length = 0;
  expect(caller.rtc.media[0]?.sender()?.writeDtmf('*')).toBe(true);
  await caller.isTold({ type: 'dtmf', tone: '*' });
  await caller.isTold({ type: 'state', state: 'speaking' });
  expect((await fetch(caller.location, { method: 'DELETE' })).status).toBe(200);
  expect((await fetch(caller.location, { method: 'DELETE' })).status).toBe(404);
});

test('refuses what is no offer, too long, of another type, or without a voice', async () => {
  expect((await post('v=0')).status).toBe(400);
  expect((await post('x'.repeat(70_000))).status).toBe(413);
  expect((await post('v=0', 'text/plain')).status).toBe(415);
  const draft = new Rtc({ certificate, crypto, media: rtpMedia() }).negotiation();
  draft.addMedia('audio', { direction: 'sendonly' });
  expect((await post(draft.offer().sdp)).status).toBe(422);
});
