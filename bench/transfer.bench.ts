/**
 * Four mebibytes through two whole connections in memory: what a crypto provider costs, and what tracing costs when it is
 * off, when it has been switched off again, and when somebody listens; and what larger datagrams save. Read the ratios: `npm run bench`.
 */
import { bench, describe } from 'vitest';
import { nodeCrypto } from '../src/crypto/node/index.ts';
import type { CryptoProvider, RtcOptions } from '../src/index.ts';
import { jsCrypto } from '../src/index.ts';
import { channel, makeOpenPair } from '../test/rtc/pair.ts';

const PIECES = 64;
const piece = new Uint8Array(65_536);

/** A run of its own for each measurement: connecting costs a hundredth of it with Node's provider. */
function transfer(
  crypto: CryptoProvider,
  prepare: 'nothing' | 'on and off' | 'listening',
  options: Partial<RtcOptions> = {},
): void {
  const pair = makeOpenPair({
    crypto,
    offerer: options,
    network: { record: { datagrams: false, events: false }, invariants: false, scribble: false },
  });
  const { net, offerer, answerer } = pair;
  let entries = 0;
  if (prepare !== 'nothing') offerer.rtc.setTrace(() => entries++);
  if (prepare === 'on and off') offerer.rtc.setTrace(undefined);
  for (let i = 0; i < PIECES; i++) channel(offerer).send(piece);
  const outcome = net.run({ until: () => answerer.messages.get('chat')?.length === PIECES });
  if (outcome.reason !== 'condition') throw new Error(`the transfer ended by "${outcome.reason}"`);
}

describe('4 MiB, node:crypto', () => {
  const crypto = nodeCrypto();
  bench('no trace', () => {
    transfer(crypto, 'nothing');
  });
  bench('a trace switched on and off again', () => {
    transfer(crypto, 'on and off');
  });
  bench('a trace that is listened to at one end', () => {
    transfer(crypto, 'listening');
  });
});

describe('4 MiB, noble', () => {
  const crypto = jsCrypto();
  bench('no trace', () => {
    transfer(crypto, 'nothing');
  });
});

describe('4 MiB, node:crypto, by the largest datagram', () => {
  const crypto = nodeCrypto();
  bench('1200', () => {
    transfer(crypto, 'nothing', { pathMtu: false });
  });
  bench('1472, as probing finds it', () => {
    transfer(crypto, 'nothing');
  });
  bench('16384, as probing finds it', () => {
    transfer(crypto, 'nothing', { pathMtu: { max: 16_384 } });
  });
});
