/** The simulator's TURN server on real loopback sockets: UDP, TCP and TLS, and a few relayed addresses. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { bindWithin } from '../../src/node/port-range.ts';
import { RtcError } from '../../src/core/errors.ts';
import { SimTurnServer } from '../../src/sim/index.ts';
import type { IssuedCertificate } from './certificates.ts';

const ADDRESS = '127.0.0.1';
/** Relayed addresses that there may be. */
const RELAYS = 4;

/** A server that runs until it is closed. */
export class TurnHost {
  readonly server: SimTurnServer;
  /** Where it listens. */
  readonly ports: { readonly udp: number; readonly tcp: number; readonly tls: number };
  readonly #udp: ReadonlyMap<number, UdpSocket>;
  readonly #servers: readonly Server[];
  readonly #streams = new Map<number, Socket>();
  #lastStream = 0;

  static async open(users: Record<string, string>, certificate: IssuedCertificate): Promise<TurnHost> {
    const listening = await bindUdp(0);
    const relays = await bindWithin({ min: 20_000, max: 29_000 }, bindRelays);
    const servers = [createServer(), createTlsServer(certificate)];
    for (const server of servers) {
      server.listen(0, ADDRESS);
      await once(server, 'listening');
    }
    return new TurnHost([listening, ...relays], servers, users);
  }

  private constructor(udp: readonly UdpSocket[], servers: readonly Server[], users: Record<string, string>) {
    const [main, first] = udp.map((socket) => socket.address().port);
    const [tcp = 0, tls = 0] = servers.map((server) => (server.address() as AddressInfo).port);
    this.ports = { udp: main ?? 0, tcp, tls };
    this.server = new SimTurnServer({
      address: ADDRESS,
      port: main,
      users,
      capacity: RELAYS,
      firstRelayPort: first,
    });
    this.#servers = servers;
    this.#udp = new Map(udp.map((socket) => [socket.address().port, socket]));
    for (const [port, socket] of this.#udp) {
      socket.on('message', (data, source) => {
        const destination = { address: ADDRESS, port };
        this.#feed({ type: 'receive', now: now(), protocol: 'udp', source, destination, data });
      });
    }
    for (const server of servers) {
      server.on(server === servers[1] ? 'secureConnection' : 'connection', (socket: Socket) =>
        this.#accept(socket),
      );
      server.on('tlsClientError', () => undefined);
    }
  }

  /** How many streams clients have to it. */
  get streams(): number {
    return this.#streams.size;
  }

  close(): void {
    for (const socket of this.#udp.values()) socket.close();
    for (const socket of this.#streams.values()) socket.destroy();
    for (const server of this.#servers) server.close();
  }

  #accept(socket: Socket): void {
    const stream = ++this.#lastStream;
    this.#streams.set(stream, socket);
    const { remoteAddress = '', remotePort = 0, localPort = 0 } = socket;
    const source = { address: remoteAddress, port: remotePort };
    const destination = { address: ADDRESS, port: localPort };
    this.#feed({ type: 'streamaccepted', now: now(), stream, source, destination });
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => this.#feed({ type: 'streamdata', now: now(), stream, data }));
    socket.on('close', () => {
      this.#streams.delete(stream);
      this.#feed({ type: 'streamclosed', now: now(), stream });
    });
  }

  #feed(input: Parameters<SimTurnServer['handleInput']>[0]): void {
    this.server.handleInput(input);
    for (
      let output = this.server.pollOutput();
      output.type !== 'timeout';
      output = this.server.pollOutput()
    ) {
      if (output.type === 'transmit') {
        const { data, source, destination } = output;
        this.#udp.get(source.port)?.send(data, destination.port, destination.address);
      } else if (output.request.type === 'writestream') {
        this.#streams.get(output.request.stream)?.write(output.request.data);
      } else if (output.request.type === 'closestream') {
        this.#streams.get(output.request.stream)?.destroy();
      }
    }
  }
}

async function bindUdp(port: number): Promise<UdpSocket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause) =>
      reject(Object.assign(new RtcError('ERR_SOCKET', cause.message), { cause })),
    );
    socket.bind(port, ADDRESS, resolve);
  });
  return socket;
}

/** So many ports in a row. */
async function bindRelays(first: number): Promise<UdpSocket[]> {
  const bound: UdpSocket[] = [];
  try {
    for (let i = 0; i < RELAYS; i++) bound.push(await bindUdp(first + i));
    return bound;
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
}

/** Whole milliseconds, as the simulated network has them. */
function now(): number {
  return Math.floor(performance.now());
}
