/**
 * coturn, the TURN server of Debian's, on loopback: over UDP, TCP and TLS, with credentials of either kind, and made to die and
 * to come back.
 *
 * `TURNSERVER` names another executable. What it logs is kept, for whoever reads a failure.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority } from './authority.ts';

const EXECUTABLE = process.env['TURNSERVER'] ?? '/usr/bin/turnserver';
const REALM = 'sansrtc.test';
const USER = 'ann';
/** Of a server on loopback. */
const NAME = 'localhost';
/** How long it may take to listen, ms. */
const PATIENCE = 20_000;
/** Relayed addresses of one server: more than all tests of a file hold at once. */
const RELAY_PORTS = 200;
/** How long a time-limited credential is good, s. */
const CREDENTIAL_LIFETIME = 3600;

/** How a client reaches the server. */
export type TurnTransport = 'udp' | 'tcp' | 'tls';
export const TURN_TRANSPORTS = ['udp', 'tcp', 'tls'] as const satisfies readonly TurnTransport[];

/** A name and a password for ever, or a name that is its own end and a password that is its MAC under a shared secret. */
export type TurnCredentials = 'long-term' | 'time-limited';
export const TURN_CREDENTIALS = ['long-term', 'time-limited'] as const satisfies readonly TurnCredentials[];

export interface CoturnOptions {
  readonly credentials?: TurnCredentials;
  /** The address to listen and to relay on, by default 127.0.0.1. */
  readonly address?: string;
  /** Seconds after which a nonce is stale, by default as long as a test lasts. */
  readonly staleNonce?: number;
  /** Puts a command before its own, such as one that enters a network namespace. */
  readonly inside?: readonly string[];
}

/** One entry of `iceServers`, as browsers and the library take it. */
export interface IceServer {
  readonly urls: string;
  readonly username: string;
  readonly credential: string;
}

/** Why there is no coturn here, `undefined` where there is. */
export function missingCoturn(): string | undefined {
  if (!existsSync(EXECUTABLE)) return `no coturn at ${EXECUTABLE} (apt-get install coturn)`;
  return undefined;
}

/** `4.6.1`, say. */
export function coturnVersion(): string {
  return spawnSync(EXECUTABLE, ['--version'], { encoding: 'utf8' }).stdout.trim();
}

/** One server: `start`, `iceServer` for whoever is to use it, `stop` at the end. */
export class Coturn {
  readonly address: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly #credentials: TurnCredentials;
  readonly #folder: string;
  readonly #inside: readonly string[];
  readonly #password = randomBytes(12).toString('hex');
  #process: ChildProcess | undefined;
  #log = '';

  /** Starts one and waits until it answers. */
  static async start(options: CoturnOptions = {}): Promise<Coturn> {
    const coturn = new Coturn(await freePorts(), options);
    await coturn.restart();
    return coturn;
  }

  private constructor(
    ports: readonly [number, number],
    { credentials = 'long-term', address = '127.0.0.1', staleNonce, inside = [] }: CoturnOptions,
  ) {
    this.address = address;
    [this.port, this.tlsPort] = ports;
    this.#credentials = credentials;
    this.#inside = inside;
    this.#folder = mkdtempSync(join(tmpdir(), 'sansrtc-coturn-'));
    const { certificateFile, keyFile } = Authority.ofThisRun().issue(address);
    // Each server has relay ports of its own, so that one which comes back does not meet another's.
    const firstRelayPort = 12_000 + RELAY_PORTS * Math.floor((this.port % 20_000) / RELAY_PORTS);
    const lines = [
      `listening-ip=${address}`,
      `relay-ip=${address}`,
      `listening-port=${this.port}`,
      `tls-listening-port=${this.tlsPort}`,
      `min-port=${firstRelayPort}`,
      `max-port=${firstRelayPort + RELAY_PORTS - 1}`,
      `realm=${REALM}`,
      `cert=${certificateFile}`,
      `pkey=${keyFile}`,
      `userdb=${join(this.#folder, 'turndb')}`,
      `pidfile=${join(this.#folder, 'pid')}`,
      'allow-loopback-peers',
      'fingerprint',
      'no-cli',
      'no-dtls',
      'no-rfc5780',
      'relay-threads=1',
      'log-file=stdout',
      'simple-log',
      'verbose',
      ...(staleNonce === undefined ? [] : [`stale-nonce=${staleNonce}`]),
      ...(this.#credentials === 'long-term'
        ? ['lt-cred-mech', `user=${USER}:${this.#password}`]
        : ['use-auth-secret', `static-auth-secret=${this.#password}`]),
    ];
    writeFileSync(join(this.#folder, 'turnserver.conf'), lines.join('\n'));
  }

  /** What it has logged, of all its lives. */
  get log(): string {
    return this.#log;
  }

  /** How often its log has a line with this in it. */
  logged(text: string): number {
    return this.#log.split(text).length - 1;
  }

  /** Over TLS by its name, for Firefox takes no `turns:` with an address in it, else by its address. */
  url(transport: TurnTransport): string {
    if (transport === 'tls') return `turns:${NAME}:${this.tlsPort}?transport=tcp`;
    const place = this.address.includes(':') ? `[${this.address}]` : this.address;
    return `turn:${place}:${this.port}?transport=${transport}`;
  }

  iceServer(transport: TurnTransport): IceServer {
    const urls = this.url(transport);
    if (this.#credentials === 'long-term') return { urls, username: USER, credential: this.#password };
    const username = `${Math.floor(Date.now() / 1000) + CREDENTIAL_LIFETIME}:${USER}`;
    const credential = createHmac('sha1', this.#password).update(username).digest('base64');
    return { urls, username, credential };
  }

  /** Dies as in a crash: nobody is told, but for what the kernel says of its TCP connections. */
  async kill(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    if (process.exitCode !== null || process.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => process.once('exit', () => resolve()));
    process.kill('SIGKILL');
    await gone;
    this.#log += '--- killed\n';
  }

  /** Comes back at the same ports, and knows nothing of before. */
  async restart(): Promise<void> {
    await this.kill();
    const command = [...this.#inside, EXECUTABLE, '-c', join(this.#folder, 'turnserver.conf')];
    const child = spawn(command[0] ?? EXECUTABLE, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    const start = performance.now();
    // It says so of each listener, the one for TLS last.
    const listening = `listener opened on : ${this.address}:${this.tlsPort}`;
    const before = this.#log.lastIndexOf('--- killed');
    while (this.#log.indexOf(listening, Math.max(0, before)) < 0) {
      if (child.exitCode !== null || performance.now() - start > PATIENCE)
        throw new Error(`coturn does not listen: ${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends it. @param hasFailed whether its log is for a reader. */
  async stop(hasFailed = false): Promise<void> {
    await this.kill();
    if (hasFailed) console.error(`coturn at ${this.address}:${this.port} logged:\n${this.#log}`);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Two ports that nobody has, over UDP and TCP. They are let go, so the server must be quick: it is. */
async function freePorts(): Promise<[number, number]> {
  const ports: number[] = [];
  while (ports.length < 2) {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const socket = createSocket('udp4');
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.bind(port, '127.0.0.1', () => resolve(true));
    });
    socket.close();
    await new Promise((resolve) => server.close(resolve));
    if (isFree && !ports.includes(port)) ports.push(port);
  }
  return [ports[0] ?? 0, ports[1] ?? 0];
}
