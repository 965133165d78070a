/** Which version, suite and group two ends agree on, and that the connection then carries data both ways. */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import type { CryptoProvider, Group } from '../../src/crypto/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { DtlsCipherSuite, DtlsOptions, DtlsVersions } from '../../src/dtls/index.ts';
import { Pair, crypto, textOf } from './pair.ts';

const RANGES = {
  '1.2': { min: '1.2', max: '1.2' },
  '1.3': { min: '1.3', max: '1.3' },
  auto: { min: '1.2', max: '1.3' },
} satisfies Record<string, DtlsVersions>;
type Range = keyof typeof RANGES;

const PROVIDERS: readonly CryptoProvider[] = [crypto, nodeCrypto()];

function pairOf(client: Partial<DtlsOptions>, server: Partial<DtlsOptions>): Pair {
  return new Pair({ client, server }).start().run();
}

function expectData(pair: Pair): void {
  pair.sendText('client', 'ping');
  pair.sendText('server', 'pong');
  pair.runTo(pair.now + 1000);
  expect(pair.received.server.map(textOf)).toEqual(['ping']);
  expect(pair.received.client.map(textOf)).toEqual(['pong']);
  expect(pair.client.invariantViolation()).toBeUndefined();
  expect(pair.server.invariantViolation()).toBeUndefined();
}

describe.each(PROVIDERS.map((provider) => [provider.name, provider] as const))(
  'with the provider %s',
  (_, provider) => {
    it.each<[Range, Range, string]>([
      ['1.2', '1.2', 'FEFD'],
      ['1.2', 'auto', 'FEFD'],
      ['auto', '1.2', 'FEFD'],
      ['1.3', '1.3', 'FEFC'],
      ['1.3', 'auto', 'FEFC'],
      ['auto', '1.3', 'FEFC'],
      ['auto', 'auto', 'FEFC'],
    ])('T001 T011 a client of %s and a server of %s agree on %s', (client, server, version) => {
      const pair = pairOf(
        { crypto: provider, versions: RANGES[client] },
        { crypto: provider, versions: RANGES[server] },
      );
      expect([pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([true, [], []]);
      expect([pair.client.inspect().tlsVersion, pair.server.inspect().tlsVersion]).toEqual([
        version,
        version,
      ]);
      expectData(pair);
    });

    it.each<[Range, DtlsCipherSuite]>([
      ['1.2', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
      ['1.2', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'],
      ['1.2', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
      ['1.3', 'TLS_AES_128_GCM_SHA256'],
      ['1.3', 'TLS_AES_256_GCM_SHA384'],
      ['1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
    ])('speaks %s with %s', (range, suite) => {
      const versions = RANGES[range];
      const pair = pairOf(
        { crypto: provider, versions, cipherSuites: [suite] },
        { crypto: provider, versions },
      );
      expect(pair.client.inspect().dtlsCipher).toBe(suite);
      expect(pair.server.inspect().dtlsCipher).toBe(suite);
      expectData(pair);
    });

    it.each<[Range, Group]>([
      ['1.2', 'x25519'],
      ['1.2', 'secp256r1'],
      ['1.2', 'secp384r1'],
      ['1.3', 'x25519'],
      ['1.3', 'secp256r1'],
      ['1.3', 'secp384r1'],
      ['1.3', 'x25519mlkem768'],
    ])('T004 speaks %s with %s alone', (range, group) => {
      const options = { crypto: provider, versions: RANGES[range], groups: [group] };
      const pair = pairOf(options, options);
      expect(pair.client.inspect().handshake.group).toBe(group);
      expect(pair.server.inspect().handshake.group).toBe(group);
      expectData(pair);
    });
  },
);

describe('T005 HelloRetryRequest', () => {
  it.each<[Group, Group]>([
    ['x25519', 'secp256r1'],
    ['secp256r1', 'x25519'],
    ['x25519', 'secp384r1'],
    ['x25519', 'x25519mlkem768'],
  ])('leads from %s to %s', (first, second) => {
    const pair = pairOf(
      { versions: RANGES.auto, groups: [first, second] },
      { versions: RANGES.auto, groups: [second] },
    );
    expect(pair.client.inspect().handshake.group).toBe(second);
    expect(pair.sent.length).toBeGreaterThan(5);
    expectData(pair);
  });

  it('is not needed when a share suits, though the server prefers another group', () => {
    const pair = pairOf(
      { versions: RANGES['1.3'], groups: ['secp256r1', 'x25519'] },
      { versions: RANGES['1.3'], groups: ['x25519', 'secp256r1'] },
    );
    expect(pair.client.inspect().handshake.group).toBe('secp256r1');
  });
});

describe('T012 nothing in common', () => {
  it.each<[string, Partial<DtlsOptions>, Partial<DtlsOptions>, string]>([
    ['versions', { versions: RANGES['1.2'] }, { versions: RANGES['1.3'] }, 'version-unsupported'],
    [
      'versions, the other way',
      { versions: RANGES['1.3'] },
      { versions: RANGES['1.2'] },
      'version-unsupported',
    ],
    [
      'suites',
      { versions: RANGES['1.3'], cipherSuites: ['TLS_AES_128_GCM_SHA256'] },
      { versions: RANGES['1.3'], cipherSuites: ['TLS_AES_256_GCM_SHA384'] },
      'no-common-cipher-suite',
    ],
    [
      'groups',
      { versions: RANGES['1.3'], groups: ['x25519'] },
      { versions: RANGES['1.3'], groups: ['secp256r1'] },
      'no-common-group',
    ],
  ])('%s: the server says so, and the client hears it', (_, client, server, code) => {
    const pair = pairOf(client, server);
    expect(pair.codes('server')).toEqual([`closed ${code}`]);
    // An alert that is about versions is a failure of that name to a client that has offered one alone.
    const heard = code === 'version-unsupported' && client.versions?.min === '1.3' ? code : 'alert-received';
    expect(pair.codes('client')).toEqual([`closed ${heard}`]);
  });
});

describe('T002 exported keying material', () => {
  it.each<[Range]>([['1.2'], ['1.3']])(
    'is the same at both ends of DTLS %s, and of the length asked for',
    (range) => {
      const pair = pairOf({ versions: RANGES[range] }, { versions: RANGES[range] });
      const [client, server] = [pair.client, pair.server].map((engine) =>
        engine.exportKeyingMaterial('EXTRACTOR-dtls_srtp', 60),
      );
      expect(client).toHaveLength(60);
      expect(server).toEqual(client);
      expect(pair.client.exportKeyingMaterial('another label', 60)).not.toEqual(client);
    },
  );

  it('SEC-22 is not given away before the peer is known', () => {
    const pair = new Pair({ client: { remoteFingerprints: undefined } }).start().runTo(1000);
    expect(pair.client.inspect().handshake.state).toBe('complete');
    expect(pair.client.exportKeyingMaterial('EXTRACTOR-dtls_srtp', 60)).toBeUndefined();
  });
});

it('RFC 7627: a peer without extended master secret is served when the option allows it', () => {
  const options = { requireExtendedMasterSecret: false, random: new SeededRandom(5) };
  expect(pairOf(options, options).connected).toBe(true);
});
