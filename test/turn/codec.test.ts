/** ChannelData and streams: the vectors, bounds, and frames cut anywhere. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/core/bytes.ts';
import { toHex } from '../../src/core/text.ts';
import { StunMethod, StunWriter, StunAttributeType as Type } from '../../src/stun/index.ts';
import {
  RELAY_OVERHEAD,
  StreamDeframer,
  channelDataOf,
  channelOf,
  encodeChannelData,
  isChannelData,
} from '../../src/turn/index.ts';
import { encodeSend } from '../../src/turn/messages.ts';
import { hex, vectors } from '../stun/vectors.ts';

describe('ChannelData', () => {
  test.each(vectors.channelData)('channel $channel with "$data"', ({ channel, data, udp, tcp }) => {
    expect(toHex(encodeChannelData(channel, hex(data), false))).toBe(udp);
    expect(toHex(encodeChannelData(channel, hex(data), true))).toBe(tcp);
    for (const message of [hex(udp), hex(tcp)]) {
      expect(isChannelData(message)).toBe(true);
      expect(channelOf(message)).toBe(channel);
      expect(toHex(channelDataOf(message, false) ?? new Uint8Array(1))).toBe(data);
    }
  });

  test('is told by its first byte, and has four at the least', () => {
    const firsts = Array.from({ length: 256 }, (_, first) => first);
    const taken = firsts.filter((first) => isChannelData(Uint8Array.of(first, 0, 0, 0)));
    expect([taken[0], taken.at(-1), taken.length]).toEqual([0x40, 0x4f, 16]);
    expect(isChannelData(Uint8Array.of(0x40, 0, 0))).toBe(false);
  });

  test('that is shorter than it says has no data', () => {
    expect(channelDataOf(hex('4000000561626364'), false)).toBeUndefined();
  });

  test('is a view where the memory was given away, and else a copy', () => {
    const message = hex('4000000461626364');
    const view = channelDataOf(message, true);
    const copy = channelDataOf(message, false);
    message.fill(0);
    expect([view, copy].map((data) => toHex(data ?? new Uint8Array()))).toEqual(['00000000', '61626364']);
    const inBuffer = channelDataOf(Buffer.from('4000000161', 'hex'), true);
    expect(Object.getPrototypeOf(inBuffer)).toBe(Uint8Array.prototype);
  });
});

test('an indication adds what RELAY_OVERHEAD says, where the room is a multiple of four', () => {
  const id = new Uint8Array(12);
  for (const [family, address] of [
    [4, '192.0.2.1'],
    [6, '2001:db8::1'],
  ] as const) {
    for (let length = 1157; length <= 1160; length++) {
      const size = encodeSend({ address, port: 9 }, new Uint8Array(length), id).length;
      expect(size).toBeLessThanOrEqual(1160 + RELAY_OVERHEAD[family]);
    }
    expect(encodeSend({ address, port: 9 }, new Uint8Array(1160), id)).toHaveLength(
      1160 + RELAY_OVERHEAD[family],
    );
  }
});

const messages = [
  new StunWriter('success', StunMethod.refresh, new Uint8Array(12)).u32(Type.lifetime, 600).finish(),
  encodeChannelData(0x4000, hex('01'), true),
  encodeChannelData(0x4fff, new Uint8Array(0), true),
  new StunWriter('indication', StunMethod.binding, new Uint8Array(12).fill(1)).finish(),
  encodeChannelData(0x4001, new Uint8Array(1500).fill(7), true),
];

function drain(deframer: StreamDeframer): string[] {
  const taken: string[] = [];
  for (let message = deframer.next(); message !== undefined; message = deframer.next())
    taken.push(toHex(message));
  return taken;
}

describe('StreamDeframer', () => {
  test('gives whole messages, however the stream is cut', () => {
    const stream = concatBytes(...messages, ...messages);
    const whole = [...messages, ...messages].map((message) => toHex(message));
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 12 }), (cuts) => {
        const ends = [...cuts, stream.length].sort((a, b) => a - b);
        const deframer = new StreamDeframer();
        const taken: string[] = [];
        let start = 0;
        for (const end of ends) {
          const chunk = stream.slice(start, end);
          deframer.push(chunk);
          taken.push(...drain(deframer));
          chunk.fill(0xdb);
          start = end;
        }
        expect(taken).toEqual(whole);
        expect(deframer.size).toBe(0);
      }),
    );
  });

  test('byte by byte', () => {
    const deframer = new StreamDeframer();
    const taken = [...concatBytes(...messages)].flatMap((byte) => {
      deframer.push(Uint8Array.of(byte));
      return drain(deframer);
    });
    expect(taken).toHaveLength(messages.length);
  });

  test.each([
    ['a record of TLS', '16030100'],
    ['the greeting of SSH', '5353482d'],
    ['a number that is no channel’s', '50000000'],
    ['STUN of an odd length', '00010003'],
    ['STUN without its cookie', '0001000000000000'],
  ])('%s breaks it, and it keeps nothing', (_, text) => {
    const deframer = new StreamDeframer();
    deframer.push(hex(text));
    expect(deframer.next()).toBeUndefined();
    expect([deframer.isBroken, deframer.size]).toEqual([true, 0]);
    deframer.push(messages[0] ?? new Uint8Array());
    expect(deframer.next()).toBeUndefined();
    expect(deframer.size).toBe(0);
  });

  test('waits for no more than one message, of 65,555 bytes at the most', () => {
    const deframer = new StreamDeframer();
    const huge = new Uint8Array(65_536);
    huge.set([0x40, 0, 0xff, 0xff]);
    deframer.push(huge);
    expect(drain(deframer)).toEqual([]);
    // 4 + 65,535 + 1 of padding, and the beginning of what follows.
    deframer.push(new Uint8Array(6));
    expect(drain(deframer).map((message) => message.length / 2)).toEqual([65_540]);
    expect(deframer.size).toBe(2);
  });

  test('random bytes neither throw nor pile up', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const deframer = new StreamDeframer();
        for (const chunk of chunks) {
          deframer.push(chunk);
          drain(deframer);
        }
        expect(deframer.size).toBeLessThan(65_560);
      }),
    );
  });
});
