/**
 * T050 T051 T054: every version, provider, group and MTU, with every single datagram lost, doubled or swapped with the
 * next, and every pair lost. `npm test` runs a part; SANSRTC_SOAK=1 runs all of it. Counts are printed.
 */
import { afterAll, describe, expect, it } from 'vitest';
import type { CryptoProvider, Group } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsVersions } from '../../src/dtls/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import type { Wire } from './pair.ts';
import { PERFECT, Pair, crypto, dropping } from './pair.ts';

declare const process: { readonly env: Readonly<Record<string, string | undefined>> };

const isSoak = process.env['SANSRTC_SOAK'] !== undefined;

interface Setting {
  readonly name: string;
  readonly client: CryptoProvider;
  readonly server: CryptoProvider;
  readonly versions: DtlsVersions;
  /** The server's only group: another one than the client's first costs DTLS 1.3 a HelloRetryRequest. */
  readonly group: Group;
  /** The client's, if not those of always. */
  readonly clientGroups?: readonly Group[];
  readonly mtu: number;
}

const VERSIONS: readonly DtlsVersions[] = [
  { min: '1.2', max: '1.2' },
  { min: '1.3', max: '1.3' },
  { min: '1.2', max: '1.3' },
];
const node = nodeCrypto();
const remembering = memoizedCrypto(node);

function settings(): Setting[] {
  const providers = isSoak ? [crypto, node] : [node];
  const groups: readonly Group[] = isSoak ? ['x25519', 'secp256r1', 'secp384r1'] : ['x25519', 'secp256r1'];
  const all: Setting[] = [];
  for (const mtu of isSoak ? [1400, 1200, 600, 300] : [1200, 300]) {
    for (const versions of VERSIONS) {
      for (const group of groups) {
        for (const client of providers) {
          for (const server of providers) {
            const name = `${client.name} to ${server.name}, ${versions.min}–${versions.max}, ${group}, MTU ${mtu}`;
            all.push({ name, client, server, versions, group, mtu });
          }
        }
      }
    }
  }
  // The longest hellos in the smallest datagrams: there is most to lose. With and without a HelloRetryRequest.
  const hybrid = { client: remembering, server: remembering, group: 'x25519mlkem768', mtu: 300 } as const;
  for (const first of isSoak ? (['x25519mlkem768', 'secp256r1'] as const) : (['x25519mlkem768'] as const)) {
    const clientGroups = first === hybrid.group ? [first] : [first, hybrid.group];
    const name = `${node.name} to ${node.name}, 1.3, ${first} to ${hybrid.group}, MTU 300`;
    all.push({ ...hybrid, name, versions: { min: '1.3', max: '1.3' }, clientGroups });
  }
  return all;
}

/** What is done to a handshake, and how many have had it done. */
const counts = { untouched: 0, lost: 0, doubled: 0, swapped: 0, late: 0, pairsLost: 0 };
let slowest = 0;

function handshake(setting: Setting, wire: Wire, fate: keyof typeof counts, name: string = fate): Pair {
  const { versions, mtu } = setting;
  const pair = new Pair({
    wire,
    client: { crypto: setting.client, versions, mtu, groups: setting.clientGroups },
    server: { crypto: setting.server, versions, mtu, groups: [setting.group] },
  });
  pair.start().run();
  counts[fate]++;
  slowest = Math.max(slowest, pair.now);
  expect([name, pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([name, true, [], []]);
  return pair;
}

/** Once connected, everything is acknowledged and every timer comes to rest, and data flows. */
function expectAtRest(pair: Pair, name: string): void {
  pair.wire = PERFECT;
  pair.sendText('client', 'ping');
  pair.sendText('server', 'pong');
  pair.runTo(pair.now + 10_000);
  expect([name, pair.received.server.length, pair.received.client.length]).toEqual([name, 1, 1]);
  expect([name, pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([name, Infinity, Infinity]);
}

/** In the order sent, but `index` right behind the next one. */
function swapping(index: number): Wire {
  return (sent) => {
    const place = sent.index === index ? index + 1.5 : sent.index;
    return [{ data: sent.data, after: 10 + place / 1000 }];
  };
}

describe.each(settings().map((setting) => [setting.name, setting] as const))('%s', (_, setting) => {
  const count = handshake(setting, PERFECT, 'untouched').runTo(1000).sent.length;

  it('T050 T054 T055 any one datagram may be lost, doubled, swapped with the next, or come behind its flight', () => {
    for (let index = 0; index < count; index++) {
      expectAtRest(handshake(setting, dropping(index), 'lost', `without ${index}`), `without ${index}`);
      const doubled: Wire = (sent) =>
        sent.index === index ? [...PERFECT(sent), { data: sent.data, after: 35 }] : PERFECT(sent);
      expectAtRest(handshake(setting, doubled, 'doubled', `${index} twice`), `${index} twice`);
      const swapped = `${index} after ${index + 1}`;
      expectAtRest(handshake(setting, swapping(index), 'swapped', swapped), swapped);
      const late: Wire = (sent) => (sent.index === index ? [{ data: sent.data, after: 12 }] : PERFECT(sent));
      expectAtRest(handshake(setting, late, 'late', `${index} late`), `${index} late`);
    }
  });

  it('T051 any two datagrams may be lost', () => {
    for (let first = 0; first < count; first++) {
      for (let second = first + 1; second <= count; second++) {
        const name = `without ${first} and ${second}`;
        expectAtRest(handshake(setting, dropping(first, second), 'pairsLost', name), name);
      }
    }
  });
});

afterAll(() => {
  const { untouched, lost, doubled, swapped, late, pairsLost } = counts;
  const all = untouched + lost + doubled + swapped + late + pairsLost;
  console.log(
    `${all} handshakes over ${settings().length} settings, all connected, the slowest after ${Math.round(slowest)} ms of the ` +
      `15000 allowed: ${untouched} untouched, one datagram lost in ${lost}, doubled in ${doubled}, swapped in ${swapped}, ` +
      `late in ${late}, two lost in ${pairsLost}`,
  );
});
