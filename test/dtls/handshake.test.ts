import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { CryptoProvider, Group } from '../../src/crypto/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { Pair, connectedPair, crypto, engineOptions, textOf } from './pair.ts';

const providers: readonly (readonly [string, CryptoProvider])[] = [
  ['js', crypto],
  ['node', nodeCrypto()],
];

describe('handshake', () => {
  it('T001 connects client and server in four flights and carries data both ways', () => {
    const pair = connectedPair();
    // client → ClientHello → server
    // client ← ServerHello … ServerHelloDone ← server
    // client → Certificate … Finished → server
    // client ← ChangeCipherSpec, Finished ← server
    expect(pair.sent.map(({ from, at }) => [from, at])).toEqual([
      ['client', 0],
      ['server', 10],
      ['client', 20],
      ['server', 30],
    ]);
    expect(pair.events).toEqual({ client: [{ type: 'connected' }], server: [{ type: 'connected' }] });
    pair.sendText('client', 'ping');
    pair.sendText('server', 'pong');
    pair.runTo(100);
    expect(pair.received.server.map(textOf)).toEqual(['ping']);
    expect(pair.received.client.map(textOf)).toEqual(['pong']);
  });

  it.each(
    providers.flatMap(([client, one]) =>
      providers.map(([server, other]) => [client, server, one, other] as const),
    ),
  )('crypto/%s and crypto/%s understand each other', (_, __, one, other) => {
    const pair = connectedPair({ client: { crypto: one }, server: { crypto: other } });
    pair.sendText('client', 'ping');
    pair.runTo(100);
    expect(pair.received.server.map(textOf)).toEqual(['ping']);
  });

  it.each<[Group, Group[], Group[]]>([
    ['x25519', ['x25519'], ['secp256r1', 'x25519']],
    ['secp256r1', ['secp256r1'], ['x25519', 'secp256r1']],
    ['secp256r1', ['x25519', 'secp256r1'], ['secp256r1']],
  ])('T004 agrees on %s', (expected, client, server) => {
    const pair = connectedPair({ client: { groups: client }, server: { groups: server } });
    expect(pair.client.inspect().handshake.group).toBe(expected);
    expect(pair.server.inspect().handshake.group).toBe(expected);
  });

  it('T012 ends with the reason on both sides when nothing is in common', () => {
    const pair = new Pair({ client: { groups: ['x25519'] }, server: { groups: ['secp256r1'] } })
      .start()
      .run();
    expect(pair.codes('server')).toEqual(['closed no-common-group']);
    expect(pair.codes('client')).toEqual(['closed alert-received']);
  });

  it('starts once', () => {
    const client = new Dtls(engineOptions('client'));
    client.start(0);
    client.start(100);
    expect(client.pollTransmit()).toBeDefined();
    expect(client.pollTransmit()).toBeUndefined();
    expect(client.nextTimeout()).toBe(400);
  });

  it.each([
    ['mtu', { mtu: 100 }],
    ['mtu', { mtu: 1200.5 }],
    ['handshakeTimeout', { handshakeTimeout: 0 }],
    ['retransmitTimeout', { retransmitTimeout: NaN }],
    ['hintTimeout', { hintTimeout: -1 }],
  ])('refuses an option out of range: %s', (name, options) => {
    expect(() => new Dtls({ ...engineOptions('client'), ...options })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT', message: expect.stringContaining(name) }),
    );
  });
});
