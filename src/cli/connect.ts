/** The command `sansrtc connect URL`: offers to an echo peer, sends, and prints how long each message took there and back. */
import { networkInterfaces } from 'node:os';
import type { DataChannel } from '../channel/index.ts';
import type { Failure } from '../core/errors.ts';
import { nodeCrypto } from '../crypto/node/index.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import type { IceServer } from '../gather/index.ts';
import { UdpDriver } from '../node/index.ts';
import { Rtc, type RtcEvent } from '../rtc.ts';
import { ipAddress, parseOptions, splitHostPort, UsageError, wholeNumber } from './arguments.ts';
import { withProgress, type Terminal } from './terminal.ts';
import { recordToFile } from './trace-file.ts';
import {
  adviceFor,
  describeCandidates,
  describeFailure,
  describePath,
  duration,
  isGoodEnd,
  plural,
  printable,
} from './words.ts';

const USAGE = `Usage: sansrtc connect URL [OPTIONS]

Connects to an echo peer ("sansrtc serve", or any WHIP-like endpoint that takes an SDP offer by POST), sends messages over a data
channel and prints the time that each took there and back. URL is what "sansrtc serve" prints; without a path it is /echo.

  --count N           how many messages (default 5)
  --interval MS       between two of them (default 200)
  --size BYTES        of each message (default 32)
  --stdin             send the lines of standard input instead, and print what comes back
  --host ADDRESS      the local address to use (default: all, and loopback if URL is on this host)
  --stun HOST[:PORT]  ask this STUN server how we are seen from outside
  --turn URL          offer addresses of this TURN server: turn:HOST[:PORT][?transport=tcp], turns:HOST
  --username NAME, --credential SECRET      for --turn
  --relay-only        use nothing but the TURN server
  --trace FILE        record the connection; the file holds its keys
  -h, --help          this text

Exit codes: 0 everything came back, 1 it did not (and why), 2 wrong usage.
`;

/** How long one message may take, ms. */
const ECHO_WITHIN = 10_000;
const ANSWER_WITHIN = 20_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Something did not work; said in words, exit code 1. */
class ConnectError extends Error {}

/** Connects, sends, closes. @returns the exit code. */
export async function connect(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    count: { type: 'string' },
    interval: { type: 'string' },
    size: { type: 'string' },
    stdin: { type: 'boolean' },
    host: { type: 'string' },
    stun: { type: 'string', multiple: true },
    turn: { type: 'string', multiple: true },
    username: { type: 'string' },
    credential: { type: 'string' },
    'relay-only': { type: 'boolean' },
    trace: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) {
    terminal.stdout(USAGE);
    return 0;
  }
  const url = echoUrl(positionals);
  const count = wholeNumber('count', values.count, 5, 1, 1_000_000);
  const interval = wholeNumber('interval', values.interval, 200, 0, 3_600_000);
  const size = wholeNumber('size', values.size, 32, 1, 256 * 1024);
  const iceServers = serversOf(values);
  if (values['relay-only'] === true && values.turn === undefined)
    throw new UsageError('--relay-only needs --turn');
  const hosts = values.host === undefined ? hostsFor(url) : [ipAddress('host', values.host)];
  const trace = values.trace === undefined ? undefined : terminal.create(values.trace);

  const driver = await UdpDriver.listen({
    addresses: hosts,
    tcp: { active: true },
    onError: (error) => terminal.stderr(`internal error: ${String(error)}`),
  });
  const crypto = nodeCrypto();
  const options = values['relay-only'] === true ? { ice: { transportPolicy: 'relay' as const } } : {};
  const rtc =
    trace === undefined
      ? new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto, ...options })
      : recordToFile(trace, crypto, options);
  const session = new EchoSession(rtc, terminal);
  const stopListening = terminal.onInterrupt(() => {
    session.interrupt();
    stopListening();
  });
  let location: URL | undefined;
  try {
    driver.add(rtc, session.onEvent);
    if (iceServers.length > 0)
      await withProgress(
        terminal,
        () => 'asking STUN and TURN servers',
        () => driver.gather(rtc, { iceServers }),
      );
    location = await session.negotiate(url);
    await withProgress(
      terminal,
      () => session.progress,
      () => session.open,
    );
    if (values.stdin === true) return await session.sendLines();
    return await session.ping(count, interval, size);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    terminal.stderr(`sansrtc connect: ${error.message}`);
    return 1;
  } finally {
    stopListening();
    if (location !== undefined && !session.isOver) await endSession(location);
    await driver.close();
    trace?.close();
  }
}

/** One connection to an echo peer. */
class EchoSession {
  readonly #rtc: Rtc;
  readonly #terminal: Terminal;
  readonly #started = performance.now();
  /** Resolves with the channel once it is open; rejects with why it will never be. */
  readonly open: Promise<DataChannel>;
  #opened: (channel: DataChannel) => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;
  #onEcho: ((data: string | Uint8Array) => void) | undefined;
  #ended: ConnectError | undefined;

  constructor(rtc: Rtc, terminal: Terminal) {
    this.#rtc = rtc;
    this.#terminal = terminal;
    this.open = new Promise((resolve, reject) => {
      this.#opened = resolve;
      this.#failed = reject;
    });
    this.open.catch(() => undefined); // whoever waits for it hears of it
  }

  /** True once the connection has ended. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /** How far it is. */
  get progress(): string {
    const { ice, dtls, sctp } = this.#rtc.inspect();
    if (ice.state === 'new' || ice.state === 'checking') {
      const tried = ice.pairs.filter(({ state }) => state !== 'waiting').length;
      return `looking for a path: ${plural(tried, 'pair')} of addresses tried, none works yet`;
    }
    if (dtls?.state !== 'connected') return 'a path works; DTLS handshake';
    return `secured; waiting for SCTP (${sctp.state})`;
  }

  readonly onEvent = (event: RtcEvent): void => {
    switch (event.type) {
      case 'channelopen': {
        const took = duration(performance.now() - this.#started);
        this.#terminal.stderr(`connected in ${took}: ${describePath(this.#rtc.inspect())}`);
        this.#opened(event.channel);
        break;
      }
      case 'message':
        this.#onEcho?.(event.data);
        break;
      case 'icecandidateerror':
        this.#terminal.stderr(`warning: ${event.url} gave no address: ${event.errorCode} ${event.errorText}`);
        break;
      case 'connectionstatechange':
        if (event.state === 'disconnected')
          this.#terminal.stderr('warning: no answer for some seconds; waiting for it');
        break;
      case 'warning':
        this.#terminal.stderr(`warning: ${printable(describeFailure(event.failure))}`);
        break;
      case 'closed':
        this.#end(event.reason);
        break;
      default:
    }
  };

  interrupt(): void {
    this.#fail(new ConnectError('interrupted'));
  }

  /** Offers, and takes the answer. @returns where the session can be ended, if the server says so. */
  async negotiate(url: URL): Promise<URL | undefined> {
    const draft = this.#rtc.negotiation();
    draft.addChannel('echo');
    const offer = draft.offer();
    const { status, location, body } = await withProgress(
      this.#terminal,
      () => `waiting for an answer from ${url.href}`,
      () => post(url, offer.sdp),
    );
    if (this.#ended !== undefined) throw this.#ended;
    // 201 is WHIP's (RFC 9725 §4.2); a server of a few lines says 200.
    if (status !== 200 && status !== 201)
      throw new ConnectError(`${url.href} answered ${status}: ${printable(body.trim())}`);
    try {
      offer.accept(body);
    } catch (error) {
      throw new ConnectError(
        `${url.href} gave no usable answer: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    const end = location === null ? undefined : new URL(location, url);
    // Somebody else's origin is none of this session's business.
    return end?.origin === url.origin ? end : undefined;
  }

  /** Sends `count` messages and prints their round trips. */
  async ping(count: number, interval: number, size: number): Promise<number> {
    const channel = await this.open;
    const times: number[] = [];
    for (let i = 1; i <= count; i++) {
      const text = `sansrtc ${i} `.padEnd(size, '.').slice(0, size);
      const took = await this.#echo(channel, text);
      times.push(took);
      this.#terminal.stdout(`${i}: ${plural(size, 'byte')} there and back in ${duration(took)}\n`);
      if (i < count) await this.#pause(interval);
    }
    times.sort((a, b) => a - b);
    const at = (share: number): string => duration(times[Math.floor((times.length - 1) * share)] ?? 0);
    this.#terminal.stdout(
      `${count} of ${count} came back; shortest ${at(0)}, median ${at(0.5)}, longest ${at(1)}\n`,
    );
    return 0;
  }

  /** Sends each line of standard input, prints what comes back. */
  async sendLines(): Promise<number> {
    const channel = await this.open;
    let sent = 0;
    const lines = this.#terminal.lines()[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([lines.next(), this.#over()]);
      if (next.done === true) break;
      const took = await this.#echo(channel, next.value, (text) =>
        this.#terminal.stdout(`${printable(text, 10_000)}\n`),
      );
      this.#terminal.stderr(`  ${duration(took)}`);
      sent++;
    }
    this.#terminal.stderr(`${plural(sent, 'line')} came back`);
    return 0;
  }

  /** Sends one message and waits until it has come back. @returns milliseconds. */
  async #echo(channel: DataChannel, text: string, heard?: (text: string) => void): Promise<number> {
    if (this.#ended !== undefined) throw this.#ended;
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const echoed = new Promise<void>((resolve, reject) => {
      this.#onEcho = (data) => {
        const back = typeof data === 'string' ? data : Buffer.from(data).toString();
        heard?.(back);
        if (back === text) resolve();
        else reject(new ConnectError(`something else came back: "${printable(back, 60)}"`));
      };
      const late = `no echo within ${duration(ECHO_WITHIN)}: the connection lives, but the other side sends nothing back`;
      timer = setTimeout(() => reject(new ConnectError(late)), ECHO_WITHIN);
      if (!channel.send(text))
        reject(new ConnectError(`the other side takes no message of ${text.length} bytes`));
    });
    try {
      await Promise.race([echoed, this.#over()]);
      return performance.now() - started;
    } finally {
      clearTimeout(timer);
      this.#onEcho = undefined;
    }
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.race([new Promise((resolve) => (timer = setTimeout(resolve, ms))), this.#over()]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Rejects when the connection ends. */
  #over(): Promise<never> {
    return this.#overPromise;
  }

  #rejectOver: (error: Error) => void = () => undefined;
  readonly #overPromise: Promise<never> = (() => {
    const over = new Promise<never>((_, reject) => (this.#rejectOver = reject));
    over.catch(() => undefined);
    return over;
  })();

  #end(reason: Failure): void {
    const { ice } = this.#rtc.inspect();
    const advice = adviceFor(reason);
    const lines = [`the connection ended: ${printable(describeFailure(reason), 500)}`];
    if (reason.layer === 'ice' && reason.code === 'connect-timeout') {
      const addresses = (candidates: typeof ice.remoteCandidates): string =>
        candidates.map(({ address, port, type }) => `${address} ${port} (${type})`).join(', ') || 'none';
      lines.push(`  our addresses: ${describeCandidates(ice.localCandidates)}`);
      lines.push(`  theirs: ${printable(addresses(ice.remoteCandidates), 500)}`);
    }
    if (advice !== undefined && !isGoodEnd(reason)) lines.push(`  ${advice}`);
    this.#fail(new ConnectError(lines.join('\n')));
  }

  #fail(error: ConnectError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#failed(error);
    this.#rejectOver(error);
  }
}

function echoUrl(positionals: readonly string[]): URL {
  const [text, another] = positionals;
  if (text === undefined) throw new UsageError('expected the URL of an echo peer');
  if (another !== undefined) throw new UsageError(`unexpected argument "${another}"`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`expected a URL that begins with http:// or https://, got "${text}"`);
  if (url.pathname === '/') url.pathname = '/echo';
  return url;
}

/** The addresses to bind: peers on this host may have nothing but loopback. */
function hostsFor({ hostname }: URL): string[] {
  const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const external = interfaces.filter(({ internal }) => !internal);
  const hasIpv6 = external.some(({ family, address }) => family === 'IPv6' && !address.startsWith('fe80:'));
  const wildcard = hasIpv6 ? '::' : '0.0.0.0';
  if (hostname === '[::1]') return ['::1', wildcard];
  if (hostname === 'localhost' || hostname.startsWith('127.'))
    return ['127.0.0.1', ...(external.length > 0 ? [wildcard] : [])];
  return [wildcard];
}

/** The STUN and TURN servers that options name. */
export function serversOf(values: {
  readonly stun?: string[] | undefined;
  readonly turn?: string[] | undefined;
  readonly username?: string | undefined;
  readonly credential?: string | undefined;
}): IceServer[] {
  const { stun = [], turn = [], username, credential } = values;
  for (const text of stun) splitHostPort('stun', text);
  for (const url of turn) {
    if (!/^turns?:[^/]/.test(url))
      throw new UsageError(`--turn expected turn:HOST or turns:HOST, got "${url}"`);
  }
  if (turn.length > 0 && (username === undefined || credential === undefined))
    throw new UsageError('--turn needs --username and --credential');
  if (turn.length === 0 && (username ?? credential) !== undefined)
    throw new UsageError('--username and --credential are for --turn');
  return [
    ...stun.map((text) => ({ urls: `stun:${text.replace(/^stun:/, '')}` })),
    ...turn.map((urls) => ({ urls, username, credential })),
  ];
}

async function post(
  url: URL,
  offer: string,
): Promise<{ status: number; location: string | null; body: string }> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: offer,
      signal: AbortSignal.timeout(ANSWER_WITHIN),
    });
  } catch (error) {
    throw new ConnectError(`${url.href} cannot be asked: ${fetchFailure(error)}`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    const bytes = part as Uint8Array;
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw new ConnectError(`${url.href} sends more than an answer can be`);
    parts.push(bytes);
  }
  return {
    status: response.status,
    location: response.headers.get('location'),
    body: Buffer.concat(parts).toString(),
  };
}

function fetchFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${duration(ANSWER_WITHIN)}`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  switch (cause?.code) {
    case 'ECONNREFUSED':
      return 'the connection is refused; does "sansrtc serve" run there, on that port?';
    case 'ENOTFOUND':
      return 'there is no host of that name';
    default:
      return cause?.message ?? error.message;
  }
}

/** Tells the server that the session is over; what comes of it is of no interest any more. */
async function endSession(location: URL): Promise<void> {
  try {
    await fetch(location, { method: 'DELETE', signal: AbortSignal.timeout(2000) });
  } catch {
    // The peer hears it from the connection as well.
  }
}
