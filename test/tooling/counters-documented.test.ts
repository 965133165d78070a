/** Every drop has a counter, and every counter of the endpoint and the driver tells an operator what it means. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Endpoint, Gatherer } from '../../src/index.ts';
import { UdpDriver, type MdnsStats } from '../../src/node/index.ts';
import { LocalNames } from '../../src/node/local-names.ts';

const operations = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

/** Names that have no entry of their own. */
function undocumented(names: readonly string[]): string[] {
  return names.filter((name) => !operations.includes(`\`${name}\``));
}

test('the endpoint drops for these reasons, and docs/operations.md explains each of its counters', () => {
  const { counters } = new Endpoint().inspect();
  expect(Object.keys(counters).filter((name) => !name.startsWith('routes'))).toEqual([
    'datagramsReceived',
    'droppedUnknownUsername',
    'usernameFragmentTaken',
    'droppedUnknownAddress',
    'unknownNotReported',
    'checksDeferred',
    'droppedUnknownConnectionId',
    'droppedUnattributed',
    'internalErrors',
    'closedForMemory',
    'namesRefused',
    'candidatesRefused',
  ]);
  expect(undocumented(Object.keys(counters))).toEqual([]);
});

test('the driver drops for these reasons, and docs/operations.md explains each of its counters', async () => {
  const driver = await UdpDriver.listen({ tcp: { active: true, passive: true } });
  const { tcp, tcpActive, dns, streams, ...stats } = driver.stats();
  await driver.close();
  const all = { ...stats, ...tcp };
  expect(Object.keys(all).filter((name) => /^(dropped|refused|closed)/.test(name))).toEqual([
    'droppedQueueFull',
    'droppedUnsendable',
    'droppedNoSocket',
    'droppedEmpty',
    'refused',
    'closedEarly',
    'closedUnanswered',
    'closedSilent',
    'closedUnused',
    'closedFrameTooLong',
    'droppedNoConnection',
  ]);
  const traffic = ['datagramsReceived', 'bytesReceived', 'datagramsSent', 'bytesSent'];
  const others = { ...tcpActive, ...dns, ...streams, ...mdnsStats(), tcpActive, dns, streams };
  const names = Object.keys({ ...all, ...others }).filter((name) => !traffic.includes(name));
  expect(undocumented(names)).toEqual([]);
});

function mdnsStats(): MdnsStats {
  const nothing = (): void => undefined;
  return new LocalNames(
    {},
    { query: nothing, respond: nothing, update: nothing, on: nothing, destroy: nothing },
  ).stats();
}

test('docs/operations.md explains each counter of a gatherer', () => {
  expect(undocumented(Object.keys(new Gatherer().inspect().counters))).toEqual([]);
});
