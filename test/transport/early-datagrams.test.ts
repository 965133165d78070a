/** Early datagrams: how many are kept, how large they may be, and who gets them. */
import { expect, test } from 'vitest';
import { EarlyDatagrams } from '../../src/transport/early-datagrams.ts';

const local = { address: '192.0.2.1', port: 1 };

/** The first byte of each that is handed over, while these ports of the peer's are valid. */
function handedOver(early: EarlyDatagrams, ...ports: readonly number[]): number[] {
  const taken: number[] = [];
  early.handOver(
    { isValidPath: (_, { port }) => ports.includes(port) },
    { handlePacket: (data) => taken.push(data[0] ?? -1) },
    0,
  );
  return taken;
}

function keep(early: EarlyDatagrams, first: number, port: number, size = 1): boolean {
  return early.keep('udp', local, { address: '192.0.2.2', port }, new Uint8Array(size).fill(first));
}

test('four are kept, of 2048 bytes at the most', () => {
  const early = new EarlyDatagrams();
  expect([keep(early, 0, 1, 2049), keep(early, 1, 1, 2048)]).toEqual([false, true]);
  expect([2, 3, 4, 5].map((first) => keep(early, first, 1))).toEqual([true, true, true, false]);
  expect(early.size).toBe(4);
});

test('those of a valid path are handed over once, in their order; the others wait in theirs', () => {
  const early = new EarlyDatagrams();
  for (const [first, port] of [
    [1, 7],
    [2, 8],
    [3, 7],
    [4, 8],
  ] as const)
    keep(early, first, port);
  expect(handedOver(early)).toEqual([]);
  expect(handedOver(early, 7)).toEqual([1, 3]);
  expect(early.size).toBe(2);
  expect(handedOver(early, 7)).toEqual([]);
  expect(handedOver(early, 7, 8)).toEqual([2, 4]);
  expect(early.size).toBe(0);
});

test('what is kept is a copy, and nothing is kept once it is cleared', () => {
  const early = new EarlyDatagrams();
  const data = Uint8Array.of(1);
  early.keep('udp', local, { address: '192.0.2.2', port: 7 }, data);
  data[0] = 9;
  expect(handedOver(early, 7)).toEqual([1]);
  keep(early, 2, 7);
  early.clear();
  expect([early.size, handedOver(early, 7)]).toEqual([0, []]);
});
