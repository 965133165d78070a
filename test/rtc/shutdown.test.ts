/** The graceful end of a connection: everything accepted is delivered, and the host hears when. */
import { describe, expect, it } from 'vitest';
import { makeOpenPair, makePair, makeUnsignalledPair } from './pair.ts';
import type { End, PairOptions } from './pair.ts';
import { SeededRandom } from '../../src/index.ts';

const MESSAGES = 200;

function bytes(seed: number): Uint8Array {
  const data = new Uint8Array(1000);
  new SeededRandom(seed).fill(data);
  return data;
}

/** An open pair whose offerer has queued more than one flight. */
function filled(options: PairOptions = {}): ReturnType<typeof makeOpenPair> {
  const pair = makeOpenPair({ conditions: { latency: 20 }, ...options });
  const chat = pair.offerer.channels.get('chat');
  for (let i = 0; i < MESSAGES; i++) expect(chat?.send(bytes(i))).toBe(true);
  return pair;
}

function closed({ events }: End): unknown {
  return events.find((event) => event.type === 'closed');
}

function types({ events }: End): string[] {
  return events.map(({ type }) => type);
}

describe('shutdown', () => {
  it.each([0, 0.1])('delivers what was accepted, then both ends close in order (loss %d)', (loss) => {
    const { net, offerer, answerer } = filled({ conditions: { latency: 20, loss } });
    offerer.rtc.shutdown();
    net.run({ limit: 60_000, until: () => offerer.rtc.isEmpty && answerer.rtc.isEmpty });
    expect(answerer.messages.get('chat')).toHaveLength(MESSAGES);
    expect(closed(offerer)).toMatchObject({ reason: { layer: 'rtc', code: 'local-close' } });
    expect(closed(answerer)).toMatchObject({ reason: { code: 'remote-close' } });
    for (const end of [offerer, answerer]) {
      expect(types(end).filter((type) => type === 'channelerror')).toEqual([]);
      expect(end.events.find((event) => event.type === 'channelclose')).not.toHaveProperty('failure');
      expect(types(end).at(-1)).toBe('closed');
      expect(end.rtc.isEmpty).toBe(true);
    }
  });

  it('takes nothing more from the moment of the call', () => {
    const { net, offerer } = filled();
    const chat = offerer.channels.get('chat');
    for (let i = 0; i < 1000; i++) offerer.rtc.shutdown();
    expect(offerer.rtc.inspect().deferred).toBe(0);
    expect(chat?.send('at once')).toBe(false);
    net.advance(1);
    expect(chat?.readyState).toBe('closing');
    expect(chat?.send('too late')).toBe(false);
  });

  it('still gives out what the peer has sent', () => {
    const { net, offerer, answerer } = filled();
    offerer.rtc.shutdown();
    answerer.channels.get('chat')?.send('and a last word');
    net.run({ limit: 10_000, until: () => offerer.rtc.isEmpty });
    expect(offerer.messages.get('chat')).toEqual(['and a last word']);
  });

  it('may be asked for inside of an event', () => {
    const { net, offerer, answerer } = makePair({ conditions: { latency: 20 } });
    offerer.tap.hears = (event) => {
      if (event.type !== 'channelopen') return;
      event.channel.send('hello and goodbye');
      offerer.rtc.shutdown();
    };
    net.run({ limit: 10_000, until: () => offerer.rtc.isEmpty && answerer.rtc.isEmpty });
    expect(answerer.messages.get('chat')).toEqual(['hello and goodbye']);
    expect(closed(offerer)).toMatchObject({ reason: { code: 'local-close' } });
  });

  it('at both ends at once is one shutdown', () => {
    const { net, offerer, answerer } = filled();
    offerer.rtc.shutdown();
    answerer.rtc.shutdown();
    net.run({ limit: 10_000, until: () => offerer.rtc.isEmpty && answerer.rtc.isEmpty });
    expect(answerer.messages.get('chat')).toHaveLength(MESSAGES);
    for (const end of [offerer, answerer]) {
      expect(closed(end)).toMatchObject({ reason: { code: 'local-close' } });
    }
  });

  it('ends by its gate when the peer has gone', () => {
    const { net, offerer, answerer } = filled({ offerer: { sctp: { gates: { shutdown: 5000 } } } });
    net.partition([offerer.host], [answerer.host]);
    const startedAt = net.now;
    offerer.rtc.shutdown();
    net.run({ limit: 20_000, until: () => offerer.rtc.isEmpty });
    expect(closed(offerer)).toMatchObject({ reason: { code: 'shutdown-timeout', gate: 'shutdown' } });
    expect(offerer.events.at(-1)?.at).toBeLessThanOrEqual(startedAt + 5100);
  });

  it.each([0, 60, 120, 180, 240, 300, 350])(
    'of a connection that is not up yet closes it (after %d ms)',
    (after) => {
      const { net, offerer } = makePair({ conditions: { latency: 50 } });
      net.advance(after);
      offerer.rtc.shutdown();
      net.run({ limit: 10_000, until: () => offerer.rtc.isEmpty });
      expect(closed(offerer)).toMatchObject({ reason: { code: 'local-close' } });
      expect(net.now).toBeLessThan(after + 1000);
    },
  );

  it('of one that nothing was done with closes it', () => {
    const { net, offerer } = makeUnsignalledPair();
    offerer.rtc.shutdown();
    net.advance(10);
    expect(closed(offerer)).toMatchObject({ reason: { code: 'local-close' } });
    expect(offerer.rtc.isEmpty).toBe(true);
  });

  it('gives way to close, and is nothing after it', () => {
    const { net, offerer } = filled();
    offerer.rtc.shutdown();
    offerer.rtc.shutdown();
    net.advance(5);
    offerer.rtc.close();
    offerer.rtc.shutdown();
    net.advance(1);
    expect(offerer.rtc.isEmpty).toBe(true);
    expect(types(offerer).filter((type) => type === 'closed')).toHaveLength(1);
  });
});
