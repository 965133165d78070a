/**
 * SourceSwitch under whatever order of arrival: losses that are mended later, repetitions, switches to and fro, pauses. Of several
 * sources of audio or video, held against what a receiver may see.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import { SourceSwitch } from '../../../src/media/forward/source-switch.ts';
import { howMany } from '../../how-many.ts';
import { sentVp8, vp8 } from './picture.ts';
import { rtpEvent, stream } from './source.ts';

const SOURCES = 3;
/** From one frame to the next, ms, and in units of the clock of 90 kHz. */
const FRAME = 20;
const TICKS = 1800;
/** More than any packet is late, ms. */
const LATEST = 400;

/** What becomes of a source's next packet: how late it is, ms; `undefined`: lost for good. */
const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: LATEST }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);

/** One frame of each source, of one packet each, and what is selected then: a source, nothing, or as before. */
const step = fc.record({
  fates: fc.array(fate, { minLength: SOURCES, maxLength: SOURCES }),
  isPadding: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  select: fc.oneof(
    { weight: 12, arbitrary: fc.constant('stay' as const) },
    { weight: 3, arbitrary: fc.nat(SOURCES - 1) },
    { weight: 1, arbitrary: fc.constant('pause' as const) },
  ),
});

interface Sent {
  readonly packet: OutgoingPacket;
  readonly event: RtpEvent;
}

/** Plays the steps, and what still comes after them. */
function play(
  kind: RtpStream['kind'],
  steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
  origin: number,
): { readonly sent: Sent[]; readonly come: Set<string>; readonly switching: SourceSwitch } {
  const switching = new SourceSwitch();
  const streams = Array.from({ length: SOURCES }, () => stream({ kind }));
  const selected: (number | 'pause')[] = [];
  const arrivals: { readonly at: number; readonly event: RtpEvent }[] = [];
  let current: number | 'pause' = 0;
  for (const [frame, { fates, isPadding, select }] of steps.entries()) {
    if (select !== 'stay') current = select;
    selected.push(current);
    for (const [source, of] of streams.entries()) {
      const late = fates[source];
      if (late === undefined) continue;
      const at = frame * FRAME + late + source;
      const payload = isPadding
        ? []
        : kind === 'audio'
          ? [frame & 0xff]
          : vp8({ id: (origin + frame) & 0x7fff, tl0: frame & 0xff, tid: 0, key: 1 });
      arrivals.push({
        at,
        event: rtpEvent({
          stream: of,
          sequence: origin + 1000 * source + frame,
          time: 5_000_000 * source + frame * TICKS,
          receivedAt: at,
          payload,
          isRecovered: late > 100,
        }),
      });
    }
  }
  arrivals.sort((a, b) => a.at - b.at);
  const sent: Sent[] = [];
  const come = new Set<string>();
  for (const { at, event } of arrivals) {
    const turn = selected[Math.min(Math.floor(at / FRAME), selected.length - 1)];
    switching.select(turn === 'pause' || turn === undefined ? undefined : streams[turn]);
    const packet = switching.forward(event);
    come.add(`${event.stream.ssrc} ${event.sequence}`);
    if (packet !== undefined) sent.push({ packet, event });
  }
  sent.sort((a, b) => (a.packet.sequence ?? 0) - (b.packet.sequence ?? 0));
  return { sent, come, switching };
}

describe.each(['audio', 'video'] as const)('random switches of %s', (kind) => {
  test('numbers once each and in the order of each source, no gap but what never came, time that does not run back', () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }),
        fc.oneof(fc.constant(65_500), fc.constant(32_700), fc.nat(2 ** 20)),
        (steps, origin) => {
          const { sent, come, switching } = play(kind, steps, origin);
          for (const [index, { packet, event }] of sent.entries()) {
            const before = sent[index - 1];
            if (before === undefined) continue;
            const gap = (packet.sequence ?? NaN) - (before.packet.sequence ?? NaN) - 1;
            expect(gap).toBeGreaterThanOrEqual(0);
            expect(packet.timestamp).toBeGreaterThanOrEqual(before.packet.timestamp);
            let missing = 0;
            if (before.event.stream === event.stream) {
              expect(event.sequence).toBeGreaterThan(before.event.sequence);
              for (let at = before.event.sequence + 1; at < event.sequence; at++)
                if (!come.has(`${event.stream.ssrc} ${at}`)) missing++;
            }
            // In a turn what is missing never came; what went by between two turns of one source has no place.
            expect(gap).toBeLessThanOrEqual(missing);
            if (kind === 'audio' || packet.payload.length === 0) continue;
            const last = sent.slice(0, index).findLast((one) => one.packet.payload.length > 0);
            if (last === undefined) continue;
            const ids = [last.packet, packet].map((one) => sentVp8(one).pictureId ?? NaN);
            const distance = ((ids[1] ?? NaN) - (ids[0] ?? NaN) + 2 ** 15) % 2 ** 15;
            expect(distance).toBeGreaterThan(0);
            expect(distance).toBeLessThan(2 ** 14);
          }
          expect(switching.counters.packetsForwarded + switching.counters.placesFilled).toBe(sent.length);
        },
      ),
      { numRuns: howMany(100, 5000) },
    );
  });
});
