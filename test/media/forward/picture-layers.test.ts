/** Temporal layers of VP8 and VP9, spatial ones of VP9: dropped above a limit, joined where they can be, the rows closed. */
import { describe, expect, test } from 'vitest';
import type { OutgoingPacket, RtpStream } from '../../../src/media/index.ts';
import { SourceSwitch } from '../../../src/media/forward/source-switch.ts';
import type { Vp9Init } from './picture.ts';
import { sentVp8, sentVp9, vp8, vp9 } from './picture.ts';
import { rtpEvent, stream, VP8 } from './source.ts';

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

  test('nothing is joined at a picture that comes late: what followed it has been left out', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    switching.limitTemporalLayer(0);
    const sent = (n: number, isSync = false): number =>
      picture(a, n, isSync).filter((event) => switching.forward(event) !== undefined).length;
    expect(sent(0)).toBe(2);
    switching.limitTemporalLayer(1);
    // 6 is of layer 1 and depends on 2, which can be joined at, and comes behind it.
    expect([sent(4), sent(6), sent(8), sent(2, true), sent(10)]).toEqual([2, 0, 2, 2, 0]);
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
    for (const limit of [-1, 8, 0.5, NaN]) {
      const refused: unknown = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' });
      expect(() => switching.limitTemporalLayer(limit)).toThrow(refused);
      expect(() => switching.limitSpatialLayer(limit)).toThrow(refused);
    }
  });
});

const VP9 = { ...VP8, mimeType: 'video/VP9', payloadType: 98 };

/** A publisher of VP9 with three spatial and three temporal layers, two packets a layer frame. */
class Scalable {
  readonly switching = new SourceSwitch();
  readonly #stream = stream();
  #sequence = 99;

  constructor() {
    this.switching.select(this.#stream);
  }

  /** A packet of picture `n`; the last of all has the marker. */
  packet(n: number, init: Vp9Init = {}): OutgoingPacket | undefined {
    this.#sequence++;
    return this.switching.forward(
      rtpEvent({
        stream: this.#stream,
        codec: VP9,
        sequence: this.#sequence,
        time: n * 3000,
        receivedAt: n * 33,
        marker: init.sid === 2 && init.isEnd !== false,
        payload: vp9({ id: 400 + n, tl0: (n >> 2) & 0xff, tid: PATTERN[n % 4]!, ...init }),
      }),
    );
  }

  /** All of one picture. @returns what was sent */
  picture(n: number, init: Vp9Init = {}): OutgoingPacket[] {
    return [0, 1, 2].flatMap((sid) =>
      [true, false].flatMap((isStart) => this.packet(n, { sid, isStart, isEnd: !isStart, ...init }) ?? []),
    );
  }
}

describe('layers of VP9', () => {
  test('spatial ones above the limit are left out of each picture: numbers close up, the marker is on the last packet that is left', () => {
    for (const limit of [0, 1, 2]) {
      const source = new Scalable();
      source.switching.limitSpatialLayer(limit);
      const sent = Array.from({ length: 8 }, (_, n) => source.picture(n, { isKeyframe: n === 0 })).flat();
      const packets = 2 * (limit + 1);
      expect(sent).toHaveLength(8 * packets);
      expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, at) => 100 + at));
      expect(sent.map(({ marker }) => marker)).toEqual(sent.map((_, at) => at % packets === packets - 1));
      expect(sent.map((packet) => sentVp9(packet).pictureId)).toEqual(
        sent.map((_, at) => 400 + Math.floor(at / packets)),
      );
      expect(source.switching.counters.packetsOfHigherLayers).toBe(8 * (6 - packets));
    }
  });

  test('spatial ones: down at the next picture, never inside of one; up at a keyframe', () => {
    const source = new Scalable();
    const sids = (packets: OutgoingPacket[]): number =>
      Math.max(...packets.map((packet) => sentVp9(packet).spatialLayer ?? NaN));
    expect(sids(source.picture(0, { isKeyframe: true }))).toBe(2);
    expect(source.packet(1, { sid: 0 })).toBeDefined();
    source.switching.limitSpatialLayer(0);
    expect(source.packet(1, { sid: 2 })).toMatchObject({ marker: true });
    expect([2, 3].map((n) => sids(source.picture(n)))).toEqual([0, 0]);
    source.switching.limitSpatialLayer(1);
    expect([4, 5].map((n) => sids(source.picture(n)))).toEqual([0, 0]);
    expect(source.switching.inspect()).toMatchObject({ spatialLayer: 0, spatialLimit: 1 });
    expect(sids(source.picture(8, { isKeyframe: true }))).toBe(1);
    source.switching.limitSpatialLayer(undefined);
    expect(sids(source.picture(9))).toBe(1);
    expect(sids(source.picture(12, { isKeyframe: true }))).toBe(2);
  });

  test('temporal ones above the limit: numbers close up, picture ids do not, for references count by them', () => {
    const source = new Scalable();
    source.switching.limitTemporalLayer(1);
    const sent = Array.from({ length: 8 }, (_, n) => source.picture(n, { isKeyframe: n === 0 })).flat();
    expect(sent.map(({ sequence }) => sequence)).toEqual(sent.map((_, at) => 100 + at));
    expect(sent.filter((_, at) => at % 6 === 0).map((packet) => sentVp9(packet).pictureId)).toEqual([
      400, 402, 404, 406,
    ]);
    expect(sent.map((packet) => sentVp9(packet).temporalLayer)).not.toContain(2);
  });

  test('temporal ones are joined behind a picture with U of a layer that is sent, all at once', () => {
    const source = new Scalable();
    source.switching.limitTemporalLayer(0);
    const sent = (n: number, isUp = false): number => source.picture(n, { isUp }).length;
    expect([sent(0), sent(1), sent(2)]).toEqual([6, 0, 0]);
    source.switching.limitTemporalLayer(undefined);
    // U of a picture that is left out itself says nothing of what is before it.
    expect([sent(3), sent(4), sent(5, true), sent(6), sent(8, true), sent(9), sent(10)]).toEqual([
      0, 6, 0, 0, 6, 6, 6,
    ]);
  });

  test('a part of a higher layer that comes late has its place filled', () => {
    const source = new Scalable();
    source.switching.limitSpatialLayer(0);
    const of = stream();
    source.switching.select(of);
    const forward = (sequence: number, n: number, init: Vp9Init): OutgoingPacket | undefined =>
      source.switching.forward(
        rtpEvent({
          stream: of,
          codec: VP9,
          sequence,
          time: n * 3000,
          payload: vp9({ id: n, tl0: n, ...init }),
        }),
      );
    expect(forward(1, 1, { isKeyframe: true })).toMatchObject({ sequence: 1, marker: true });
    expect(forward(3, 2, { sid: 0 })?.sequence).toBe(3);
    const filled = forward(2, 1, { sid: 1, isKeyframe: true });
    expect([filled?.sequence, filled?.payload.length]).toEqual([2, 0]);
  });
});
