/** Seeds of a hostile network: everything connects, a mebibyte arrives intact, and a seed replays to the same bytes. */
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../src/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import { howMany } from '../how-many.ts';
import { channel, makePair, runUntilOpen } from './pair.ts';

const SEEDS = howMany(20, 200);
const SIZE = 1_048_576;
const PIECE = 65_536;

const HOSTILE: LinkConditions = {
  latency: 25,
  jitter: 10,
  loss: 0.1,
  reorder: 0.1,
  reorderDelay: 15,
  duplicate: 0.1,
  duplicateDelay: 5,
};

const crypto = memoizedCrypto(nodeCrypto());
const payload = makePayload();

function makePayload(): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  new SeededRandom(99).fill(bytes);
  return bytes;
}

/** Connects and sends the mebibyte; answers what the network saw. */
function transfer(seed: number): { digest: string; milliseconds: number } {
  const pair = makePair({
    seed,
    crypto,
    conditions: HOSTILE,
    network: { record: { datagrams: false, events: false } },
  });
  const { net, offerer, answerer } = pair;
  runUntilOpen(pair);
  for (let at = 0; at < SIZE; at += PIECE) channel(offerer).send(payload.subarray(at, at + PIECE));
  const arrived = (): number => answerer.messages.get('chat')?.length ?? 0;
  const outcome = net.run({ until: () => arrived() === SIZE / PIECE, limit: 600_000 });
  if (outcome.reason !== 'condition') {
    throw new Error(`seed ${String(seed)}: ${outcome.reason}: ${JSON.stringify(offerer.rtc.inspect())}`);
  }
  const messages = answerer.messages.get('chat') ?? [];
  messages.forEach((message, i) => {
    const expected = payload.subarray(i * PIECE, (i + 1) * PIECE);
    if (typeof message === 'string' || !equal(message, expected))
      throw new Error(`seed ${String(seed)}: piece ${String(i)}`);
  });
  return { digest: net.digest(), milliseconds: net.now };
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

describe('10 % loss, reorder and duplication in both directions', () => {
  test(`F1d: ${String(SEEDS)} seeds all connect and deliver a mebibyte intact`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) transfer(seed);
  });

  test('the same seed gives the same bytes twice', () => {
    for (const seed of [3, 77]) expect(transfer(seed)).toEqual(transfer(seed));
    expect(transfer(3).digest).not.toBe(transfer(4).digest);
  });
});
