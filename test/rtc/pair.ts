/** Two `Rtc` on a simulated network, signalled by hand: the stage for most tests of whole connections. */
import type { Certificate, CryptoProvider, DataChannel, RtcEvent, RtcOptions } from '../../src/index.ts';
import { jsCrypto, Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';
import type { Host, LinkConditions, NetworkOptions, SimMachine, SimPeer } from '../../src/sim/index.ts';
import { Network } from '../../src/sim/index.ts';
import type { Input, Output } from '../../src/rtc.ts';

/** Making one costs a signature: two serve every test. */
export const certificates: readonly [Certificate, Certificate] = [makeCertificate(1), makeCertificate(2)];

function makeCertificate(seed: number): Certificate {
  return selfSignedCertificate({ random: new SeededRandom(seed), crypto: jsCrypto() });
}

export interface PairOptions {
  readonly seed?: number;
  readonly conditions?: LinkConditions;
  readonly network?: Omit<NetworkOptions, 'seed'>;
  readonly crypto?: CryptoProvider;
  /** Default: 192.0.2.1 and 192.0.2.2. */
  readonly addresses?: readonly [string, string];
  readonly offerer?: Partial<RtcOptions>;
  readonly answerer?: Partial<RtcOptions>;
}

/** Where a test may listen in, or stand in the way. */
export interface Tap {
  /** Called instead of `handleInput`; `pass` does what would have been done. */
  input?: (input: Input, pass: () => void) => void;
  /** Whether a datagram leaves; false loses it. */
  carries?: (data: Uint8Array) => boolean;
  /** Hears each event as a host does, inside the drain. */
  hears?: (event: RtcEvent) => void;
}

/** One end of a pair. */
export interface End {
  readonly rtc: Rtc;
  readonly host: Host;
  readonly peer: SimPeer<Output>;
  readonly tap: Tap;
  /** Every event so far, with its virtual time. */
  readonly events: (RtcEvent & { readonly at: number })[];
  /** Whole messages so far, in order, by channel label. */
  readonly messages: Map<string, (string | Uint8Array)[]>;
  /** Channels that are or have been open, by label. */
  readonly channels: Map<string, DataChannel>;
}

export interface Pair {
  readonly net: Network;
  readonly offerer: End;
  readonly answerer: End;
}

/** Two ends that know each other's addresses but have not signalled yet. */
export function makeUnsignalledPair(options: PairOptions = {}): Pair {
  const seed = options.seed ?? 1;
  const net = new Network({ seed, ...options.network });
  const addresses = options.addresses ?? ['192.0.2.1', '192.0.2.2'];
  const offerer = makeEnd(net, seed, 0, addresses[0], options.crypto, options.offerer);
  const answerer = makeEnd(net, seed, 1, addresses[1], options.crypto, options.answerer);
  if (options.conditions !== undefined) net.link(offerer.host, answerer.host, options.conditions);
  return { net, offerer, answerer };
}

/** Two ends that have exchanged offer and answer; the offerer has created a channel `chat`. */
export function makePair(options: PairOptions = {}): Pair {
  const pair = makeUnsignalledPair(options);
  const draft = pair.offerer.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(pair.answerer.rtc.receiveOffer(offer.sdp).answer());
  return pair;
}

/** A pair whose channel `chat` is open at both ends. */
export function makeOpenPair(options: PairOptions = {}): Pair {
  const pair = makePair(options);
  runUntilOpen(pair);
  return pair;
}

export function runUntilOpen(pair: Pair, limit = 30_000): void {
  const { net, offerer, answerer } = pair;
  const isOpen = (): boolean => offerer.channels.has('chat') && answerer.channels.has('chat');
  const outcome = net.run({ until: isOpen, limit });
  if (outcome.reason !== 'condition') {
    const states = JSON.stringify([offerer.rtc.inspect(), answerer.rtc.inspect()]);
    throw new Error(
      `seed ${String(net.seed)}: no channel after ${String(limit)} ms (${outcome.reason}): ${states}`,
    );
  }
}

export function channel(end: End, label = 'chat'): DataChannel {
  const found = end.channels.get(label);
  if (found === undefined) throw new Error(`no channel "${label}" is open`);
  return found;
}

export function closedReason(end: End): Extract<RtcEvent, { type: 'closed' }>['reason'] | undefined {
  for (const event of end.events) if (event.type === 'closed') return event.reason;
  return undefined;
}

function makeEnd(
  net: Network,
  seed: number,
  index: 0 | 1,
  address: string,
  crypto: CryptoProvider | undefined,
  options: Partial<RtcOptions> = {},
): End {
  const rtc = new Rtc({
    certificate: certificates[index],
    random: new SeededRandom(seed * 2 + index),
    ...(crypto === undefined ? {} : { crypto }),
    ...options,
  });
  const host = net.host(address, { name: index === 0 ? 'offerer' : 'answerer' });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
  const events: End['events'] = [];
  const messages: End['messages'] = new Map();
  const channels: End['channels'] = new Map();
  const tap: Tap = {};
  const peer = host.attach<Output>(tapped(rtc, tap), {
    // The second is for candidates that are added to a connection that is up.
    port: [5000, 5001],
    onEvent: ({ at, event }) => {
      events.push({ ...event, at });
      if (event.type === 'datachannel' || event.type === 'channelopen') {
        channels.set(event.channel.label, event.channel);
      } else if (event.type === 'message') {
        const list = messages.get(event.channel.label) ?? [];
        list.push(event.data);
        messages.set(event.channel.label, list);
      }
      tap.hears?.(event);
    },
  });
  return { rtc, host, peer, tap, events, messages, channels };
}

function tapped(rtc: Rtc, tap: Tap): SimMachine<Output> {
  return {
    get isEmpty() {
      return rtc.isEmpty;
    },
    invariantViolation: () => rtc.invariantViolation(),
    handleInput(input: Input) {
      const pass = (): void => {
        rtc.handleInput(input);
      };
      if (tap.input === undefined) pass();
      else tap.input(input, pass);
    },
    pollOutput() {
      for (;;) {
        const output = rtc.pollOutput();
        if (output.type !== 'transmit' || tap.carries?.(output.data) !== false) return output;
      }
    },
  };
}
