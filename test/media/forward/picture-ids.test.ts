/** Picture ids, TL0PICIDX and KEYIDX of VP8 and VP9 over switches, at every wrap. */
import { describe, expect, test } from 'vitest';
import type { OutgoingPacket, RtpStream } from '../../../src/media/index.ts';
import { SourceSwitch } from '../../../src/media/forward/source-switch.ts';
import type { Vp8Init } from './picture.ts';
import { sentPayload, sentVp8, sentVp9, vp8, vp9 } from './picture.ts';
import { rtpEvent, stream, VP8 } from './source.ts';

const VP9 = { ...VP8, mimeType: 'video/VP9', payloadType: 98 };

/** Sends pictures of one packet each, numbered as they come. */
class Sender {
  readonly switching = new SourceSwitch();
  readonly #next = new Map<RtpStream, number>();
  time = 0;

  send(of: RtpStream, payload: Uint8Array, codec = VP8): OutgoingPacket | undefined {
    this.switching.select(of);
    const sequence = this.#next.get(of) ?? of.ssrc * 1000;
    this.#next.set(of, sequence + 1);
    this.time += 3000;
    return this.switching.forward(
      rtpEvent({ stream: of, sequence, time: this.time, receivedAt: this.time / 90, payload, codec }),
    );
  }

  vp8(of: RtpStream, init: Vp8Init): OutgoingPacket {
    const packet = this.send(of, vp8(init));
    if (packet === undefined) throw new Error('it was not sent on');
    return packet;
  }
}

describe('VP8', () => {
  test('the first source keeps its picture ids, without a patch', () => {
    const sender = new Sender();
    const a = stream();
    for (const id of [32_766, 32_767, 0, 1]) {
      const packet = sender.vp8(a, { id, tl0: id & 0xff, tid: 0, key: 31 });
      expect(packet.patch).toBeUndefined();
    }
  });

  test('ids go on over a switch, and over 15 bits, on either side', () => {
    for (let first = 32_760; first < 32_768 + 4; first++) {
      for (const second of [0, 1, 5000, 32_764, 32_767]) {
        const sender = new Sender();
        const [a, b] = [stream(), stream()];
        const ids = [0, 1, 2].map((n) => sender.vp8(a, { id: (first + n) & 0x7fff }));
        ids.push(...[0, 1, 2, 3, 4].map((n) => sender.vp8(b, { id: (second + n) & 0x7fff })));
        expect(ids.map((packet) => sentVp8(packet).pictureId)).toEqual(
          ids.map((_, n) => (first + n) & 0x7fff),
        );
      }
    }
  });

  test('ids of 7 bits leave as 15, over their own wraps too, and behind what follows in the descriptor', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    const sent: OutgoingPacket[] = [];
    for (let n = 0; n < 300; n++)
      sent.push(sender.vp8(a, { id: n & 0x7f, bits: 7, tl0: n & 0xff, tid: 0, key: 3 }));
    for (let n = 0; n < 300; n++) sent.push(sender.vp8(b, { id: (n + 99) & 0x7f, bits: 7 }));
    const first = sentVp8(sent[0]).pictureId ?? NaN;
    for (const [n, packet] of sent.entries()) {
      const { pictureId, pictureIdBits, tl0PictureIndex, keyIndex, temporalLayer } = sentVp8(packet);
      expect([pictureId, pictureIdBits]).toEqual([first + n, 15]);
      expect([tl0PictureIndex, keyIndex, temporalLayer]).toEqual(
        n < 300 ? [n & 0xff, 3, 0] : [undefined, undefined, undefined],
      );
      expect([...sentPayload(packet)].slice(-4)).toEqual([0x11, 7, 7, 7]);
    }
  });

  test('from 7 bits to 15 and back, in one source and between two', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    const sent = [
      sender.vp8(a, { id: 300 }),
      sender.vp8(b, { id: 127, bits: 7 }),
      sender.vp8(b, { id: 0, bits: 7 }),
      sender.vp8(b, { id: 20_000, bits: 15 }),
      sender.vp8(b, { id: 20_001, bits: 15 }),
      sender.vp8(a, { id: 7 }),
    ];
    expect(sent.map((packet) => sentVp8(packet).pictureId)).toEqual([300, 301, 302, 303, 304, 305]);
  });

  test('TL0PICIDX and KEYIDX go on over switches and wraps, and TID and Y stay', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    const sent = [
      sender.vp8(a, { id: 1, tl0: 254, tid: 0, key: 30 }),
      sender.vp8(a, { id: 2, tl0: 255, tid: 0, key: 31 }),
      sender.vp8(a, { id: 3, tl0: 255, tid: 2, sync: true, key: 31 }),
      sender.vp8(b, { id: 9, tl0: 77, tid: 0, key: 5 }),
      sender.vp8(b, { id: 10, tl0: 77, tid: 1, sync: true, key: 5 }),
      sender.vp8(b, { id: 11, tl0: 78, tid: 0, key: 5 }),
    ].map(sentVp8);
    expect(sent.map(({ tl0PictureIndex }) => tl0PictureIndex)).toEqual([254, 255, 255, 0, 0, 1]);
    expect(sent.map(({ keyIndex }) => keyIndex)).toEqual([30, 31, 31, 0, 0, 0]);
    expect(sent.map(({ temporalLayer }) => temporalLayer)).toEqual([0, 0, 2, 0, 1, 0]);
    expect(sent.map(({ isLayerSync }) => isLayerSync)).toEqual([false, false, true, false, true, false]);
  });

  test('a picture that was lost stays a gap of ids, and one that comes late has its own', () => {
    const sender = new SourceSwitch();
    const [a, b] = [stream(), stream()];
    sender.select(a);
    const of = (from: RtpStream, n: number): OutgoingPacket | undefined =>
      sender.forward(
        rtpEvent({ stream: from, sequence: n, time: n * 3000, payload: vp8({ id: n, tl0: n, tid: 0 }) }),
      );
    of(a, 10);
    sender.select(b);
    const sent = [50, 53, 51, 54, 52].map((n) => sentVp8(of(b, n)));
    expect(sent.map(({ pictureId }) => pictureId)).toEqual([11, 14, 12, 15, 13]);
    expect(sent.map(({ tl0PictureIndex }) => tl0PictureIndex)).toEqual([11, 14, 12, 15, 13]);
    sender.select(a);
    expect(sentVp8(of(a, 11))).toMatchObject({ pictureId: 16, tl0PictureIndex: 16 });
  });

  test('ids that run back in one source are counted on', () => {
    const sender = new Sender();
    const a = stream();
    const sent = [900, 901, 20, 21, 21, 22].map((id) => sentVp8(sender.vp8(a, { id })));
    expect(sent.map(({ pictureId }) => pictureId)).toEqual([900, 901, 902, 903, 904, 905]);
  });

  test('what comes late from before ids ran back has no place among them: its number is filled', () => {
    const switching = new SourceSwitch();
    const a = stream();
    switching.select(a);
    const of = (sequence: number, id: number): OutgoingPacket | undefined =>
      switching.forward(rtpEvent({ stream: a, sequence, time: sequence * 3000, payload: vp8({ id }) }));
    of(1, 900);
    of(3, 20);
    expect(of(2, 901)).toMatchObject({ sequence: 2, payload: new Uint8Array(0) });
    expect(sentVp8(of(4, 21)).pictureId).toBe(902);
  });

  test('sources without picture ids are left as they are, and do not disturb the row', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    expect(sentVp8(sender.vp8(a, { id: 5 })).pictureId).toBe(5);
    expect(sender.vp8(b, {}).patch).toBeUndefined();
    expect(sender.vp8(b, { tl0: 3, tid: 0 }).patch).toBeUndefined();
    expect(sentVp8(sender.vp8(a, { id: 77 })).pictureId).toBe(6);
  });

  test('the payload that all receivers share is never written to', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    sender.vp8(a, { id: 5, tl0: 1, tid: 0, key: 1 });
    const payload = vp8({ id: 100, bits: 7, tl0: 9, tid: 0, key: 9 });
    const before = payload.slice();
    const packet = sender.send(b, payload);
    expect(packet?.patch).toEqual({ replaced: 5, bytes: Uint8Array.of(0x90, 0xf0, 0x80, 6, 2, 2) });
    expect(payload).toEqual(before);
  });

  test('a descriptor that cannot be read closes up', () => {
    const sender = new Sender();
    const a = stream();
    sender.vp8(a, { id: 5 });
    expect(sender.send(a, Uint8Array.of(0x90, 0x80, 0x80))).toBeUndefined();
    const next = sender.vp8(a, { id: 6 });
    expect(next.sequence).toBe(((a.ssrc * 1000) & 0x7fff) + 1);
    expect(sender.switching.counters.packetsMalformed).toBe(1);
  });

  test('packets of one picture share its id', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    sender.vp8(a, { id: 5 });
    sender.switching.select(b);
    const ids = [0, 1, 2, 3].map((n) => {
      const payload = vp8({ id: 40 + (n >> 1), isStart: n % 2 === 0 });
      const packet = sender.switching.forward(
        rtpEvent({ stream: b, sequence: n, time: (n >> 1) * 3000, payload }),
      );
      return packet && sentVp8(packet).pictureId;
    });
    expect(ids).toEqual([6, 6, 7, 7]);
  });
});

describe('VP9', () => {
  test('picture ids and TL0PICIDX go on over switches and wraps', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    const sent = [
      sender.send(a, vp9({ id: 32_766, tl0: 254 }), VP9),
      sender.send(a, vp9({ id: 32_767, tl0: 255 }), VP9),
      sender.send(b, vp9({ id: 32_767, tl0: 3, isKeyframe: true }), VP9),
      sender.send(b, vp9({ id: 0, tl0: 4 }), VP9),
      sender.send(a, vp9({ id: 88, tl0: 255, isKeyframe: true }), VP9),
      sender.send(a, vp9({ id: 89, tl0: 0 }), VP9),
    ].map((packet) => sentVp9(packet));
    expect(sent.map(({ pictureId }) => pictureId)).toEqual([32_766, 32_767, 0, 1, 2, 3]);
    expect(sent.map(({ tl0PictureIndex }) => tl0PictureIndex)).toEqual([254, 255, 0, 1, 2, 3]);
    expect(sent.map(({ isInterPicture }) => isInterPicture)).toEqual([true, true, false, true, false, true]);
  });

  test('ids of 7 bits, and flexible mode, which has no TL0PICIDX', () => {
    const sender = new Sender();
    const [a, b] = [stream(), stream()];
    const sent = [
      sender.send(a, vp9({ id: 500, tl0: 5 }), VP9),
      sender.send(b, vp9({ id: 127, bits: 7 }), VP9),
      sender.send(b, vp9({ id: 0, bits: 7 }), VP9),
      sender.send(a, vp9({ id: 9, tl0: 9 }), VP9),
    ].map((packet) => sentVp9(packet));
    expect(sent.map(({ pictureId }) => pictureId)).toEqual([500, 501, 502, 503]);
    expect(sent.map(({ tl0PictureIndex }) => tl0PictureIndex)).toEqual([5, undefined, undefined, 6]);
  });
});
