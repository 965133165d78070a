/**
 * The demo's server: one UDP socket, one certificate, one small HTTP page for any number of tabs.
 *
 *   GET  /             the page
 *   POST /offer        an SDP offer -> {"id", "sdp"}: the answer of a connection made for it
 *   GET  /inspect?id=  what rtc.inspect() says of that connection now
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Rtc, RtcError, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';
import { BulkReceiver, BulkSender } from './transfers.mjs';

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
};
const MAX_CONNECTIONS = 256;
const MAX_OFFER_BYTES = 64 * 1024;
const MAX_TRANSFER_BYTES = 256 * 1024 * 1024;

/**
 * @param {{ host: string, port: number, httpPort: number, onWarning?: (message: string) => void }} options
 * @returns {Promise<{ url: string, driver: UdpDriver, connections: Map<string, Rtc>, close(): Promise<void> }>}
 */
export async function startService({ host, port, httpPort, onWarning }) {
  const crypto = nodeCrypto();
  const certificate = selfSignedCertificate({ crypto });
  const driver = await UdpDriver.listen({
    address: host,
    port,
    onWarning: (warning) => onWarning?.(warning.message),
    onError: (error) => console.error(error),
  });
  const connections = new Map();

  function answer(offer) {
    if (connections.size >= MAX_CONNECTIONS) throw new HttpError(503, 'too many connections');
    const id = randomUUID();
    const rtc = new Rtc({ certificate, crypto });
    const serve = serveChannels();
    connections.set(id, rtc);
    try {
      driver.add(rtc, (event) => {
        if (event.type === 'closed') connections.delete(id);
        else serve(event);
      });
      return { id, sdp: rtc.receiveOffer(offer).answer() };
    } catch (error) {
      connections.delete(id);
      rtc.close();
      throw error;
    }
  }

  async function respond(request) {
    const { pathname, searchParams } = new URL(request.url, 'http://demo');
    if (request.method === 'POST' && pathname === '/offer') {
      return json(answer(await readBody(request)));
    }
    if (request.method !== 'GET') throw new HttpError(405, 'method not allowed');
    if (pathname === '/inspect') {
      const rtc = connections.get(searchParams.get('id'));
      if (rtc === undefined) throw new HttpError(404, 'no such connection');
      return json(rtc.inspect());
    }
    const file = FILES[pathname];
    if (file === undefined) throw new HttpError(404, 'not found');
    return { type: file[1], body: await readFile(new URL(file[0], import.meta.url)) };
  }

  const http = createServer((request, response) => {
    respond(request).then(
      ({ type, body }) => response.writeHead(200, headers(type)).end(body),
      (error) => {
        const status = error instanceof HttpError ? error.status : error instanceof RtcError ? 400 : 500;
        response.writeHead(status, headers('text/plain; charset=utf-8')).end(`${error.message}\n`);
      },
    );
  });
  try {
    await listen(http, httpPort, host);
  } catch (error) {
    await driver.close();
    throw error;
  }

  return {
    url: `http://${urlHost(host)}:${http.address().port}/`,
    driver,
    connections,
    async close() {
      await driver.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** What the server does on the channels that a peer opens: echoes on "echo", takes and gives bytes on "bulk". */
function serveChannels() {
  const sending = new Map();
  const receiving = new Map();

  function bulkRequest(channel, { type, bytes }) {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_TRANSFER_BYTES) return;
    if (type === 'put') {
      const receiver = new BulkReceiver(bytes, (sha256, milliseconds) => {
        receiving.delete(channel);
        channel.send(JSON.stringify({ type: 'received', bytes, sha256, milliseconds }));
      });
      receiving.set(channel, receiver);
    } else if (type === 'get') {
      const sender = new BulkSender(channel, bytes, (sha256) => {
        sending.delete(channel);
        channel.send(JSON.stringify({ type: 'sent', bytes, sha256 }));
      });
      sending.set(channel, sender);
      sender.pump();
    }
  }

  return (event) => {
    switch (event.type) {
      case 'message':
        if (event.channel.label === 'echo') event.channel.send(event.data);
        else if (event.channel.label !== 'bulk') return;
        else if (typeof event.data !== 'string') receiving.get(event.channel)?.push(event.data);
        else bulkRequest(event.channel, parseRequest(event.data));
        break;
      case 'bufferedamountlow':
        sending.get(event.channel)?.pump();
        break;
      case 'channelclose':
        sending.delete(event.channel);
        receiving.delete(event.channel);
        break;
    }
  };
}

/** What is not a request is none: the channel's other end is a stranger. */
function parseRequest(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function json(value) {
  return { type: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}

function headers(type) {
  return {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'self'; img-src data:",
    'x-content-type-options': 'nosniff',
  };
}

async function readBody(request) {
  let text = '';
  for await (const part of request.setEncoding('utf8')) {
    text += part;
    if (text.length > MAX_OFFER_BYTES) throw new HttpError(413, 'the offer is too large');
  }
  return text;
}

function listen(http, port, host) {
  return new Promise((resolve, reject) => {
    http.once('error', (error) => {
      const where = `HTTP ${urlHost(host)}:${port}`;
      const used = error.code === 'EADDRINUSE';
      reject(
        new Error(
          used ? `${where} is already in use: choose another --http-port` : `${where}: ${error.message}`,
        ),
      );
    });
    http.listen(port, host, resolve);
  });
}

function urlHost(host) {
  return host.includes(':') ? `[${host}]` : host;
}
