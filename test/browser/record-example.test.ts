/** examples/record as its users meet it: a browser is recorded, and what was written is read, decoded and looked at. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input, type InputTrack } from 'mediabunny';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Terminal } from '../node/terminal.ts';
import { BROWSERS, type BrowserName } from './browsers.ts';
import { ExampleBrowser } from './example-page.ts';

const SERVER = fileURLToPath(new URL('../../examples/record/server.mjs', import.meta.url));

/** How long is recorded, ms: so long that the sender reports of either kind have come. */
const RECORDED = 11_000;
/** How far a flash and its beep may be apart, ms. Without sender reports it would be anything. */
const MAX_APART = 200;

/**
 * Sent to the page as source: a camera and a microphone that flash and beep together, every two seconds.
 * @param isTone the fake microphone gives a tone, as Firefox's does: it is let through. Chromium's beeps when it likes, so that a tone is
 *   made; Firefox plays nothing that is made where there is no loudspeaker.
 */
function installClapperboard(isTone: boolean): void {
  const { mediaDevices } = navigator;
  const getMicrophone = mediaDevices.getUserMedia.bind(mediaDevices);
  function makeTone(): MediaStream {
    const context = new AudioContext();
    const tone = context.createOscillator();
    tone.start();
    const microphone = context.createMediaStreamDestination();
    tone.connect(microphone);
    return microphone.stream;
  }
  mediaDevices.getUserMedia = async () => {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const [sound] = (isTone ? await getMicrophone({ audio: plain }) : makeTone()).getAudioTracks();
    const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
    const picture = canvas.getContext('2d');
    if (sound === undefined || picture === null) throw new Error('there is no microphone, or no canvas');
    let count = 0;
    setInterval(() => {
      const isOn = count++ % 50 < 12;
      sound.enabled = isOn;
      picture.fillStyle = isOn ? 'white' : 'black';
      picture.fillRect(0, 0, 320, 180);
      // Nothing is sent of a picture in which nothing changes.
      picture.fillStyle = 'gray';
      picture.fillRect(count % 300, 170, 20, 10);
    }, 40);
    return new MediaStream([...canvas.captureStream(25).getTracks(), sound]);
  };
}

// Several browsers at once, and what they encode and decode, are work.
vi.setConfig({ testTimeout: 180_000 });

const browsers = new Map<BrowserName, ExampleBrowser>();
let folder: string;
let server: Terminal;
let url: string;

beforeAll(async () => {
  for (const name of BROWSERS) browsers.set(name, await ExampleBrowser.launch(name));
  folder = mkdtempSync(join(tmpdir(), 'sansrtc-record-'));
  server = new Terminal(SERVER, '--http-port', '0', '--folder', folder);
  url = await server.sees(/http:\S+/);
});
afterAll(async () => {
  server.process.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([...browsers.values()].map((browser) => browser.close()));
});

function browserOf(name: BrowserName): ExampleBrowser {
  const browser = browsers.get(name);
  if (browser === undefined) throw new Error(`${name} has not been started`);
  return browser;
}

/** Records a page. @returns the address of the file */
async function record(name: BrowserName): Promise<string> {
  const page = await browserOf(name).open(url);
  await page.run(installClapperboard, name === 'Firefox');
  await page.click('#start');
  await page.says('#state', /connected/);
  await new Promise((resolve) => setTimeout(resolve, RECORDED));
  await page.click('#stop');
  await page.says('#state', /recorded/);
  const file = await page.run(
    () => document.querySelector<HTMLAnchorElement>('#file')?.href ?? '',
    undefined,
  );
  await page.close();
  return file;
}

/** Times of the packets of a track, s. */
async function timesOf(track: InputTrack | null): Promise<number[]> {
  if (track === null) throw new Error('there is no such track');
  const times: number[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) times.push(packet.timestamp);
  return times;
}

test.each(BROWSERS)(
  '%s is recorded: a whole file, that decodes, in which lips and voice agree',
  async (name) => {
    const file = await record(name);
    const path = join(folder, file.slice(file.lastIndexOf('/') + 1));

    const input = new Input({ source: new BufferSource(readFileSync(path)), formats: ALL_FORMATS });
    const [video, audio] = [await input.getPrimaryVideoTrack(), await input.getPrimaryAudioTrack()];
    expect([await video?.getCodec(), await audio?.getCodec()]).toEqual(['vp8', 'opus']);
    for (const times of [await timesOf(video), await timesOf(audio)]) {
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times.length).toBeGreaterThan((RECORDED / 1000) * 8);
      const [first = NaN, last = NaN] = [times[0], times.at(-1)];
      expect(last - first).toBeGreaterThan(RECORDED / 1000 - 3);
      expect(first).toBeLessThan(2);
    }
    expect(await input.computeDuration()).toBeGreaterThan(RECORDED / 1000 - 2);
    decodes(path);

    const [audioStart = 0] = await timesOf(audio);
    const { flashes, beeps } = await watch(file, audioStart);
    expect(flashes.length).toBeGreaterThan(2);
    const apart = flashes.map((flash) => Math.min(...beeps.map((beep) => Math.abs(beep - flash))) * 1000);
    const median = apart.sort((a, b) => a - b)[Math.floor(apart.length / 2)]!;
    console.log(`${name}: flash and beep are ${median.toFixed(0)} ms apart`);
    expect(median).toBeLessThan(MAX_APART);
  },
);

/** A second opinion, where there is one. */
function decodes(path: string): void {
  if (spawnSync('ffmpeg', ['-version']).status !== 0) {
    console.warn('no ffmpeg here: Chromium alone judges the file');
    return;
  }
  const { stderr } = spawnSync(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-fps_mode', 'passthrough', '-enc_time_base', '1:1000', '-f', 'null', '-'],
    {
      encoding: 'utf8',
    },
  );
  expect(stderr).toBe('');
}

/** Plays the file in Chromium, and finds when it gets light and when it gets loud, s. */
async function watch(file: string, audioStart: number): Promise<{ flashes: number[]; beeps: number[] }> {
  const page = await browserOf('Chromium').open(url);
  const found = await page.run(
    async ([source, start]) => {
      const context = new OfflineAudioContext(1, 1, 48_000);
      const sound = await context.decodeAudioData(await (await fetch(source)).arrayBuffer());
      const samples = sound.getChannelData(0);
      const beeps: number[] = [];
      const block = 480;
      let wasLoud = true;
      for (let at = 0; at + block <= samples.length; at += block) {
        const isLoud = samples.subarray(at, at + block).some((sample) => Math.abs(sample) > 0.1);
        if (isLoud && !wasLoud) beeps.push(start + at / sound.sampleRate);
        wasLoud = isLoud;
      }
      const video = Object.assign(document.createElement('video'), { src: source, muted: true });
      document.body.append(video);
      const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
      const picture = canvas.getContext('2d', { willReadFrequently: true });
      const flashes: number[] = [];
      let wasLight = true;
      const look: VideoFrameRequestCallback = (_now, { mediaTime }) => {
        picture?.drawImage(video, 0, 0, 320, 100, 0, 0, 1, 1);
        const isLight = (picture?.getImageData(0, 0, 1, 1).data[0] ?? 0) > 128;
        if (isLight && !wasLight) flashes.push(mediaTime);
        wasLight = isLight;
        video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
      const ended = new Promise((resolve) => video.addEventListener('ended', resolve));
      await video.play();
      await ended;
      return { flashes, beeps };
    },
    [file, audioStart] as const,
  );
  await page.close();
  return found;
}
