#!/usr/bin/env node
/**
 * Records what a page sends, Opus and VP8, to WebM files.
 *
 *   GET    /                        the page
 *   POST   /recordings              an SDP offer (application/sdp) -> 201, Location, the answer
 *   DELETE /recordings/<id>         stops, and answers once the file is complete -> 200, what is in it
 *   GET    /recordings/<id>.webm    the file
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rtc, RtcError, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { rtpMedia } from 'sansrtc/media';
import { UdpDriver } from 'sansrtc/node';
import { Recorder } from './recorder.mjs';

const MAX_RECORDINGS = 20;
const MAX_OFFER_BYTES = 64 * 1024;

const CODECS = {
  audio: [
    { mimeType: 'audio/opus', clockRate: 48_000, channels: 2, sdpFmtpLine: 'minptime=10;useinbandfec=1' },
  ],
  video: [
    {
      mimeType: 'video/VP8',
      clockRate: 90_000,
      rtcpFeedback: ['nack', 'nack pli', 'ccm fir', 'transport-cc'],
      rtx: true,
    },
  ],
};

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8080' },
    'udp-port': { type: 'string', default: '0' },
    folder: { type: 'string', default: 'recordings' },
  },
});
await mkdir(values.folder, { recursive: true });
const page = await readFile(new URL('page.html', import.meta.url));

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen({
  address: values.host,
  port: Number(values['udp-port']),
  onWarning: ({ message }) => console.warn(message),
  onError: (error) => console.error(error),
});
/** @type {Map<string, { rtc: Rtc, recorder: Recorder, finished: Promise<object> }>} */
const recordings = new Map();

function record(offer) {
  if (recordings.size >= MAX_RECORDINGS) throw new HttpError(503, 'no more at once');
  const id = randomUUID();
  const rtc = new Rtc({ certificate, crypto, codecs: CODECS, media: rtpMedia() });
  let recorder;
  const over = new Promise((resolve) => {
    driver.add(rtc, (event) => {
      recorder?.handleEvent(event);
      if (event.type === 'closed') resolve();
    });
  });
  try {
    const received = rtc.receiveOffer(offer);
    for (const kind of ['audio', 'video']) {
      const [first, ...others] = received.media.filter((one) => one.kind === kind);
      if (first !== undefined) first.direction = 'recvonly';
      for (const other of others) other.reject();
    }
    const answer = received.answer();
    if (!rtc.media.some(({ currentDirection }) => currentDirection === 'recvonly'))
      throw new HttpError(422, 'nothing in the offer is Opus or VP8 that is sent');
    recorder = new Recorder(rtc, fileOf(id));
    // However it ends, the file is whole.
    const finished = over.then(() => recorder.finish()).finally(() => recordings.delete(id));
    finished.then(
      (report) => console.log(`${fileOf(id)}: ${JSON.stringify(report)}`),
      (error) => console.error(error),
    );
    recordings.set(id, { rtc, recorder, finished });
    return { id, answer };
  } catch (error) {
    rtc.close();
    throw error instanceof RtcError ? new HttpError(400, error.message) : error;
  }
}

function fileOf(id) {
  return join(values.folder, `${id}.webm`);
}

async function respond(request, response) {
  const { method } = request;
  const { pathname } = new URL(request.url, 'http://record');
  const [, id, extension] = /^\/recordings\/([0-9a-f-]+)(\.webm)?$/.exec(pathname) ?? [];
  if (method === 'GET' && pathname === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  } else if (method === 'POST' && pathname === '/recordings') {
    const { id: own, answer } = record(await readOffer(request));
    response
      .writeHead(201, { 'content-type': 'application/sdp', location: `/recordings/${own}` })
      .end(answer);
  } else if (method === 'DELETE' && id !== undefined) {
    const recording = recordings.get(id);
    if (recording === undefined) throw new HttpError(404, 'no such recording');
    recording.rtc.close();
    const report = await recording.finished;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(report));
  } else if (method === 'GET' && extension !== undefined) {
    await sendFile(fileOf(id), request, response);
  } else {
    throw new HttpError(404, 'not here');
  }
}

/** With ranges, so that a player can seek. */
async function sendFile(path, { headers }, response) {
  const { size } = await stat(path).catch(() => {
    throw new HttpError(404, 'no such recording');
  });
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = Math.min(to ? Number(to) : Infinity, size - 1);
  if (start > end) throw new HttpError(416, 'nothing is there');
  response.writeHead(from === undefined ? 200 : 206, {
    'content-type': 'video/webm',
    'content-length': end - start + 1,
    'accept-ranges': 'bytes',
    ...(from !== undefined && { 'content-range': `bytes ${start}-${end}/${size}` }),
  });
  createReadStream(path, { start, end })
    .on('error', (error) => response.destroy(error))
    .pipe(response);
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
    const finished = [...recordings.values()].map((one) => one.finished);
    void driver
      .close()
      .then(() => Promise.allSettled(finished))
      .then(() => process.exit());
  });
}
