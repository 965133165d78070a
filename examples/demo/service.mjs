/* global queueMicrotask */
/**
 * The demo's server: one UDP socket, one certificate, one small HTTP page for any number of tabs.
 *
 *   GET  /             the page
 *   POST /offer        an SDP offer -> {"id", "sdp"}: the answer of a connection made for it
 *   GET  /inspect?id=  what rtc.inspect() says of that connection now, also for a while after its end
 *   GET  /trace?id=    the beginning of that connection as JSON lines (sansrtc/trace), without its keys
 *   POST /loss         a number from 0 to 60: so many per cent of all datagrams are lost, each way
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Rtc, RtcError, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';
import { formatTrace, TraceRecorder } from 'sansrtc/trace';
import { lossySocket } from './lossy.mjs';
import { BulkReceiver, BulkSender } from './transfers.mjs';

const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
};
const MAX_CONNECTIONS = 256;
const MAX_OFFER_BYTES = 64 * 1024;
/** Connections that have ended, and can still be asked why. */
const MAX_ENDED = 64;
/** Entries of a trace: some thousand datagrams. Tracing ends there, for it costs more than the rest. */
const MAX_TRACED = 5000;
const MAX_LOSS = 60;
const MAX_TRANSFER_BYTES = 256 * 1024 * 1024;

/**
 * @param {{ host: string, port: number, httpPort: number, traces?: boolean, onWarning?: (message: string) => void }} options
 * @returns {Promise<{ url: string, driver: UdpDriver, connections: Map<string, Rtc>, close(): Promise<void> }>}
 */
export async function startService({ host, port, httpPort, traces = false, onWarning }) {
  const crypto = nodeCrypto();
  const certificate = selfSignedCertificate({ crypto });
  const loss = { share: 0 };
  const driver = await UdpDriver.listen({
    address: host,
    port,
    createSocket: lossySocket(loss),
    onWarning: (warning) => onWarning?.(warning.message),
    onError: (error) => console.error(error),
  });
  const connections = new Map();
  const ended = new Map();
  const recorders = new Map();

  function end(id) {
    ended.set(id, connections.get(id));
    connections.delete(id);
    if (ended.size <= MAX_ENDED) return;
    const [oldest] = ended.keys();
    ended.delete(oldest);
    recorders.delete(oldest);
  }

  function record(id, rtc) {
    const recorder = new TraceRecorder(undefined, MAX_TRACED);
    recorders.set(id, recorder);
    rtc.setTrace((entry) => {
      recorder.listener(entry);
      // A listener must not call its connection: later it may.
      if (recorder.isCut) queueMicrotask(() => rtc.setTrace(undefined));
    });
  }

  function answer(offer) {
    if (connections.size >= MAX_CONNECTIONS) throw new HttpError(503, 'too many connections');
    const id = randomUUID();
    const rtc = new Rtc({ certificate, crypto });
    const serve = serveChannels();
    connections.set(id, rtc);
    if (traces) record(id, rtc);
    try {
      driver.add(rtc, (event) => {
        if (event.type === 'closed') end(id);
        else serve(event);
      });
      return { id, sdp: rtc.receiveOffer(offer).answer() };
    } catch (error) {
      connections.delete(id);
      recorders.delete(id);
      rtc.close();
      throw error;
    }
  }

  async function respond(request) {
    const { pathname, searchParams } = new URL(request.url, 'http://demo');
    if (request.method === 'POST' && pathname === '/offer') {
      return json(answer(await readBody(request)));
    }
    if (request.method === 'POST' && pathname === '/loss') {
      const percent = Number(await readBody(request));
      if (!(percent >= 0 && percent <= MAX_LOSS)) throw new HttpError(400, `expected 0 to ${MAX_LOSS}`);
      loss.share = percent / 100;
      return json({ percent });
    }
    if (request.method !== 'GET') throw new HttpError(405, 'method not allowed');
    if (pathname === '/inspect') {
      const id = searchParams.get('id');
      const rtc = connections.get(id) ?? ended.get(id);
      if (rtc === undefined) throw new HttpError(404, 'no such connection');
      return json({ ...rtc.inspect(), loss: loss.share });
    }
    if (pathname === '/trace') {
      const recorder = recorders.get(searchParams.get('id'));
      if (recorder === undefined) throw new HttpError(404, 'no trace of this connection');
      return { type: 'application/jsonl; charset=utf-8', body: formatTrace(recorder.trace) };
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
