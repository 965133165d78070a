/**
 * The server: serves the page and what it loads, and at the other end of its worker's pipe sends messages and counts what is sent
 * back.
 */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { Rtc, selfSignedCertificate, type DataChannel } from '../../src/index.ts';
import { PipedRtc, SERVER, WORKER } from './piped-rtc.ts';
import { WebSocketEnd } from './web-socket.ts';

/** Bytes of messages on their way to the worker and back, so that neither end waits for the other. */
const ON_THE_WAY = 1024 * 1024;

/** Starts the worker that the page's query names, and says so if it fails. */
const PAGE = `<!doctype html><script>
  new Worker('/echo.mjs' + location.search, { type: 'module' }).onerror = ({ message }) =>
    fetch('/failed', { method: 'POST', body: message });
</script>`;

export class EchoServer {
  readonly address: string;
  readonly #server: Server;
  readonly #files: ReadonlyMap<string, string>;
  #taken: (echoed: EchoedChannel) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  /** @param files scripts to serve beside the page, by URL path. */
  static async listen(files: ReadonlyMap<string, string>): Promise<EchoServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new EchoServer(server, files);
  }

  private constructor(server: Server, files: ReadonlyMap<string, string>) {
    this.#server = server;
    this.#files = files;
    this.address = `localhost:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => this.#serve(request, response));
    server.on('upgrade', (request, socket) =>
      this.#taken(new EchoedChannel(WebSocketEnd.accept(request, socket))),
    );
  }

  /** The channel to the next worker; rejects if the page says that there is none. */
  nextWorker(): Promise<EchoedChannel> {
    return new Promise((resolve, reject) => {
      this.#taken = resolve;
      this.#failed = reject;
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const file = this.#files.get(path);
    if (file !== undefined) {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
    } else if (path === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE);
    } else {
      response.writeHead(404).end();
      if (path === '/failed') request.on('data', (text) => this.#failed(new Error(`the worker: ${text}`)));
    }
  }
}

/** A channel whose messages come back. */
export class EchoedChannel {
  /** Bytes that have come back. */
  echoed = 0;
  readonly #socket: WebSocketEnd;
  #end: PipedRtc | undefined;

  constructor(socket: WebSocketEnd) {
    this.#socket = socket;
  }

  /** Connects, and sends messages of `size` bytes from then on, a new one for each that comes back. */
  start(size: number): void {
    const rtc = new Rtc({
      certificate: selfSignedCertificate(),
      crypto: nodeCrypto(),
      now: performance.now(),
    });
    const message = new Uint8Array(size);
    const pipe = { local: SERVER, remote: WORKER, post: (bytes: Uint8Array) => this.#socket.send(bytes) };
    const end = new PipedRtc(rtc, pipe, (event) => {
      if (event.type === 'channelopen') sendAll(event.channel, message);
      if (event.type !== 'message') return;
      this.echoed += event.data.length;
      event.channel.send(message);
    });
    this.#end = end;
    const draft = rtc.negotiation();
    draft.addChannel('echo');
    const offer = draft.offer();
    this.#socket.onMessage = (received): void => {
      if (typeof received !== 'string') {
        end.receive(received);
        return;
      }
      offer.accept(received);
      end.wake();
    };
    this.#socket.send(offer.sdp);
  }

  close(): void {
    this.#end?.stop();
    this.#socket.close();
  }
}

function sendAll(channel: DataChannel, message: Uint8Array): void {
  const count = Math.max(2, Math.ceil(ON_THE_WAY / message.length));
  for (let i = 0; i < count; i++) channel.send(message);
}
