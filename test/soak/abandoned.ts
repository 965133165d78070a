/**
 * F2e: connections whose peer has died, by the hundred, each caught in one state of its life:
 *
 *   checking      the peer has answered the offer and never been heard of
 *   handshaking   ICE has found it, DTLS has begun, in either role
 *   associating   DTLS is up, SCTP has begun
 *   sending       three channels are open, a hundred messages are queued on them
 *
 * `expire` lets the gates do what they are for: each connection ends, and its endpoint lets go of it. Whoever drops a
 * `Crowd` instead drops its connections alive.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DataChannel, DataChannelOptions, RtcEvent, RtcOptions } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';
import type { Host, SimPeer } from '../../src/sim/index.ts';
import { memoizedCrypto, Network } from '../../src/sim/index.ts';

const STAGES = ['checking', 'handshaking', 'associating', 'sending'] as const;

export type Stage = (typeof STAGES)[number];

/** One after the other: reliable, timed, unordered. */
const CHANNELS: readonly (readonly [string, DataChannelOptions])[] = [
  ['chat', {}],
  ['timed', { maxPacketLifeTime: 5000 }],
  ['game', { ordered: false, maxRetransmits: 0 }],
];

/** Queued on each open connection; each channel but the first has its share. */
const MESSAGES = 100;
const SHARE = 33;
const MESSAGE_SIZE = 1000;

/** Virtual milliseconds: by then the peers have died, and by then all gates have fired. */
const OPENING = 1000;
const PATIENCE = 120_000;

const SERVER = '192.0.2.1';
const CLIENTS = '192.0.2.2';

/** The same keys for every connection: the curves are worked out once. */
const SEED = 1;
const provider = memoizedCrypto(nodeCrypto());
const [serverCertificate, clientCertificate] = [1, 2].map((seed) =>
  selfSignedCertificate({ random: new SeededRandom(seed), crypto: provider }),
);

/** A connection that its peer has left alone; the endpoint holds it, the crowd only how it ended. */
interface Abandoned {
  readonly stage: Stage;
  readonly client: SimPeer | undefined;
  channels: number;
}

/** How the connections of a crowd have ended. */
export interface Endings {
  /** How many, by `stage: gate`. */
  readonly gates: Record<string, number>;
  /** Messages that were queued, and those of them that have had their one outcome. */
  messages: number;
  outcomes: number;
}

export class Crowd {
  readonly endpoint = new Endpoint();
  readonly endings: Endings = { gates: {}, messages: 0, outcomes: 0 };
  readonly #net = new Network({
    seed: SEED,
    defaults: { latency: 10 },
    record: { datagrams: false, events: false },
    // An endpoint of hundreds is checked as a whole after every step.
    invariants: false,
  });
  readonly #clients: Host;
  readonly #alive = new Map<Rtc, Abandoned>();
  #made = 0;

  constructor() {
    const server = this.#net.host(SERVER, { name: 'server' });
    server.attach(this.endpoint, { port: 5000, onEvent: ({ rtc, event }) => this.#note(rtc, event) });
    this.#clients = this.#net.host(CLIENTS, { name: 'clients' });
  }

  /** Connections that have not ended. */
  get size(): number {
    return this.#alive.size;
  }

  /** Makes `count` connections, a quarter of them in each stage, and kills their peers there. */
  abandon(count: number): void {
    for (let i = 0; i < count; i++) this.#connect(STAGES[i % STAGES.length] ?? 'checking', 1024 + i);
    this.#net.run({ limit: OPENING });
    for (const [rtc, { stage }] of this.#alive) {
      const found = stageOf(rtc);
      if (found !== stage) throw new Error(`a connection was to be ${stage} and is ${found}`);
    }
  }

  /** Lets all gates fire. */
  expire(): void {
    this.#net.run({ until: () => this.size === 0, limit: PATIENCE });
    if (this.size > 0) throw new Error(`${this.size} connections have not ended`);
  }

  #connect(stage: Stage, port: number): void {
    const name = `${this.#made}`;
    const setup = this.#made++ % (2 * STAGES.length) < STAGES.length ? 'active' : 'passive';
    const server = makeRtc(serverCertificate, `server${name}`, SERVER, 5000, setup);
    const client = makeRtc(clientCertificate, `client${name}`, CLIENTS, port);
    const draft = client.negotiation();
    for (const [label, options] of CHANNELS) draft.addChannel(label, options);
    const offer = draft.offer();
    offer.accept(server.receiveOffer(offer.sdp).answer());
    const peer = stage === 'checking' ? undefined : this.#attach(client, port, stage);
    this.#alive.set(server, { stage, client: peer, channels: 0 });
    this.endpoint.add(server);
  }

  #attach(client: Rtc, port: number, stage: Stage): SimPeer {
    const peer = this.#clients.attach(client, {
      port,
      onEvent: ({ event }) => {
        // What DTLS and SCTP have to say at this moment still goes out; no answer to it is heard.
        if (stage === 'associating' && event.type === 'sctpstatechange') peer.after(1, () => peer.detach());
      },
    });
    return peer;
  }

  #note(rtc: Rtc, event: RtcEvent): void {
    const abandoned = this.#alive.get(rtc);
    if (abandoned === undefined) throw new Error(`${event.type} after closed`);
    const { stage, client } = abandoned;
    switch (event.type) {
      case 'dtlsstatechange':
        if (stage === 'handshaking') client?.detach();
        break;
      case 'datachannel':
        abandoned.channels++;
        this.#fill(event.channel, abandoned.channels === 1 ? MESSAGES - 2 * SHARE : SHARE);
        if (abandoned.channels === CHANNELS.length) client?.detach();
        break;
      case 'messageoutcome':
        this.endings.outcomes++;
        break;
      case 'closed': {
        const ending = `${stage}: ${event.reason.gate ?? event.reason.code}`;
        this.endings.gates[ending] = (this.endings.gates[ending] ?? 0) + 1;
        this.#alive.delete(rtc);
        break;
      }
      default:
        break;
    }
  }

  #fill(channel: DataChannel, count: number): void {
    for (let id = 0; id < count; id++) {
      if (!channel.send(new Uint8Array(MESSAGE_SIZE), { id })) throw new Error('a message was refused');
    }
    this.endings.messages += count;
  }
}

function makeRtc(
  certificate: typeof serverCertificate,
  name: string,
  address: string,
  port: number,
  setup?: RtcOptions['setup'],
): Rtc {
  if (certificate === undefined) throw new Error('no certificate');
  const rtc = new Rtc({
    certificate,
    crypto: provider,
    setup,
    random: new SeededRandom(SEED).split(address),
    ice: { usernameFragment: name, password: name.padEnd(24, '/') },
  });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port });
  return rtc;
}

/** Where a connection is, in the terms of `Stage`; anything else in the layers' own. */
function stageOf(rtc: Rtc): string {
  const { ice, dtls, sctp, channels } = rtc.inspect();
  const states = `${ice.state} ${dtls?.state ?? 'new'} ${sctp.state}`;
  const queued = channels.channels.reduce((sum, { bufferedAmount }) => sum + bufferedAmount, 0);
  if (states === 'checking new new') return 'checking';
  if (/^(connected|completed) connecting new$/.test(states)) return 'handshaking';
  if (/^(connected|completed) connected cookie-/.test(states)) return 'associating';
  if (sctp.state === 'established' && queued > 0) return 'sending';
  return states;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of heap and buffers in use after a collection. */
function heap(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes in use after the first batch, which brings code and caches, and after each one since; at most in between. */
export interface HeapSeries {
  readonly start: number;
  readonly after: readonly number[];
  readonly peak: number;
}

export function heapInMegabytes({ start, after, peak }: HeapSeries): string {
  const shown = [start, ...after].map((bytes) => (bytes / 1e6).toFixed(1));
  return `${shown.join(' ')} MB, at most ${(peak / 1e6).toFixed(1)} MB`;
}

/** `batches` times `count` connections that one endpoint holds until their gates fire, and how they ended. */
export function expireAll(batches: number, count: number): { heap: HeapSeries; endings: Endings } {
  const crowd = new Crowd();
  const series = heapSeries(batches, (onPeak) => {
    crowd.abandon(count);
    onPeak();
    crowd.expire();
    const { connections, routes, armed, ready } = crowd.endpoint.inspect();
    if (connections + routes + armed + ready > 0) throw new Error('the endpoint holds something');
  });
  return { heap: series, endings: crowd.endings };
}

/** `batches` times `count` connections that are dropped alive: nothing of the library's own may hold them. */
export function dropAll(batches: number, count: number): HeapSeries {
  return heapSeries(batches, (onPeak) => {
    const crowd = new Crowd();
    crowd.abandon(count);
    onPeak();
  });
}

function heapSeries(batches: number, run: (onPeak: () => void) => void): HeapSeries {
  let peak = 0;
  const onPeak = (): void => {
    peak = Math.max(peak, heap());
  };
  run(onPeak);
  const start = heap();
  const after: number[] = [];
  for (let batch = 1; batch < batches; batch++) {
    run(onPeak);
    after.push(heap());
  }
  return { start, after, peak };
}
