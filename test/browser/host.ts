/** The Node half of the browser tests: connections over one real UDP socket, whose events can be waited for. */
import { createHash, randomFillSync } from 'node:crypto';
import type { DataChannel } from '../../src/channel/index.ts';
import type { Failure } from '../../src/core/errors.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { selfSignedCertificate } from '../../src/dtls/index.ts';
import { UdpDriver, type UdpDriverOptions } from '../../src/node/index.ts';
import { Rtc, type RtcEvent, type RtcOptions } from '../../src/rtc.ts';
import { writeCandidateLine } from '../../src/sdp/index.ts';
import type { WireMessage } from './page-peer.ts';

/** As long as the page's own patience. */
const PATIENCE = 20_000;
const HIGH_WATER = 1024 * 1024;
const LOW_WATER = 256 * 1024;
/** Under the 65535 bytes that pion can read at once. */
const CHUNK = 32 * 1024;

/** One UDP socket and one certificate for any number of connections. */
export class Host {
  readonly driver: UdpDriver;
  readonly #crypto = nodeCrypto();
  readonly #certificate = selfSignedCertificate({ crypto: this.#crypto });

  static async listen(options: UdpDriverOptions = {}): Promise<Host> {
    return new Host(await UdpDriver.listen(options));
  }

  private constructor(driver: UdpDriver) {
    this.driver = driver;
  }

  connection(options: Partial<RtcOptions> = {}): Connection {
    const rtc = new Rtc({ certificate: this.#certificate, crypto: this.#crypto, ...options });
    const connection = new Connection(rtc, () => this.driver.endpoint.inspect());
    this.driver.add(rtc, (event) => connection.note(event));
    return connection;
  }

  close(): Promise<void> {
    return this.driver.close();
  }
}

interface Line {
  readonly channel: DataChannel;
  readonly inbox: (string | Uint8Array)[];
  readonly log: string[];
}

export class Connection {
  readonly rtc: Rtc;
  /** Told of each candidate that no description has, as a line. */
  onCandidate: ((line: string) => void) | undefined;
  /** Told of everything that happens. */
  onEvent: ((event: RtcEvent) => void) | undefined;
  readonly #lines = new Map<string, Line>();
  #end: Failure | undefined;
  readonly #inspectHost: (() => object) | undefined;

  /** @param inspectHost what the socket that it is behind shows of itself */
  constructor(rtc: Rtc, inspectHost?: () => object) {
    this.rtc = rtc;
    this.#inspectHost = inspectHost;
  }

  /** What happened, from the driver. */
  note(event: RtcEvent): void {
    this.onEvent?.(event);
    if (event.type === 'closed') this.#end = event.reason;
    if (event.type === 'icecandidate') this.onCandidate?.(writeCandidateLine(event.candidate));
    if (!('channel' in event)) return;
    const line = this.#line(event.channel);
    if (event.type === 'message') line.inbox.push(event.data);
    else line.log.push(event.type);
  }

  async opened(label: string): Promise<DataChannel> {
    const { channel } = await this.#until(`the channel "${label}" to open`, () => {
      const line = this.#lines.get(label);
      return line?.channel.readyState === 'open' ? line : undefined;
    });
    return channel;
  }

  /** Waits for a channel to close; the events it had. */
  channelClosed(label: string): Promise<readonly string[]> {
    return this.#until(`the channel "${label}" to close`, () => {
      const log = this.#lines.get(label)?.log;
      return log?.includes('channelclose') === true ? log : undefined;
    });
  }

  /** Waits for the end of the connection; its reason. */
  closed(): Promise<Failure> {
    return this.#until('the connection to close', () => this.#end, false);
  }

  /** Lets go of channels that have closed, so that others may have their labels. */
  forget(labels: readonly string[]): void {
    for (const label of labels) this.#lines.delete(label);
  }

  async send(label: string, message: WireMessage): Promise<void> {
    const channel = await this.opened(label);
    const data = 'text' in message ? message.text : Buffer.from(message.binary, 'latin1');
    if (!channel.send(data)) throw new Error(`"${label}" refused a message`);
  }

  /** The next message not asked for before. */
  async receive(label: string): Promise<WireMessage> {
    const data = await this.#until(`a message on "${label}"`, () => this.#lines.get(label)?.inbox.shift());
    return wire(data);
  }

  /** All messages not asked for before; does not wait. */
  drain(label: string): WireMessage[] {
    return this.#lines.get(label)?.inbox.splice(0).map(wire) ?? [];
  }

  /** Sends random bytes, never with more than a mebibyte buffered; their SHA-256, and how often it had to wait. */
  async sendBulk(label: string, bytes: number): Promise<{ sha256: string; waits: number }> {
    const channel = await this.opened(label);
    const hash = createHash('sha256');
    let waits = 0;
    for (let at = 0; at < bytes; at += CHUNK) {
      const chunk = randomFillSync(new Uint8Array(Math.min(CHUNK, bytes - at)));
      if (channel.bufferedAmount + chunk.length > HIGH_WATER) {
        waits++;
        await this.#until(`room in "${label}"`, () => channel.bufferedAmount <= LOW_WATER || undefined);
      }
      if (!channel.send(chunk)) throw new Error(`"${label}" refused a message below its high-water mark`);
      hash.update(chunk);
    }
    return { sha256: hash.digest('hex'), waits };
  }

  /** SHA-256 of the next `bytes` bytes of binary messages. */
  async receiveBulk(label: string, bytes: number): Promise<string> {
    const hash = createHash('sha256');
    for (let at = 0; at < bytes;) {
      const what = `byte ${String(at)} of ${String(bytes)} on "${label}"`;
      const part = await this.#until(what, () => this.#lines.get(label)?.inbox.shift());
      if (typeof part === 'string') throw new Error('a string amid the bytes');
      hash.update(part);
      at += part.length;
    }
    return hash.digest('hex');
  }

  #line(channel: DataChannel): Line {
    let line = this.#lines.get(channel.label);
    if (line === undefined) {
      line = { channel, inbox: [], log: [] };
      this.#lines.set(channel.label, line);
    }
    return line;
  }

  /** Polls until `look` finds something; fails with a sentence and the machine's state when it takes too long. */
  async #until<T>(what: string, look: () => T | undefined, failIfClosed = true): Promise<T> {
    const start = performance.now();
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (failIfClosed && this.#end !== undefined)
        throw new Error(`closed (${this.#end.code}) before ${what}`);
      if (performance.now() - start > PATIENCE) {
        const state = JSON.stringify({ ...this.rtc.inspect(), host: this.#inspectHost?.() }, null, 2);
        throw new Error(`waited ${String(PATIENCE)} ms for ${what}\n${state}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

function wire(data: string | Uint8Array): WireMessage {
  return typeof data === 'string' ? { text: data } : { binary: Buffer.from(data).toString('latin1') };
}
