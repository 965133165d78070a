/** Bad input at the public door: nothing throws out of `handleInput`, nothing ends an established connection. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pair } from './pair.ts';
import { channel, makeOpenPair, makePair } from './pair.ts';

/** First bytes that lead into each layer's parser: STUN, DTLS handshake, CCS, alert, application data, RTP, nothing. */
const leads = fc.constantFrom(0, 1, 20, 21, 22, 23, 128, 255);

const garbage = fc
  .tuple(leads, fc.uint8Array({ maxLength: 200 }))
  .map(([lead, rest]) => Uint8Array.of(lead, ...rest));

/** A datagram off the wire with some of its bytes changed, cut short or lengthened. */
const mutation = fc.record({
  pick: fc.nat(),
  flips: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 8 }),
  cut: fc.option(fc.nat(), { nil: undefined }),
  extra: fc.uint8Array({ maxLength: 20 }),
});

function mutate(
  data: Uint8Array,
  { flips, cut, extra }: { flips: [number, number][]; cut?: number | undefined; extra: Uint8Array },
): Uint8Array {
  const copy = Uint8Array.of(...data, ...extra);
  for (const [at, mask] of flips) copy[at % copy.length] = (copy[at % copy.length] ?? 0) ^ mask;
  return cut === undefined ? copy : copy.subarray(0, cut % (copy.length + 1));
}

function inject(pair: Pair, data: Uint8Array, spoofed: boolean): void {
  const { net, offerer } = pair;
  offerer.rtc.handleInput({
    type: 'receive',
    now: net.now,
    protocol: 'udp',
    source: spoofed ? { address: '203.0.113.9', port: 9 } : { address: '192.0.2.2', port: 5000 },
    destination: { address: '192.0.2.1', port: 5000 },
    data,
  });
}

function expectAlive(pair: Pair, word: string): void {
  const { net, offerer, answerer } = pair;
  expect(offerer.rtc.connectionState).toBe('connected');
  channel(offerer).send(word);
  net.run({ until: () => answerer.messages.get('chat')?.includes(word) === true, limit: 5000 });
  expect(answerer.messages.get('chat')).toContain(word);
}

describe('an established connection', () => {
  test('F4d: random bytes from the path of the peer and from elsewhere', () => {
    const pair = makeOpenPair();
    fc.assert(
      fc.property(garbage, fc.boolean(), (data, spoofed) => {
        inject(pair, data, spoofed);
      }),
      { numRuns: 2000 },
    );
    expectAlive(pair, 'still here');
  });

  test('mutated copies of everything that was on the wire', () => {
    const pair = makeOpenPair({ network: { record: { bytes: true } } });
    const { net, offerer, answerer } = pair;
    for (let i = 0; i < 20; i++) {
      channel(answerer).send(`message ${String(i)}`);
      net.advance(50);
    }
    expect(offerer.messages.get('chat')).toHaveLength(20);
    const wire = net.datagrams.flatMap(({ data, destination }) =>
      data === undefined || destination.address !== '192.0.2.1' ? [] : [data],
    );
    expect(wire.length).toBeGreaterThan(20);
    fc.assert(
      fc.property(mutation, fc.boolean(), (change, spoofed) => {
        const original = wire[change.pick % wire.length] ?? new Uint8Array(0);
        inject(pair, mutate(original, change), spoofed);
      }),
      { numRuns: 3000 },
    );
    expect(offerer.messages.get('chat')).toHaveLength(20); // replays are replays
    expectAlive(pair, 'still here');
  });
});

describe('a connection in the making', () => {
  test('mutated copies of its own handshake do not keep it from connecting', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.array(mutation, { minLength: 1, maxLength: 20 }),
        (seed, changes) => {
          const pair = makePair({ seed, network: { record: { bytes: true } }, conditions: { latency: 10 } });
          const { net, offerer, answerer } = pair;
          for (const change of changes) {
            net.advance(3);
            const wire = net.datagrams.flatMap(({ data, destination }) =>
              data === undefined || destination.address !== '192.0.2.1' ? [] : [data],
            );
            const original = wire[change.pick % Math.max(1, wire.length)];
            // Flipped bits in a DTLS flight from the true path are the path's own doing: the spoofed ones must not matter.
            if (original !== undefined) inject(pair, mutate(original, change), true);
          }
          const outcome = net.run({
            until: () => offerer.channels.has('chat') && answerer.channels.has('chat'),
            limit: 20_000,
          });
          expect(outcome.reason).toBe('condition');
        },
      ),
      { numRuns: 30 },
    );
  });
});
