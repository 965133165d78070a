/**
 * Random traffic on twenty channels of mixed kinds over a hostile link: what is reliable arrives exactly once, and in
 * order where it is ordered; what is partial never arrives twice; every message that was asked about has one outcome;
 * in the end all buffers are empty. Then every channel is closed, by either side or by both: each closes once, and its
 * identifier is free.
 */
import type { ChannelEvent, DataChannel, DataChannelOptions } from '../../src/channel/index.ts';
import { DataChannels } from '../../src/channel/index.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { inspect, Pair } from '../sctp/pair.ts';

const CHANNELS = 20;
const MESSAGES = 120;

const KINDS: readonly DataChannelOptions[] = [
  {},
  { ordered: false },
  { maxRetransmits: 0 },
  { ordered: false, maxRetransmits: 2 },
  { maxPacketLifeTime: 200 },
  { ordered: false, maxPacketLifeTime: 500, priority: 'high' },
  { priority: 'very-low' },
];

/** A pair of associations with channels on top, which have clocks of their own. */
class ChannelPair extends Pair {
  readonly channels: readonly [DataChannels, DataChannels] = [
    new DataChannels(this.a),
    new DataChannels(this.b),
  ];
  onChannelEvent: (at: 0 | 1, event: ChannelEvent) => void = () => undefined;

  constructor(options: ConstructorParameters<typeof Pair>[0]) {
    super(options);
    this.onEvent = (at, event) => {
      this.channels[at].handleSctpEvent(event, this.now);
      this.events[at].length = 0;
    };
  }

  override drain(): void {
    for (let busy = true; busy;) {
      super.drain();
      busy = false;
      for (const at of [0, 1] as const) {
        const channels = this.channels[at];
        for (let event = channels.pollEvent(); event !== undefined; event = channels.pollEvent()) {
          busy = true;
          this.onChannelEvent(at, event);
        }
      }
    }
  }

  override nextStep(): number {
    return Math.min(super.nextStep(), ...this.channels.map((channels) => channels.nextTimeout()));
  }

  override step(at: number): void {
    this.now = Math.max(this.now, at);
    for (const channels of this.channels) channels.handleTimeout(this.now);
    super.step(at);
  }
}

interface Sent {
  readonly from: 0 | 1;
  readonly channel: number;
  outcome: string | undefined;
}

/** What a seed came to. */
export interface TrafficReport {
  readonly messages: number;
  readonly bytes: number;
  /** Messages that were partial, and were given up. */
  readonly givenUp: number;
  readonly packets: number;
  /** Channel ends that closed at a gate, as no answer came through, instead of by both resets. */
  readonly closedAtGate: number;
  /** Virtual milliseconds. */
  readonly duration: number;
}

/** Throws for the first thing that is wrong. */
export function checkTraffic(seed: number): TrafficReport {
  const random = new SeededRandom(seed).split('traffic');
  const pair = new ChannelPair({
    seed,
    check: seed % 16 === 0,
    link: {
      delay: 1 + random.unit() * 80,
      jitter: random.unit() < 0.5 ? 0 : random.unit() * 60,
      loss: random.unit() < 0.3 ? 0 : random.unit() * 0.12,
      duplication: random.unit() * 0.1,
      ...(random.unit() < 0.3 ? { rate: 100 + random.unit() * 1000 } : {}),
    },
    a: { interleaving: seed % 3 !== 0 },
    b: { interleaving: true },
  });
  const handles: [Map<number, DataChannel>, Map<number, DataChannel>] = [new Map(), new Map()];
  const arrived: [Map<number, number[]>, Map<number, number[]>] = [new Map(), new Map()];
  const sent: Sent[] = [];
  const closes: [(string | undefined)[], (string | undefined)[]] = [[], []];
  let bytes = 0;
  pair.onChannelEvent = (at, event) => {
    const channel = Number(event.channel.label);
    if (event.type === 'channelopen' || event.type === 'datachannel') handles[at].set(channel, event.channel);
    else if (event.type === 'message') {
      const list = arrived[at].get(channel) ?? [];
      list.push(readMark(event.data));
      arrived[at].set(channel, list);
    } else if (event.type === 'messageoutcome') {
      const message = sent[Number(event.id)];
      if (message === undefined || message.outcome !== undefined) throw new Error(`${event.id} ended twice`);
      message.outcome = event.outcome;
    } else if (event.type === 'channelclose') closes[at].push(event.failure?.code);
    else if (event.type === 'channelerror') throw new Error(event.failure.message);
  };
  pair.channels[0].setRole('client');
  pair.channels[1].setRole('server');
  for (let i = 0; i < CHANNELS; i++) {
    const opener = random.unit() < 0.5 ? 0 : 1;
    pair.channels[opener].createChannel(String(i), KINDS[i % KINDS.length]);
  }
  pair.a.connect(pair.now);
  pair.b.connect(pair.now);
  pair.run(() => handles[0].size === CHANNELS && handles[1].size === CHANNELS, 60_000);
  while (sent.length < MESSAGES) {
    const from = random.unit() < 0.5 ? 0 : 1;
    const channel = Math.floor(random.unit() * CHANNELS);
    const handle = handles[from].get(channel);
    if (handle === undefined) throw new Error(`channel ${channel} did not open`);
    if (random.unit() < 0.1) handle.pauseReading();
    if (random.unit() < 0.2) handle.resumeReading();
    const message = marked(sent.length, 4 + Math.floor(random.unit() ** 4 * 30_000));
    sent.push({ from, channel, outcome: undefined });
    bytes += message.length;
    if (!handle.send(message, { id: sent.length - 1 })) throw new Error('refused');
    if (random.unit() < 0.4) pair.runFor(random.unit() * 60);
  }
  for (const side of handles) for (const handle of side.values()) handle.resumeReading();
  pair.run(() => sent.every(({ outcome }) => outcome !== undefined) && isQuiet(pair), 300_000);
  pair.runFor(3000);
  check(pair, sent, arrived);
  const start = pair.now;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const by = Math.floor(random.unit() * 3);
    for (const at of [0, 1] as const) if (by !== at) handles[at].get(channel)?.close();
  }
  pair.run(() => closes.every((side) => side.length === CHANNELS), 60_000);
  pair.runFor(3000);
  const closedAtGate = closes.flat().filter((code) => code !== undefined).length;
  checkClosed(pair, handles, closes, pair.now - start);
  return {
    messages: sent.length,
    bytes,
    givenUp: sent.filter(({ outcome }) => outcome !== 'acknowledged').length,
    packets: pair.packets,
    closedAtGate,
    duration: pair.now,
  };
}

/** Each end of each channel has closed once; a reset that no answer came to is the only excuse for a number not free. */
function checkClosed(
  pair: ChannelPair,
  handles: readonly Map<number, DataChannel>[],
  closes: readonly (readonly (string | undefined)[])[],
  elapsed: number,
): void {
  for (const at of [0, 1] as const) {
    const codes = closes[at] ?? [];
    const { channels, quarantinedStreams, refusedStreams, timers } = pair.channels[at].inspect();
    const isClosed = [...(handles[at]?.values() ?? [])].every(({ readyState }) => readyState === 'closed');
    if (!isClosed || codes.length !== CHANNELS || channels.length > 0) {
      throw new Error(`end ${at}: ${codes.length} channels closed in ${elapsed} ms`);
    }
    const unexcused = codes.filter((code) => code !== undefined && code !== 'reset-timeout');
    if (unexcused.length > 0) throw new Error(`end ${at}: closed by ${unexcused.join()}`);
    const isIdle = refusedStreams === 0 && Object.keys(timers).length === 0;
    const excused = codes.filter((code) => code !== undefined).length;
    if (!isIdle || quarantinedStreams > excused) throw new Error(`end ${at} still waits for a stream`);
  }
}

function isQuiet(pair: Pair): boolean {
  return [pair.a, pair.b].every((end) => inspect(end).send.outstandingChunks === 0);
}

function check(pair: ChannelPair, sent: readonly Sent[], arrived: readonly Map<number, number[]>[]): void {
  for (const at of [0, 1] as const) {
    const { send, receive } = inspect(pair.end(at));
    const left = send.bufferedBytes + send.unackedBytes + send.outstandingChunks + (receive?.usedBytes ?? 0);
    if (left !== 0) throw new Error(`end ${at} holds ${left} bytes`);
    for (let channel = 0; channel < CHANNELS; channel++) {
      const { ordered = true, maxRetransmits, maxPacketLifeTime } = KINDS[channel % KINDS.length] ?? {};
      const marks = arrived[at]?.get(channel) ?? [];
      const sorted = [...marks].sort((x, y) => x - y);
      const expected = sent.flatMap((message, mark) =>
        message.from !== at && message.channel === channel ? [mark] : [],
      );
      if (new Set(marks).size !== marks.length) throw new Error(`channel ${channel}: a message came twice`);
      if (ordered && marks.join() !== sorted.join()) throw new Error(`channel ${channel}: out of order`);
      if (sorted.some((mark) => !expected.includes(mark))) throw new Error(`channel ${channel}: a stranger`);
      const isReliable = maxRetransmits === undefined && maxPacketLifeTime === undefined;
      if (isReliable && sorted.join() !== expected.join())
        throw new Error(`channel ${channel}: a message is missing`);
      for (const mark of expected) {
        const outcome = sent[mark]?.outcome;
        if (outcome === undefined || (isReliable && outcome !== 'acknowledged')) {
          throw new Error(`message ${mark} of channel ${channel}: ${outcome ?? 'no outcome'}`);
        }
        if (outcome === 'acknowledged' && !marks.includes(mark)) {
          throw new Error(`message ${mark} of channel ${channel} was acknowledged and never came`);
        }
      }
    }
  }
}

function marked(mark: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(mark);
  bytes.set([mark >>> 24, mark >>> 16, mark >>> 8, mark]);
  return bytes;
}

/** The message's number, once it is known to be whole. */
function readMark(data: string | Uint8Array): number {
  if (typeof data === 'string') throw new Error('text?');
  const mark = ((data[0] ?? 0) << 24) | ((data[1] ?? 0) << 16) | ((data[2] ?? 0) << 8) | (data[3] ?? 0);
  if (data.subarray(4).some((byte) => byte !== (mark & 255))) throw new Error(`message ${mark} is torn`);
  return mark;
}
