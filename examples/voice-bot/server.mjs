#!/usr/bin/env node
/**
 * A bot that is called from a page: it hears Opus, and speaks Opus, with a data channel beside.
 *
 *   GET    /            the page
 *   POST   /call        an SDP offer (application/sdp) -> 201, Location, the answer
 *   DELETE /call/<id>   hangs up
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Rtc, RtcError, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { opusDuration, rtpMedia } from 'sansrtc/media';
import { UdpDriver } from 'sansrtc/node';
import { AUDIO_LEVEL_URI } from 'sansrtc/rtp';
import { Bot } from './bot.mjs';
import { opusPackets } from './ogg.mjs';

const MAX_CALLS = 100;
const MAX_OFFER_BYTES = 64 * 1024;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8080' },
    'udp-port': { type: 'string', default: '0' },
    greeting: { type: 'string' },
  },
});
const file = await readFile(values.greeting ?? new URL('greeting.opus', import.meta.url));
const greeting = opusPackets(file).map((payload) => {
  const duration = opusDuration(payload);
  if (duration === undefined) throw new Error('that is no Opus');
  return { payload, duration: duration / 48 };
});
const page = await readFile(new URL('page.html', import.meta.url));

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen({
  address: values.host,
  port: Number(values['udp-port']),
  onWarning: ({ message }) => console.warn(message),
  onError: (error) => console.error(error),
});
/** @type {Map<string, Rtc>} */
const calls = new Map();

function call(offer) {
  if (calls.size >= MAX_CALLS) throw new HttpError(503, 'every line is busy');
  const id = randomUUID();
  const rtc = new Rtc({ certificate, crypto, media: rtpMedia() });
  let bot;
  driver.add(rtc, (event) => {
    bot?.handleEvent(event);
    if (event.type === 'closed') calls.delete(id);
  });
  try {
    const received = rtc.receiveOffer(offer);
    for (const section of received.media) {
      const isVoice = section === received.media.find(({ kind }) => kind === 'audio');
      section.direction = isVoice ? 'sendrecv' : 'inactive';
      section.setStreams(['bot']);
    }
    const answer = received.answer();
    const voice = rtc.media.find(
      ({ kind, currentDirection }) => kind === 'audio' && currentDirection === 'sendrecv',
    );
    if (voice === undefined) throw new HttpError(422, 'a call is audio, both ways');
    if (!voice.parameters.receive.headerExtensions.some(({ uri }) => uri === AUDIO_LEVEL_URI))
      throw new HttpError(422, 'it takes audio levels (RFC 6464) to know who speaks');
    bot = new Bot(rtc, greeting);
    calls.set(id, rtc);
    return { id, answer };
  } catch (error) {
    rtc.close();
    throw error instanceof RtcError ? new HttpError(400, error.message) : error;
  }
}

async function respond(request, response) {
  const { pathname } = new URL(request.url, 'http://bot');
  const id = /^\/call\/([0-9a-f-]+)$/.exec(pathname)?.[1];
  if (request.method === 'GET' && pathname === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  } else if (request.method === 'POST' && pathname === '/call') {
    const { id: own, answer } = call(await readOffer(request));
    response.writeHead(201, { 'content-type': 'application/sdp', location: `/call/${own}` }).end(answer);
  } else if (request.method === 'DELETE' && id !== undefined) {
    const rtc = calls.get(id);
    if (rtc === undefined) throw new HttpError(404, 'no such call');
    rtc.close();
    response.writeHead(200).end();
  } else {
    throw new HttpError(404, 'not here');
  }
}

async function readOffer(request) {
  if (request.headers['content-type'] !== 'application/sdp')
    throw new HttpError(415, 'application/sdp, please');
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_OFFER_BYTES) throw new HttpError(413, 'no offer is that long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const server = createServer((request, response) => {
  respond(request, response).catch((error) => {
    if (!(error instanceof HttpError)) console.error(error);
    if (!response.headersSent) response.writeHead(error.status ?? 500);
    response.end(`${error.message}\n`);
  });
});
server.once('error', ({ message }) => {
  console.error(`${message}: choose another --http-port`);
  process.exit(1);
});
server.listen(Number(values['http-port']), values.host, () => {
  console.log(`http://${values.host}:${server.address().port}/`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    void driver.close().then(() => process.exit());
  });
}
