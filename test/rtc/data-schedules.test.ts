/**
 * Data closed and opened in any order, by either end, while channels are made, messages are sent and the path comes and goes: the simulator
 * asks every invariant after each step, and afterwards data is there when both ends want it.
 */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/index.ts';
import { audioPlan } from '../negotiation/media-plans.ts';
import { howMany } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import type { End, Pair } from './pair.ts';
import { closedReason } from './pair.ts';
import { connectedWithoutData, heard, openData } from './plain-ends.ts';

const SCHEDULES = howMany(15, 150);
const STEPS = 40;

const seed = freshSeed('data closed and opened, schedules');

/** What may be done to an end at any time. What makes no sense then is refused. */
const CALLS: readonly ((end: End, pair: Pair) => void)[] = [
  ({ rtc }) => {
    rtc.openData();
  },
  ({ rtc }) => {
    rtc.openData({ maxMessageSize: 20_000 });
  },
  ({ rtc }) => {
    rtc.closeData();
  },
  ({ rtc }) => void rtc.createChannel('some'),
  ({ rtc }) => void rtc.createChannel('some', { ordered: false, maxRetransmits: 1 }),
  ({ channels }) => void channels.get('some')?.send(new Uint8Array(3000), { id: 1 }),
  ({ channels }) => channels.get('some')?.pauseReading(),
  ({ channels }) => channels.get('some')?.resumeReading(),
  ({ channels }) => channels.get('some')?.close(),
  ({ rtc }) => {
    rtc.setRemoteMaxMessageSize(5000);
  },
  ({ host }, { net }) => {
    net.partition([host]);
    net.advance(300);
    net.heal();
  },
  (_end, { net }) => void net.advance(50),
  (_end, { net }) => void net.advance(2000),
];

function play(pair: Pair, random: SeededRandom): void {
  for (let step = 0; step < STEPS; step++) {
    const end = random.unit() < 0.5 ? pair.offerer : pair.answerer;
    const call = CALLS[Math.floor(random.unit() * CALLS.length)];
    try {
      call?.(end, pair);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_INVALID_STATE' });
    }
    if (random.unit() < 0.7) pair.net.advance(Math.floor(random.unit() * 40));
  }
}

/** Each channel that has ever been open has ended once; what has not ended lives. */
function requireWholeStories(end: End): void {
  const closed = heard(end, 'channelclose').map(({ channel }) => channel);
  expect(new Set(closed).size).toBe(closed.length);
  for (const channel of closed) expect(channel.readyState).toBe('closed');
}

function conditionsOf(random: SeededRandom): { latency: number; jitter: number; loss: number } {
  return { latency: 5 + random.unit() * 30, jitter: random.unit() * 20, loss: random.unit() * 0.05 };
}

describe('with media the connection lives through it', () => {
  test.each(Array.from({ length: SCHEDULES }, (_, i) => i))('schedule %i', (index) => {
    const random = new SeededRandom(seed + index);
    const pair = connectedWithoutData({ seed: index, conditions: conditionsOf(random) });
    const both = [pair.offerer, pair.answerer];
    for (const { rtc } of both) rtc.setMedia([audioPlan('a', 'sendrecv')]);
    play(pair, random);
    pair.net.advance(5000);
    for (const end of both) {
      expect(closedReason(end), `seed ${seed}`).toBeUndefined();
      end.rtc.closeData();
      requireWholeStories(end);
    }
    pair.net.advance(1000);
    const last = openData(pair, 'last');
    last.send('at last');
    pair.net.advance(2000);
    expect(pair.answerer.messages.get('last'), `seed ${seed}`).toEqual(['at last']);
  });
});

describe('without media it lives, or ends for a reason, and is empty', () => {
  test.each(Array.from({ length: SCHEDULES }, (_, i) => i))('schedule %i', (index) => {
    const random = new SeededRandom(seed + 1000 + index);
    const pair = connectedWithoutData({ seed: index, conditions: conditionsOf(random) });
    play(pair, random);
    pair.net.advance(200_000);
    for (const end of [pair.offerer, pair.answerer]) {
      requireWholeStories(end);
      if (closedReason(end) === undefined) end.rtc.close();
    }
    pair.net.advance(2000);
    for (const end of [pair.offerer, pair.answerer]) {
      expect(closedReason(end), `seed ${seed}`).toBeDefined();
      expect(end.rtc.isEmpty).toBe(true);
    }
  });
});
