/**
 * What a gigabyte costs in memory: two connections in one process, on the real clock, without sockets. Datagrams are handed over eight at a time, as
 * a busy socket delivers them, and given away. CPU time of both ends together, a second of traffic after a second of the same.
 *
 *   npm run bench:memory -- [--crypto node,js] [--size 65536] [--seconds 2] [--rounds 3]
 */
import { parseArgs } from 'node:util';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import type { CryptoProvider, DataChannel, Transmit } from '../src/index.ts';
import { Rtc, jsCrypto, selfSignedCertificate } from '../src/index.ts';

const { values } = parseArgs({
  options: {
    crypto: { type: 'string', default: 'node,js' },
    size: { type: 'string', default: '65536' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    'at-once': { type: 'string', default: '8' },
  },
});
const size = Number(values.size);
const seconds = Number(values.seconds);
const atOnce = Number(values['at-once']);
/** What a sender keeps queued: enough never to wait for it. */
const BACKLOG = Math.max(1024 * 1024, 4 * size);

interface End {
  readonly rtc: Rtc;
  readonly port: number;
  readonly inbox: Transmit[];
  deadline: number;
  channel: DataChannel | undefined;
  /** Bytes of messages that came. */
  received: number;
  /** Datagrams that came. */
  datagrams: number;
}

function createEnd(port: number, crypto: CryptoProvider): End {
  const rtc = new Rtc({ certificate: selfSignedCertificate(), crypto, now: performance.now() });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port });
  return { rtc, port, inbox: [], deadline: 0, channel: undefined, received: 0, datagrams: 0 };
}

function drain(end: End, other: End): void {
  for (;;) {
    const output = end.rtc.pollOutput();
    if (output.type === 'transmit') {
      other.inbox.push(output);
    } else if (output.type === 'timeout') {
      end.deadline = output.at;
      return;
    } else if (output.event.type === 'message') {
      end.received += output.event.data.length;
    } else if (output.event.type === 'channelopen' || output.event.type === 'datachannel') {
      end.channel = output.event.channel;
    }
  }
}

/** Feeds what has come, `atOnce` datagrams at the most, and drains. */
function turn(end: End, other: End): boolean {
  const now = performance.now();
  const batch = end.inbox.splice(0, atOnce);
  for (const { protocol, source, destination, data } of batch) {
    end.datagrams++;
    end.rtc.handleInput({ type: 'receive', now, protocol, source, destination, data, owned: true });
  }
  if (batch.length === 0 && now < end.deadline) return false;
  if (batch.length === 0) end.rtc.handleInput({ type: 'timeout', now });
  drain(end, other);
  return true;
}

/** Both ends until `isDone`; where neither has anything to do the process sleeps to the next deadline, which costs no CPU time. */
function run(a: End, b: End, isDone: () => boolean): void {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (!isDone()) {
    const didA = turn(a, b);
    const didB = turn(b, a);
    if (didA || didB) continue;
    const wait = Math.min(a.deadline, b.deadline) - performance.now();
    if (wait > 0) Atomics.wait(sleeper, 0, 0, wait);
  }
}

interface Result {
  readonly secondsPerGigabyte: number;
  readonly megabytesPerSecond: number;
  readonly datagramsPerMegabyte: readonly [number, number];
}

function measure(crypto: CryptoProvider): Result {
  const [a, b] = [createEnd(1, crypto), createEnd(2, crypto)];
  const draft = a.rtc.negotiation();
  draft.addChannel('bulk');
  const offer = draft.offer();
  offer.accept(b.rtc.receiveOffer(offer.sdp).answer());
  drain(a, b);
  drain(b, a);
  run(a, b, () => a.channel !== undefined && b.channel !== undefined);
  const channel = a.channel;
  if (channel === undefined) throw new Error('the channel did not open');
  const message = new Uint8Array(size);
  const transfer = (until: number): void =>
    run(a, b, () => {
      let sent = false;
      while (channel.bufferedAmount < BACKLOG && channel.send(message)) sent = true;
      // A call from outside of a drain: the time, and then what it has brought.
      if (sent) {
        a.rtc.handleInput({ type: 'timeout', now: performance.now() });
        drain(a, b);
      }
      return performance.now() >= until;
    });
  transfer(performance.now() + 1000);
  const before = {
    bytes: b.received,
    at: a.datagrams,
    bt: b.datagrams,
    time: performance.now(),
    cpu: process.cpuUsage(),
  };
  transfer(before.time + seconds * 1000);
  const { user, system } = process.cpuUsage(before.cpu);
  const bytes = b.received - before.bytes;
  return {
    secondsPerGigabyte: (user + system) / 1e6 / (bytes / 1e9),
    megabytesPerSecond: bytes / 1e3 / (performance.now() - before.time),
    datagramsPerMegabyte: [
      (b.datagrams - before.bt) / (bytes / 1e6),
      (a.datagrams - before.at) / (bytes / 1e6),
    ],
  };
}

const providers: Readonly<Record<string, () => CryptoProvider>> = { node: nodeCrypto, js: jsCrypto };
for (const name of values.crypto.split(',')) {
  const provider = providers[name];
  if (provider === undefined) throw new Error(`--crypto is a list of ${Object.keys(providers).join(', ')}`);
  const results: Result[] = [];
  for (let round = 0; round < Number(values.rounds); round++) results.push(measure(provider()));
  results.sort((one, other) => one.secondsPerGigabyte - other.secondsPerGigabyte);
  const middle = results[results.length >> 1];
  if (middle === undefined) continue;
  const [there, back] = middle.datagramsPerMegabyte;
  console.log(
    `${name.padEnd(5)} ${middle.secondsPerGigabyte.toFixed(1).padStart(6)} CPU-s/GB  ${middle.megabytesPerSecond.toFixed(0).padStart(4)} MB/s  ` +
      `${there.toFixed(0)} datagrams a MB there, ${back.toFixed(0)} back`,
  );
}
