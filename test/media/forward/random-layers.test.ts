/**
 * LayerSelector under whatever order of arrival: keyframes whose first packet comes last, targets that change while packets are
 * held, pauses, layers that get another SSRC. What is sent is held against what a receiver may see.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LayerSelector } from '../../../src/media/forward/layer-selector.ts';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import { isVp8Keyframe } from '../../../src/rtp/index.ts';
import { howMany } from '../../how-many.ts';
import { sentPayload, vp8 } from './picture.ts';
import { rtpEvent, stream } from './source.ts';

const RIDS = ['q', 'h', 'f'];
const PACKETS = 3;
/** From one frame to the next, ms, and in units of the clock of 90 kHz. */
const FRAME = 33;
const TICKS = 2970;
/** More than any packet is late, ms. */
const LATEST = 150;

const oneIn = (n: number): fc.Arbitrary<boolean> => fc.integer({ min: 1, max: n }).map((at) => at === n);

/** How late a packet is, ms; `undefined`: lost for good. */
const fate = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: LATEST }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const frame = fc.record({
  fates: fc.array(fate, { minLength: PACKETS, maxLength: PACKETS }),
  isKeyframe: oneIn(6),
  isOfNewSource: oneIn(60),
});
const step = fc.record({
  frames: fc.array(frame, { minLength: RIDS.length, maxLength: RIDS.length }),
  target: fc.oneof(
    { weight: 20, arbitrary: fc.constant('as before') },
    { weight: 2, arbitrary: fc.constantFrom(...RIDS) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Which source a packet was sent from, and in which turn of it. */
interface Sent {
  readonly packet: OutgoingPacket;
  readonly event: RtpEvent;
  readonly turn: number;
}

/** Every layer's packets with the time when they come, in that order. */
function arrivalsOf(steps: readonly Step[], origin: number): RtpEvent[] {
  const arrivals: RtpEvent[] = [];
  for (const [layer, rid] of RIDS.entries()) {
    let of = stream({ rid });
    let sequence = origin + 10_000 * layer;
    for (const [number, { frames }] of steps.entries()) {
      const { fates = [], isKeyframe = false, isOfNewSource = false } = frames[layer] ?? {};
      if (isOfNewSource) {
        of = stream({ rid });
        sequence += 777;
      }
      const begins = number === 0 || isOfNewSource || isKeyframe;
      for (const [part, late] of fates.entries()) {
        sequence++;
        if (late === undefined) continue;
        const payload = vp8({
          id: (origin + number) & 0x7fff,
          isStart: part === 0,
          isKeyframe: begins && part === 0,
        });
        const receivedAt = number * FRAME + layer + part / 10 + late;
        const time = 5_000_000 * layer + number * TICKS;
        arrivals.push(
          rtpEvent({ stream: of, sequence, time, receivedAt, payload, marker: part === PACKETS - 1 }),
        );
      }
    }
  }
  return arrivals.sort((a, b) => a.receivedAt - b.receivedAt);
}

function play(steps: readonly Step[], origin: number): { readonly sent: Sent[]; readonly come: Set<string> } {
  const selector = new LayerSelector({ layers: RIDS });
  const events = new Map<Uint8Array, RtpEvent>();
  const come = new Set<string>();
  const turns: { readonly stream: RtpStream | undefined; readonly first: number }[] = [];
  const sent: Sent[] = [];
  let selected = selector.selected;
  let number = -1;
  for (const event of arrivalsOf(steps, origin)) {
    for (; number < steps.length - 1 && event.receivedAt >= (number + 1) * FRAME; number++) {
      const target = number < 0 ? RIDS[0] : steps[number]?.target;
      if (target !== 'as before') selector.setTarget(target, event.receivedAt);
    }
    events.set(event.packet.payload, event);
    come.add(`${event.stream.ssrc} ${event.sequence}`);
    if (selector.selected !== selected) selected = selector.selected;
    let packet = selector.forward(event);
    if (selector.selected !== selected) turns.push({ stream: event.stream, first: event.sequence });
    selected = selector.selected;
    for (; packet !== undefined; packet = selector.next()) {
      const source = events.get(packet.payload) ?? event;
      const turn = turns.findLastIndex((one) => one.stream === source.stream && one.first <= source.sequence);
      sent.push({ packet, event: source, turn });
    }
  }
  sent.sort((a, b) => (a.packet.sequence ?? NaN) - (b.packet.sequence ?? NaN));
  return { sent, come };
}

test('each turn begins with its keyframe, and has all of it and what follows that ever comes', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 100, size: 'max' }),
      fc.oneof(fc.constant(65_400), fc.constant(32_700), fc.nat(2 ** 20)),
      (steps, origin) => {
        const { sent, come } = play(steps, origin);
        for (const [index, { packet, event, turn }] of sent.entries()) {
          const before = sent[index - 1];
          const gap = before === undefined ? 0 : (packet.sequence ?? 0) - (before.packet.sequence ?? 0) - 1;
          if (turn !== before?.turn) {
            expect(isVp8Keyframe(sentPayload(packet))).toBe(true);
            expect(turn).toBe((before?.turn ?? -1) + 1);
            expect(gap).toBe(0);
            if (before !== undefined) expect(packet.timestamp).toBeGreaterThan(before.packet.timestamp);
            continue;
          }
          expect(event.stream).toBe(before.event.stream);
          expect(packet.timestamp - before.packet.timestamp).toBe(event.time - before.event.time);
          let lost = 0;
          for (let at = before.event.sequence + 1; at < event.sequence; at++)
            if (!come.has(`${event.stream.ssrc} ${at}`)) lost++;
          expect(event.sequence - before.event.sequence - 1).toBe(lost);
          expect(gap).toBe(lost);
        }
      },
    ),
    { numRuns: howMany(60, 3000) },
  );
});
