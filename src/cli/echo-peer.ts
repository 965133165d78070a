/**
 * EchoPeer: connections that send back what they get, and an HTTP server that signals them in the manner of WHIP (RFC 9725).
 *
 *   GET     /           the page
 *   POST    /echo       an SDP offer (application/sdp) -> 201, Location, the answer
 *   OPTIONS /echo       what may be asked
 *   DELETE  /echo/<id>  ends a session -> 200
 *
 * Whoever connects decides nothing without a bound: the size of an offer, how long it may take, how many sessions there are.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatAddress, type TransportAddress } from '../core/address.ts';
import { RtcError } from '../core/errors.ts';
import { nodeCrypto } from '../crypto/node/index.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import { UdpDriver } from '../node/index.ts';
import { Rtc, type RtcEvent } from '../rtc.ts';
import type { LineFile } from './terminal.ts';
import { PAGE } from './page.ts';
import { recordToFile } from './trace-file.ts';
import {
  adviceFor,
  describeCandidates,
  describeFailure,
  describePath,
  duration,
  plural,
  printable,
} from './words.ts';

/** Bytes of an offer. */
const MAX_OFFER_BYTES = 64 * 1024;
/** How long a request may take to arrive, ms. */
const REQUEST_TIMEOUT = 10_000;
/** TCP connections for signalling. */
const MAX_HTTP_CONNECTIONS = 256;
const SDP = 'application/sdp';

/** What an echo peer is made of. */
export interface EchoPeerOptions {
  /** For HTTP and for UDP. */
  readonly host: string;
  readonly port: number;
  readonly udpPort: number;
  /** ICE over TCP on this port; absent: not. */
  readonly tcpPort?: number | undefined;
  readonly announce: readonly (string | TransportAddress)[];
  readonly maxSessions: number;
  /** The origin whose pages may connect, or `*`; absent: our own page alone. */
  readonly cors?: string | undefined;
  /** Opens the trace of the session of this number; absent: none is recorded. */
  readonly trace?: ((session: number) => LineFile) | undefined;
  readonly log: (line: string) => void;
  readonly warn: (line: string) => void;
}

interface Session {
  readonly number: number;
  readonly rtc: Rtc;
  readonly joined: number;
  readonly trace: LineFile | undefined;
  echoed: number;
  bytes: number;
  dropped: number;
  wasConnected: boolean;
}

class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** An echo peer that listens. */
export class EchoPeer {
  readonly #options: EchoPeerOptions;
  readonly #driver: UdpDriver;
  readonly #server: Server;
  readonly #sessions = new Map<string, Session>();
  readonly #crypto = nodeCrypto();
  readonly #certificate = selfSignedCertificate({ crypto: this.#crypto });
  #joined = 0;
  #isClosing = false;

  /** Rejects with an `RtcError` or the system's error in words if an address or a port cannot be had. */
  static async listen(options: EchoPeerOptions): Promise<EchoPeer> {
    const driver = await UdpDriver.listen({
      address: options.host,
      port: options.udpPort,
      ...(options.announce.length === 0 ? {} : { announcedAddresses: options.announce }),
      ...(options.tcpPort === undefined ? {} : { tcp: { port: options.tcpPort } }),
      onWarning: ({ message }) => options.warn(message),
      onError: (error) => options.warn(`internal error: ${String(error)}`),
    });
    try {
      const peer = new EchoPeer(options, driver);
      await peer.#listen();
      return peer;
    } catch (error) {
      await driver.close();
      throw error;
    }
  }

  private constructor(options: EchoPeerOptions, driver: UdpDriver) {
    this.#options = options;
    this.#driver = driver;
    this.#server = createServer({ requestTimeout: REQUEST_TIMEOUT }, (request, response) => {
      this.#respond(request, response).catch((error: unknown) => this.#refuse(response, error));
    });
    this.#server.maxConnections = MAX_HTTP_CONNECTIONS;
  }

  /** Where the page is, as a browser on this host reaches it. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    const shown = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
    return `http://${formatAddress({ address: shown, port })}/`;
  }

  /** The addresses that peers are told, UDP and TCP. */
  get offered(): readonly string[] {
    const rtc = new Rtc({ certificate: this.#certificate, crypto: this.#crypto });
    this.#driver.add(rtc);
    const offered = rtc.localCandidates.map(
      ({ protocol, address, port }) => `${protocol.toUpperCase()} ${formatAddress({ address, port })}`,
    );
    rtc.close();
    return offered;
  }

  /** How many sessions there are. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Tells every peer, then closes. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#driver.close();
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const where = formatAddress({ address: host, port });
        reject(
          error.code === 'EADDRINUSE'
            ? new Error(`HTTP ${where} is already in use: choose another --port, or 0 for any free one`)
            : new Error(`HTTP ${where} cannot be opened: ${error.message}`),
        );
      });
      this.#server.listen(port, host, resolve);
    });
    this.#server.removeAllListeners('error');
    this.#server.on('error', (error) => this.#options.warn(`HTTP: ${error.message}`));
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://echo');
    const { cors } = this.#options;
    if (cors !== undefined) {
      response.setHeader('access-control-allow-origin', cors);
      response.setHeader('access-control-expose-headers', 'location');
    }
    const id = /^\/echo\/([0-9a-f-]{36})$/.exec(pathname)?.[1];
    const method = request.method ?? '';
    if (pathname === '/' && (method === 'GET' || method === 'HEAD')) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(PAGE);
    } else if (pathname === '/echo' && method === 'POST') {
      const offer = await readOffer(request);
      const { id: own, answer } = this.#join(offer, request.socket.remoteAddress ?? 'unknown');
      response.writeHead(201, { 'content-type': SDP, location: `/echo/${own}` }).end(answer);
    } else if (id !== undefined && method === 'DELETE') {
      const session = this.#sessions.get(id);
      if (session === undefined) throw new HttpError(404, 'there is no such session, or it has ended');
      this.#say(session, 'asked to end by HTTP DELETE');
      session.rtc.close();
      response.writeHead(200).end();
    } else if ((pathname === '/echo' || id !== undefined) && method === 'OPTIONS') {
      const allowed = id === undefined ? 'POST, OPTIONS' : 'DELETE, OPTIONS';
      response.setHeader('allow', allowed).setHeader('accept-post', SDP);
      if (cors !== undefined) {
        response.setHeader('access-control-allow-methods', allowed);
        response.setHeader('access-control-allow-headers', 'content-type');
      }
      response.writeHead(204).end();
    } else if (pathname === '/' || pathname === '/echo' || id !== undefined) {
      throw new HttpError(405, `${printable(method, 20)} is not possible here`);
    } else {
      throw new HttpError(404, 'nothing here: GET / is a page, POST /echo takes an SDP offer');
    }
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const status = error instanceof HttpError ? error.status : 500;
    const message = error instanceof Error ? error.message : String(error);
    this.#options.log(`refused, ${status}: ${printable(message)}`);
    if (response.headersSent) response.destroy();
    else {
      // What of the request has not been read is not read: the connection ends with the answer.
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(`${message}\n`);
    }
  }

  #join(offer: string, from: string): { id: string; answer: string } {
    const { maxSessions } = this.#options;
    if (this.#isClosing) throw new HttpError(503, 'the server is stopping');
    if (this.#sessions.size >= maxSessions)
      throw new HttpError(503, `there are ${plural(maxSessions, 'session')} already, which is the most`);
    const number = ++this.#joined;
    const trace = this.#options.trace?.(number);
    const rtc =
      trace === undefined
        ? new Rtc({ certificate: this.#certificate, crypto: this.#crypto })
        : recordToFile(trace, this.#crypto);
    const session: Session = {
      number,
      rtc,
      joined: performance.now(),
      trace,
      echoed: 0,
      bytes: 0,
      dropped: 0,
      wasConnected: false,
    };
    const id = randomUUID();
    this.#driver.add(rtc, (event) => this.#onEvent(id, session, event));
    let answer: string;
    try {
      answer = rtc.receiveOffer(offer).answer();
    } catch (error) {
      rtc.close();
      if (!(error instanceof RtcError)) throw error;
      throw new HttpError(400, `this offer is refused: ${error.message}`);
    }
    this.#sessions.set(id, session);
    this.#say(session, `joined from ${from}; its offer has addresses: ${candidatesIn(offer)}`);
    return { id, answer };
  }

  #onEvent(id: string, session: Session, event: RtcEvent): void {
    switch (event.type) {
      case 'message':
        if (event.channel.send(event.data)) {
          session.echoed++;
          session.bytes += event.data.length;
        } else session.dropped++;
        break;
      case 'connectionstatechange':
        if (event.state === 'connected') {
          const again = session.wasConnected ? 'connected again' : 'connected';
          session.wasConnected = true;
          const took = duration(performance.now() - session.joined);
          this.#say(session, `${again} after ${took}: ${describePath(session.rtc.inspect())}`);
        } else if (event.state === 'disconnected') {
          this.#say(session, 'no answer for some seconds; waiting for it');
        } else if (event.state === 'failed') {
          this.#say(
            session,
            session.wasConnected
              ? 'lost; a restart of ICE by the other side would bring it back'
              : 'no path to it was found; a restart of ICE by the other side would look again',
          );
        }
        break;
      case 'datachannel':
        this.#say(session, `channel "${printable(event.channel.label, 40)}" is open`);
        break;
      case 'warning':
        this.#say(session, `warning: ${printable(describeFailure(event.failure))}`);
        break;
      case 'closed': {
        // The end of this drain belongs to the trace.
        if (session.trace !== undefined) setImmediate(() => session.trace?.close());
        if (!this.#sessions.delete(id)) break; // its offer was refused
        const lived = duration(performance.now() - session.joined);
        const missed = session.dropped === 0 ? '' : `, ${session.dropped} not (the other side does not read)`;
        this.#say(
          session,
          `ended after ${lived}: ${printable(describeFailure(event.reason))}; ${plural(session.echoed, 'message')} echoed${missed}, ${plural(session.bytes, 'byte')}`,
        );
        const advice = adviceFor(event.reason);
        if (advice !== undefined) this.#say(session, `  ${advice}`);
        break;
      }
      default:
    }
  }

  #say({ number }: Session, text: string): void {
    this.#options.log(`#${number} ${text}`);
  }
}

async function readOffer(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== SDP) throw new HttpError(415, `the body must be an SDP offer, content-type ${SDP}`);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_OFFER_BYTES) throw new HttpError(413, `an offer may have ${MAX_OFFER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** `2 host, 1 srflx`, as the lines of an offer say. */
function candidatesIn(offer: string): string {
  const types = [...offer.matchAll(/^a=candidate:.* typ (host|srflx|prflx|relay)\b/gm)];
  return describeCandidates(types.map(([, type = '']) => ({ type })));
}
