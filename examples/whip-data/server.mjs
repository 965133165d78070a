#!/usr/bin/env node
/**
 * A room over HTTP signalling in the manner of WHIP (RFC 9725), for data channels: what one says all others hear.
 *
 *   GET    /            the page
 *   POST   /room        an SDP offer (application/sdp) -> 201, Location, the answer
 *   DELETE /room/<id>   leaves
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const MAX_MEMBERS = 256;
const MAX_OFFER_BYTES = 64 * 1024;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8080' },
    'udp-port': { type: 'string', default: '0' },
  },
});
const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen({
  address: values.host,
  port: Number(values['udp-port']),
  onWarning: ({ message }) => console.warn(message),
  onError: (error) => console.error(error),
});
const page = await readFile(new URL('page.html', import.meta.url));

/** @type {Map<string, { rtc: Rtc, channels: Set<import('sansrtc').DataChannel> }>} */
const members = new Map();

function join(offer) {
  if (members.size >= MAX_MEMBERS) throw new HttpError(503, 'the room is full');
  const id = randomUUID();
  const rtc = new Rtc({ certificate, crypto });
  const channels = new Set();
  driver.add(rtc, (event) => {
    if (event.type === 'datachannel') channels.add(event.channel);
    else if (event.type === 'channelclose') channels.delete(event.channel);
    else if (event.type === 'message') tellOthers(id, event.data);
    else if (event.type === 'closed') members.delete(id);
  });
  try {
    const answer = rtc.receiveOffer(offer).answer();
    members.set(id, { rtc, channels });
    return { id, answer };
  } catch (error) {
    rtc.close();
    throw new HttpError(400, error.message);
  }
}

/** Who cannot keep up misses a message: `send` answers false, and nothing waits. */
function tellOthers(speaker, data) {
  for (const [id, { channels }] of members) {
    if (id === speaker) continue;
    for (const channel of channels) if (channel.readyState === 'open') channel.send(data);
  }
}

async function respond(request, response) {
  const { pathname } = new URL(request.url, 'http://room');
  const id = /^\/room\/([0-9a-f-]+)$/.exec(pathname)?.[1];
  if (request.method === 'GET' && pathname === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  } else if (request.method === 'POST' && pathname === '/room') {
    const { id: own, answer } = join(await readOffer(request));
    response.writeHead(201, { 'content-type': 'application/sdp', location: `/room/${own}` }).end(answer);
  } else if (request.method === 'DELETE' && id !== undefined) {
    const member = members.get(id);
    if (member === undefined) throw new HttpError(404, 'no such member');
    member.rtc.close();
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
