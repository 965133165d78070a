/** examples/record with the library itself as what is recorded: what it is sent is in the file, on one clock. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input, type InputTrack } from 'mediabunny';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Rtc, type RtcEvent } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { bundle } from './program.ts';
import { Terminal } from './terminal.ts';

/** A VP8 keyframe of 320 by 240, and a picture that refers to it, behind their descriptors (RFC 7741 §4). */
const KEYFRAME = Uint8Array.of(0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1, 2, 3);
const INTERFRAME = Uint8Array.of(0x10, 0x11, 0x02, 0x00, 4, 5, 6);
/** 20 ms of it. */
const OPUS = Uint8Array.of(0x78, 7, 8, 9);

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
let recordings: string;
let server: Terminal;
let url: string;
let driver: UdpDriver;

beforeAll(async () => {
  const folder = await bundle(
    new URL('../../examples/', import.meta.url),
    ['record/server.mjs'],
    ['record/page.html'],
  );
  recordings = mkdtempSync(join(tmpdir(), 'sansrtc-record-'));
  server = new Terminal(join(folder, 'record/server.mjs'), '--http-port', '0', '--folder', recordings);
  url = await server.sees(/http:\S+/);
  driver = await UdpDriver.listen();
});
afterAll(async () => {
  server.process.kill('SIGKILL');
  await driver.close();
  rmSync(recordings, { recursive: true, force: true });
});

function post(body: string, type = 'application/sdp'): Promise<Response> {
  return fetch(`${url}recordings`, { method: 'POST', headers: { 'content-type': type }, body });
}

async function payloadsOf(track: InputTrack | null): Promise<{ time: number; payload: string }[]> {
  if (track === null) throw new Error('there is no such track');
  const found: { time: number; payload: string }[] = [];
  for await (const { timestamp, data } of new EncodedPacketSink(track).packets())
    found.push({ time: timestamp, payload: Buffer.from(data).toString('hex') });
  return found;
}

test('every frame is in the file; the first picture is a keyframe, which was asked for', async () => {
  const rtc = new Rtc({ certificate, crypto, media: rtpMedia() });
  const events: RtcEvent[] = [];
  driver.add(rtc, (event) => events.push(event));
  const draft = rtc.negotiation();
  for (const kind of ['audio', 'video'] as const) draft.addMedia(kind, { direction: 'sendonly' });
  const offer = draft.offer();
  const response = await post(offer.sdp);
  offer.accept(await response.text());
  const location = new URL(response.headers.get('location') ?? '', url).href;
  const [voice, camera] = rtc.media.map((media) => media.sender());
  await vi.waitFor(() => expect(camera?.isWritable).toBe(true), { timeout: 20_000 });

  // As a camera does it: a keyframe when it is asked for one.
  let frames = 0;
  await vi.waitFor(
    () => {
      const isAsked = events.some(({ type }) => type === 'keyframerequest');
      if (isAsked) frames++;
      const timestamp = performance.now();
      voice?.write({ payload: OPUS, timestamp: Math.round(timestamp * 48) });
      const payload = frames === 1 ? KEYFRAME : INTERFRAME;
      camera?.write({ payload, timestamp: Math.round(timestamp * 90), marker: true });
      expect(frames).toBeGreaterThan(50);
    },
    { timeout: 30_000, interval: 20 },
  );
  const report: unknown = await (await fetch(location, { method: 'DELETE' })).json();

  const path = join(recordings, `${location.slice(location.lastIndexOf('/') + 1)}.webm`);
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  const video = await payloadsOf(await input.getPrimaryVideoTrack());
  const audio = await payloadsOf(await input.getPrimaryAudioTrack());
  input.dispose();
  expect(report).toMatchObject({ frames: { audio: audio.length, video: video.length }, dropped: 0 });
  expect(video[0]?.payload).toBe(Buffer.from(KEYFRAME.subarray(1)).toString('hex'));
  expect(new Set(video.slice(1).map(({ payload }) => payload))).toEqual(
    new Set([Buffer.from(INTERFRAME.subarray(1)).toString('hex')]),
  );
  expect(video.length).toBeGreaterThan(40);
  expect(new Set(audio.map(({ payload }) => payload))).toEqual(new Set([Buffer.from(OPUS).toString('hex')]));
  expect(audio.length).toBeGreaterThanOrEqual(video.length);
  expect(Math.abs((audio.at(-1)?.time ?? NaN) - (video.at(-1)?.time ?? NaN))).toBeLessThan(0.2);

  const whole = await fetch(`${location}.webm`);
  const { length } = new Uint8Array(await whole.arrayBuffer());
  const end = await fetch(`${location}.webm`, { headers: { range: `bytes=${String(length - 10)}-` } });
  expect([end.status, (await end.arrayBuffer()).byteLength]).toEqual([206, 10]);
});

test('refuses what is no offer, too long, of another type, without media, or not here', async () => {
  expect((await post('v=0')).status).toBe(400);
  expect((await post('x'.repeat(70_000))).status).toBe(413);
  expect((await post('v=0', 'text/plain')).status).toBe(415);
  const draft = new Rtc({ certificate, crypto }).negotiation();
  draft.addChannel('chat');
  expect((await post(draft.offer().sdp)).status).toBe(422);
  expect((await fetch(`${url}recordings/0-0`, { method: 'DELETE' })).status).toBe(404);
  expect((await fetch(`${url}recordings/0-0.webm`)).status).toBe(404);
});
