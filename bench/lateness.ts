/**
 * How late an unreliable channel's messages are, and how many come, over loss × round trip × rate × kind of channel, on the
 * simulator's clock. What the link loses is lost; everything else is to arrive within the path's delay. Prints a table; exit
 * code 1 when a row breaks its bound.
 *
 *   npm run bench:lateness
 */
import type { DataChannelOptions } from '../src/index.ts';
import { jsCrypto, Rtc, SeededRandom, selfSignedCertificate } from '../src/index.ts';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import { memoizedCrypto, Network } from '../src/sim/index.ts';

interface Kind {
  readonly name: string;
  readonly options: DataChannelOptions;
  /** Share of the messages that arrives at the least, by the share of datagrams that does. */
  readonly arrives: (kept: number) => number;
  /** Milliseconds beyond the path's delay: of 95 and of 99 in 100 messages at the most, by the round trip. */
  readonly p95: (roundTrip: number) => number;
  readonly p99: (roundTrip: number) => number;
}

/** A repeated message is late by the time in which its loss shows, each time it is lost; the bounds are of 10 % loss. */
const KINDS: readonly Kind[] = [
  {
    name: 'unordered, no retransmission',
    options: { ordered: false, maxRetransmits: 0 },
    arrives: (kept) => kept,
    p95: () => 25,
    p99: () => 25,
  },
  {
    name: 'unordered, one retransmission',
    options: { ordered: false, maxRetransmits: 1 },
    arrives: (kept) => 1 - (1 - kept) ** 2,
    p95: (roundTrip) => 2 * roundTrip + 60,
    p99: (roundTrip) => 2 * roundTrip + 120,
  },
  {
    name: 'unordered, a lifetime of 100 ms',
    options: { ordered: false, maxPacketLifeTime: 100 },
    arrives: (kept) => kept,
    p95: (roundTrip) => roundTrip + 60,
    p99: (roundTrip) => roundTrip + 120,
  },
  {
    name: 'ordered, no retransmission',
    options: { ordered: true, maxRetransmits: 0 },
    arrives: (kept) => kept,
    p95: (roundTrip) => 2 * roundTrip + 60,
    p99: (roundTrip) => 5 * roundTrip + 120,
  },
];

/** Messages a second, and bytes of each. */
const RATES = [
  [60, 100],
  [485, 1000],
] as const;
const LOSSES = [0, 0.02, 0.1];
/** Milliseconds. */
const ROUND_TRIPS = [20, 100, 200];
const SECONDS = 10;
/** Milliseconds that are not judged: the congestion window opens first, with or without loss. */
const OPENING = 2000;

const crypto = memoizedCrypto(nodeCrypto());
const certificate = selfSignedCertificate({ random: new SeededRandom(1), crypto: jsCrypto() });

interface Outcome {
  readonly late: readonly number[];
  readonly sent: number;
}

function stream(kind: Kind, loss: number, roundTrip: number, rate: number, bytes: number): Outcome {
  const latency = roundTrip / 2;
  const net = new Network({ seed: 1, defaults: { latency, loss }, invariants: false });
  const late: number[] = [];
  let judgedFrom = Infinity;
  const join = (address: string, seed: number): Rtc => {
    const rtc = new Rtc({ certificate, crypto, random: new SeededRandom(seed) });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
    net.host(address).attach(rtc, {
      port: 5000,
      onEvent: ({ event }) => {
        if (event.type !== 'message' || Number(event.data) < judgedFrom) return;
        late.push(net.now - Number(event.data) - latency);
      },
    });
    return rtc;
  };
  const sender = join('192.0.2.1', 1);
  const receiver = join('192.0.2.2', 2);
  const draft = sender.negotiation();
  const channel = draft.addChannel('state', kind.options);
  const offer = draft.offer();
  offer.accept(receiver.receiveOffer(offer.sdp).answer());
  net.run({ until: () => channel.readyState === 'open', limit: 60_000 });
  let sent = 0;
  judgedFrom = net.now + OPENING;
  const end = judgedFrom + SECONDS * 1000;
  const tick = (): void => {
    if (net.now >= end) return;
    if (channel.send(String(net.now).padEnd(bytes)) && net.now >= judgedFrom) sent++;
    net.after(1000 / rate, tick);
  };
  tick();
  net.run({ limit: OPENING + SECONDS * 1000 + 5 * roundTrip + 1000 });
  return { late: late.sort((a, b) => a - b), sent };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Infinity;
}

console.log(
  '| channel | messages | round trip, ms | loss | delivered | ms late: p50 | p95 | p99 | most |\n' +
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
);
let broken = 0;
for (const kind of KINDS) {
  for (const [rate, bytes] of RATES) {
    for (const roundTrip of ROUND_TRIPS) {
      for (const loss of LOSSES) {
        const { late, sent } = stream(kind, loss, roundTrip, rate, bytes);
        const delivered = late.length / sent;
        const isBroken =
          // Chance: a few standard deviations of what is lost.
          delivered < kind.arrives(1 - loss) - 4 * Math.sqrt((loss * (1 - loss)) / sent) - 0.005 ||
          quantile(late, 0.95) > kind.p95(roundTrip) ||
          quantile(late, 0.99) > kind.p99(roundTrip);
        if (isBroken) broken++;
        const cells = [0.5, 0.95, 0.99, 1].map((share) => quantile(late, share).toFixed(0));
        console.log(
          `| ${kind.name} | ${rate}/s of ${bytes} B | ${roundTrip} | ${loss * 100} % | ` +
            `${(delivered * 100).toFixed(1)} % | ${cells.join(' | ')} |${isBroken ? ' over its bound' : ''}`,
        );
      }
    }
  }
}
if (broken > 0) {
  console.log(`\n${broken} rows are over their bounds`);
  process.exitCode = 1;
}
