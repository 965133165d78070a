#!/usr/bin/env node
/**
 * A stage over HTTP: one publishes by WHIP (RFC 9725), any number watch by WHEP (draft-ietf-wish-whep).
 *
 *   GET    /, /publish        pages that watch and that publish
 *   POST   /whip, /whep       an SDP offer (application/sdp) -> 201, Location, ETag, the answer
 *   PATCH  <location>         candidates -> 204; other credentials: a restart of ICE -> 200, ETag, ours
 *   DELETE <location>         leaves
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { rtpMedia } from 'sansrtc/media';
import { UdpDriver } from 'sansrtc/node';
import { FRAGMENT_MEDIA_TYPE } from 'sansrtc/sdp';
import { HttpError, Session } from './session.mjs';
import { codecsFor, Stage, VIDEO_CODECS } from './stage.mjs';

const MAX_BODY_BYTES = 64 * 1024;
/** When a publisher that found the stage taken may ask again, s. */
const RETRY_AFTER = 5;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8080' },
    'udp-port': { type: 'string', default: '0' },
    video: { type: 'string', default: 'VP8' },
    token: { type: 'string' },
  },
});
if (!VIDEO_CODECS.includes(values.video)) {
  console.error(`whip-whep: --video expected one of ${VIDEO_CODECS.join(', ')}, got "${values.video}"`);
  process.exit(1);
}

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const codecs = codecsFor(values.video);
const driver = await UdpDriver.listen({
  address: values.host,
  port: Number(values['udp-port']),
  onWarning: ({ message }) => console.warn(message),
  onError: (error) => console.error(error),
});
const pages = new Map();
for (const [path, file, type] of [
  ['/', 'watch.html', 'text/html; charset=utf-8'],
  ['/publish', 'publish.html', 'text/html; charset=utf-8'],
  ['/client.js', 'client.js', 'text/javascript; charset=utf-8'],
])
  pages.set(path, { type, body: await readFile(new URL(file, import.meta.url)) });

const stage = new Stage();
/** By their paths. @type {Map<string, Session>} */
const sessions = new Map();

function publish(offer) {
  if (stage.isTaken) throw new HttpError(409, 'somebody else publishes', { 'retry-after': RETRY_AFTER });
  const session = open('/whip', offer, 'recvonly', (rtc, event) => stage.handlePublisherEvent(rtc, event));
  stage.setPublisher(session.rtc);
  return session;
}

function watch(offer) {
  if (stage.isFull) throw new HttpError(503, 'too many watch', { 'retry-after': RETRY_AFTER });
  const session = open('/whep', offer, 'sendonly', (rtc, event) => stage.handleViewerEvent(rtc, event));
  stage.addViewer(session.rtc);
  return session;
}

/** Answers an offer: of each kind the first section is taken, in this direction. */
function open(prefix, offer, direction, onEvent) {
  const rtc = new Rtc({ certificate, crypto, codecs, media: rtpMedia() });
  let path;
  driver.add(rtc, (event) => {
    onEvent(rtc, event);
    if (event.type === 'closed') sessions.delete(path);
  });
  try {
    const session = new Session(rtc, offer, ({ media }) => {
      for (const kind of ['audio', 'video']) {
        const [first, ...others] = media.filter((one) => one.kind === kind);
        first?.setStreams(['stage']);
        if (first !== undefined) first.direction = direction;
        // Of a simulcast one layer is taken: there is nobody who chooses.
        const [encoding] = first?.encodings ?? [];
        if (encoding !== undefined) first.setEncodings([encoding.rid]);
        for (const other of others) other.reject();
      }
    });
    if (!rtc.media.some(({ currentDirection }) => currentDirection === direction))
      throw new HttpError(422, `nothing in the offer is ${direction === 'sendonly' ? 'received' : 'sent'}`);
    path = `${prefix}/${session.id}`;
    sessions.set(path, session);
    return session;
  } catch (error) {
    rtc.close();
    throw error;
  }
}

async function respond(request, response) {
  const { method } = request;
  const { pathname } = new URL(request.url, 'http://stage');
  const page = method === 'GET' ? pages.get(pathname) : undefined;
  const isEndpoint = pathname === '/whip' || pathname === '/whep';
  const session = sessions.get(pathname);
  if (page !== undefined) {
    response.setHeader('content-type', page.type).end(page.body);
  } else if (method === 'GET' && pathname === '/state') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(stage.state));
  } else if (method === 'OPTIONS' && (isEndpoint || session !== undefined)) {
    if (isEndpoint) response.setHeader('accept-post', 'application/sdp');
    else response.setHeader('accept-patch', FRAGMENT_MEDIA_TYPE);
    response
      .setHeader('access-control-allow-methods', 'OPTIONS, POST, PATCH, DELETE')
      .setHeader('access-control-allow-headers', 'Authorization, Content-Type, If-Match')
      .writeHead(204)
      .end();
  } else if (isEndpoint && method === 'POST') {
    const offer = await readBody(request, 'application/sdp');
    if (pathname === '/whip') authorize(request);
    const { id, etag, answer } = pathname === '/whip' ? publish(offer) : watch(offer);
    const headers = { 'content-type': 'application/sdp', location: `${pathname}/${id}`, etag };
    response.writeHead(201, headers).end(answer);
  } else if (session !== undefined && method === 'PATCH') {
    const fragment = await readBody(request, FRAGMENT_MEDIA_TYPE);
    const { status, headers, body } = session.patch(fragment, request.headers['if-match']);
    response.writeHead(status, headers).end(body);
  } else if (session !== undefined && method === 'DELETE') {
    session.rtc.close();
    response.writeHead(200).end();
  } else if (isEndpoint || session !== undefined) {
    throw new HttpError(405, `${method} is not for this`);
  } else {
    throw new HttpError(404, 'not here');
  }
}

/** Whoever knows the token may publish (RFC 9725 §4.7); the path of a session is a secret of its client's. */
function authorize({ headers }) {
  if (values.token === undefined || headers.authorization === `Bearer ${values.token}`) return;
  throw new HttpError(401, 'publishing takes a token', { 'www-authenticate': 'Bearer' });
}

async function readBody(request, type) {
  const [given] = (request.headers['content-type'] ?? '').split(';');
  if (given.trim().toLowerCase() !== type) throw new HttpError(415, `${type}, please`);
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new HttpError(413, 'that is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const server = createServer((request, response) => {
  // Players and publishers of other sites may come: what they may do depends on no cookie.
  response
    .setHeader('access-control-allow-origin', '*')
    .setHeader('access-control-expose-headers', 'ETag, Location, Retry-After');
  respond(request, response).catch((error) => {
    if (!(error instanceof HttpError)) console.error(error);
    if (!response.headersSent) response.writeHead(error.status ?? 500, error.headers);
    response.end(`${error.message}\n`);
  });
});
server.once('error', ({ message }) => {
  console.error(`${message}: choose another --http-port`);
  process.exit(1);
});
server.listen(Number(values['http-port']), values.host, () => {
  const url = `http://${values.host}:${server.address().port}/`;
  console.log(`${url}  to watch\n${url}publish  to publish, or by WHIP at ${url}whip`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    void driver.close().then(() => process.exit());
  });
}
