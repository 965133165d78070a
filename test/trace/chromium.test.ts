/** Recorded sessions with a real Chromium (test/browser/trace.test.ts) replay to the same bytes, and can be shown. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { ladderSvg, parseTrace, pcapng, replay } from '../../src/trace/index.ts';

describe.each(['offers', 'answers'])('Chromium %s', (part) => {
  const text = readFileSync(new URL(`../fixtures/traces/chromium-${part}.jsonl`, import.meta.url), 'utf8');
  const trace = parseTrace(text);

  test('connects, exchanges messages, closes', () => {
    const events = trace.entries.flatMap((entry) => (entry.type === 'event' ? [entry.event] : []));
    const types = events.map(({ type }) => type);
    expect(types).toContain(part === 'offers' ? 'datachannel' : 'channelopen');
    expect(events).toContainEqual(expect.objectContaining({ type: 'message', data: 'grüß dich, 世界 🦊' }));
    expect(types).toContain('channelclose');
    expect(types.at(-1)).toBe('closed');
  });

  test('replays to the same bytes, with either crypto provider', () => {
    for (const options of [{}, { crypto: nodeCrypto() }]) {
      const outcome = replay(text, options);
      expect(outcome.identical ? 'identical' : outcome.divergence.message).toBe('identical');
      expect(outcome.rtc.isEmpty).toBe(true);
    }
  });

  test('has a ladder and a pcapng', () => {
    expect(ladderSvg(trace)).toContain('DCEP OPEN &quot;chat&quot;');
    expect(pcapng(trace).length).toBeGreaterThan(10_000);
  });
});
