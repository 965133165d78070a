/** Keeping an allocation: renewal, nonces, credentials, silence, servers that were started anew; and its end. */
import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/core/errors.ts';
import { attributeText, attributeU32, StunAttributeType as Type } from '../../src/stun/index.ts';
import { Bench, DATA, PEER, STUN_DATA, messageOf } from './bench.ts';

const CLOSED: Failure = { layer: 'rtc', code: 'local-close', message: 'closed by this end' };

function lifetimes(bench: Bench): (number | undefined)[] {
  return bench.sent
    .filter(({ name }) => name === 'refresh request')
    .map(({ bytes }) => attributeU32(messageOf(bytes), Type.lifetime));
}

function chat(bench: Bench, duration: number): Bench {
  for (const end = bench.now + duration; bench.now < end;) {
    bench.send(PEER, DATA);
    bench.run(1000);
  }
  return bench;
}

describe('renewal', () => {
  test('happens at half of a lifetime', () => {
    const bench = new Bench({ client: { keepAliveInterval: Infinity } }).allocated();
    bench.run(3_000_000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.timesOf('refresh request').map((at) => Math.round(at / 1000))).toEqual(
      Array.from({ length: 10 }, (_, i) => 300 * (i + 1)),
    );
    expect(bench.server.allocations).toBe(1);
  });

  test('of a short one happens at half of it, too', () => {
    const bench = new Bench({ client: { lifetime: 40_000 }, server: { lifetime: 40_000 } }).allocated();
    bench.run(200_000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.timesOf('refresh request').map((at) => Math.round(at / 1000))).toEqual(
      Array.from({ length: 10 }, (_, i) => 20 * (i + 1)),
    );
  });

  test('of a short one is not held up by a probe that was lost', () => {
    const bench = new Bench({ client: { lifetime: 30_000 }, server: { lifetime: 30_000 } }).allocated();
    bench.run(9000);
    bench.toServer = (name) => name !== 'refresh request';
    chat(bench, 5500);
    expect(bench.counters['probe']).toBe(1);
    bench.toServer = () => true;
    bench.fromPeer(PEER, DATA);
    bench.run(60_000);
    expect(bench.client.state).toBe('allocated');
  });

  test('that is lost is repeated, until the lifetime is over', () => {
    const bench = new Bench().allocated();
    bench.toServer = (name) => name !== 'refresh request';
    bench.run(700_000);
    expect(bench.event('lost')?.failure).toMatchObject({
      layer: 'turn',
      code: 'relay-expired',
      gate: 'relayRefresh',
    });
    expect(bench.now).toBeGreaterThan(599_000);
    expect(bench.timesOf('refresh request').length).toBeLessThan(80);
    expect(bench.client.nextTimeout()).toBe(Infinity);
  });

  test('that is refused for the moment is asked for again later', () => {
    const bench = new Bench({ server: { lifetime: 600_000 } }).allocated();
    bench.server.isDown = true;
    bench.run(500_000);
    bench.server.isDown = false;
    bench.run(300_000);
    expect(bench.client.state).toBe('allocated');
  });

  test('with a lifetime of 0 is the end', () => {
    const bench = new Bench().allocated();
    bench.run(200_000);
    bench.server.options = { ...bench.server.options, lifetime: 0, maxLifetime: 0 };
    bench.run(200_000);
    expect(bench.event('lost')?.failure.code).toBe('relay-ended');
    expect(lifetimes(bench)).toEqual([600, 0]);
  });

  test('takes a stale nonce', () => {
    const bench = new Bench({ server: { nonceLifetime: 60_000 } }).allocated();
    bench.run(1_000_000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.counters['challenge']).toBeGreaterThanOrEqual(4);
  });

  test('of everything at every nonce that is stale at once', () => {
    const bench = chat(new Bench({ server: { nonceLifetime: 1000 } }).allocated(), 700_000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.relayed.length).toBeGreaterThan(690);
  });
});

describe('a server', () => {
  test('that was started anew is noticed by whoever sends', () => {
    const bench = chat(new Bench().allocated(), 5000);
    bench.server.restart();
    chat(bench, 6000);
    expect(bench.event('lost')?.failure).toMatchObject({ code: 'relay-unknown' });
    expect(bench.client.state).toBe('failed');
  });

  test('that is away for a while and comes back is noticed within seconds', () => {
    const bench = chat(new Bench().allocated(), 5000);
    bench.server.isDown = true;
    chat(bench, 100_000);
    expect(bench.client.state).toBe('allocated');
    bench.server.isDown = false;
    bench.server.restart();
    const back = bench.now;
    while (bench.client.state === 'allocated') chat(bench, 1000);
    expect(bench.now - back).toBeLessThan(6000);
  });

  test('that was away and forgot nothing is used on', () => {
    const bench = chat(new Bench().allocated(), 5000);
    bench.server.isDown = true;
    chat(bench, 100_000);
    bench.server.isDown = false;
    const before = bench.relayed.length;
    chat(bench, 10_000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.relayed.length - before).toBeGreaterThan(8);
  });

  test('whose peers are silent is asked every 5 s while they are sent to, and not when they answer', () => {
    const bench = chat(new Bench().allocated(), 60_000);
    expect(bench.counters['probe']).toBeGreaterThan(8);
    const before = bench.counters['probe'];
    for (let i = 0; i < 60; i++) {
      bench.fromPeer(PEER, DATA);
      chat(bench, 1000);
    }
    expect(bench.counters['probe']).toBe(before);
  });

  test('over UDP is kept reachable every 25 s, over a stream not', () => {
    const times = (transport: 'udp' | 'tcp'): number[] =>
      new Bench({ client: { transport } }).allocated().run(100_000).timesOf('binding indication');
    expect(times('udp')).toEqual([25_020, 50_020, 75_020, 100_020]);
    expect(times('tcp')).toEqual([]);
  });
});

describe('credentials', () => {
  test('that expire are asked for a minute before, once', () => {
    const credentials = { username: 'alice', password: 'secret', expiresAt: 200_000 };
    const bench = new Bench({ client: { credentials } }).allocated();
    bench.run(139_000);
    expect(bench.event('credentialswanted')).toBeUndefined();
    bench.run(100_000);
    expect(bench.events.filter(({ type }) => type === 'credentialswanted')).toEqual([
      { type: 'credentialswanted', reason: 'expiring' },
    ]);
    expect(bench.client.state).toBe('allocated');
  });

  test('that expire have been renewed before', () => {
    const credentials = { username: 'alice', password: 'secret', expiresAt: 200_000 };
    const bench = new Bench({ client: { credentials } }).allocated();
    bench.client.setCredentials({ ...credentials, expiresAt: 10_000_000 }, bench.now);
    bench.run(1_000_000);
    expect(bench.event('credentialswanted')).toBeUndefined();
  });

  test('that are refused are asked for, and the allocation stands until its lifetime is over', () => {
    const bench = new Bench().allocated();
    bench.server.options = { ...bench.server.options, users: {} };
    bench.run(400_000);
    expect(bench.events.slice(1)).toEqual([{ type: 'credentialswanted', reason: 'refused' }]);
    expect(bench.client.state).toBe('allocated');
    expect(bench.send(PEER, DATA)).toBe(false);
    expect(bench.counters['credentials-refused']).toBe(1);
    const asked = bench.sent.length;
    bench.run(100_000);
    expect(
      bench
        .names()
        .slice(asked)
        .filter((name) => name !== 'binding indication'),
    ).toEqual([]);
    bench.run(200_000);
    expect(bench.event('lost')?.failure.gate).toBe('relayRefresh');
  });

  test('that come after a refusal are used at once', () => {
    const bench = chat(new Bench().allocated(), 1000);
    bench.server.options = { ...bench.server.options, users: { alice: 'other' } };
    chat(bench, 310_000);
    expect(bench.event('credentialswanted')).toBeDefined();
    bench.client.setCredentials({ username: 'alice', password: 'other' }, bench.now);
    chat(bench, 700_000);
    expect(bench.client.state).toBe('allocated');
    expect(bench.client.inspect().areCredentialsRefused).toBe(false);
  });

  test('that are refused and come again are not tried again', () => {
    const bench = new Bench().allocated();
    bench.server.options = { ...bench.server.options, users: {} };
    bench.run(301_000);
    expect(bench.event('credentialswanted')).toBeDefined();
    const asked = bench.sent.length;
    for (let i = 0; i < 5; i++) {
      bench.client.setCredentials({ username: 'alice', password: 'secret' }, bench.now);
      bench.run(1000);
    }
    expect(bench.sent).toHaveLength(asked);
    expect(bench.events.filter(({ type }) => type === 'credentialswanted')).toHaveLength(1);
  });

  test('of another user, whom the server does not know this allocation of: those of before are used on', () => {
    const bench = new Bench({ server: { users: { alice: 'secret', later: 'secret' } } }).allocated();
    bench.client.setCredentials({ username: 'later', password: 'secret' }, bench.now);
    bench.run(1_000_000);
    expect(bench.client.state).toBe('allocated');
    const names = bench.sent
      .filter(({ name }) => name === 'refresh request')
      .map(({ bytes }) => attributeText(messageOf(bytes), Type.username));
    expect(names.slice(0, 3)).toEqual(['later', 'alice', 'alice']);
  });

  test('are in no inspection', () => {
    const text = JSON.stringify(new Bench().allocated().client.inspect());
    expect(text).not.toContain('secret');
    expect(text).toContain('"realm":"sim"');
  });
});

describe('the end', () => {
  test('shutdown gives the allocation back, and says when that is done', () => {
    const bench = new Bench().allocated();
    bench.client.shutdown(bench.now);
    expect(bench.client.state).toBe('releasing');
    expect(bench.send(PEER, DATA)).toBe(false);
    bench.run(100);
    expect(bench.events.at(-1)).toEqual({ type: 'closed' });
    expect(bench.server.allocations).toBe(0);
    expect(lifetimes(bench)).toEqual([0]);
    expect(bench.client.nextTimeout()).toBe(Infinity);
  });

  test('shutdown takes a stale nonce', () => {
    const bench = new Bench({ server: { nonceLifetime: 1000 } }).allocated();
    bench.run(5000);
    bench.client.shutdown(bench.now);
    bench.run(100);
    expect(bench.server.allocations).toBe(0);
  });

  test('shutdown of a silent server is over after a second', () => {
    const bench = new Bench().allocated();
    bench.server.isDown = true;
    const start = bench.now;
    bench.client.shutdown(start);
    bench.run(900);
    expect(bench.client.state).toBe('releasing');
    bench.run(200);
    expect(bench.client.state).toBe('closed');
    expect(bench.timesOf('refresh request').map((at) => at - start)).toEqual([0, 500]);
  });

  test('shutdown of what was never allocated is over at once', () => {
    const bench = new Bench();
    bench.client.shutdown(0);
    bench.run(0);
    expect(bench.events).toEqual([{ type: 'closed' }]);
    expect(bench.sent).toEqual([]);
  });

  test('shutdown while the answer is on its way gives back what it may have brought', () => {
    const bench = new Bench();
    bench.client.allocate(0);
    bench.run(35);
    expect(bench.server.allocations).toBe(1);
    bench.client.shutdown(bench.now);
    bench.run(100);
    expect(bench.server.allocations).toBe(0);
  });

  test('close says one farewell, and nothing else ever', () => {
    const bench = chat(new Bench().allocated(), 1000);
    bench.client.send(PEER, STUN_DATA, bench.now);
    bench.client.close(CLOSED, bench.now);
    expect(bench.client.nextTimeout()).toBe(Infinity);
    const sent = bench.sent.length;
    bench.run(100_000);
    expect(bench.names().slice(sent)).toEqual(['refresh request']);
    expect(bench.server.allocations).toBe(0);
    expect(bench.client.inspect().end?.reason).toEqual(CLOSED);
    bench.client.close(CLOSED, bench.now);
    bench.feed(new Uint8Array(20));
    expect(bench.counters['not-running']).toBe(2);
  });

  test('close before anything was allocated says nothing', () => {
    const bench = new Bench();
    bench.client.allocate(0);
    bench.client.close(CLOSED, 0);
    bench.run(1000);
    expect(bench.sent).toEqual([]);
  });
});

describe('cut anywhere', () => {
  test('a message lost, whichever it is, costs a retransmission and nothing else', () => {
    const count = chat(new Bench().allocated(), 2000).sent.length;
    for (let lost = 0; lost < 2 * count; lost++) {
      const bench = new Bench();
      let index = 0;
      bench.toServer = () => index++ !== lost;
      bench.toClient = () => index++ !== lost;
      bench.client.allocate(0);
      bench.run(1500);
      chat(bench, 3000);
      expect([lost, bench.client.state]).toEqual([lost, 'allocated']);
      expect(bench.relayed.length).toBeGreaterThanOrEqual(2);
    }
  });

  test('a path that is cut for good, wherever: the end comes by a gate', () => {
    const count = chat(new Bench().allocated(), 2000).sent.length;
    for (let cut = 0; cut < 2 * count; cut++) {
      const bench = new Bench();
      let index = 0;
      bench.toServer = () => index++ < cut;
      bench.toClient = () => index++ < cut;
      bench.client.allocate(0);
      bench.run(1500);
      chat(bench, 700_000);
      expect(bench.client.state).toBe('failed');
      const end = bench.client.inspect().end?.reason;
      expect(end?.gate).toMatch(/^(turnRequest|turnAllocate|relayRefresh)$/);
    }
  });
});
