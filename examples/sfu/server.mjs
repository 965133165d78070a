#!/usr/bin/env node
/* global setInterval, clearInterval */
/**
 * Rooms of browsers: everybody's camera and microphone goes to everybody else in the room, and nothing is decoded on the way.
 *
 *   GET  /                         the page
 *   GET  /join?room=…&name=…       joins a room; the answer is a stream of events (text/event-stream) and ends with the membership
 *   POST /members/<id>             what a member has to say, as JSON: a signal of its negotiation, or the layer it wants to see
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';
import { Member } from './member.mjs';
import { Room } from './room.mjs';

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
};
const MAX_ROOMS = 64;
const MAX_MEMBERS = 16;
const MAX_NAME = 40;
/** An answer has two sections for everybody else in the room. */
const MAX_MESSAGE_BYTES = 256 * 1024;
/** Events that a member has not taken, bytes: who takes none any more has gone. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
/** Proxies end what is silent. */
const COMMENT_EVERY = 15_000;

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

/** @type {Map<string, Room>} */
const rooms = new Map();
/** @type {Map<string, Member>} */
const members = new Map();

function join(request, response, searchParams) {
  const roomName = nameIn(searchParams, 'room');
  const name = nameIn(searchParams, 'name');
  const room = rooms.get(roomName) ?? new Room();
  if (!rooms.has(roomName) && rooms.size >= MAX_ROOMS) throw new HttpError(503, 'no more rooms');
  if (room.members.size >= MAX_MEMBERS) throw new HttpError(503, 'the room is full');

  const tell = (message) => {
    if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
    else response.write(`data: ${JSON.stringify(message)}\n\n`);
  };
  response.writeHead(200, headers('text/event-stream'));
  const comments = setInterval(() => response.write(':\n\n'), COMMENT_EVERY);
  const member = new Member({ name, room, driver, certificate, crypto, tell, onLeave: () => response.end() });
  rooms.set(roomName, room);
  members.set(member.id, member);
  response.once('close', () => {
    clearInterval(comments);
    members.delete(member.id);
    member.leave();
    if (room.members.size === 0 && rooms.get(roomName) === room) rooms.delete(roomName);
  });
}

async function respond(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://sfu');
  const id = /^\/members\/([0-9a-f-]+)$/.exec(pathname)?.[1];
  if (request.method === 'GET' && pathname === '/join') {
    join(request, response, searchParams);
  } else if (request.method === 'POST' && id !== undefined) {
    const message = await readMessage(request);
    const member = members.get(id);
    if (member === undefined) throw new HttpError(404, 'no such member');
    member.hear(message);
    response.writeHead(204).end();
  } else {
    const file = request.method === 'GET' ? FILES[pathname] : undefined;
    if (file === undefined) throw new HttpError(404, 'not here');
    const body = await readFile(new URL(file[0], import.meta.url));
    response.writeHead(200, headers(file[1])).end(body);
  }
}

function nameIn(searchParams, key) {
  const name = searchParams.get(key)?.trim() ?? '';
  if (name === '' || name.length > MAX_NAME)
    throw new HttpError(400, `"${key}" is 1 to ${MAX_NAME} characters`);
  return name;
}

async function readMessage(request) {
  if (request.headers['content-type'] !== 'application/json')
    throw new HttpError(415, 'application/json, please');
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_MESSAGE_BYTES) throw new HttpError(413, 'no message is that long');
    parts.push(part);
  }
  try {
    return Object(JSON.parse(Buffer.concat(parts).toString()));
  } catch {
    throw new HttpError(400, 'that is no JSON');
  }
}

function headers(type) {
  return {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'self'; img-src data:; media-src mediastream: blob:",
    'x-content-type-options': 'nosniff',
  };
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
    if (!response.headersSent) response.writeHead(error.status ?? 500, headers('text/plain; charset=utf-8'));
    response.end(`${error instanceof HttpError ? error.message : 'something went wrong'}\n`);
  });
});
server.once('error', ({ message }) => {
  console.error(`${message}: choose another --http-port`);
  process.exit(1);
});
server.listen(Number(values['http-port']), values.host, () => {
  console.log(`http://${values.host}:${server.address().port}/  open it in two tabs; Ctrl-C ends it`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
    void driver.close().then(() => process.exit());
  });
}
