/** examples/sfu without a browser: members that speak its protocol, send sound, and hear each other's. */
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { PerfectNegotiator, Rtc } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import type { Media } from '../../src/rtc.ts';
import { bundle } from './program.ts';
import { Terminal } from './terminal.ts';

const PATIENCE = { timeout: 60_000, interval: 20 };
const FILES = ['index.html', 'page.js', 'style.css'].map((file) => `sfu/${file}`);
/** Milliseconds of sound in a packet, and the samples that it has at 48 kHz. */
const PACKET_TIME = 20;
const PACKET_SAMPLES = 960;

let program: string;
let server: Terminal | undefined;
const members: Member[] = [];

beforeAll(async () => {
  const folder = await bundle(new URL('../../examples/', import.meta.url), ['sfu/server.mjs'], FILES);
  program = join(folder, 'sfu/server.mjs');
});

afterEach(async () => {
  for (const member of members.splice(0)) await member.leave();
  server?.process.kill('SIGKILL');
});

async function start(): Promise<string> {
  server = new Terminal(program, '--http-port', '0');
  return server.sees(/http:\S+/);
}

/** What the server tells. */
interface Told {
  readonly welcome?: string;
  readonly people?: readonly { readonly id: string; readonly name: string }[];
  readonly signal?: unknown;
  readonly refused?: string;
}

/** What a page is, without a page: it says one byte over and over, and notes which bytes it hears from whom. */
class Member {
  people: readonly string[] = [];
  readonly refusals: string[] = [];
  /** The first bytes of what is heard, by the id of the stream that it belongs to. */
  readonly heard = new Set<number>();
  readonly #url: string;
  readonly #driver: UdpDriver;
  readonly #rtc: Rtc;
  readonly #negotiator: PerfectNegotiator;
  readonly #abort = new AbortController();
  #id = '';
  #sending = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;

  static async enter(url: string, room: string, name: string, says: number): Promise<Member> {
    const member = new Member(url, await UdpDriver.listen({ address: '127.0.0.1' }), says);
    members.push(member);
    const response = await fetch(`${url}join?${new URLSearchParams({ room, name }).toString()}`, {
      signal: member.#abort.signal,
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    void member.#listen(response).catch(() => undefined);
    return member;
  }

  private constructor(url: string, driver: UdpDriver, says: number) {
    const crypto = nodeCrypto();
    this.#url = url;
    this.#driver = driver;
    this.#rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto, media: rtpMedia() });
    this.#negotiator = new PerfectNegotiator(this.#rtc, {
      polite: false,
      onOffer: ({ media }) => {
        for (const section of media) if (section.media === undefined) section.direction = 'recvonly';
      },
    });
    const voice = this.#negotiator.draft.addMedia('audio', { direction: 'sendonly' });
    driver.add(this.#rtc, (event) => {
      if (event.type === 'rtp') this.heard.add(event.packet.payload[0] ?? -1);
      this.#negotiator.handleEvent(event);
      this.#sendSignals();
    });
    this.#timer = setInterval(() => this.#say(voice, says), PACKET_TIME);
  }

  /** How many media it gets now. */
  get received(): number {
    return this.#rtc.media.filter(({ currentDirection }) => currentDirection === 'recvonly').length;
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.#driver.close();
  }

  async post(body: string, type = 'application/json'): Promise<number> {
    const response = await fetch(`${this.#url}members/${this.#id}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    return response.status;
  }

  async #listen({ body }: Response): Promise<void> {
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of body ?? []) {
      text += decoder.decode(part, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events)
        if (event.startsWith('data: ')) this.#hear(JSON.parse(event.slice(6)) as Told);
    }
  }

  #hear({ welcome, people, signal, refused }: Told): void {
    if (people !== undefined) this.people = people.map(({ name }) => name);
    if (refused !== undefined) this.refusals.push(refused);
    if (welcome !== undefined) {
      this.#id = welcome;
      this.#negotiator.negotiate();
    }
    if (signal !== undefined)
      this.refusals.push(...this.#negotiator.handleSignal(signal).map(({ message }) => message));
    this.#sendSignals();
  }

  #sendSignals(): void {
    for (
      let signal = this.#negotiator.pollSignal();
      signal !== undefined;
      signal = this.#negotiator.pollSignal()
    ) {
      const body = JSON.stringify({ signal });
      this.#sending = this.#sending.then(async () => {
        await this.post(body).catch(() => undefined);
      });
    }
  }

  #time = 0;

  #say(voice: Media, byte: number): void {
    this.#time += PACKET_SAMPLES;
    voice.sender()?.write({ payload: new Uint8Array(40).fill(byte), timestamp: this.#time });
  }
}

test('three hear each other; one goes, and another one comes', async () => {
  const url = await start();
  const ann = await Member.enter(url, 'kitchen', 'Ann', 1);
  const bob = await Member.enter(url, 'kitchen', 'Bob', 2);
  const cid = await Member.enter(url, 'kitchen', 'Cid', 3);
  await vi.waitFor(() => {
    expect([ann, bob, cid].map(({ heard }) => [...heard].sort())).toEqual([
      [2, 3],
      [1, 3],
      [1, 2],
    ]);
  }, PATIENCE);
  expect([...ann.people].sort()).toEqual(['Ann', 'Bob', 'Cid']);

  await cid.leave();
  await vi.waitFor(
    () => expect([ann.people, ann.received, bob.received]).toEqual([['Ann', 'Bob'], 1, 1]),
    PATIENCE,
  );
  const dot = await Member.enter(url, 'kitchen', 'Dot', 4);
  await vi.waitFor(() => expect([ann.heard.has(4), [...dot.heard].sort()]).toEqual([true, [1, 2]]), PATIENCE);
  expect([ann, bob, dot].flatMap(({ refusals }) => refusals)).toEqual([]);
});

test('rooms know nothing of each other', async () => {
  const url = await start();
  const ann = await Member.enter(url, 'attic', 'Ann', 1);
  const bob = await Member.enter(url, 'cellar', 'Bob', 2);
  const cid = await Member.enter(url, 'cellar', 'Cid', 3);
  await vi.waitFor(() => expect([...bob.heard, ...cid.heard]).toEqual([3, 2]), PATIENCE);
  expect([ann.people, [...ann.heard]]).toEqual([['Ann'], []]);
});

test('serves its page; refuses what is no name, no message, too long, or not here', async () => {
  const url = await start();
  expect(await (await fetch(url)).text()).toContain('page.js');
  expect(await (await fetch(`${url}page.js`)).text()).toContain('new RTCPeerConnection()');
  expect((await fetch(`${url}join?room=kitchen`)).status).toBe(400);
  expect((await fetch(`${url}join?room=kitchen&name=${'x'.repeat(41)}`)).status).toBe(400);
  expect((await fetch(`${url}else`)).status).toBe(404);
  const ann = await Member.enter(url, 'kitchen', 'Ann', 1);
  await vi.waitFor(() => expect(ann.people).toEqual(['Ann']), PATIENCE);
  expect(await ann.post('{')).toBe(400);
  expect(await ann.post('{}', 'text/plain')).toBe(415);
  expect(await ann.post(JSON.stringify('x'.repeat(300_000)))).toBe(413);
  for (const message of ['null', '7', '[]', '{"watch":7}', '{"watch":"nobody","rid":{}}']) {
    expect(await ann.post(message)).toBe(204);
  }
  expect(await ann.post('{"signal":{"description":{"type":"offer","sdp":"v=0"}}}')).toBe(204);
  await vi.waitFor(() => expect(ann.refusals).toHaveLength(1), PATIENCE);
});
