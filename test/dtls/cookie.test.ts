/** T006: a server that asks for cookies, in both versions: HelloVerifyRequest (RFC 6347 §4.2.1), HelloRetryRequest (RFC 9147 §5.1). */
import { describe, expect, it } from 'vitest';
import { isFailure } from '../../src/core/decode.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { Cookies } from '../../src/dtls/cookie.ts';
import type { DtlsOptions, DtlsVersion } from '../../src/dtls/index.ts';
import { Dtls } from '../../src/dtls/index.ts';
import { ExtensionType, encodeCookie, findExtension } from '../../src/dtls/messages/extensions.ts';
import { HandshakeType, decodeFragment } from '../../src/dtls/messages/handshake.ts';
import type { ClientHello } from '../../src/dtls/messages/hello.ts';
import {
  decodeClientHello,
  decodeHelloVerifyRequest,
  decodeServerHello,
  encodeClientHello,
} from '../../src/dtls/messages/hello.ts';
import { Reader } from '../../src/core/bytes.ts';
import { VERSIONS, fragmentOf, plaintextRecord } from './hostile.ts';
import { machineOf } from './machines.ts';
import type { PairOptions } from './pair.ts';
import { PERFECT, Pair, connectedPair, dropping, engineOptions } from './pair.ts';

const crypto = nodeCrypto();

function options(version: DtlsVersion | 'either', server: Partial<DtlsOptions> = {}): PairOptions {
  const versions = version === 'either' ? {} : { min: version, max: version };
  return { client: { crypto, versions }, server: { crypto, versions, requireCookie: true, ...server } };
}

/** The types of the messages that begin each datagram, of what is plaintext. */
function firstMessages(pair: Pair): number[] {
  return pair.sent.filter(({ data }) => data[0] === 22 && data[4] === 0).map(({ data }) => data[13]!);
}

function helloIn(datagram: Uint8Array): ClientHello {
  const fragment = decodeFragment(new Reader(datagram.subarray(13)));
  if (isFailure(fragment)) throw new Error(fragment.reason);
  const hello = decodeClientHello(fragment.body);
  if (isFailure(hello)) throw new Error(hello.reason);
  return hello;
}

describe('cookies', () => {
  const hello = helloIn(
    plaintextRecord(22, fragmentOf(1, 0, machineOf('client').said[0]?.body ?? new Uint8Array())),
  );

  it('are of 32 bytes, the same for the same hello, and no others', () => {
    const cookies = new Cookies(crypto, new SeededRandom(1));
    const cookie = cookies.issue(hello);
    expect(cookie).toHaveLength(32);
    expect(cookies.accepts(hello, cookie)).toBe(true);
    const changed: Partial<ClientHello>[] = [
      { random: new Uint8Array(32) },
      { sessionId: Uint8Array.of(1) },
      { cipherSuites: hello.cipherSuites.slice(1) },
      { compressionMethods: Uint8Array.of(0, 1) },
    ];
    for (const change of changed) expect(cookies.accepts({ ...hello, ...change }, cookie)).toBe(false);
    for (let bit = 0; bit < 256; bit++) {
      const forged = cookie.slice();
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(cookies.accepts(hello, forged)).toBe(false);
    }
    for (const bad of [new Uint8Array(), cookie.subarray(1), new Uint8Array(32)]) {
      expect(cookies.accepts(hello, bad)).toBe(false);
    }
  });

  it('come from the injected random source, and are bound to what names the client', () => {
    const of = (seed: number, binding?: Uint8Array): Uint8Array =>
      new Cookies(crypto, new SeededRandom(seed), binding).issue(hello);
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
    expect(of(1, Uint8Array.of(192, 0, 2, 1))).not.toEqual(of(1, Uint8Array.of(192, 0, 2, 2)));
  });

  it('can be turned off, as an Rtc does, and cost nothing then', () => {
    for (const version of VERSIONS) {
      const plain = connectedPair(options(version, { requireCookie: false }));
      expect(firstMessages(plain)).not.toContain(HandshakeType.helloVerifyRequest);
      expect(connectedPair(options(version, { requireCookie: false })).sent.length).toBe(plain.sent.length);
    }
  });
});

describe.each([...VERSIONS, 'either'] as const)('DTLS %s', (version) => {
  it('T006 connects after one round more, with the same random in both hellos', () => {
    const pair = connectedPair(options(version));
    const [first, request, second] = pair.sent.map(({ data }) => data);
    const [hello, again] = [helloIn(first ?? new Uint8Array()), helloIn(second ?? new Uint8Array())];
    expect(again.random).toEqual(hello.random);
    // ClientHello 0, the request 0, ClientHello 1, ServerHello 1 (RFC 6347 §4.2.2).
    const messageSeqs = pair.sent.slice(0, 4).map(({ data }) => (data[17]! << 8) | data[18]!);
    expect(messageSeqs).toEqual([0, 0, 1, 1]);
    const fragment = decodeFragment(new Reader((request ?? new Uint8Array()).subarray(13)));
    if (isFailure(fragment)) throw new Error(fragment.reason);
    if (version === '1.2') {
      expect(decodeHelloVerifyRequest(fragment.body)).toMatchObject({
        version: 0xfeff,
        cookie: again.cookie,
      });
      expect(again.cookie).toHaveLength(32);
    } else {
      const retry = decodeServerHello(fragment.body);
      if (isFailure(retry)) throw new Error(retry.reason);
      const cookie = findExtension(retry.extensions, ExtensionType.cookie);
      expect(cookie).toHaveLength(34);
      expect(findExtension(again.extensions, ExtensionType.cookie)).toEqual(cookie);
      expect(findExtension(retry.extensions, ExtensionType.keyShare)).toBeUndefined();
    }
  });

  it('T006 costs the server no key, no timer and no transcript before the cookie is back', () => {
    let keyExchanges = 0;
    const counting = Object.create(crypto, {
      keyExchange: {
        value: (...given: Parameters<typeof crypto.keyExchange>) => {
          keyExchanges++;
          return crypto.keyExchange(...given);
        },
      },
    }) as typeof crypto;
    const server = new Dtls({ ...engineOptions('server'), ...options(version).server, crypto: counting });
    const client = new Dtls({ ...engineOptions('client'), ...options(version).client });
    client.start(0);
    const hello = client.pollTransmit() ?? new Uint8Array();
    server.start(0);
    server.handlePacket(hello, 1);
    const request = server.pollTransmit() ?? new Uint8Array();
    // No amplification: the answer is smaller than the question.
    expect(request.length).toBeLessThan(hello.length);
    expect(server.pollTransmit()).toBeUndefined();
    expect(server.inspect().timers.dtlsRetransmit).toBeUndefined();
    expect(server.invariantViolation()).toBeUndefined();
    expect(server.inspect().handshake).toMatchObject({ flight: { number: 2 }, reassembly: { bytes: 0 } });
    // Nobody asks again: nothing is repeated.
    server.handleTimeout(3000);
    expect(server.pollTransmit()).toBeUndefined();
    expect(keyExchanges).toBe(0);
  });

  it('T006 T050 T051 survives the loss of any one datagram and of any two', () => {
    const count = connectedPair(options(version)).sent.length;
    for (let first = 0; first < count; first++) {
      for (let second = first; second <= count; second++) {
        const pair = new Pair({ ...options(version), wire: dropping(first, second) }).start().run();
        expect([first, second, pair.connected, pair.codes('server')]).toEqual([first, second, true, []]);
      }
    }
  });

  it('T054 survives that every datagram comes twice', () => {
    const wire: Pair['wire'] = (sent) => [...PERFECT(sent), { data: sent.data, after: 17 }];
    const pair = new Pair({ ...options(version), wire }).start().run();
    expect([pair.connected, pair.codes('client'), pair.codes('server')]).toEqual([true, [], []]);
  });

  it('asks for a cookie and for another share in one request', () => {
    const pair = connectedPair(options(version, { groups: ['secp256r1'] }));
    expect(pair.client.inspect().handshake.group).toBe('secp256r1');
    const hellos = pair.sent.filter(
      ({ from, data }) => from === 'client' && data[0] === 22 && data[13] === 1,
    );
    expect(hellos).toHaveLength(2);
  });

  it('a binding is part of it: another address needs another cookie', () => {
    const binding = Uint8Array.of(192, 0, 2, 1);
    expect(connectedPair(options(version, { requireCookie: { binding } })).connected).toBe(true);
  });
});

describe('a wrong cookie', () => {
  it('of DTLS 1.2 is no cookie: asked for again, and the client gives up in the end (T008)', () => {
    const wire: Pair['wire'] = (sent) => {
      const isHello = sent.from === 'client' && sent.data[13] === HandshakeType.clientHello;
      if (!isHello) return PERFECT(sent);
      const hello = helloIn(sent.data);
      if (hello.cookie.length === 0) return PERFECT(sent);
      const messageSeq = (sent.data[17]! << 8) | sent.data[18]!;
      const body = encodeClientHello({ ...hello, cookie: new Uint8Array(32) });
      return [{ data: plaintextRecord(22, fragmentOf(1, messageSeq, body), sent.index), after: 10 }];
    };
    const pair = new Pair({ ...options('1.2'), wire }).start().run();
    expect(firstMessages(pair).filter((type) => type === HandshakeType.helloVerifyRequest)).toHaveLength(3);
    expect(pair.codes('client')).toEqual(['closed illegal-parameter']);
    expect(pair.client.state).toBe('failed');
  });

  it.each([
    ['another', encodeCookie(new Uint8Array(32))],
    ['none', undefined],
    ['one of no bytes', encodeCookie(new Uint8Array())],
    ['a malformed one', Uint8Array.of(0, 9, 1)],
  ])('of DTLS 1.3, %s: the handshake ends, and no key is agreed on', (_, cookie) => {
    const wire: Pair['wire'] = (sent) => {
      if (sent.index !== 2) return PERFECT(sent);
      const hello = helloIn(sent.data);
      const others = hello.extensions.filter(({ type }) => type !== ExtensionType.cookie);
      const extensions =
        cookie === undefined ? others : [...others, { type: ExtensionType.cookie, data: cookie }];
      const body = encodeClientHello({ ...hello, extensions });
      return [{ data: plaintextRecord(22, fragmentOf(1, 1, body), 50), after: 10 }];
    };
    const pair = new Pair({ ...options('1.3'), wire }).start().run();
    expect(pair.codes('server')).toEqual(['closed illegal-parameter']);
    expect(pair.server.inspect().handshake.group).toBeNull();
    expect(pair.codes('client')).toEqual(['closed alert-received']);
  });

  it('SEC-11 a stream of hellos without cookies is answered one for one, and moves nothing', () => {
    const server = new Dtls({ ...engineOptions('server'), ...options('1.2').server });
    server.start(0);
    let sent = 0;
    for (let seed = 1; seed <= 50; seed++) {
      const body = machineOf('client', { seed }).said[0]?.body ?? new Uint8Array();
      server.handlePacket(plaintextRecord(22, fragmentOf(1, seed - 1, body), seed), seed);
      while (server.pollTransmit() !== undefined) sent++;
    }
    expect(sent).toBe(50);
    expect(server.inspect()).toMatchObject({
      state: 'connecting',
      handshake: { state: 'await-client-hello' },
    });
  });
});

describe('A10: a server that is used alone', () => {
  it.each(VERSIONS)(
    'A10: asks for a cookie unless told otherwise, and answers a stranger with less than it sent, DTLS %s',
    (version) => {
      const pair = new Pair(options(version, { requireCookie: undefined })).start().run();
      expect(pair.connected).toBe(true);
      const [hello, request, second] = pair.sent;
      expect([hello?.from, request?.from, second?.from]).toEqual(['client', 'server', 'client']);
      if (hello === undefined || request === undefined) throw new Error('nothing sent');
      expect(request.data.length).toBeLessThan(hello.data.length);
      const stranger = new Dtls({ ...engineOptions('server'), versions: {}, requireCookie: undefined });
      stranger.start(0);
      stranger.handlePacket(hello.data, 1);
      stranger.pollTransmit();
      expect(stranger.inspect().handshake).toMatchObject({ group: null });
      expect(Object.keys(stranger.inspect().timers)).not.toContain('dtlsRetransmit');
    },
  );
});
