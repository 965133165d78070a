import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeValue,
  errorCodeOf,
} from '../../src/stun/index.ts';
import { toHex } from '../../src/core/text.ts';
import { vectors, hex } from '../stun/vectors.ts';
import { IcePair, checkInvariants } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

describe('F4d: no word to who is not authenticated', () => {
  it.each([
    ['bad-integrity', { password: 'wrong'.repeat(5) }],
    ['bad-username', { username: 'nobody:peer' }],
    ['bad-username', { username: 'nocolon' }],
    ['bad-username', { username: 'agent:peer:more' }],
    ['foreign-username', { username: 'agent:other' }],
  ] as const)('%s %j', (counter, shape) => {
    const peer = new HandMadePeer().introduce({}, true);
    peer.sent();
    const before = peer.agent.inspect();
    peer.check(shape);
    expect(peer.sent()).toEqual([]);
    const after = peer.agent.inspect();
    expect(after.counters[counter]).toBe(1);
    expect({ ...after, counters: before.counters }).toEqual(before);
  });

  it('a request without MESSAGE-INTEGRITY', () => {
    const peer = new HandMadePeer().introduce({}, true);
    peer.deliver(
      new StunWriter('request', StunMethod.binding, new Uint8Array(12))
        .text(Type.username, 'agent:peer')
        .finish(),
    );
    peer.deliver(new StunWriter('request', StunMethod.binding, new Uint8Array(12)).finish());
    expect(peer.sent()).toEqual([]);
    expect([peer.count('bad-integrity'), peer.count('bad-username')]).toEqual([1, 1]);
  });

  it('an address that is none of ours', () => {
    const peer = new HandMadePeer().introduce();
    peer.sent();
    peer.agent.handlePacket(
      peer.request(),
      { protocol: 'udp', source: THERE, destination: { address: '192.0.2.77', port: 1000 } },
      0,
    );
    peer.agent.handlePacket(peer.request(), { protocol: 'tcp', source: THERE, destination: HERE }, 0);
    expect(peer.sent()).toEqual([]);
    expect(peer.count('unknown-destination')).toBe(2);
  });

  it('indications and other methods', () => {
    const peer = new HandMadePeer().introduce();
    peer.sent();
    peer.deliver(new StunWriter('indication', StunMethod.binding, new Uint8Array(12)).fingerprint().finish());
    peer.deliver(new StunWriter('request', StunMethod.allocate, new Uint8Array(12)).fingerprint().finish());
    expect(peer.sent()).toEqual([]);
    expect([peer.count('indication'), peer.count('not-binding')]).toEqual([1, 1]);
  });

  it('answers are smaller than requests, also for IPv6', () => {
    for (const address of ['192.0.2.2', '2001:db8::2']) {
      const peer = new HandMadePeer();
      const here = { address: address.includes(':') ? '2001:db8::1' : '192.0.2.1', port: 1000 };
      peer.agent.addLocalCandidate({ type: 'host', protocol: 'udp', ...here }, 0);
      const request = peer.request();
      peer.deliver(request, { address, port: 2000 }, here);
      const [answer] = peer.sent();
      expect(answer?.class).toBe('success');
      expect(answer?.bytes.length).toBeLessThan(request.length);
    }
  });
});

describe('authenticated requests', () => {
  it('an unknown comprehension-required attribute: 420 that names it', () => {
    const peer = new HandMadePeer().introduce();
    peer.sent();
    peer.check({ extra: 0x7ffe, useCandidate: true });
    const [answer] = peer.sent();
    expect(answer && errorCodeOf(answer)).toBe(420);
    const named = answer && attributeValue(answer, Type.unknownAttributes);
    expect(named && toHex(named)).toBe('7ffe');
    expect(answer?.integrityOffset).toBeGreaterThan(0);
  });

  it('an unknown optional attribute is ignored', () => {
    const peer = new HandMadePeer().introduce();
    peer.sent();
    peer.check({ extra: 0xc057 });
    expect(peer.sent()[0]?.class).toBe('success');
  });

  it('a request without FINGERPRINT is accepted: integrity is what counts', () => {
    const peer = new HandMadePeer().introduce();
    peer.sent();
    const request = peer.request();
    const shorter = request.slice(0, request.length - 8);
    shorter[3]! -= 8;
    peer.deliver(shorter);
    expect(peer.sent()[0]?.class).toBe('success');
  });

  it('SEC: USE-CANDIDATE appended behind the integrity by somebody on the path selects nothing', () => {
    const peer = new HandMadePeer().introduce();
    peer.answerFor(100);
    const plain = peer.request();
    const longer = new Uint8Array(plain.length - 8 + 4);
    longer.set(plain.subarray(0, plain.length - 8));
    longer.set([0, Type.useCandidate, 0, 0], plain.length - 8);
    longer[3] = longer.length - 20;
    peer.deliver(longer);
    expect(peer.count('request-received')).toBe(1);
    expect(peer.agent.selectedPair).toBeUndefined();
  });
});

describe('answers to our checks', () => {
  function withCheck(): { peer: HandMadePeer; check: NonNullable<ReturnType<HandMadePeer['checks']>[0]> } {
    const peer = new HandMadePeer().introduce();
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    return { peer, check };
  }

  it('an asymmetric answer is ignored (RFC 8445 §7.2.5.2.1)', () => {
    const { peer, check } = withCheck();
    const answer = peer.success(check);
    peer.deliver(answer, { ...THERE, port: 2001 });
    peer.agent.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 1001 }, 0);
    peer.deliver(answer, THERE, { ...HERE, port: 1001 });
    expect(peer.count('asymmetric-response')).toBe(2);
    expect(peer.agent.sendPath).toBeUndefined();
    peer.deliver(answer);
    expect(peer.agent.sendPath).toBeDefined();
  });

  it('an answer with a wrong key, a wrong transaction or twice is ignored', () => {
    const { peer, check } = withCheck();
    peer.deliver(peer.success(check, 'x'.repeat(22)));
    const other = peer.success(check);
    other[8]! ^= 1;
    peer.deliver(other);
    expect(peer.agent.sendPath).toBeUndefined();
    peer.deliver(peer.success(check));
    peer.deliver(peer.success(check));
    expect(peer.agent.sendPath).toBeDefined();
    expect(peer.count('bad-integrity')).toBe(1);
    expect(peer.count('unknown-transaction')).toBe(1);
    expect(peer.count('stun-bad-fingerprint')).toBe(1);
  });

  it.each([400, 401, 420])('error %i fails the pair', (code) => {
    const { peer, check } = withCheck();
    peer.deliver(peer.error(check, code));
    expect(peer.agent.inspect().pairs[0]?.state).toBe('failed');
    expect(peer.agent.inspect().queues.transactions).toBe(0);
  });

  it('a check of the peer revives a failed pair', () => {
    const { peer, check } = withCheck();
    peer.deliver(peer.error(check, 400));
    peer.check();
    peer.answerFor(200);
    expect(peer.agent.inspect().pairs[0]?.state).toBe('succeeded');
  });

  it('error 500 counts as a lost answer: the check goes on', () => {
    const { peer, check } = withCheck();
    peer.deliver(peer.error(check, 500));
    expect(peer.agent.inspect().pairs[0]?.state).toBe('in-progress');
    peer.advance(250);
    expect(peer.checks()).toHaveLength(1);
  });

  it('an answer to a check sent twice gives no round-trip time (Karn)', () => {
    const { peer, check } = withCheck();
    peer.advance(260);
    peer.deliver(peer.success(check));
    expect(peer.agent.sendPath).toBeDefined();
    expect(peer.agent.roundTripTime).toBeUndefined();
  });
});

describe('fuzz', () => {
  it('F4d: random bytes into handlePacket change no state and get no answer', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 10 }), (datagrams) => {
        const peer = new HandMadePeer().introduce();
        peer.sent();
        for (const data of datagrams) peer.deliver(data);
        expect(peer.sent()).toEqual([]);
        checkInvariants(peer.agent, peer.now);
        expect(peer.agent.state).toBe('checking');
      }),
    );
  });

  it('the malformed vectors, from a known address', () => {
    const peer = new HandMadePeer({ usernameFragment: 'rfrg', password: '0123456789abcdefghijklmnopqrstuv' });
    for (const { hex: text } of vectors.malformed.cases) peer.deliver(hex(text));
    checkInvariants(peer.agent, 0);
    expect(peer.agent.remoteCandidates.length).toBeLessThanOrEqual(1);
  });

  it('mutated checks and answers never end an established connection', () => {
    const path = {
      protocol: 'udp',
      source: { address: '192.0.2.2', port: 2000 },
      destination: { address: '192.0.2.1', port: 1000 },
    } as const;
    const mutation = fc.record({
      which: fc.nat(),
      at: fc.nat(),
      flip: fc.integer({ min: 1, max: 255 }),
      cut: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 40 }), (mutations) => {
        const pair = IcePair.connected();
        const recorded: Uint8Array[] = [];
        pair.drop = ({ from, transmit }) => {
          if (from === 'b') recorded.push(transmit.data.slice());
          return false;
        };
        pair.run(20_000);
        expect(recorded.length).toBeGreaterThan(5);
        for (const { which, at, flip, cut } of mutations) {
          const data = (recorded[which % recorded.length] ?? new Uint8Array(1)).slice();
          data[at % data.length]! ^= flip;
          pair.a.agent.handlePacket(
            cut % 3 === 0 ? data.subarray(0, cut % data.length) : data,
            path,
            pair.now,
          );
        }
        checkInvariants(pair.a.agent, pair.now);
        pair.run(20_000);
        expect(pair.states()).toEqual(['completed', 'completed']);
      }),
      { numRuns: 20 },
    );
  });
});
