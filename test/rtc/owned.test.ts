/** Datagrams that are given away: opened where they lie, and no message lies in them. */
import { describe, expect, it } from 'vitest';
import type { Input } from '../../src/index.ts';
import { makeOpenPair } from './pair.ts';
import type { Pair } from './pair.ts';

const MESSAGES = ['a word', new Uint8Array(900).fill(7), new Uint8Array(5000).fill(9)] as const;

/** What the answerer was fed, each datagram with what it held before, and what came of it. */
function transfer(feed: (input: Extract<Input, { type: 'receive' }>) => Input): {
  pair: Pair;
  fed: { data: Uint8Array; before: Uint8Array }[];
} {
  const pair = makeOpenPair({ conditions: { latency: 10 }, network: { scribble: false } });
  const { net, offerer, answerer } = pair;
  const fed: { data: Uint8Array; before: Uint8Array }[] = [];
  answerer.tap.input = (input, pass) => {
    if (input.type !== 'receive') {
      pass();
      return;
    }
    const given = feed(input);
    if (given.type === 'receive') fed.push({ data: given.data, before: given.data.slice() });
    answerer.rtc.handleInput(given);
  };
  for (const message of MESSAGES) offerer.channels.get('chat')?.send(message);
  net.run({ limit: 5000, until: () => (answerer.messages.get('chat')?.length ?? 0) === MESSAGES.length });
  return { pair, fed };
}

function isUnchanged({ data, before }: { data: Uint8Array; before: Uint8Array }): boolean {
  return data.every((byte, i) => byte === before[i]);
}

describe('a datagram', () => {
  it('is not written to unless it is given away', () => {
    const { fed } = transfer((input) => input);
    expect(fed.length).toBeGreaterThan(3);
    expect(fed.every(isUnchanged)).toBe(true);
  });

  it('that is given away is opened where it lies', () => {
    const { fed } = transfer((input) => ({ ...input, data: input.data.slice(), owned: true }));
    expect(fed.some((one) => !isUnchanged(one))).toBe(true);
  });

  it.each([false, true])('gives the same messages (owned: %s), in buffers of their own', (owned) => {
    const { pair, fed } = transfer((input) => ({ ...input, data: input.data.slice(), owned }));
    const messages = pair.answerer.messages.get('chat') ?? [];
    expect(messages).toEqual([...MESSAGES]);
    const buffers = new Set(fed.map(({ data }) => data.buffer));
    for (const message of messages) {
      if (typeof message === 'string') continue;
      expect(buffers.has(message.buffer)).toBe(false);
      expect(message.buffer.byteLength).toBe(message.length);
    }
  });

  it('of a subclass, as Node gives them, is taken as what it is', () => {
    const { pair } = transfer((input) => ({ ...input, data: Buffer.from(input.data), owned: true }));
    const message = pair.answerer.messages.get('chat')?.[1];
    expect(message?.constructor).toBe(Uint8Array);
  });

  it('in memory that threads share is copied, whatever is said', () => {
    const { pair, fed } = transfer((input) => {
      const data = new Uint8Array(new SharedArrayBuffer(input.data.length));
      data.set(input.data);
      return { ...input, data, owned: true };
    });
    expect(pair.answerer.messages.get('chat')).toEqual([...MESSAGES]);
    expect(fed.every(isUnchanged)).toBe(true);
  });
});
