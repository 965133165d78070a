/** A stream from `write` to the packet: what is sent as, what is refused, what waits, and what agreements change of it. */
import { expect, test } from 'vitest';
import { SendingRig, payload, video } from './sent.ts';

test('a packet goes out as it was written, from the agreed source', () => {
  const rig = new SendingRig([video()]);
  expect(rig.write({ payload: payload(7), timestamp: 2 ** 32 + 5, marker: true })).toBe(true);
  expect(rig.sender().bufferedAmount).toBe(100);
  const [packet, ...more] = rig.poll();
  expect(more).toEqual([]);
  expect(packet).toMatchObject({ payloadType: 96, timestamp: 5, marker: true, ssrc: 1000 });
  expect(packet?.payload).toEqual(payload(7));
  expect(rig.sender().bufferedAmount).toBe(0);
});
