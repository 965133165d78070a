/** examples/whip-whep over HTTP, as RFC 9725 has it, with the library itself as publisher and viewer. */
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { Rtc, type RtcEvent } from '../../src/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { UdpDriver } from '../../src/node/index.ts';
import { FRAGMENT_MEDIA_TYPE, parseSdpFragment, writeCandidateLine } from '../../src/sdp/index.ts';
import { bundle } from './program.ts';
import { Terminal } from './terminal.ts';

/** A first packet of a VP8 keyframe, and one of a picture that refers to it (RFC 7741 §4). */
const KEYFRAME = Uint8Array.of(0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00, 1, 2, 3);
const INTERFRAME = Uint8Array.of(0x10, 0x11, 0x02, 0x00, 4, 5, 6);
const OPUS = Uint8Array.of(0x78, 7, 8, 9);

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
let folder: string;
let server: Terminal;
let url: string;
let driver: UdpDriver;

beforeAll(async () => {
  folder = await bundle(
    new URL('../../examples/', import.meta.url),
    ['whip-whep/server.mjs'],
    ['whip-whep/client.js', 'whip-whep/publish.html', 'whip-whep/watch.html'],
  );
});

beforeEach(async () => {
  driver = await UdpDriver.listen();
  await start();
});
afterEach(async () => {
  server.process.kill('SIGKILL');
  await driver.close();
});

async function start(...options: string[]): Promise<void> {
  server = new Terminal(join(folder, 'whip-whep/server.mjs'), '--http-port', '0', ...options);
  url = await server.sees(/http:\S+/);
}

interface Client {
  readonly rtc: Rtc;
  readonly events: readonly RtcEvent[];
  readonly location: string;
  readonly etag: string;
}

async function connect(endpoint: 'whip' | 'whep'): Promise<Client> {
  const rtc = new Rtc({ certificate, crypto, media: rtpMedia() });
  const events: RtcEvent[] = [];
  driver.add(rtc, (event) => events.push(event));
  const draft = rtc.negotiation();
  const direction = endpoint === 'whip' ? 'sendonly' : 'recvonly';
  for (const kind of ['audio', 'video'] as const) draft.addMedia(kind, { direction });
  const offer = draft.offer();
  const response = await post(endpoint, offer.sdp);
  const body = await response.text();
  if (response.status !== 201) throw new Error(`${response.status}: ${body}`);
  expect(response.headers.get('content-type')).toBe('application/sdp');
  offer.accept(body);
  await vi.waitFor(() => expect(rtc.connectionState).toBe('connected'), { timeout: 20_000 });
  const location = new URL(response.headers.get('location') ?? '', url).href;
  return { rtc, events, location, etag: response.headers.get('etag') ?? '' };
}

function post(endpoint: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const all = { 'content-type': 'application/sdp', ...headers };
  return fetch(`${url}${endpoint}`, { method: 'POST', headers: all, body });
}

function patch(location: string, ifMatch: string | undefined, body: string): Promise<Response> {
  const headers = { 'content-type': FRAGMENT_MEDIA_TYPE, ...(ifMatch && { 'if-match': ifMatch }) };
  return fetch(location, { method: 'PATCH', headers, body });
}

/** A fragment with these credentials and the connection's candidates. */
function fragment(rtc: Rtc, ice: { readonly usernameFragment: string; readonly password: string }): string {
  return [
    'a=group:BUNDLE 0 1',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    `a=mid:${rtc.media[0]?.mid ?? ''}`,
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    ...rtc.localCandidates.map((candidate) => `a=${writeCandidateLine(candidate)}`),
    'a=end-of-candidates',
    '',
  ].join('\r\n');
}

test('what is published is watched, from a keyframe on, by whoever comes when', async () => {
  const publisher = await connect('whip');
  const [voice, camera] = publisher.rtc.media.map((media) => media.sender());
  const viewers = [await connect('whep'), await connect('whep')];
  let frame = 0;
  const isAsked = (): boolean => publisher.events.some(({ type }) => type === 'keyframerequest');
  const received = (viewer: Client, kind: string): string[] =>
    viewer.events.flatMap((event) =>
      event.type === 'rtp' && event.stream.kind === kind
        ? [Buffer.from(event.packet.payload).toString('hex')]
        : [],
    );
  // The publisher sends as a camera does, and a keyframe when it is asked for one.
  await vi.waitFor(
    () => {
      voice?.write({ payload: OPUS, timestamp: frame * 960 });
      const payload = isAsked() && frame % 4 === 0 ? KEYFRAME : INTERFRAME;
      camera?.write({ payload, timestamp: frame * 1800, marker: true });
      frame++;
      for (const viewer of viewers) {
        expect(received(viewer, 'audio').length).toBeGreaterThan(5);
        expect(received(viewer, 'video').length).toBeGreaterThan(5);
      }
    },
    { timeout: 20_000, interval: 20 },
  );
  for (const viewer of viewers) {
    expect(received(viewer, 'video')[0]).toBe(Buffer.from(KEYFRAME).toString('hex'));
    expect(new Set(received(viewer, 'video'))).toContain(Buffer.from(INTERFRAME).toString('hex'));
    expect(new Set(received(viewer, 'audio'))).toEqual(new Set([Buffer.from(OPUS).toString('hex')]));
  }
});

test('one publishes: others are told when to ask again; whoever leaves makes room', async () => {
  const { location } = await connect('whip');
  const draft = new Rtc({ certificate, crypto, media: rtpMedia() }).negotiation();
  draft.addMedia('audio', { direction: 'sendonly' });
  const refused = await post('whip', draft.offer().sdp);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([409, '5']);
  expect((await fetch(location, { method: 'DELETE' })).status).toBe(200);
  await vi.waitFor(() => connect('whip'), { timeout: 20_000 });
});

describe.each(['whip', 'whep'] as const)('%s', (endpoint) => {
  test('candidates by PATCH, a restart of ICE, and the end', async () => {
    const { rtc, location, etag } = await connect(endpoint);
    expect(etag).toMatch(/^"[^"]+"$/);
    const known = fragment(rtc, rtc.localParameters.ice);
    expect((await patch(location, undefined, known)).status).toBe(428);
    expect((await patch(location, '"another"', known)).status).toBe(412);
    expect((await patch(location, etag, 'v=0\r\n')).status).toBe(400);
    const trickled = await patch(location, etag, known);
    expect([trickled.status, await trickled.text(), trickled.headers.get('etag')]).toEqual([204, '', null]);

    const before = rtc.localParameters.ice.usernameFragment;
    const renewed = { usernameFragment: 'restarted', password: 'restartedRestartedRestarted' };
    const restarted = await patch(location, '*', fragment(rtc, renewed));
    const body = await restarted.text();
    expect([restarted.status, restarted.headers.get('content-type')]).toEqual([200, FRAGMENT_MEDIA_TYPE]);
    const next = restarted.headers.get('etag') ?? '';
    expect(next).not.toBe(etag);
    const answered = parseSdpFragment(body);
    if ('failed' in answered) throw new Error(answered.message);
    expect(answered.ice?.usernameFragment).not.toBe(before);
    expect(answered.media[0]?.candidates.length).toBeGreaterThan(0);
    expect((await patch(location, etag, known)).status).toBe(412);

    expect((await fetch(location, { method: 'DELETE' })).status).toBe(200);
    await vi.waitFor(async () => expect((await patch(location, next, known)).status).toBe(404));
  });

  test('refuses what is no offer, too long, of another type, or nothing that flows', async () => {
    expect((await post(endpoint, 'v=0')).status).toBe(400);
    expect((await post(endpoint, 'x'.repeat(70_000))).status).toBe(413);
    expect((await post(endpoint, 'v=0', { 'content-type': 'text/plain' })).status).toBe(415);
    const draft = new Rtc({ certificate, crypto }).negotiation();
    draft.addChannel('chat');
    expect((await post(endpoint, draft.offer().sdp)).status).toBe(422);
    const other = new Rtc({ certificate, crypto }).negotiation();
    other.addMedia('audio', { codecs: [{ mimeType: 'audio/PCMU', clockRate: 8000 }] });
    expect((await post(endpoint, other.offer().sdp)).status).toBe(422);
    expect((await fetch(`${url}${endpoint}`)).status).toBe(405);
    expect((await fetch(`${url}${endpoint}/0`, { method: 'DELETE' })).status).toBe(404);
  });

  test('says what it takes to whoever asks from another site', async () => {
    const { status, headers } = await fetch(`${url}${endpoint}`, { method: 'OPTIONS' });
    expect(status).toBe(204);
    expect(headers.get('accept-post')).toBe('application/sdp');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-headers')).toContain('If-Match');
  });
});

test('a token: who has it publishes, who has not does not', async () => {
  server.process.kill('SIGKILL');
  await start('--token', 'secret');
  expect((await post('whip', 'v=0')).status).toBe(401);
  expect((await post('whip', 'v=0', { authorization: 'Bearer guess' })).status).toBe(401);
  expect((await post('whip', 'v=0', { authorization: 'Bearer secret' })).status).toBe(400);
  expect((await post('whep', 'v=0')).status).toBe(400);
});
