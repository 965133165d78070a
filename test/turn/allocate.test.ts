/** Allocating: challenges, errors, redirects, families, retransmission, and servers that mean ill. */
import { describe, expect, test } from 'vitest';
import { RtcError } from '../../src/core/errors.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeText,
  attributeU32,
  hasAttribute,
  longTermKey,
  transactionIdOf,
} from '../../src/stun/index.ts';
import type { StunMessage } from '../../src/stun/index.ts';
import { TurnClient } from '../../src/turn/index.ts';
import { Bench, CLIENT, SERVER, messageOf } from './bench.ts';

const crypto = jsCrypto();
const key = crypto.hmac(
  'sha-1',
  longTermKey(crypto, 'md5', { username: 'alice', realm: 'r', password: 'secret' }),
);
const RELAYED = { address: '203.0.113.1', port: 50_000 };

function error(request: StunMessage, code: number): StunWriter {
  return new StunWriter('error', request.method, transactionIdOf(request)).errorCode(code, 'as told');
}

function challenge(request: StunMessage, nonce = 'n', code = 401): Uint8Array {
  return error(request, code).text(Type.realm, 'r').text(Type.nonce, nonce).finish();
}

function success(request: StunMessage): StunWriter {
  return new StunWriter('success', request.method, transactionIdOf(request));
}

function granted(request: StunMessage, lifetime = 600): StunWriter {
  return success(request)
    .xorAddress(Type.xorRelayedAddress, RELAYED)
    .xorAddress(Type.xorMappedAddress, CLIENT)
    .u32(Type.lifetime, lifetime);
}

function isSigned(message: StunMessage): boolean {
  return message.integrityOffset >= 0;
}

/** A server that challenges, and then answers as `answer` says. */
function scripted(answer: (request: StunMessage) => Uint8Array | undefined, client = {}): Bench {
  return new Bench({
    client,
    script: (_, message) => {
      if (message?.class !== 'request') return undefined;
      return isSigned(message) ? answer(message) : challenge(message);
    },
  });
}

function run(bench: Bench, duration = 100): Bench {
  bench.client.allocate(bench.now);
  return bench.run(duration);
}

describe('an allocation', () => {
  test('takes two round trips: asked without credentials, challenged, asked with them', () => {
    const bench = new Bench().allocated();
    expect(bench.names()).toEqual(['allocate request', 'allocate request']);
    expect(bench.timesOf('allocate request')).toEqual([0, 20]);
    expect(bench.events).toEqual([
      {
        type: 'allocated',
        relayed: [
          { address: '203.0.113.1', port: 49_152 },
          { address: '2001:db8::9', port: 49_152 },
        ],
        mapped: CLIENT,
        lifetime: 600_000,
      },
    ]);
    expect(bench.client.relayed).toHaveLength(2);
    expect(bench.client.mapped).toEqual(CLIENT);
  });

  test('is asked for by 28 bytes first, and names nobody', () => {
    const [first] = new Bench({ client: { families: [4] } }).allocated().sent;
    expect(first?.bytes).toHaveLength(28);
    const request = messageOf(first?.bytes ?? new Uint8Array());
    expect(attributeU32(request, Type.requestedTransport)).toBe(17 << 24);
    expect(hasAttribute(request, Type.username)).toBe(false);
  });

  test('of a server that asks nobody who he is needs one round trip', () => {
    const bench = new Bench({ server: { authenticates: false } }).allocated();
    expect(bench.timesOf('allocate request')).toEqual([0]);
    expect(bench.send({ address: '198.51.100.7', port: 1 }, Uint8Array.of(1))).toBe(true);
    bench.run(100);
    expect(bench.relayed).toHaveLength(1);
  });

  test.each([
    [['md5'], false],
    [['sha-256'], false],
    [['sha-256', 'md5'], true],
    [['md5', 'sha-256'], true],
  ] as const)('with password algorithms %j, usernames hidden: %s', (passwordAlgorithms, hidesUsernames) => {
    const bench = new Bench({ server: { passwordAlgorithms, hidesUsernames } }).allocated();
    const request = messageOf(bench.sent[1]!.bytes);
    expect(request.integrityOffset).toBe(-1);
    expect(request.integritySha256Offset).toBeGreaterThan(0);
    expect(hasAttribute(request, Type.userhash)).toBe(hidesUsernames);
    expect(hasAttribute(request, Type.username)).toBe(!hidesUsernames);
    expect(hasAttribute(request, Type.passwordAlgorithm)).toBe(true);
  });

  test('with time-limited credentials', () => {
    const credentials = { username: '1893456000:alice', password: 'MME/7rvfb/gOjpkB59+7AxlCLvk=' };
    new Bench({
      client: { credentials },
      server: { users: {}, secret: 'north', realm: 'turn.example.org' },
    }).allocated();
  });

  test('asks for a lifetime that is not the usual one', () => {
    const bench = new Bench({ client: { lifetime: 900_500 } }).allocated();
    expect(attributeU32(messageOf(bench.sent[0]!.bytes), Type.lifetime)).toBe(901);
    expect(bench.event('allocated')?.lifetime).toBe(901_000);
  });

  test('is asked for once at a time', () => {
    const bench = new Bench();
    bench.client.allocate(0);
    expect(() => {
      bench.client.allocate(0);
    }).toThrow(RtcError);
    bench.run(100);
    expect(() => {
      bench.client.allocate(0);
    }).toThrow('the TURN client is allocated');
  });

  test('asked for again because the answer was lost is the same', () => {
    const bench = new Bench();
    let lost = 0;
    bench.toClient = (name) => name !== 'allocate success' || lost++ > 0;
    run(bench, 1000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.server.allocations).toBe(1);
    expect(bench.counters['request-retransmitted']).toBe(1);
  });
});

describe('families', () => {
  test('both are asked for at once; what the server does not have is left out', () => {
    const bench = new Bench({ server: { relays: ['203.0.113.1'] } }).allocated();
    expect(attributeU32(messageOf(bench.sent[0]!.bytes), Type.additionalAddressFamily)).toBe(2 << 24);
    expect(bench.client.relayed).toEqual([{ address: '203.0.113.1', port: 49_152 }]);
  });

  test('440 for both: the server has IPv6 alone', () => {
    const bench = new Bench({ server: { relays: ['2001:db8::9'] } }).allocated();
    expect(bench.client.relayed).toEqual([{ address: '2001:db8::9', port: 49_152 }]);
    expect(attributeU32(messageOf(bench.sent[2]!.bytes), Type.requestedAddressFamily)).toBe(2 << 24);
  });

  test.each([
    [[6] as const, ['203.0.113.1']],
    [[4] as const, ['2001:db8::9']],
  ])('440 for IPv%s alone ends it', (families, relays) => {
    const bench = run(new Bench({ client: { families }, server: { relays } }));
    expect(bench.event('failed')).toMatchObject({
      errorCode: 440,
      failure: { layer: 'turn', code: 'server-error' },
    });
  });

  test('IPv6 alone is asked for by name', () => {
    const bench = new Bench({ client: { families: [6] } }).allocated();
    expect(bench.client.relayed).toEqual([{ address: '2001:db8::9', port: 49_152 }]);
  });

  test('one that nobody asked for is not taken', () => {
    const bench = run(scripted((request) => granted(request).integrity(key).finish(), { families: [6] }));
    expect(bench.event('failed')?.failure.code).toBe('bad-allocation');
  });

  test('440 again and again ends it', () => {
    const bench = run(scripted((request) => error(request, 440).integrity(key).finish()));
    expect(bench.event('failed')?.errorCode).toBe(440);
    expect(bench.sent).toHaveLength(3);
  });
});

describe('credentials', () => {
  test('that are wrong are refused once, and not tried again', () => {
    const bench = run(new Bench({ client: { credentials: { username: 'alice', password: 'guess' } } }), 5000);
    expect(bench.event('failed')).toMatchObject({ errorCode: 401, failure: { code: 'unauthorized' } });
    expect(bench.sent).toHaveLength(2);
  });

  test('401 with another nonce each time is taken once', () => {
    let nonce = 0;
    const bench = run(
      scripted((request) => challenge(request, `n${nonce++}`)),
      60_000,
    );
    expect(bench.event('failed')?.errorCode).toBe(401);
    expect(bench.sent).toHaveLength(2);
  });

  test('438 for ever is bounded', () => {
    let nonce = 0;
    const bench = run(
      scripted((request) => challenge(request, `n${nonce++}`, 438)),
      60_000,
    );
    expect(bench.event('failed')).toMatchObject({
      errorCode: 438,
      errorText: 'the server gives no allocation: 438 as told',
    });
    expect(bench.sent).toHaveLength(1 + 1 + 8);
  });

  test('438 once is answered with the nonce it brings', () => {
    const nonces: string[] = [];
    const bench = run(
      scripted((request) => {
        nonces.push(attributeText(request, Type.nonce) ?? '');
        return nonces.length === 1
          ? challenge(request, 'fresh', 438)
          : granted(request).integrity(key).finish();
      }),
    );
    expect(nonces).toEqual(['n', 'fresh']);
    expect(bench.client.state).toBe('allocated');
  });

  test('SEC: a challenge robbed of its algorithms is not answered', () => {
    const bench = new Bench({
      script: (_, request) => (request === undefined ? undefined : challenge(request, 'obMatJos2AAABx')),
    });
    run(bench);
    expect(bench.event('failed')?.errorCode).toBe(401);
    expect(bench.counters['bid-down']).toBe(1);
    expect(bench.sent).toHaveLength(1);
  });

  test('SEC: once signed by SHA-256, never by SHA-1 again', () => {
    const bench = new Bench({
      script: (_, request) => {
        if (request === undefined) return undefined;
        if (request.integritySha256Offset >= 0) return challenge(request, 'later', 438);
        return error(request, 401)
          .text(Type.realm, 'r')
          .text(Type.nonce, 'n')
          .attribute(Type.passwordAlgorithms, Uint8Array.of(0, 2, 0, 0))
          .finish();
      },
    });
    run(bench);
    expect(bench.event('failed')?.errorCode).toBe(438);
    expect(bench.sent.map(({ bytes }) => messageOf(bytes).integrityOffset)).toEqual([-1, -1]);
  });

  test.each([
    ['without a realm', (writer: StunWriter) => writer.text(Type.nonce, 'n')],
    ['without a nonce', (writer: StunWriter) => writer.text(Type.realm, 'r')],
    [
      'with algorithms that are not known',
      (writer: StunWriter) =>
        writer
          .text(Type.realm, 'r')
          .text(Type.nonce, 'n')
          .attribute(Type.passwordAlgorithms, Uint8Array.of(0, 9, 0, 0)),
    ],
  ])('a challenge %s ends it', (_, write) => {
    const bench = new Bench({
      script: (__, request) => (request === undefined ? undefined : write(error(request, 401)).finish()),
    });
    run(bench);
    expect(bench.event('failed')?.errorCode).toBe(401);
    expect(bench.sent).toHaveLength(1);
  });

  test('changed while the old ones are tried are tried in their place', () => {
    const bench = new Bench({ client: { credentials: { username: 'alice', password: 'old' } } });
    bench.client.allocate(0);
    bench.run(25);
    bench.client.setCredentials({ username: 'alice', password: 'secret' }, bench.now);
    bench.run(100);
    expect(bench.client.state).toBe('allocated');
  });
});

describe('what a server refuses', () => {
  test.each([
    [400, 'server-error'],
    [403, 'server-error'],
    [420, 'server-error'],
    [441, 'unauthorized'],
    [442, 'server-error'],
    [486, 'server-error'],
    [500, 'server-error'],
    [508, 'server-error'],
  ])('%i ends it, with the words of the server', (code, name) => {
    const bench = run(
      scripted((request) => error(request, code).integrity(key).finish()),
      60_000,
    );
    expect(bench.events).toHaveLength(1);
    expect(bench.event('failed')).toMatchObject({ errorCode: code, failure: { code: name } });
    expect(bench.event('failed')?.errorText).toContain(`${code} as told`);
    expect(bench.sent).toHaveLength(2);
  });

  test('a quota', () => {
    expect(run(new Bench({ server: { quota: 0 } })).event('failed')?.errorCode).toBe(486);
    expect(run(new Bench({ server: { capacity: 0 } })).event('failed')?.errorCode).toBe(508);
  });
});

describe('437', () => {
  test('asks for another 5-tuple, twice at the most', () => {
    const bench = scripted((request) => error(request, 437).integrity(key).finish());
    run(bench);
    expect(bench.events).toEqual([{ type: 'newtuplewanted' }]);
    expect(bench.client.state).toBe('new');
    run(bench);
    expect(bench.events).toHaveLength(2);
    // Nothing of before is used: a nonce may belong to a 5-tuple.
    expect(isSigned(messageOf(bench.sent[2]!.bytes))).toBe(false);
    run(bench);
    expect(bench.events[2]).toMatchObject({ type: 'failed', errorCode: 437 });
  });

  test('and no other 5-tuple is found: turnAllocate ends it', () => {
    const bench = run(
      scripted((request) => error(request, 437).integrity(key).finish()),
      60_000,
    );
    expect(bench.event('failed')).toMatchObject({
      errorCode: 701,
      failure: { code: 'allocate-timeout', gate: 'turnAllocate', elapsed: 60_000 },
    });
  });
});

describe('300', () => {
  const elsewhere = { address: '203.0.113.2', port: 3478 };

  test('sends to another server, which is asked from the beginning', () => {
    const bench = run(new Bench({ server: { redirect: elsewhere, redirectDomain: 'two.example.org' } }));
    expect(bench.events).toEqual([{ type: 'redirect', server: elsewhere, domain: 'two.example.org' }]);
    expect(bench.client.server).toEqual(elsewhere);
    bench.server.options = { ...bench.server.options, redirect: undefined };
    run(bench);
    expect(bench.client.state).toBe('allocated');
    expect(isSigned(messageOf(bench.sent[2]!.bytes))).toBe(false);
  });

  test('is followed once', () => {
    const bench = run(new Bench({ server: { redirect: elsewhere } }));
    bench.server.options = { ...bench.server.options, redirect: { address: '203.0.113.3', port: 3478 } };
    run(bench);
    expect(bench.event('failed')).toMatchObject({ errorCode: 300, failure: { code: 'redirect-refused' } });
  });

  test('in a circle is not followed', () => {
    const bench = run(new Bench({ client: { maxRedirects: 10 }, server: { redirect: elsewhere } }));
    bench.server.options = { ...bench.server.options, redirect: SERVER };
    run(bench);
    expect(bench.event('failed')?.errorText).toContain('where we have been');
  });

  test.each([
    ['to itself', SERVER],
    ['to the other family', { address: '2001:db8::1', port: 3478 }],
  ])('%s is not followed', (_, redirect) => {
    expect(run(new Bench({ server: { redirect } })).event('failed')?.failure.code).toBe('redirect-refused');
  });

  test('that does not say where is not followed', () => {
    const bench = run(scripted((request) => error(request, 300).integrity(key).finish()));
    expect(bench.event('failed')?.failure.code).toBe('redirect-refused');
  });

  test('SEC: unsigned, in answer to a signed request, is not followed', () => {
    const bench = run(
      scripted((request) => error(request, 300).address(Type.alternateServer, elsewhere).finish()),
    );
    expect(bench.events).toEqual([]);
    expect(bench.counters['bad-integrity']).toBeGreaterThan(0);
  });
});

describe('lifetimes', () => {
  test.each([0, 1, 29])('of %i s is an error, and the allocation is given back', (lifetime) => {
    const bench = run(
      scripted((request) =>
        request.method === StunMethod.allocate
          ? granted(request, lifetime).integrity(key).finish()
          : undefined,
      ),
    );
    expect(bench.event('failed')).toMatchObject({ errorCode: 701, failure: { code: 'bad-allocation' } });
    expect(bench.names()).toEqual(['allocate request', 'allocate request', 'refresh request']);
    expect(attributeU32(messageOf(bench.sent[2]!.bytes), Type.lifetime)).toBe(0);
  });

  test('of a century is one of an hour', () => {
    const bench = run(scripted((request) => granted(request, 0xffff_ffff).integrity(key).finish()));
    expect(bench.event('allocated')?.lifetime).toBe(3_600_000);
    expect(bench.client.nextTimeout()).toBeLessThan(3_600_000);
  });
});

describe('answers that are none', () => {
  test.each<[string, (request: StunMessage) => StunWriter]>([
    ['relayed address', (r) => success(r).xorAddress(Type.xorMappedAddress, CLIENT).u32(Type.lifetime, 600)],
    ['mapped address', (r) => success(r).xorAddress(Type.xorRelayedAddress, RELAYED).u32(Type.lifetime, 600)],
    [
      'lifetime',
      (r) => success(r).xorAddress(Type.xorRelayedAddress, RELAYED).xorAddress(Type.xorMappedAddress, CLIENT),
    ],
    [
      'port of the relayed address',
      (r) =>
        success(r)
          .xorAddress(Type.xorRelayedAddress, { address: '203.0.113.1', port: 0 })
          .xorAddress(Type.xorMappedAddress, CLIENT)
          .u32(Type.lifetime, 600),
    ],
  ])('a success without a %s', (_, write) => {
    const bench = run(scripted((request) => write(request).integrity(key).finish()));
    expect(bench.event('failed')).toMatchObject({ errorCode: 701, failure: { code: 'bad-allocation' } });
  });

  test('SEC: a success that is not signed, or with another key, is as if it had not come', () => {
    const other = crypto.hmac('sha-1', new Uint8Array(16));
    for (const sign of [(w: StunWriter) => w, (w: StunWriter) => w.integrity(other)]) {
      const bench = run(
        scripted((request) => sign(granted(request)).finish()),
        60_000,
      );
      expect(bench.event('allocated')).toBeUndefined();
      expect(bench.event('failed')?.failure).toMatchObject({ code: 'no-response', gate: 'turnRequest' });
      expect(bench.counters['bad-integrity']).toBe(7);
    }
  });

  test('SEC: an error that is not signed ends nothing at once, but is named at the end', () => {
    const bench = run(
      scripted((request) => error(request, 486).finish()),
      60_000,
    );
    expect(bench.event('failed')).toMatchObject({ errorCode: 701 });
    expect(bench.event('failed')?.errorText).toContain('said 486');
  });

  test('to somebody else, or of another method', () => {
    const bench = new Bench({ script: () => undefined });
    bench.client.allocate(0);
    const id = new Uint8Array(12);
    bench.feed(new StunWriter('success', StunMethod.allocate, id).finish());
    bench.run(1);
    const request = messageOf(bench.sent[0]!.bytes);
    bench.feed(new StunWriter('success', StunMethod.refresh, transactionIdOf(request)).finish());
    bench.feed(new StunWriter('error', StunMethod.allocate, transactionIdOf(request)).finish());
    expect(bench.counters).toMatchObject({
      'unknown-transaction': 1,
      'unexpected-message': 1,
      'bad-response': 1,
    });
    expect(bench.client.state).toBe('allocating');
  });

  test('with attributes that must be understood, and are not', () => {
    const bench = run(scripted((request) => granted(request).u32(0x7ffe, 1).integrity(key).finish()));
    expect(bench.event('failed')?.errorCode).toBe(701);
    expect(bench.counters['unknown-attribute']).toBe(1);
  });

  test('requests and indications of a server, and noise', () => {
    const bench = new Bench({ script: () => undefined });
    bench.client.allocate(0);
    const id = new Uint8Array(12);
    bench.feed(new StunWriter('request', StunMethod.binding, id).finish());
    bench.feed(new StunWriter('indication', StunMethod.send, id).finish());
    bench.feed(Uint8Array.of(1, 2, 3));
    bench.feed(new Uint8Array(0));
    expect(bench.counters).toMatchObject({ 'unexpected-message': 2, 'not-stun': 2 });
  });
});

describe('answers to Refresh', () => {
  /** Answers the first Refresh as told, later ones as they should be. */
  function refreshed(first: (request: StunMessage) => StunWriter): Bench {
    let count = 0;
    return run(
      scripted((request) => {
        if (request.method === StunMethod.allocate) return granted(request).integrity(key).finish();
        const answer = count++ === 0 ? first(request) : success(request).u32(Type.lifetime, 600);
        return answer.integrity(key).finish();
      }),
      1_000_000,
    );
  }

  test.each<[string, (request: StunMessage) => StunWriter]>([
    ['without a lifetime', (request) => success(request)],
    ['500', (request) => error(request, 500)],
    ['400', (request) => error(request, 400)],
    ['508', (request) => error(request, 508)],
  ])('%s: it is asked for again later, and the allocation stands', (_, first) => {
    const bench = refreshed(first);
    expect(bench.client.state).toBe('allocated');
    expect(
      bench
        .timesOf('refresh request')
        .map((at) => Math.round(at / 1000))
        .slice(0, 2),
    ).toEqual([300, 330]);
  });

  test('437: the allocation is gone', () => {
    expect(refreshed((request) => error(request, 437)).event('lost')?.failure.code).toBe('relay-unknown');
  });
});

describe('silence', () => {
  test('over UDP it is asked seven times, and given up after 39.5 s (RFC 8489 §6.2.1)', () => {
    const bench = run(new Bench({ script: () => undefined }), 60_000);
    expect(bench.timesOf('allocate request')).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(bench.event('failed')).toMatchObject({
      errorCode: 701,
      errorText: 'no answer from 203.0.113.1:3478',
      failure: { gate: 'turnRequest', elapsed: 39_500 },
    });
    expect(bench.client.nextTimeout()).toBe(Infinity);
  });

  test.each(['tcp', 'tls'] as const)('over %s it is asked once (§6.2.2)', (transport) => {
    const bench = run(new Bench({ client: { transport }, script: () => undefined }), 60_000);
    expect(bench.sent).toHaveLength(1);
    expect(bench.event('failed')?.failure.elapsed).toBe(39_500);
  });

  test('a second round does not begin the wait anew', () => {
    const bench = run(
      scripted(() => undefined),
      60_000,
    );
    expect(bench.event('failed')?.failure.elapsed).toBe(39_500);
  });

  test('while the host stood still is not held against the server', () => {
    const bench = new Bench({ script: () => undefined });
    run(bench, 1000);
    bench.now += 120_000;
    bench.client.handleTimeout(bench.now);
    expect(bench.client.state).toBe('allocating');
    bench.run(60_000);
    expect(bench.client.state).toBe('failed');
    expect(bench.counters['clock-jump']).toBe(1);
  });
});

describe('options', () => {
  const options = {
    crypto,
    random: { fill: () => undefined },
    transport: 'udp',
    server: SERVER,
    credentials: { username: 'u', password: 'p' },
  } as const;

  test.each([
    [{ transport: 'dtls' }, '"transport"'],
    [{ server: { address: 'turn.example.org', port: 3478 } }, '"server.address"'],
    [{ server: { address: '192.0.2.1', port: 0 } }, '"server.port"'],
    [{ credentials: { username: '', password: 'p' } }, '"credentials.username"'],
    [{ families: [] }, '"families"'],
    [{ families: [5] }, '"families[0]"'],
    [{ maxWaitin: 5 }, 'did you mean "maxWaiting"?'],
    [{ requestTimeout: Number.NaN }, '"requestTimeout"'],
  ])('%j is refused', (wrong, sentence) => {
    expect(() => new TurnClient({ ...options, ...(wrong as object) })).toThrow(sentence);
  });

  test('credentials are judged at the call', () => {
    const client = new TurnClient(options);
    expect(() => {
      client.setCredentials({ username: 'u' } as never, 0);
    }).toThrow('"credentials.password"');
  });
});
