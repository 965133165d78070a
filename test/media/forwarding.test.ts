/** Media forwarded over two lossy connections: what NACK has time for arrives, and switches of the source leave no trace in the numbers. */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { jsCrypto } from '../../src/index.ts';
import { IS_LONG, howMany } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import type { End } from '../rtc/pair.ts';
import type { ArrivedVideo } from './middle.ts';
import { Middle } from './middle.ts';

const CONDITIONS = { latency: 15, jitter: 5, loss: 0.05, reorder: 0.02, reorderDelay: 15, duplicate: 0.02 };

/** Between two switches, ms. */
const STAY = 6000;
const SWITCHES = howMany(5, 100);

/** What arrived in the order of its numbers, each once. */
function inOrder(video: readonly ArrivedVideo[]): ArrivedVideo[] {
  return [...video].sort((a, b) => a.sequence - b.sequence);
}

describe('a middle that forwards', () => {
  test(
    `${SWITCHES} switches over 5 % loss, reordering and duplication: no gap, no time that goes back, a keyframe after each`,
    { timeout: 600_000 },
    () => {
      const seed = freshSeed('forwarding');
      const middle = new Middle({ seed, conditions: CONDITIONS, crypto: nodeCrypto() });
      middle.run(1500, false);
      for (let count = 0; count < SWITCHES; count++) {
        middle.run(STAY);
        middle.switchSource();
      }
      middle.run(STAY);
      middle.run(2000, false);

      const { counters } = middle.switched;
      expect(counters.sourceSwitches).toBe(SWITCHES);
      const video = inOrder(middle.video);
      // What was being asked for when its source was left comes in its place, and nobody asks for anything in vain.
      expect(video.map(({ sequence }, index) => sequence - index)).toEqual(
        video.map(() => video[0]?.sequence),
      );
      expect(video.length).toBeGreaterThan(0.95 * 3 * middle.written.frames);
      expect(video.filter(({ isRecovered }) => isRecovered).length).toBeGreaterThan(video.length / 50);

      let switches = 0;
      for (const [index, packet] of video.entries()) {
        const before = video[index - 1];
        if (before === undefined) continue;
        expect(packet.time, `time of ${index}`).toBeGreaterThanOrEqual(before.time);
        if (packet.source === before.source) {
          const follows =
            packet.frame === before.frame
              ? packet.part === before.part + 1
              : packet.frame === before.frame + 1;
          expect(follows, `${index} follows the one before it`).toBe(true);
        } else {
          switches++;
          expect(packet, `the first after a switch`).toMatchObject({ isKeyframe: true, part: 0 });
        }
      }
      expect(switches).toBe(SWITCHES);
      const unrecovered = ({ rtc }: End): number | undefined =>
        rtc.inspect().streams?.counters['unrecoveredPackets'];
      expect(unrecovered(middle.up.answerer)).toBe(0);
      expect(unrecovered(middle.down.answerer)).toBe(0);
      if (IS_LONG) expect(counters.packetsForwardedLate).toBeGreaterThan(0);
      expect(counters.placesGivenUp).toBe(0);
    },
  );

  test('audio, which nobody asks for again, keeps its numbers: what is missing was lost', () => {
    const middle = new Middle({ seed: freshSeed('audio'), conditions: CONDITIONS, crypto: nodeCrypto() });
    middle.run(1500, false);
    middle.run(10_000);
    middle.run(500, false);
    const offsets = new Set(middle.audio.map(({ sequence, number }) => sequence - number));
    expect(offsets.size).toBe(1);
    expect(middle.audio.length).toBeGreaterThan(0.8 * middle.written.audio);
    expect(new Set(middle.audio.map(({ number }) => number)).size).toBe(middle.audio.length);
  });

  test('the same seed gives the same bytes', () => {
    const digests = [1, 1, 2].map((seed) => {
      const middle = new Middle({ seed, conditions: CONDITIONS, crypto: jsCrypto(), isHashed: true });
      middle.run(1500, false);
      middle.run(1500);
      middle.switchSource();
      middle.run(1500);
      expect(middle.video.length).toBeGreaterThan(0);
      return middle.digest();
    });
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(digests[2]);
  });
});
