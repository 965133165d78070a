/**
 * A hundred switches between the layers of a simulcast, over a link that loses, repeats and reorders: what a receiver gets is one
 * stream. `SEED=…` brings a run back.
 */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/core/random.ts';
import { LayerSelector } from '../../../src/media/forward/layer-selector.ts';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import { isVp8Keyframe, readVp8Descriptor } from '../../../src/rtp/index.ts';
import { howMany } from '../../how-many.ts';
import { freshSeed } from '../../seed.ts';
import { sentPayload, sentVp8 } from './picture.ts';
import type { Arrival, Link } from './simulcast.ts';
import { below, Publisher } from './simulcast.ts';

const SWITCHES = 100;
const RIDS = ['q', 'h', 'f'];

/** A packet that was sent on, and the one of the source that it was. */
interface Forwarded {
  readonly packet: OutgoingPacket;
  readonly sequence: number;
  readonly source: RtpEvent;
  /** How many switches there were before its own source was selected. */
  readonly turn: number;
}

interface Run {
  /** In the order of their numbers. */
  readonly forwarded: readonly Forwarded[];
  readonly selector: LayerSelector;
  /** Whether a packet of the source has come, early or late. */
  readonly hasCome: (stream: RtpStream, sequence: number) => boolean;
}

function run(seed: number, link: Link, switches = SWITCHES): Run {
  const random = new SeededRandom(seed);
  const publisher = new Publisher(random.split('publisher'), link);
  const selector = new LayerSelector({ layers: RIDS });
  const choices = random.split('choices');
  const forwarded: Forwarded[] = [];
  const sources = new Map<Uint8Array, RtpEvent>();
  const come = new Map<RtpStream, Set<number>>();
  /** Of each turn, the source and its first number. */
  const turns: { readonly stream: RtpStream; readonly first: number }[] = [];
  let arrivals: Arrival[] = [];
  let selected = selector.selected;
  let nextChoice = 0;
  for (let frame = 0; turns.length < switches && frame < 100_000; frame++) {
    const now = frame * 33;
    arrivals = [...arrivals, ...publisher.frame()].sort((a, b) => a.at - b.at);
    const due = arrivals.filter(({ at }) => at < now + 33);
    arrivals = arrivals.slice(due.length);
    for (const { event } of due) {
      const { stream, sequence, time, receivedAt } = event;
      sources.set(event.packet.payload, event);
      // Sender reports come for some layers, at some times.
      if (below(choices, 200) === 0) {
        selector.handleSenderReport({ stream, ntpTime: 1e12 + receivedAt - 20, time });
      }
      let packet = selector.forward(event);
      if (selector.selected !== selected) turns.push({ stream, first: sequence });
      selected = selector.selected;
      const sequences = come.get(stream) ?? new Set<number>();
      come.set(stream, sequences.add(sequence));
      for (; packet !== undefined; packet = selector.next()) {
        const source = packet.payload.length === 0 ? event : (sources.get(packet.payload) ?? event);
        const turn = turns.findLastIndex(
          (one) => one.stream === source.stream && one.first <= source.sequence,
        );
        forwarded.push({ packet, sequence: packet.sequence ?? NaN, source, turn });
      }
      const wish = selector.keyframeWish();
      if (wish !== undefined) publisher.wantKeyframe(wish.rid);
    }
    if (now >= nextChoice) {
      selector.setTarget(RIDS[below(choices, 3)], now);
      nextChoice = now + 100 + below(choices, 900);
    }
  }
  const hasCome = (stream: RtpStream, sequence: number): boolean => come.get(stream)?.has(sequence) ?? false;
  return { forwarded: forwarded.sort((a, b) => a.sequence - b.sequence), selector, hasCome };
}

/** How many numbers of the source between these two have not come. */
function lost({ hasCome }: Run, { source }: Forwarded, end: number): number {
  let count = 0;
  for (let at = source.sequence + 1; at < end; at++) if (!hasCome(source.stream, at)) count++;
  return count;
}

/** All that must hold, as a receiver sees it. */
function judge(result: Run): void {
  const { forwarded, selector } = result;
  same(new Set(forwarded.map(({ sequence }) => sequence)).size, forwarded.length);
  let before: Forwarded | undefined;
  /** The last one that was no filled place. */
  let pictured: Forwarded | undefined;
  for (const one of forwarded) {
    const isFilled = one.packet.payload.length === 0;
    if (before === undefined || before.turn !== one.turn) {
      // A layer begins with its keyframe, one number and one picture further, and later.
      same(isVp8Keyframe(sentPayload(one.packet)), true);
      if (before !== undefined && pictured !== undefined) {
        same(one.sequence, before.sequence + 1);
        same(one.packet.timestamp > before.packet.timestamp, true);
        const [last, next] = [sentVp8(pictured.packet), sentVp8(one.packet)];
        same(distance(last.pictureId, next.pictureId, 15), 1);
        same(distance(last.tl0PictureIndex, next.tl0PictureIndex, 8), 1);
        same(distance(last.keyIndex, next.keyIndex, 5), 1);
      }
    } else {
      // A gap is what did not come, and nothing else is missing.
      same(one.sequence - before.sequence - 1, lost(result, before, one.source.sequence));
      same(one.source.stream, before.source.stream);
      same(one.packet.timestamp - before.packet.timestamp, one.source.time - before.source.time);
      if (!isFilled && pictured !== undefined) {
        const [last, next] = [sentVp8(pictured.packet), sentVp8(one.packet)];
        const [was, is] = [pictured, one].map(({ source }) => readVp8Descriptor(source.packet.payload));
        same(distance(last.pictureId, next.pictureId, 15), distance(was?.pictureId, is?.pictureId, 15));
        same(
          distance(last.tl0PictureIndex, next.tl0PictureIndex, 8),
          distance(was?.tl0PictureIndex, is?.tl0PictureIndex, 8),
        );
        same(next.keyIndex, ((last.keyIndex ?? NaN) + distance(was?.keyIndex, is?.keyIndex, 5)) & 0x1f);
      }
    }
    before = one;
    if (!isFilled) pictured = one;
  }
  expect(selector.counters.sourceSwitches).toBe(SWITCHES - 1);
  expect(selector.counters).toMatchObject({ sourceRestarts: 0, packetsMalformed: 0, keyframeTimeouts: 0 });
}

/** As `expect(…).toBe(…)`, which costs too much for each of a million facts. */
function same<T>(actual: T, expected: T): void {
  if (actual !== expected) expect(actual).toBe(expected);
}

/** On the circle of so many bits. */
function distance(from: number | undefined, to: number | undefined, bits: number): number {
  return ((to ?? NaN) - (from ?? NaN) + 2 ** bits) % 2 ** bits;
}

const LINKS: Readonly<Record<string, Link>> = {
  'a clean link': { loss: 0, duplication: 0, reordering: 0, repair: 1 },
  'loss, reordering and duplication': { loss: 0.05, duplication: 0.05, reordering: 0.1, repair: 0.8 },
  'a third reordered, a fifth lost': { loss: 0.2, duplication: 0.2, reordering: 0.33, repair: 0.5 },
};

describe.each(Object.entries(LINKS))('100 switches: %s', (name, link) => {
  test(
    'no gap but what the link lost, nothing twice, timestamps monotone, picture ids in one row, each layer from its keyframe',
    { timeout: 300_000 },
    () => {
      const seed = freshSeed(`100 switches, ${name}`);
      for (let n = 0; n < howMany(1, 60); n++) judge(run(seed + n, link));
    },
  );
});

test('the same seed gives the same packets', { timeout: 60_000 }, () => {
  const link = LINKS['loss, reordering and duplication'];
  if (link === undefined) throw new Error('no link');
  const print = (): string =>
    JSON.stringify(
      run(7, link, 20).forwarded.map(({ packet }) => [
        packet.sequence,
        packet.timestamp,
        packet.marker,
        [...sentPayload(packet)],
      ]),
    );
  expect(print()).toBe(print());
});
