/** examples/voice-bot as its callers meet it, in both browsers, who speak when the test says so. */
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { Terminal } from '../node/terminal.ts';
import { BROWSERS } from './browsers.ts';
import { ExampleBrowser, type ExamplePage } from './example-page.ts';

const SERVER = fileURLToPath(new URL('../../examples/voice-bot/server.mjs', import.meta.url));

declare global {
  /** Of the page: its voice is a tone, or silence. */
  var speak: (isOn: boolean) => void;
}

/**
 * Sent to the page as source: a microphone that the test has in its hand.
 * @param isTone the fake microphone gives a tone, as Firefox's does. Chromium's beeps now and then, so that one is made; Firefox plays
 *   nothing that is made where there is no loudspeaker.
 */
function installVoice(isTone: boolean): void {
  const { mediaDevices } = navigator;
  const getMicrophone = mediaDevices.getUserMedia.bind(mediaDevices);
  function makeTone(): MediaStream {
    const context = new AudioContext();
    const tone = context.createOscillator();
    tone.frequency.value = 300;
    tone.start();
    const microphone = context.createMediaStreamDestination();
    tone.connect(microphone);
    return microphone.stream;
  }
  mediaDevices.getUserMedia = async () => {
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = isTone ? await getMicrophone({ audio: plain }) : makeTone();
    globalThis.speak = (isOn) => {
      for (const track of stream.getAudioTracks()) track.enabled = isOn;
    };
    speak(false);
    return stream;
  };
}

// Two browsers, and the time in which things are said.
vi.setConfig({ testTimeout: 180_000 });

let server: Terminal;
let url: string;

beforeAll(async () => {
  server = new Terminal(SERVER, '--http-port', '0');
  url = await server.sees(/http:\S+/);
});
afterAll(() => void server.process.kill('SIGKILL'));

describe.each(BROWSERS)('%s calls', (name) => {
  let browser: ExampleBrowser;
  let page: ExamplePage;

  beforeAll(async () => {
    browser = await ExampleBrowser.launch(name);
  });
  afterAll(() => browser.close());
  afterEach(() => page.close());

  async function call(): Promise<void> {
    page = await browser.open(url);
    await page.run(installVoice, name === 'Firefox');
    await page.click('#call');
    await page.says('#state', /speaking/);
  }

  async function speakFor(milliseconds: number): Promise<void> {
    await page.run(async (duration) => {
      speak(true);
      await new Promise((resolve) => setTimeout(resolve, duration));
      speak(false);
    }, milliseconds);
  }

  /** What it says is heard. */
  function expectSound(): Promise<void> {
    return page.grows('inbound', 'audio', 'totalAudioEnergy', 0.005);
  }

  test('it greets to the end, hears, says back what it has heard, and listens again', async () => {
    await call();
    await expectSound();
    await page.says('#state', /listening/);
    await speakFor(1500);
    const heard = await page.says('#log', /heard [\d.]+ s/);
    const seconds = Number(/heard ([\d.]+) s/.exec(heard)?.[1]);
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(6);
    await page.says('#state', /speaking/);
    await expectSound();
    await page.says('#state', /listening/);
    expect(heard).not.toContain('interrupted');
  });

  test('whoever speaks while it does interrupts it', async () => {
    await call();
    await expectSound();
    await speakFor(500);
    await page.says('#log', /interrupted.*heard/s);
  });

  test('keys of a telephone, and words on the data channel', async () => {
    await call();
    await page.click('#stop');
    await page.says('#state', /listening/);
    await page.run(() => {
      const key = [...document.querySelectorAll('#keys button')].find((one) => one.textContent === '*');
      (key as HTMLButtonElement | undefined)?.click();
    }, undefined);
    await page.says('#log', /key \*/);
    await page.says('#state', /speaking/);
    await page.click('#stop');
    await page.says('#state', /listening/);
    await page.click('#greet');
    await page.says('#state', /speaking/);
    await page.click('#hang-up');
    await page.says('#state', /not there/);
  });
});
