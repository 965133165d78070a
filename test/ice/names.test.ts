/** Candidates with mDNS names: asked for, resolved, given up; bounded in every respect. */
import { describe, expect, it } from 'vitest';
import type { IceCandidate, IceOptions } from '../../src/ice/index.ts';
import { IcePair, LOCAL_CLOSE, checkInvariants } from './pair.ts';
import { HandMadePeer, THERE } from './peer.ts';

const NAME = '9b36eaac-bb2e-49bb-bb78-21c41c499900.local';

function named(address: string = NAME, port = THERE.port): IceCandidate {
  return {
    type: 'host',
    protocol: 'udp',
    address,
    port,
    foundation: '1',
    component: 1,
    priority: 2 ** 31 - 1,
  };
}

function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}.local`;
}

function asked(peer: HandMadePeer): string[] {
  peer.sent();
  return peer.events.flatMap((event) => (event.type === 'resolve' ? [event.name] : []));
}

function introduced(options: Partial<IceOptions> = {}): HandMadePeer {
  return new HandMadePeer(options).introduce({}, true);
}

describe('a name', () => {
  it('is asked for once, whatever its spelling and however many ports go by it', () => {
    const peer = introduced();
    peer.agent.addRemoteCandidate(named(NAME.toUpperCase()), 0);
    peer.agent.addRemoteCandidate(named(NAME, 7), 0);
    peer.agent.addRemoteCandidate(named(NAME, 7), 0);
    expect(asked(peer)).toEqual([NAME]);
    expect(peer.count('candidate-duplicate')).toBe(1);
    peer.agent.handleResolved(NAME, [THERE.address], 1);
    expect(peer.agent.remoteCandidates).toMatchObject([THERE, { address: THERE.address, port: 7 }]);
    expect(peer.checks().length).toBeGreaterThan(0);
    expect(peer.count('name-unresolved')).toBe(0);
  });

  it('is asked for only once it is known whose it is', () => {
    const peer = new HandMadePeer();
    peer.agent.addRemoteCandidate({ ...named(), usernameFragment: 'other' }, 0);
    peer.agent.addRemoteCandidate({ ...named(uuid(1)), usernameFragment: 'peer' }, 0);
    expect(asked(peer)).toEqual([]);
    peer.introduce({}, true);
    expect(asked(peer)).toEqual([uuid(1)]);
    expect(peer.count('candidate-foreign')).toBe(1);
  });

  it.each(['printer.local', 'x.local', 'example.org', `${NAME}.`, `a.${NAME}`])(
    '%s is not asked for',
    (name) => {
      const peer = introduced();
      peer.agent.addRemoteCandidate(named(name), 0);
      expect(asked(peer)).toEqual([]);
      expect(peer.count('candidate-mdns') + peer.count('candidate-unusable')).toBe(1);
    },
  );

  it.each<[string, Partial<IceOptions>]>([
    ['a lite agent', { lite: true }],
    ['one with the policy "relay"', { transportPolicy: 'relay' }],
    ['one that may ask for none', { maxNames: 0 }],
  ])('%s asks for none', (_, options) => {
    const peer = introduced(options);
    peer.agent.addRemoteCandidate(named(), 0);
    expect(asked(peer)).toEqual([]);
    expect(peer.count('candidate-mdns') + peer.count('name-limit')).toBe(1);
  });

  it('that resolves to what our own policy does not try is tried as little', () => {
    const peer = introduced({ remoteAddressClasses: ['public'] });
    peer.agent.addRemoteCandidate(named(), 0);
    peer.agent.handleResolved(NAME, ['127.0.0.1', '224.0.0.1', 'fe80::1%eth0', 'nonsense'], 0);
    peer.advance(1000);
    expect(peer.checks()).toEqual([]);
    expect(peer.count('candidate-not-tried')).toBe(1);
    expect(peer.count('candidate-unusable')).toBe(3);
  });

  it('whose peer has been found by its check already has its pair keep what it has learnt', () => {
    const peer = introduced();
    peer.agent.addRemoteCandidate(named(), 0);
    peer.check({ priority: 1 });
    peer.answerFor(100);
    expect(peer.agent.sendPath?.destination).toEqual(THERE);
    peer.agent.handleResolved(NAME, [THERE.address], peer.now);
    expect(peer.agent.inspect().pairs).toMatchObject([
      { remote: { type: 'host', ...THERE, priority: 2 ** 31 - 1 }, valid: true },
    ]);
  });
});

describe('bounds', () => {
  it('names: so many a session, the rest is counted', () => {
    const peer = introduced();
    for (let n = 0; n < 1000; n++) peer.agent.addRemoteCandidate(named(uuid(n)), n / 10);
    expect(asked(peer)).toHaveLength(16);
    expect(peer.count('name-limit')).toBe(984);
    // One that has had its answer makes no room for another one, nor is it asked for again.
    peer.agent.handleResolved(uuid(0), [], 200);
    peer.agent.addRemoteCandidate(named(uuid(0)), 200);
    peer.agent.addRemoteCandidate(named(uuid(2000)), 200);
    expect(asked(peer)).toHaveLength(16);
  });

  it('candidates that wait count as candidates', () => {
    const peer = introduced({ maxRemoteCandidates: 5 });
    for (let port = 1; port <= 20; port++) peer.agent.addRemoteCandidate(named(NAME, port), 0);
    expect(peer.count('candidate-limit')).toBe(15);
    peer.agent.handleResolved(
      NAME,
      Array.from({ length: 200 }, (_, i) => `192.0.2.${i + 1}`),
      0,
    );
    expect(peer.agent.remoteCandidates).toHaveLength(5);
    expect(peer.count('name-address-limit')).toBe(196);
  });

  it('time: what is not resolved in 5 s is given up, and an answer after that is counted alone', () => {
    const peer = introduced();
    peer.agent.addRemoteCandidate(named(), 0);
    expect(peer.agent.timeoutReason()).toBe('nameResolution');
    checkInvariants(peer.agent, peer.now);
    peer.advance(4999);
    expect(peer.count('name-unresolved')).toBe(0);
    peer.advance(1);
    expect(peer.count('name-unresolved')).toBe(1);
    peer.agent.handleResolved(NAME, [THERE.address], peer.now);
    expect(peer.agent.remoteCandidates).toEqual([]);
    expect(peer.count('name-unexpected')).toBe(1);
  });

  it('a host that stood still has not failed to answer', () => {
    const peer = introduced();
    peer.agent.addRemoteCandidate(named(), 0);
    peer.agent.handleTimeout(20_000);
    expect(peer.count('name-unresolved')).toBe(0);
    peer.agent.handleResolved(NAME, [THERE.address], 20_001);
    expect(peer.agent.remoteCandidates).toHaveLength(1);
  });

  it('nobody asks, and nothing waits, once it is over', () => {
    const peer = introduced();
    peer.agent.addRemoteCandidate(named(), 0);
    peer.agent.close(LOCAL_CLOSE, 1);
    peer.agent.handleResolved(NAME, [THERE.address], 2);
    expect(peer.agent.nextTimeout()).toBe(Infinity);
    expect(peer.agent.remoteCandidates).toEqual([]);
  });
});

describe('two agents that tell each other names', () => {
  it('connect when the hosts answer, and a restart asks anew', () => {
    const pair = new IcePair();
    for (const [side, n] of [
      [pair.a, 1],
      [pair.b, 2],
    ] as const) {
      const base = { address: `192.0.2.${n}`, port: 1000 };
      side.agent.addLocalCandidate({ type: 'host', protocol: 'udp', ...base, announced: uuid(n) }, 0);
      side.bases.push(base);
    }
    const answer = (): void => {
      for (const { agent, events } of [pair.a, pair.b]) {
        for (const event of events.splice(0)) {
          if (event.type !== 'resolve') continue;
          agent.handleResolved(event.name, [event.name === uuid(1) ? '192.0.2.1' : '192.0.2.2'], pair.now);
        }
      }
    };
    pair.signal();
    pair.run(5);
    answer();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.agent.selectedPair?.remote).toMatchObject({ type: 'host', address: '192.0.2.2' });
    pair.restart();
    pair.run(5);
    answer();
    pair.run(1000);
    expect(pair.a.agent.inspect().previous?.stage).toBe('retired');
  });
});
