#!/usr/bin/env node
/**
 * A place where a page waits for clients: it hands each offer to the page, and the page's answer back. No connection goes
 * through it.
 *
 *   GET  /             the page
 *   GET  /ice-servers  what the page is to use, as it was given to this server
 *   POST /meet         a client's offer (application/sdp) -> 201 and the answer, once the page has given it
 *   GET  /next         the page asks for an offer: { id, sdp }, or 204 after a while
 *   POST /answer/<id>  the page's answer
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const MAX_WAITING = 64;
const MAX_SDP_BYTES = 64 * 1024;
const ASKED_AGAIN_AFTER = 20_000;
const ANSWER_WITHIN = 15 * 60_000;

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8080' },
    'ice-servers': { type: 'string', default: '[]' },
    relay: { type: 'boolean', default: false },
  },
});
const configuration = {
  iceServers: JSON.parse(values['ice-servers']),
  iceTransportPolicy: values.relay ? 'relay' : 'all',
};
const page = await readFile(new URL('page.html', import.meta.url));

/** Clients by the ids of their offers. @type {Map<string, import('node:http').ServerResponse>} */
const clients = new Map();
/** Offers that no page has asked for yet. @type {{ id: string, sdp: string }[]} */
const offers = [];
/** A page that has asked, and is not answered yet. @type {(() => void) | undefined} */
let wakePage;

async function respond(request, response) {
  const { pathname } = new URL(request.url, 'http://meet');
  const id = /^\/answer\/([0-9a-f-]+)$/.exec(pathname)?.[1];
  if (request.method === 'GET' && pathname === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  } else if (request.method === 'GET' && pathname === '/ice-servers') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(configuration));
  } else if (request.method === 'POST' && pathname === '/meet') {
    meet(await readSdp(request), response);
  } else if (request.method === 'GET' && pathname === '/next') {
    await next(response);
  } else if (request.method === 'POST' && id !== undefined) {
    const client = clients.get(id);
    if (client === undefined) throw new HttpError(404, 'the client has gone');
    client.writeHead(201, { 'content-type': 'application/sdp' }).end(await readSdp(request));
    response.writeHead(204).end();
  } else {
    throw new HttpError(404, 'not here');
  }
}

/** Keeps the client until the page has answered. */
function meet(sdp, response) {
  if (clients.size >= MAX_WAITING) throw new HttpError(503, 'too many are waiting');
  const id = randomUUID();
  clients.set(id, response);
  offers.push({ id, sdp });
  const timer = setTimeout(() => response.writeHead(504).end('nobody has answered\n'), ANSWER_WITHIN);
  response.once('close', () => {
    clearTimeout(timer);
    clients.delete(id);
    const index = offers.findIndex((offer) => offer.id === id);
    if (index >= 0) offers.splice(index, 1);
  });
  wakePage?.();
}

/** The page that asked last gets the next offer. */
async function next(response) {
  wakePage?.();
  if (offers.length === 0) {
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, ASKED_AGAIN_AFTER);
      wakePage = () => {
        clearTimeout(timer);
        resolve();
      };
      response.once('close', wakePage);
    });
    wakePage = undefined;
  }
  const offer = response.destroyed ? undefined : offers.shift();
  if (offer === undefined) response.writeHead(204).end();
  else response.setHeader('content-type', 'application/json').end(JSON.stringify(offer));
}

async function readSdp(request) {
  if (request.headers['content-type'] !== 'application/sdp')
    throw new HttpError(415, 'application/sdp, please');
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_SDP_BYTES) throw new HttpError(413, 'no description is that long');
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
  process.once(signal, () => process.exit());
}
