import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  SerialUnwrapper,
  isKeyframe,
  originalSequenceNumber,
  readAbsoluteSendTime,
  readAudioLevel,
  readMid,
  readVp8Descriptor,
} from '../../src/rtp/index.ts';
import { there, viewed } from './viewed.ts';

interface Recorded {
  readonly packets: readonly { readonly at: number; readonly hex: string }[];
}

const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/chromium-media.json', import.meta.url), 'utf8'),
) as Recorded;
const packets = recorded.packets.map(({ at, hex }) => ({ at, packet: viewed(Buffer.from(hex, 'hex')) }));
const video = packets.filter(({ packet }) => packet.payloadType === 96 && packet.payload.length > 0);

describe('what Chromium sends', () => {
  it('is read, whole: sequence numbers without gaps, one source each', () => {
    for (const payloadType of [96, 111]) {
      const stream = packets.filter(({ packet }) => packet.payloadType === payloadType);
      expect(stream.length).toBeGreaterThan(20);
      expect(new Set(stream.map(({ packet }) => packet.ssrc)).size).toBe(1);
      stream.slice(1).forEach(({ packet }, i) => {
        expect(packet.sequenceNumber).toBe(there(stream[i]).packet.sequenceNumber + 1);
      });
    }
  });

  it('begins with a keyframe of VP8, in two packets with one picture id', () => {
    const frames = video.map(({ packet }) => ({
      isKeyframe: isKeyframe('video/VP8', packet.payload),
      pictureId: there(readVp8Descriptor(packet.payload)).pictureId,
      marker: packet.marker,
    }));
    expect(frames.slice(0, 4)).toEqual([
      { isKeyframe: true, pictureId: 0x0f36, marker: false },
      { isKeyframe: false, pictureId: 0x0f36, marker: true },
      { isKeyframe: false, pictureId: 0x0f37, marker: true },
      { isKeyframe: false, pictureId: 0x0f38, marker: true },
    ]);
    expect(frames.slice(1).every((frame) => !frame.isKeyframe)).toBe(true);
  });

  it('probes with packets of padding alone', () => {
    const padding = packets.filter(({ packet }) => packet.payloadType === 96 && packet.paddingLength > 0);
    expect(padding.length).toBeGreaterThan(5);
    for (const { packet } of padding) {
      expect(packet.payload).toHaveLength(0);
      expect(originalSequenceNumber(packet)).toBeUndefined();
    }
  });

  it('counts over all its streams, and tells where packets belong and how loud they are', () => {
    const sequence = new SerialUnwrapper(16);
    const counted = packets.map(({ packet }) => sequence.unwrap(there(packet.extensionNumber(3))));
    counted.slice(1).forEach((number, i) => {
      expect(number).toBeGreaterThan(there(counted[i]));
    });
    for (const { packet } of packets)
      expect(readMid(there(packet.extension(4)))).toBe(packet.payloadType === 111 ? '0' : '1');
    const levels = packets
      .filter(({ packet }) => packet.payloadType === 111)
      .flatMap(({ packet }) => readAudioLevel(packet.extension(1) ?? Uint8Array.of())?.level ?? []);
    expect(levels.length).toBeGreaterThan(20);
    expect(Math.min(...levels)).toBe(-127);
    expect(Math.max(...levels)).toBeGreaterThan(-20);
  });

  it('says when it has sent each packet of video, as it was seen to', () => {
    const [first, ...rest] = packets.filter(({ packet }) => packet.payloadType === 96);
    const sentAt = ({ packet }: { packet: (typeof packets)[number]['packet'] }): number =>
      there(readAbsoluteSendTime(there(packet.extension(2))));
    for (const later of rest) {
      const passed = (sentAt(later) - sentAt(there(first)) + 64_000) % 64_000;
      expect(Math.abs(passed - (later.at - there(first).at))).toBeLessThan(10);
    }
  });
});
