#!/usr/bin/env node
/**
 * `npm run bench:scale`: what one connection more costs, in simulation, at 10, 1,000 and 10,000 connections.
 *
 * Two endpoints face each other in one process on a virtual clock, without sockets: one is the server on one port, the
 * other holds the clients, an address each, who come ten at a time or, with `--at-once`, all together. CPU time is what the server's endpoint takes from the first input of a turn to
 * the end of its drain. Every round has its own figure; the median of the rounds counts.
 */
import { parseArgs } from 'node:util';
import { DeadlineHeap } from '../src/core/deadline-heap.ts';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import { Endpoint, Rtc, selfSignedCertificate } from '../src/index.ts';

const SERVER = { address: '198.51.100.1', port: 3478 };
const ROUNDS = 25;
/** Connections that talk while all the others are idle, and what each says in a round. */
const TALKERS = 10;
const WORDS = 100;
/** How many join at a time, and how long until they are asked whether they have, ms. */
const JOINING = 10;
const JOIN_STEP = 5;
const IDLE_SECONDS = 10;
/** How long a datagram travels, ms; while they talk so little that the others' consent checks do not mix in. */
const HOP = 0.5;
const TALK_HOP = 0.001;
const HEAP_UPDATES = 200_000;

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });

function main() {
  if (globalThis.gc === undefined) throw new Error('run it with node --expose-gc');
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '10,1000,10000' },
      'at-once': { type: 'boolean', default: false },
    },
  });
  const sizes = values.connections.split(',').map(Number);
  const joining = values['at-once'] ? Infinity : JOINING;
  measure(sizes[0], joining); // compiles everything
  const rows = sizes.map((size) => measure(size, joining));
  console.table(Object.fromEntries(rows.map(({ connections, ...row }) => [connections, row])));
  for (const name of ['datagram, few talk (µs)', 'datagram, all talk (µs)']) {
    console.log(`${name}: ${(rows.at(-1)[name] / rows[0][name]).toFixed(2)} times at ${sizes.at(-1)}`);
  }
}

function measure(size, joining) {
  const before = collectedHeap();
  const world = new World();
  for (let left = size; left > 0; left -= joining) world.join(Math.min(left, joining));
  world.settle();
  const heap = (collectedHeap() - before) / (2 * size);
  world.talk(spread(world.channels, TALKERS), WORDS); // until code is compiled for connections as old as these
  const few = world.talk(spread(world.channels, TALKERS), WORDS);
  const all = world.talk(world.channels, Math.max(1, Math.round((TALKERS * WORDS) / size)));
  const idle = world.idle(IDLE_SECONDS);
  world.close();
  return {
    connections: size,
    'heap, idle (KiB)': round(heap / 1024),
    'datagram, few talk (µs)': round(few),
    'datagram, all talk (µs)': round(all),
    'idle CPU (µs/s)': round(idle / size),
    'deadline update (ns)': round(deadlineUpdate(size)),
  };
}

/** Server and clients, and what flies between them. */
class World {
  channels = [];
  #server = new Endpoint();
  #clients = new Endpoint();
  #now = 0;
  #hop = HOP;
  /** Of the server, since the last reading. */
  #cpu = 0;
  #datagrams = 0;

  /** So many clients more, until all are connected. */
  join(count) {
    const before = this.channels.length;
    for (let i = before; i < before + count; i++) {
      const client = new Rtc({ certificate, crypto });
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
      client.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 9 });
      const server = new Rtc({ certificate, crypto });
      server.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
      const draft = client.negotiation();
      this.channels.push(draft.addChannel('bench'));
      const offer = draft.offer();
      offer.accept(server.receiveOffer(offer.sdp).answer());
      this.#clients.add(client);
      this.#server.add(server);
    }
    const joining = this.channels.slice(before);
    while (!joining.every(({ readyState }) => readyState === 'open')) this.#advance(this.#now + JOIN_STEP);
  }

  /** Late acknowledgements, first consent checks. */
  settle() {
    this.#advance(this.#now + 10_000);
  }

  /** Each of `channels` sends `words` messages, one at a time. @returns the server's CPU per datagram in, µs */
  talk(channels, words) {
    const message = new Uint8Array(100);
    this.#hop = TALK_HOP;
    const rounds = Array.from({ length: ROUNDS }, () => {
      this.#cpu = this.#datagrams = 0;
      for (let word = 0; word < words; word++) {
        for (const channel of channels) channel.send(message);
        this.#advance(this.#now + 10 * TALK_HOP);
      }
      return (this.#cpu * 1000) / this.#datagrams;
    });
    return median(rounds);
  }

  /** @returns the server's CPU per second in which nobody says anything, µs */
  idle(seconds) {
    this.#hop = HOP;
    this.#cpu = 0;
    this.#advance(this.#now + seconds * 1000);
    return (this.#cpu * 1000) / seconds;
  }

  close() {
    for (const rtc of [...this.#clients.connections(), ...this.#server.connections()]) rtc.close();
    this.#advance(this.#now + 1);
  }

  /** Runs until `end`: whatever is due, and all that follows from it. */
  #advance(end) {
    while (this.#now <= end) {
      const next = Math.min(this.#turn(this.#clients, this.#server), this.#turn(this.#server, this.#clients));
      if (next > end) break;
      this.#now = Math.max(this.#now, next);
    }
    this.#now = end;
  }

  /** Lets `from` say what it has to say, to `to`. @returns its next deadline; now, if it said something */
  #turn(from, to) {
    const inputs = [];
    let start = cpu();
    from.handleInput({ type: 'timeout', now: this.#now });
    let output = from.pollOutput();
    for (; output.type !== 'timeout'; output = from.pollOutput()) {
      if (output.type !== 'transmit') continue;
      const { protocol, source, destination, data } = output;
      inputs.push({ type: 'receive', now: this.#now + this.#hop, protocol, source, destination, data });
    }
    if (from === this.#server) this.#cpu += cpu() - start;
    if (inputs.length === 0) return output.at;
    this.#now += this.#hop;
    start = cpu();
    to.handleInputs(inputs);
    if (to === this.#server) {
      this.#cpu += cpu() - start;
      this.#datagrams += inputs.length;
    }
    return this.#now;
  }
}

/** One deadline among `size` moves to a random place. @returns ns */
function deadlineUpdate(size) {
  const heap = new DeadlineHeap();
  const items = Array.from({ length: size }, (_, i) => ({ i }));
  for (const item of items) heap.set(item, Math.random() * 30_000);
  const places = Array.from({ length: HEAP_UPDATES }, () => Math.floor(Math.random() * size));
  const deadlines = Float64Array.from(places, () => Math.random() * 30_000);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = cpu();
    for (let i = 0; i < HEAP_UPDATES; i++) heap.set(items[places[i]], deadlines[i]);
    return ((cpu() - start) * 1e6) / HEAP_UPDATES;
  });
  return median(rounds);
}

/** CPU time of this process, ms: other processes on the machine do not count. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function collectedHeap() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function spread(items, count) {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_, i) => i % step === 0).slice(0, count);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}

function round(number) {
  return Number(number.toPrecision(3));
}

main();
