/** Who the peer is: fingerprints known before, during or after the handshake, right and wrong. */
import { describe, expect, it } from 'vitest';
import type { Fingerprint } from '../../src/dtls/index.ts';
import { Dtls, fingerprintOf } from '../../src/dtls/index.ts';
import type { PairOptions } from './pair.ts';
import { LOCAL_CLOSE, Pair, certificates, crypto, engineOptions, sealed, textOf } from './pair.ts';

const right = certificates.server.fingerprint;
const wrong: Fingerprint = certificates.client.fingerprint;

function clientExpecting(remoteFingerprints: readonly Fingerprint[] | undefined): PairOptions {
  return { client: { remoteFingerprints } };
}

describe('fingerprints known before the handshake', () => {
  it.each<[string, Fingerprint[]]>([
    ['sha-256', [right]],
    ['sha-384', [fingerprintOf(certificates.server.der, 'sha-384', crypto)]],
    ['sha-512', [fingerprintOf(certificates.server.der, 'sha-512', crypto)]],
    ['lower case', [{ algorithm: 'SHA-256', value: right.value.toLowerCase() }]],
    ['one of several', [wrong, right]],
    ['a weak one beside it', [{ algorithm: 'sha-1', value: '00' }, right]],
  ])('T110 connects with %s', (_, list) => {
    expect(new Pair(clientExpecting(list)).start().run().connected).toBe(true);
  });

  it.each<[string, Fingerprint[], string]>([
    ['a wrong one', [wrong], 'fingerprint-mismatch'],
    ['a weak one alone', [{ algorithm: 'sha-1', value: '00' }], 'fingerprint-unusable'],
    ['none at all', [], 'fingerprint-unusable'],
  ])('T110 T111 ends with bad_certificate with %s, and the peer learns why', (_, list, code) => {
    const pair = new Pair(clientExpecting(list)).start().run();
    expect(pair.codes('client')).toEqual([`closed ${code}`]);
    expect(pair.events.server).toMatchObject([
      {
        type: 'closed',
        failure: { code: 'alert-received', message: expect.stringContaining('bad_certificate') },
      },
    ]);
    expect([pair.client.nextTimeout(), pair.server.nextTimeout()]).toEqual([Infinity, Infinity]);
  });

  it('T111 the server checks its client as well', () => {
    const pair = new Pair({ server: { remoteFingerprints: [right] } }).start().run();
    expect(pair.codes('server')).toEqual(['closed fingerprint-mismatch']);
    expect(pair.codes('client')).toEqual(['closed alert-received']);
  });
});

describe('fingerprints that come later', () => {
  it('holds connected and all data until they come (SEC-22)', () => {
    const pair = new Pair(clientExpecting(undefined)).start().runTo(1000);
    expect(pair.server.state).toBe('connected');
    expect(pair.client.state).toBe('connecting');
    expect(pair.client.inspect()).toMatchObject({
      remoteFingerprint: right,
      remoteFingerprintVerified: false,
      handshake: { state: 'complete' },
      timers: { dtlsHandshake: 15_000 },
    });
    pair.sendText('server', 'early');
    pair.runTo(1100);
    expect(sealed(pair.client, 'too soon')).toBeUndefined();
    expect(pair.received.client).toEqual([]);

    pair.client.setRemoteFingerprints([right], 1200);
    pair.drain();
    expect(pair.events.client).toEqual([{ type: 'connected' }]);
    expect(pair.received.client.map(textOf)).toEqual(['early']);
    expect(pair.client.nextTimeout()).toBe(Infinity);
  });

  it('T111 ends with bad_certificate when they are wrong, and nothing held comes out', () => {
    const pair = new Pair(clientExpecting(undefined)).start().runTo(1000);
    pair.sendText('server', 'early');
    pair.runTo(1100);
    pair.client.setRemoteFingerprints([wrong], 1200);
    pair.run();
    pair.runTo(2000);
    expect(pair.codes('client')).toEqual(['closed fingerprint-mismatch']);
    expect(pair.received.client).toEqual([]);
    expect(pair.events.server).toMatchObject([
      { type: 'connected' },
      { type: 'closed', failure: { message: expect.stringContaining('bad_certificate') } },
    ]);
  });

  it('nothing held comes out when the peer closes before they have come', () => {
    const pair = new Pair(clientExpecting(undefined)).start().runTo(1000);
    pair.sendText('server', 'early');
    pair.server.close(LOCAL_CLOSE, pair.now);
    pair.runTo(1100);
    expect(pair.events.client).toEqual([{ type: 'closed' }]);
    expect(pair.received.client).toEqual([]);
  });

  it('F1f says so at the deadline when they never come', () => {
    const pair = new Pair(clientExpecting(undefined)).start().run();
    expect(pair.now).toBe(15_000);
    expect(pair.codes('client')).toEqual(['closed fingerprint-missing']);
  });

  it('keeps only so much data while it waits', () => {
    const limits = { earlyRecords: 3 };
    const pair = new Pair({ client: { remoteFingerprints: undefined, limits } }).start().runTo(1000);
    for (const text of ['a', 'b', 'c', 'd', 'e']) pair.sendText('server', text);
    pair.runTo(1100);
    expect(pair.client.inspect().counters.dataDropped).toBe(2);
    pair.client.setRemoteFingerprints([right], 1200);
    pair.drain();
    expect(pair.received.client.map(textOf)).toEqual(['a', 'b', 'c']);
  });

  it('the server waits as well, and its final flight is out already', () => {
    const pair = new Pair({ server: { remoteFingerprints: undefined } }).start().runTo(1000);
    expect([pair.client.state, pair.server.state]).toEqual(['connected', 'connecting']);
    pair.server.setRemoteFingerprints([certificates.client.fingerprint], 1000);
    expect(pair.server.state).toBe('connected');
  });
});

describe('fingerprints of a later description', () => {
  it('the same ones change nothing', () => {
    const pair = new Pair().start().run();
    pair.client.setRemoteFingerprints([right], pair.now);
    pair.drain();
    expect(pair.events.client).toEqual([{ type: 'connected' }]);
  });

  it('others end the association', () => {
    const pair = new Pair().start().run();
    pair.client.setRemoteFingerprints([wrong], pair.now);
    pair.runTo(pair.now + 100);
    expect([pair.client.state, pair.server.state]).toEqual(['failed', 'failed']);
  });
});

describe('inspect', () => {
  it('F1e shows role, setups, cipher, fingerprints, flight and retransmissions, as JSON, without secrets', () => {
    const setups = { local: 'active', remote: 'passive' };
    const pair = new Pair({ client: { setups } }).start().run();
    const seen = pair.client.inspect();
    expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
    expect(seen).toMatchObject({
      role: 'client',
      state: 'connected',
      setups,
      tlsVersion: 'FEFD',
      dtlsCipher: 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      localFingerprint: certificates.client.fingerprint,
      remoteFingerprint: right,
      remoteFingerprintVerified: true,
      handshake: { state: 'complete', group: 'x25519', flight: { number: 5, transmissions: 1 } },
      counters: { retransmissions: 0 },
    });
    expect(pair.client.remoteCertificate).toEqual(certificates.server.der);
  });

  it('F1e works before anything has happened', () => {
    expect(new Dtls(engineOptions('server')).inspect()).toMatchObject({
      state: 'new',
      tlsVersion: null,
      remoteFingerprint: null,
      handshake: { state: 'await-client-hello', group: null, flight: { number: 0 } },
      timers: {},
    });
  });
});

describe('C10: dangerouslyAcceptAnyFingerprint', () => {
  const any = { dangerouslyAcceptAnyFingerprint: true };

  it.each<[string, readonly Fingerprint[] | undefined]>([
    ['undefined', undefined],
    ['none', []],
  ])(
    'C10: connects to whoever comes where the fingerprints are %s, and says who it is',
    (_, remoteFingerprints) => {
      for (const version of ['1.2', '1.3'] as const) {
        const versions = { min: version, max: version };
        const pair = new Pair({
          client: { versions, remoteFingerprints, ...any },
          server: { versions, remoteFingerprints, ...any },
        });
        expect(pair.client.remoteFingerprint).toBeUndefined();
        pair.start().run();
        expect(pair.connected).toBe(true);
        expect([pair.client.remoteFingerprint, pair.server.remoteFingerprint]).toEqual([right, wrong]);
        expect(pair.client.remoteCertificate).toEqual(certificates.server.der);
        expect(pair.client.inspect()).toMatchObject({
          remoteFingerprint: right,
          remoteFingerprintVerified: false,
        });
        pair.sendText('server', 'hello');
        pair.runTo(pair.now + 100);
        expect(pair.received.client.map(textOf)).toEqual(['hello']);
      }
    },
  );

  it('C10: is off unless it is asked for', () => {
    const pair = new Pair(clientExpecting(undefined)).start().runTo(20_000);
    expect(pair.codes('client')).toEqual(['closed fingerprint-missing']);
    expect(pair.client.remoteFingerprint).toEqual(right);
  });

  it('C10: possession of the key is proved all the same', () => {
    const stolen = { ...certificates.server, signingKey: certificates.client.signingKey };
    const pair = new Pair({
      client: { remoteFingerprints: undefined, ...any },
      server: { certificate: stolen },
    });
    expect(pair.start().run().codes('client')).toEqual(['closed signature-invalid']);
  });

  it('C10: fingerprints that are known are checked, before and after', () => {
    const before = new Pair({ client: { remoteFingerprints: [wrong], ...any } }).start().run();
    expect(before.codes('client')).toEqual(['closed fingerprint-mismatch']);
    for (const list of [[right], [wrong]]) {
      const pair = new Pair({ client: { remoteFingerprints: undefined, ...any } }).start().run();
      expect(pair.connected).toBe(true);
      pair.client.setRemoteFingerprints(list, pair.now);
      pair.drain();
      expect(pair.client.state).toBe(list[0] === right ? 'connected' : 'failed');
      expect(pair.client.inspect().remoteFingerprintVerified).toBe(list[0] === right);
    }
  });
});
