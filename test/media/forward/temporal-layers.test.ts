/** Temporal layers of VP8: dropped above a limit, joined where they can be, the rows closed. */
import { describe, expect, test } from 'vitest';
import type { OutgoingPacket, RtpStream } from '../../../src/media/index.ts';
import { SourceSwitch } from '../../../src/media/forward/source-switch.ts';
import { sentVp8, vp8 } from './picture.ts';
import { rtpEvent, stream } from './source.ts';

/** Of three layers: TID by picture. */
const PATTERN = [0, 2, 1, 2];

/** Two packets a picture; Y as `syncs` says. */
function picture(
  of: RtpStream,
  n: number,
  isSync: boolean,
  isKeyframe = false,
): ReturnType<typeof rtpEvent>[] {
  const tid = PATTERN[n % 4]!;
  return [0, 1].map((part) =>
    rtpEvent({
      stream: of,
      sequence: 100 + 2 * n + part,
      time: n * 3000,
      receivedAt: n * 33,
      marker: part === 1,
      payload: vp8({
        id: 400 + n,
        tl0: (n >> 2) & 0xff,
        tid,
        sync: isSync,
        isStart: part === 0,
        isKeyframe: isKeyframe && part === 0,
      }),
    }),
  );
}

describe('temporal layers of VP8', () => {
  test('dropped above the limit: sequence numbers and picture ids close up, TL0PICIDX and timestamps stay', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    switching.limitTemporalLayer(1);
    const sent: OutgoingPacket[] = [];
    for (let n = 0; n < 16; n++) {
      for (const event of picture(a, n, false, n === 0)) {
        const packet = switching.forward(event);
        if (packet !== undefined) sent.push(packet);
      }
    }
    expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, at) => 100 + at));
    expect(sent.map((packet) => sentVp8(packet).pictureId)).toEqual(sent.map((_, at) => 400 + (at >> 1)));
    expect(sent.map((packet) => sentVp8(packet).temporalLayer)).toEqual(sent.map((_, at) => (at >> 1) % 2));
    expect(sent.map(({ timestamp }) => timestamp)).toEqual(sent.map((_, at) => (at >> 1) * 6000));
    expect(switching.counters.packetsOfHigherLayers).toBe(16);
  });

  test('down at the next picture, never inside of one; up a step at a time, where Y lets it', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    const sent = (n: number, isSync = false): number =>
      picture(a, n, isSync).filter((event) => switching.forward(event) !== undefined).length;
    expect([sent(0), sent(1), sent(2)]).toEqual([2, 2, 2]);
    const halves = picture(a, 3, false).map((event, part) => {
      if (part === 1) switching.limitTemporalLayer(0);
      return switching.forward(event);
    });
    expect(halves.map((packet) => packet !== undefined)).toEqual([true, true]);
    expect([sent(4), sent(5), sent(6, true), sent(7, true)]).toEqual([2, 0, 0, 0]);
    switching.limitTemporalLayer(undefined);
    // Layer 2 cannot be joined before layer 1, whatever its Y says.
    expect([
      sent(8),
      sent(9, true),
      sent(10),
      sent(11),
      sent(12),
      sent(13, true),
      sent(14, true),
      sent(15),
    ]).toEqual([2, 0, 0, 0, 2, 0, 2, 0]);
    expect([sent(16), sent(17, true), sent(18), sent(19)]).toEqual([2, 2, 2, 2]);
  });

  test('a keyframe joins all layers', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    switching.limitTemporalLayer(0);
    const sent = (n: number, isKeyframe = false): number =>
      picture(a, n, false, isKeyframe).filter((event) => switching.forward(event) !== undefined).length;
    expect([sent(0, true), sent(1), sent(2)]).toEqual([2, 0, 0]);
    switching.limitTemporalLayer(2);
    expect([sent(3), sent(4, true), sent(5), sent(6)]).toEqual([0, 2, 2, 2]);
  });

  test('a picture of which nothing was seen in time is sent late as a whole; of one that was left out the place is filled', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    switching.limitTemporalLayer(0);
    const pictures = [0, 1, 2, 3, 4].map((n) => picture(a, n, false, n === 0));
    const forward = (n: number, part: number): OutgoingPacket | undefined =>
      switching.forward(pictures[n]![part]!);
    expect([forward(0, 0), forward(0, 1)].map((packet) => packet?.sequence)).toEqual([100, 101]);
    // Of picture 1 the second packet alone: left out. Then 4, before 2 and 3.
    expect(forward(1, 1)).toBeUndefined();
    expect(forward(4, 0)?.sequence).toBe(107);
    const late = forward(1, 0);
    expect([late?.sequence, late?.payload.length]).toEqual([102, 0]);
    expect([forward(2, 0), forward(2, 1)].map((packet) => packet && sentVp8(packet).temporalLayer)).toEqual([
      1, 1,
    ]);
    expect([forward(3, 1), forward(3, 0)].map((packet) => packet?.sequence)).toEqual([106, 105]);
    expect(forward(4, 1)?.sequence).toBe(108);
  });

  test('layers that are not told are all sent on, and a limit that cannot be is refused', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    switching.limitTemporalLayer(0);
    expect(switching.forward(rtpEvent({ stream: a, sequence: 1, payload: vp8({ id: 5 }) }))).toBeDefined();
    for (const limit of [-1, 4, 0.5, NaN]) {
      expect(() => switching.limitTemporalLayer(limit)).toThrow(
        expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }),
      );
    }
  });
});
