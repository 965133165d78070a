/** LayerSelector: keyframes wished for, switched at, given up; layers that fall silent and come back. */
import { describe, expect, test } from 'vitest';
import { LayerSelector } from '../../../src/media/forward/layer-selector.ts';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../../../src/media/index.ts';
import { sentVp8, vp8 } from './picture.ts';
import { OPUS, rtpEvent, stream } from './source.ts';

/** Three layers, and packets of them at a time. */
class Bench {
  readonly streams = new Map(['q', 'h', 'f'].map((rid) => [rid, stream({ rid })]));
  readonly selector: LayerSelector;
  readonly #next = new Map<RtpStream, number>();
  now = 0;

  constructor(options: ConstructorParameters<typeof LayerSelector>[0] = {}) {
    this.selector = new LayerSelector({ layers: ['q', 'h', 'f'], ...options });
  }

  of(rid: string): RtpStream {
    const found = this.streams.get(rid);
    if (found === undefined) throw new Error(`no layer ${rid}`);
    return found;
  }

  event(rid: string, isKeyframe = false, sequence?: number): RtpEvent {
    const from = this.of(rid);
    const number = sequence ?? (this.#next.get(from) ?? 100) + 1;
    this.#next.set(from, Math.max(number, this.#next.get(from) ?? 0));
    return rtpEvent({
      stream: from,
      sequence: number,
      time: number * 3000,
      receivedAt: this.now,
      payload: vp8({ id: number & 0x7fff, isKeyframe }),
    });
  }

  all(event: RtpEvent): OutgoingPacket[] {
    const packets: OutgoingPacket[] = [];
    let packet = this.selector.forward(event);
    for (; packet !== undefined; packet = this.selector.next()) packets.push(packet);
    return packets;
  }

  send(rid: string, isKeyframe = false): number {
    return this.all(this.event(rid, isKeyframe)).length;
  }
}

describe('LayerSelector', () => {
  test('nothing without a target; with one, nothing before its keyframe', () => {
    const bench = new Bench();
    expect(bench.send('q', true)).toBe(0);
    expect(bench.selector.keyframeWish()).toBeUndefined();
    bench.selector.setTarget('q');
    expect(bench.selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'q' });
    expect(bench.selector.keyframeWish()).toBeUndefined();
    expect([
      bench.send('q'),
      bench.send('h', true),
      bench.send('q', true),
      bench.send('q'),
      bench.send('h'),
    ]).toEqual([0, 0, 1, 1, 0]);
    expect(bench.selector.selected).toBe(bench.of('q'));
    expect(bench.selector.target).toBe('q');
  });

  test('the selected layer goes on until a keyframe of the target begins, and a keyframe of its own is no switch', () => {
    const bench = new Bench();
    bench.selector.setTarget('q');
    bench.send('q', true);
    bench.send('f');
    bench.selector.setTarget('f');
    expect(bench.selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'f' });
    expect([bench.send('q'), bench.send('f'), bench.send('q', true), bench.send('h', true)]).toEqual([
      1, 0, 1, 0,
    ]);
    expect(bench.selector.selected).toBe(bench.of('q'));
    expect([bench.send('f', true), bench.send('q'), bench.send('f')]).toEqual([1, 0, 1]);
    expect(bench.selector.selected).toBe(bench.of('f'));
  });

  test('a target that is not heard yet is wished for as soon as it is', () => {
    const bench = new Bench();
    bench.selector.setTarget('f');
    expect(bench.selector.keyframeWish()).toBeUndefined();
    expect(bench.selector.nextTimeout()).toBe(Infinity);
    bench.send('f');
    expect(bench.selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'f' });
  });

  test('the wish is repeated, less and less often, and ends by keyframeTimeout: the selected layer stays', () => {
    const bench = new Bench({ silenceTimeout: Infinity });
    bench.selector.setTarget('q');
    bench.send('q', true);
    bench.send('f');
    bench.selector.setTarget('f', 0);
    const wishes: number[] = [];
    while (bench.selector.nextTimeout() < Infinity) {
      if (bench.selector.keyframeWish() !== undefined) wishes.push(bench.now);
      const next = bench.selector.nextTimeout();
      expect(next).toBeGreaterThan(bench.now);
      bench.now = next;
      bench.selector.handleTimeout(next);
    }
    expect(wishes).toEqual([0, 500, 1500, 3500, 7500]);
    expect(bench.now).toBe(10_000);
    expect(bench.selector.keyframeWish()).toBeUndefined();
    expect(bench.selector.counters.keyframeTimeouts).toBe(1);
    expect([bench.send('q'), bench.send('f')]).toEqual([1, 0]);
    // By itself it may come yet; and the target again is another try.
    bench.selector.setTarget('f');
    expect(bench.selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'f' });
  });

  test('a layer that was given up is switched to when a keyframe comes by itself', () => {
    const bench = new Bench({ silenceTimeout: Infinity });
    bench.selector.setTarget('q');
    bench.send('q', true);
    bench.send('f');
    bench.selector.setTarget('f');
    bench.selector.handleTimeout(10_000);
    expect(bench.selector.inspect()).toMatchObject({ wanted: undefined, target: 'f' });
    expect(bench.send('f', true)).toBe(1);
    expect(bench.selector.selected).toBe(bench.of('f'));
  });

  test('a keyframe whose first packet comes last, or again after a loss, is sent on whole', () => {
    const bench = new Bench();
    bench.selector.setTarget('q');
    bench.send('q', true);
    bench.selector.setTarget('f');
    const [first, second, third, fourth] = [0, 1, 2, 3].map((part) =>
      rtpEvent({
        stream: bench.of('f'),
        sequence: 700 + part,
        time: 9000,
        payload: vp8({ id: 5, isStart: part === 0, isKeyframe: part === 0 }),
        isRecovered: part === 0,
      }),
    ) as [RtpEvent, RtpEvent, RtpEvent, RtpEvent];
    const before = bench.event('f', false, 699);
    expect([before, third, second].map((event) => bench.all(event).length)).toEqual([0, 0, 0]);
    const sent = bench.all(first);
    expect(sent.map(({ sequence }) => sequence)).toEqual([102, 103, 104]);
    expect(sent.map((packet) => sentVp8(packet).isPartitionStart)).toEqual([true, false, false]);
    expect([second, third, before].flatMap((event) => bench.all(event))).toEqual([]);
    expect(bench.all(fourth).map(({ sequence }) => sequence)).toEqual([105]);
  });

  test('a caller who takes one packet a call is late, and loses nothing', () => {
    const bench = new Bench();
    bench.selector.setTarget('f');
    for (const sequence of [703, 702, 701]) bench.selector.forward(bench.event('f', false, sequence));
    const sequences = [700, 704, 705, 706].map(
      (sequence) => bench.selector.forward(bench.event('f', sequence === 700, sequence))?.sequence,
    );
    for (let packet = bench.selector.next(); packet !== undefined; packet = bench.selector.next())
      sequences.push(packet.sequence);
    expect(sequences).toEqual([700, 701, 702, 703, 704, 705, 706]);
  });

  test('so many packets are held; a keyframe behind which the oldest have made room is none to begin with', () => {
    const bench = new Bench({ heldPackets: 4 });
    bench.selector.setTarget('f');
    for (let n = 701; n < 711; n++) bench.all(bench.event('f', false, n));
    expect(bench.selector.inspect()).toMatchObject({ heldPackets: 4 });
    expect(bench.all(bench.event('f', true, 700))).toEqual([]);
    expect(bench.selector.counters.heldPacketsDropped).toBe(7);
    expect(bench.all(bench.event('f', true, 711))).toHaveLength(1);
  });

  test('a keyframe of which packets have gone by before it was wanted is none to begin with', () => {
    const bench = new Bench();
    bench.selector.setTarget('q');
    bench.send('q', true);
    for (const n of [699, 701]) bench.all(bench.event('f', false, n));
    bench.selector.setTarget('f');
    expect(bench.all(bench.event('f', true, 700))).toEqual([]);
    expect([bench.all(bench.event('f', true, 702)).length, bench.selector.selected]).toEqual([
      1,
      bench.of('f'),
    ]);
  });

  test('parameter sets in front of a keyframe, of the same time, are a part of it', () => {
    const bench = new Bench();
    const codec = { ...OPUS, mimeType: 'video/H264', clockRate: 90_000 };
    bench.selector.setTarget('q');
    const of = (sequence: number, time: number, payload: number[]): number =>
      bench.all(rtpEvent({ stream: bench.of('q'), sequence, time, payload, codec })).length;
    // A slice; a picture parameter set; SEI; an IDR picture.
    expect([
      of(1, 0, [0x41, 0x9a]),
      of(2, 3000, [0x68, 1]),
      of(3, 3000, [0x06, 1]),
      of(4, 3000, [0x65, 0x88]),
    ]).toEqual([0, 0, 0, 3]);
  });

  test('a target that falls silent: the nearest lower layer, then the nearest higher; heard again, it is wished for again', () => {
    const bench = new Bench({ silenceTimeout: 1000 });
    const { selector } = bench;
    selector.setTarget('h');
    bench.send('h', true);
    bench.now = 900;
    bench.send('q');
    bench.send('f');
    expect(selector.nextTimeout()).toBe(1000);
    selector.handleTimeout(1000);
    expect(selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'q' });
    bench.now = 1010;
    expect([bench.send('q', true), bench.send('q')]).toEqual([1, 1]);
    expect(selector.counters).toMatchObject({ layersSilent: 1, layerFallbacks: 1 });
    expect(bench.send('h')).toBe(0);
    expect(selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'h' });
    expect([bench.send('q'), bench.send('h', true)]).toEqual([1, 1]);
    // Now the lower ones are silent too.
    bench.now = 2050;
    selector.handleTimeout(2009);
    bench.send('f');
    selector.handleTimeout(2050);
    expect(selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'f' });
    bench.now = 4000;
    selector.handleTimeout(4000);
    expect(selector.nextTimeout()).toBe(Infinity);
    expect(selector.keyframeWish()).toBeUndefined();
  });

  test('the end of a stream is silence at once', () => {
    const bench = new Bench();
    bench.selector.setTarget('h');
    bench.send('h', true);
    bench.send('q');
    bench.selector.handleStreamEnd(bench.of('h'));
    expect(bench.selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'q' });
    bench.selector.handleStreamEnd(stream());
    expect(bench.selector.counters.layersSilent).toBe(1);
  });

  test('another source in the place of a layer begins with its own keyframe, and what is late of the former does not come back', () => {
    const bench = new Bench();
    bench.selector.setTarget('q');
    bench.send('q', true);
    const former = bench.event('q');
    const again = bench.event('q');
    bench.streams.set('q', stream({ rid: 'q' }));
    expect(bench.send('q')).toBe(0);
    expect(bench.selector.keyframeWish()).toEqual({ mediaId: 1, rid: 'q' });
    expect(bench.all(former)).toHaveLength(1);
    expect(bench.send('q', true)).toBe(1);
    expect(bench.all(again)).toHaveLength(0);
    expect(bench.selector.selected).toBe(bench.of('q'));
  });

  test('paused and resumed: nothing is sent, and it begins with a keyframe', () => {
    const bench = new Bench();
    bench.selector.setTarget('q');
    bench.send('q', true);
    bench.selector.setTarget(undefined);
    expect([bench.send('q'), bench.send('q', true), bench.selector.selected]).toEqual([0, 0, undefined]);
    bench.selector.setTarget('q');
    expect([bench.send('q'), bench.send('q', true)]).toEqual([0, 1]);
    expect(bench.selector.inspect()).toMatchObject({ lastSequence: 102 });
  });

  test('a plain stream has the name of nothing', () => {
    const plain = stream();
    const selector = new LayerSelector();
    selector.setTarget('');
    const of = (sequence: number, isKeyframe: boolean): OutgoingPacket | undefined =>
      selector.forward(rtpEvent({ stream: plain, sequence, payload: vp8({ isKeyframe }) }));
    expect(of(1, false)).toBeUndefined();
    expect(selector.keyframeWish()).toEqual({ mediaId: 1, rid: undefined });
    expect(of(2, true)).toBeDefined();
    expect(of(3, false)).toBeDefined();
  });

  test('audio needs no keyframe', () => {
    const a = stream({ kind: 'audio' });
    const selector = new LayerSelector();
    selector.setTarget('');
    expect(selector.forward(rtpEvent({ stream: a, sequence: 5 }))?.sequence).toBe(5);
  });

  test('a flood of rids is bounded', () => {
    const selector = new LayerSelector();
    for (let n = 0; n < 10_000; n++) {
      selector.forward(
        rtpEvent({ stream: stream({ rid: `r${n}` }), sequence: 1, payload: vp8({ isKeyframe: true }) }),
      );
    }
    expect((selector.inspect() as { layers: object[] }).layers).toHaveLength(16);
    expect(selector.counters.layersIgnored).toBe(10_000 - 16);
  });

  test('options that cannot be are refused', () => {
    for (const options of [
      { heldPackets: 0 },
      { silenceTimeout: 0 },
      { layers: 'q' as never },
      { memory: 1 },
    ]) {
      expect(() => new LayerSelector(options)).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
    }
  });
});
