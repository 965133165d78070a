/** A host that stands still: its peer was not silent, nobody listened. */
import { describe, expect, test } from 'vitest';
import type { End } from './pair.ts';
import { channel, makeOpenPair } from './pair.ts';

describe.each([10_000, 15_000, 25_000])('%d ms', (frozen) => {
  const pathStates = ({ events }: End): unknown[] =>
    events.filter(({ type }) => type === 'iceconnectionstatechange').slice(2);

  // A lite peer sends no checks: nothing of it waits in the socket for the host.
  test.each([true, false])('the path is not taken for dead, lite peer: %s', (iceLite) => {
    const { net, offerer, answerer } = makeOpenPair({ conditions: { latency: 20 }, answerer: { iceLite } });
    net.advance(1000);
    const before = pathStates(offerer);
    offerer.host.freeze(frozen);
    net.advance(frozen + 5000);
    expect(pathStates(offerer)).toEqual(before);
    expect(offerer.rtc.inspect().ice.counters['clock-jump']).toBe(1);
    channel(offerer).send('back');
    net.advance(1000);
    expect(answerer.messages.get('chat')).toEqual(['back']);
  });
});
