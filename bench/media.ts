/**
 * What a forwarding unit costs: one publisher, whose packets go to 10 and to 100 subscribers. `npm run bench:media`.
 *
 *   ours     a datagram of the publisher's comes in: opened, routed, told as an event, and for each subscriber taken over by a `SourceSwitch`,
 *            written to its `RtpSender`, polled as a datagram, sealed; copied out, as a kernel does, or sent through a socket
 *   floor    AES-128-GCM of such a packet by `createCipheriv` of `node:crypto`; with sockets a datagram is made of it, and sent
 *
 * Both in turns, in rounds, in one process; the figures are medians, the ratio is of each round. CPU is of the whole process, with the collector's
 * threads. Bytes allocated are of the heap and of array buffers.
 */
import { createCipheriv } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TransportAddress } from '../src/index.ts';
import type { Kind, Transmit } from './media/room.ts';
import { Room, SIZES, advance } from './media/room.ts';

/** Packets that go out in a round. */
const FORWARDED = 4000;
const ROUNDS = Number(process.env['ROUNDS'] ?? 40);
const WARM_UP = 12;
/** Milliseconds between two rounds. */
const PAUSE = 100;
const LARGEST_DATAGRAM = 1500;

/** Where datagrams go without a socket: they are copied, and nothing else of them is kept. */
class Kernel {
  readonly #memory = new Uint8Array(FORWARDED * LARGEST_DATAGRAM);
  readonly #lengths = new Uint32Array(FORWARDED);
  readonly #sources: TransportAddress[] = [];
  readonly #destinations: TransportAddress[] = [];
  #count = 0;

  readonly take = ({ source, destination, data }: Transmit): void => {
    const number = this.#count++;
    this.#memory.set(data, number * LARGEST_DATAGRAM);
    this.#lengths[number] = data.length;
    this.#sources[number] = source;
    this.#destinations[number] = destination;
  };

  /** Forgets them. @returns how many there were */
  clear(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  /** Carries them to the subscribers. @returns how many there were */
  deliver(room: Room): number {
    const count = this.#count;
    this.#count = 0;
    for (let i = 0; i < count; i++) {
      const at = i * LARGEST_DATAGRAM;
      const data = this.#memory.slice(at, at + (this.#lengths[i] ?? 0));
      const [source, destination] = [this.#sources[i], this.#destinations[i]];
      if (source !== undefined && destination !== undefined) room.deliver(data, source, destination);
    }
    return count;
  }
}

/** A socket, and a port that takes what it sends and reads none of it: one that nobody has costs an answer of the kernel's. */
class Outlet {
  readonly #socket = createSocket('udp4');
  readonly #sink = createSocket('udp4');
  #port = 0;
  #unsent = 0;
  #onEmpty: () => void = () => undefined;

  async open(): Promise<void> {
    for (const socket of [this.#socket, this.#sink]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    this.#port = this.#sink.address().port;
  }

  readonly take = ({ data }: { readonly data: Uint8Array }): void => {
    this.#unsent++;
    this.#socket.send(data, this.#port, '127.0.0.1', this.#onSent);
  };

  readonly #onSent = (): void => {
    if (--this.#unsent === 0) this.#onEmpty();
  };

  /** All has gone. */
  async flush(): Promise<void> {
    if (this.#unsent > 0) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  close(): void {
    this.#socket.close();
    this.#sink.close();
  }
}

const KEY = new Uint8Array(16).fill(1);
const HEADER = new Uint8Array(12).fill(2);

/** One AEAD of a packet, as `node:crypto` is used for it. */
function seal(text: Uint8Array): [body: Uint8Array, tag: Uint8Array] {
  const cipher = createCipheriv('aes-128-gcm', KEY, HEADER);
  cipher.setAAD(HEADER);
  const body = cipher.update(text);
  cipher.final();
  return [body, cipher.getAuthTag()];
}

function sealed(text: Uint8Array): Uint8Array {
  const [body, tag] = seal(text);
  const data = new Uint8Array(HEADER.length + body.length + tag.length);
  data.set(HEADER);
  data.set(body, HEADER.length);
  data.set(tag, HEADER.length + body.length);
  return data;
}

/** CPU time of the process that `work` takes, and collecting what it leaves behind: microseconds. */
async function cpu(work: () => void | Promise<void>): Promise<number> {
  collect();
  const before = process.cpuUsage();
  await work();
  collect();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function collect(): void {
  globalThis.gc?.({ type: 'minor' });
}

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function measure(kind: Kind, size: number, outlet: Outlet | undefined): Promise<void> {
  const room = new Room(size);
  const kernel = new Kernel();
  const text = new Uint8Array(SIZES[kind]);
  const columns: [ours: number[], floor: number[], ratio: number[], bytes: number[]] = [[], [], [], []];
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // The peers get to know the sources first.
    const through = round < 0 ? undefined : outlet;
    advance(PAUSE);
    const published = room.publish(kind, FORWARDED / size);
    const ours = await cpu(async () => {
      const held = memory();
      room.forward(published, through?.take ?? kernel.take);
      if (round >= 0) columns[3].push((memory() - held) / FORWARDED);
      await through?.flush();
    });
    const carried = round < 0 ? kernel.deliver(room) : kernel.clear();
    if (through === undefined && carried < FORWARDED) throw new Error('packets were not forwarded');
    room.pass();
    const floor = await cpu(async () => {
      for (let i = 0; i < FORWARDED; i++) {
        if (through === undefined) seal(text);
        else through.take({ data: sealed(text) });
      }
      await through?.flush();
    });
    if (round < 0) continue;
    const row = [ours / FORWARDED, floor / FORWARDED, ours / floor];
    row.forEach((value, i) => columns[i]?.push(value));
  }
  const [ours, floor, ratio, bytes] = columns.map(median);
  const name = `${kind}, ${SIZES[kind]} B, to ${size}${outlet === undefined ? '' : ', sockets'}`;
  console.log(
    `| ${name} | ${ours?.toFixed(2)} | ${floor?.toFixed(2)} | ${ratio?.toFixed(2)} | ${Math.round(bytes ?? 0)} |`,
  );
}

console.log(`node ${process.version}; CPU microseconds a forwarded packet, medians of ${ROUNDS} rounds`);
console.log('| case | ours | floor | ratio | bytes allocated |');
console.log('| --- | --- | --- | --- | --- |');
const outlet = new Outlet();
await outlet.open();
const only = process.env['ONLY'] ?? '';
for (const through of [undefined, outlet]) {
  for (const size of [10, 100]) {
    for (const kind of ['video', 'audio'] as const) {
      if (`${kind} ${size}${through === undefined ? '' : ' sockets'}`.startsWith(only))
        await measure(kind, size, through);
    }
  }
}
outlet.close();
