import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SendQueue, sendClassOf } from '../../src/node/send-queue.ts';

const destination = { address: '192.0.2.1', port: 9 };
const STUN = 0;
const HANDSHAKE = 22;
const DATA = 23;

function datagram(first: number, length = 100): { data: Uint8Array; destination: typeof destination } {
  const data = new Uint8Array(length);
  data[0] = first;
  return { data, destination };
}

function drain(queue: SendQueue): number[] {
  const firsts: number[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) firsts.push(next.data[0]!);
  return firsts;
}

describe('classes', () => {
  test.each([
    [0, 'stun'],
    [3, 'stun'],
    [20, 'handshake'],
    [21, 'handshake'],
    [22, 'handshake'],
    [23, 'data'],
    [25, 'data'],
    [26, 'handshake'],
    [0x2f, 'data'],
    [0x80, 'data'],
  ])('first byte %i is %s', (first, name) => {
    expect(sendClassOf(Uint8Array.of(first))).toBe(name);
  });
});

describe('the send queue', () => {
  test('STUN before handshakes before data, each in its order', () => {
    const queue = new SendQueue();
    for (const first of [DATA, HANDSHAKE, 24, STUN, HANDSHAKE, 1]) queue.push(datagram(first), 10_000);
    expect(drain(queue)).toEqual([STUN, 1, HANDSHAKE, HANDSHAKE, DATA, 24]);
    expect(queue.bytes).toBe(0);
  });

  test('full of data, STUN finds room: the oldest data goes', () => {
    const queue = new SendQueue();
    for (const first of [23, 24, 25]) queue.push(datagram(first), 300);
    queue.push(datagram(STUN), 300);
    expect(drain(queue)).toEqual([STUN, 24, 25]);
    expect(queue.dropped).toEqual({ stun: 0, handshake: 0, data: 1 });
  });

  test('full of its betters or its equals, a datagram is dropped itself', () => {
    const queue = new SendQueue();
    for (const first of [STUN, HANDSHAKE]) queue.push(datagram(first), 200);
    for (const first of [HANDSHAKE, DATA]) queue.push(datagram(first), 200);
    expect(drain(queue)).toEqual([STUN, HANDSHAKE]);
    expect(queue.dropped).toEqual({ stun: 0, handshake: 1, data: 1 });
  });

  test('never holds more than its bound, and every datagram is sent, waiting or counted', () => {
    const firsts = fc.constantFrom(STUN, HANDSHAKE, DATA);
    const pushes = fc.array(fc.tuple(firsts, fc.integer({ min: 1, max: 1500 })), { maxLength: 60 });
    fc.assert(
      fc.property(pushes, fc.integer({ min: 1, max: 8000 }), (all, bound) => {
        const queue = new SendQueue();
        for (const [first, length] of all) {
          queue.push(datagram(first, length), bound);
          expect(queue.bytes).toBeLessThanOrEqual(bound);
        }
        const dropped = Object.values(queue.dropped).reduce((sum, count) => sum + count, 0);
        expect(drain(queue).length + dropped).toBe(all.length);
        expect(queue.bytes).toBe(0);
      }),
    );
  });
});
