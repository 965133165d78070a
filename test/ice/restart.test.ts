/** ICE restarts (RFC 8445 §9, RFC 8839 §4.4.1.1.1): the old generation carries until the new one has selected a pair. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { IceCandidate, IceParameters } from '../../src/ice/index.ts';
import { IceAgent } from '../../src/ice/index.ts';
import {
  StunAttributeType as Type,
  attributeValue,
  decodeStun,
  shortTermKey,
  splitUsername,
  verifyIntegrity,
} from '../../src/stun/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { Knobs } from './pair.ts';
import { IcePair, LOCAL_CLOSE, checkInvariants } from './pair.ts';
import { HERE, HandMadePeer, THERE } from './peer.ts';

const strangers = (): IceParameters =>
  new IceAgent({ crypto: jsCrypto(), random: new SeededRandom(9), role: 'controlled' }).localParameters;

const previous = (agent: IceAgent): unknown => agent.inspect().previous;

/** Runs until `end`, and asserts at every step that data has somewhere to go. */
function runCarrying(pair: IcePair, duration: number, done: () => boolean): void {
  pair.run(duration, () => {
    for (const { agent } of [pair.a, pair.b]) expect(agent.sendPath).toBeDefined();
    return done();
  });
}

/** Fragment that a request is addressed to; `undefined` for anything else. */
function receiverOf(data: Uint8Array): string | undefined {
  const message = decodeStun(data);
  if (isFailure(message) || message.class !== 'request') return undefined;
  const username = attributeValue(message, Type.username);
  return username === undefined ? undefined : splitUsername(username)?.receiver;
}

describe('a restart', () => {
  it.each(['controlling', 'controlled'] as const)(
    'asked for by the %s side: nothing is interrupted',
    (role) => {
      const pair = IcePair.connected();
      const [first, second] = role === 'controlling' ? [pair.a, pair.b] : [pair.b, pair.a];
      const before = first.agent.localParameters;
      const events = first.events.length;
      const offered = first.agent.restart(pair.now);
      expect(offered.usernameFragment).not.toBe(before.usernameFragment);
      expect(offered.password).not.toBe(before.password);
      expect(first.agent.localParameters).toEqual(offered);
      expect(first.agent.state).toBe('connected');
      pair.run(200); // the offer is under way
      second.agent.restart(pair.now);
      pair.tell(second);
      pair.run(200); // the answer is, too
      pair.tell(first);
      runCarrying(pair, 2000, () => pair.states().every((state) => state === 'completed'));
      expect(pair.states()).toEqual(['completed', 'completed']);
      expect([pair.a.agent.role, pair.b.agent.role]).toEqual(['controlling', 'controlled']);
      expect(
        first.events.slice(events).map((event) => ('state' in event ? event.state : event.type)),
      ).toEqual(['connected', 'pairvalid', 'selectedpairchange', 'completed']);
      expect(pair.a.agent.selectedPair?.nominated).toBe(true);
    },
  );

  it('the old generation is answered for 3 s more, and then forgotten', () => {
    const pair = IcePair.connected();
    pair.run(2000); // the next check for consent on the old pair would be due within the 3 s
    pair.restart();
    pair.run(2000, () => pair.a.agent.state === 'completed' && pair.b.agent.state === 'completed');
    const selectedAt = pair.now;
    expect(previous(pair.a.agent)).toMatchObject({ stage: 'retired', pairs: [{ valid: true }] });
    expect(pair.a.agent.inspect().previous?.timers).toHaveProperty('restartOverlap');
    pair.run(2900);
    expect(previous(pair.a.agent)).toMatchObject({ stage: 'retired' });
    pair.run(100);
    expect(pair.now - selectedAt).toBe(3000);
    expect(previous(pair.a.agent)).toBeUndefined();
    expect(previous(pair.b.agent)).toBeUndefined();
    pair.run(60_000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.count('bad-username')).toBe(0);
    expect(pair.a.count('unknown-transaction')).toBe(0);
  });

  it('waits for the peer’s parameters, while consent on the old pair goes on', () => {
    const pair = IcePair.connected();
    const asked = pair.now;
    const { usernameFragment } = pair.a.agent.restart(pair.now);
    runCarrying(pair, 120_000, () => false);
    expect(pair.states()).toEqual(['connected', 'completed']);
    const answered = pair.sent('a', 'success', asked).length;
    expect(answered).toBeGreaterThan(20);
    expect(pair.log.some(({ transmit }) => receiverOf(transmit.data) === usernameFragment)).toBe(false);
    expect(previous(pair.a.agent)).toMatchObject({ stage: 'superseded' });
  });

  it('can be restarted again and again', () => {
    const pair = IcePair.connected();
    const fragments = new Set<string>();
    for (let i = 0; i < 20; i++) {
      pair.restart();
      fragments.add(pair.a.agent.localParameters.usernameFragment);
      runCarrying(pair, 1000, () => false);
      expect(pair.states()).toEqual(['completed', 'completed']);
    }
    expect(fragments.size).toBe(20);
    expect(pair.a.agent.localCandidates).toHaveLength(1);
    expect(pair.a.agent.remoteCandidates).toHaveLength(1);
  });

  it('through loss: data always has somewhere to go, and it ends', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        (seed, loss) => {
          const pair = IcePair.connected({ seed });
          const lossy = new SeededRandom(seed);
          pair.drop = () => lossy.unit() < loss;
          pair.a.agent.restart(pair.now);
          pair.run(seed % 500);
          pair.b.agent.restart(pair.now);
          pair.tell(pair.b);
          pair.run(seed % 700);
          pair.tell(pair.a);
          // At 30 % loss the new generation may take ten seconds, and the old one is kept for a while then.
          runCarrying(pair, 30_000, () => false);
          for (const { agent, events } of [pair.a, pair.b]) {
            expect(agent.selectedPair?.nominated).toBe(true);
            expect(previous(agent)).toBeUndefined();
            expect(events.map(({ type }) => type)).not.toContain('restartfailed');
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('takes the peer’s move to another network', () => {
    const pair = IcePair.connected();
    const [old] = pair.b.bases;
    pair.b.host('198.51.100.2', 3000, pair.now);
    pair.drop = ({ transmit }) => [transmit.source, transmit.destination].some(({ port }) => port === 2000);
    pair.b.agent.restart(pair.now);
    pair.a.agent.restart(pair.now);
    pair.tell(pair.a);
    pair.tell(pair.b);
    pair.run(1000);
    expect(pair.a.agent.sendPath?.destination).toEqual({ address: '198.51.100.2', port: 3000 });
    expect(pair.b.agent.sendPath?.source).toEqual({ address: '198.51.100.2', port: 3000 });
    // What was under way over the old path is taken.
    const here = { address: '192.0.2.1', port: 1000 };
    expect(pair.a.agent.isValidPath(here, old ?? here)).toBe(true);
    pair.run(4000);
    expect(pair.a.agent.isValidPath(here, old ?? here)).toBe(false);
    expect(pair.a.agent.isValidPath(here, { address: '198.51.100.2', port: 3000 })).toBe(true);
  });
});

describe('two generations beside each other', () => {
  /** Addressed to the old generation: the agent's parameters are those of the new one. */
  const OLD = { username: 'agent:peer', password: 'a'.repeat(22) };

  const restarted = (options: ConstructorParameters<typeof HandMadePeer>[0] = {}): HandMadePeer => {
    const peer = new HandMadePeer(options).introduce();
    peer.answerFor(100);
    peer.check({ useCandidate: true });
    peer.sent();
    expect(peer.agent.selectedPair).toBeDefined();
    peer.agent.restart(peer.now, { usernameFragment: 'again', password: 'b'.repeat(22) });
    return peer;
  };

  it('each answers with its own password, before the new parameters have come and after', () => {
    const peer = restarted();
    expect(peer.agent.isAuthenticatedPath(HERE, THERE)).toBe(true);
    peer.check(OLD);
    peer.check({ username: 'again:anew', password: 'b'.repeat(22) });
    const [old, young] = peer.sent();
    if (old === undefined || young === undefined) throw new RangeError('not both answered');
    expect(verifyIntegrity(old, shortTermKey(peer.crypto, 'a'.repeat(22)))).toBe(true);
    expect(verifyIntegrity(young, shortTermKey(peer.crypto, 'b'.repeat(22)))).toBe(true);
    // The password of one does not open the other.
    peer.check({ username: 'again:anew', password: OLD.password });
    peer.check({ username: OLD.username, password: 'b'.repeat(22) });
    expect(peer.sent()).toEqual([]);
    expect(peer.count('bad-integrity')).toBe(2);
  });

  it('a check of the peer that comes before its parameters is checked back once they have come', () => {
    const peer = restarted();
    peer.check({ username: 'again:anew', password: 'b'.repeat(22) });
    expect(peer.checks()).toEqual([]);
    peer.agent.setRemoteParameters({ usernameFragment: 'anew', password: 'q'.repeat(22) }, peer.now);
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    const before = peer.agent.selectedPair;
    peer.deliver(peer.success(check, 'p'.repeat(22)));
    expect(peer.count('bad-integrity')).toBe(1);
    peer.deliver(peer.success(check, 'q'.repeat(22)));
    expect(peer.agent.selectedPair).toEqual(before); // valid is not selected
    peer.check({ username: 'again:anew', password: 'b'.repeat(22), useCandidate: true });
    peer.sent();
    expect(peer.agent.remoteCandidates).toMatchObject([{ type: 'prflx' }]);
    expect(peer.agent.selectedPair?.remote.type).toBe('prflx');
  });

  it('a role conflict of the new generation does not turn the old one', () => {
    const peer = restarted({ role: 'controlled' });
    const claim = { role: 'controlled', tieBreaker: new Uint8Array(8) } as const;
    peer.check({ ...claim, username: 'again:anew', password: 'b'.repeat(22) });
    expect(peer.agent.role).toBe('controlling'); // its tie-breaker is larger than zero
    expect(previous(peer.agent)).toMatchObject({ role: 'controlled' });
    expect(peer.agent.cancelRestart(peer.now)).toBe(true);
    expect(peer.agent.role).toBe('controlled');
  });

  it('a retired one answers, and does nothing else', () => {
    const peer = restarted();
    peer.check({ username: 'again:anew', password: 'b'.repeat(22), useCandidate: true });
    peer.agent.setRemoteParameters({ usernameFragment: 'anew', password: 'q'.repeat(22) }, peer.now);
    const answers = peer.checks().map((check) => peer.success(check, 'q'.repeat(22)));
    for (const answer of answers) peer.deliver(answer);
    expect(previous(peer.agent)).toMatchObject({ stage: 'retired' });
    peer.sent();
    const events = peer.events.length;
    const elsewhere = { address: '192.0.2.3', port: 3 };
    peer.check({ ...OLD, useCandidate: true, source: elsewhere });
    expect(peer.sent().map((message) => message.class)).toEqual(['success']);
    peer.advance(2000);
    expect(peer.checks()).toEqual([]);
    expect(peer.events.slice(events).map(({ type }) => type)).not.toContain('selectedpairchange');
    expect(peer.agent.selectedPair?.remote).toMatchObject(THERE);
    peer.advance(1000);
    peer.check(OLD);
    expect(peer.sent()).toEqual([]);
    expect(peer.count('bad-username')).toBe(1);
  });

  it('a retired one of a lite agent learns no new path either', () => {
    const peer = restarted({ lite: true });
    peer.agent.setRemoteParameters({ usernameFragment: 'anew', password: 'q'.repeat(22) }, peer.now);
    peer.check({ username: 'again:anew', password: 'b'.repeat(22), useCandidate: true });
    expect(previous(peer.agent)).toMatchObject({ stage: 'retired' });
    const elsewhere = { address: '192.0.2.3', port: 3 };
    peer.check({ ...OLD, source: elsewhere, useCandidate: true });
    expect(peer.sent()).toHaveLength(2);
    expect(peer.agent.isValidPath(HERE, elsewhere)).toBe(false);
    expect(peer.agent.isValidPath(HERE, THERE)).toBe(true);
  });

  it('a lite agent that is nominated a pair by another session than the peer’s stays with the old one', () => {
    const peer = restarted({ lite: true });
    const path = peer.agent.sendPath;
    const stranger = {
      username: 'again:other',
      password: 'b'.repeat(22),
      source: { address: '192.0.2.9', port: 9 },
    };
    peer.check({ ...stranger, useCandidate: true });
    expect(peer.sent()).toHaveLength(1);
    expect(peer.agent.sendPath).toEqual(path);
    peer.agent.setRemoteParameters({ usernameFragment: 'anew', password: 'q'.repeat(22) }, peer.now);
    expect(peer.agent.sendPath).toEqual(path);
    checkInvariants(peer.agent, peer.now);
    peer.check({ username: 'again:anew', password: 'b'.repeat(22), useCandidate: true });
    expect(previous(peer.agent)).toMatchObject({ stage: 'retired' });
    expect(peer.agent.sendPath).toEqual(path);
  });

  it('a superseded one begins no checks, but for those that are triggered', () => {
    const peer = new HandMadePeer().introduce();
    for (let i = 3; i < 20; i++) {
      peer.agent.addRemoteCandidate(
        {
          type: 'host',
          protocol: 'udp',
          address: `192.0.2.${i}`,
          port: 1,
          foundation: '1',
          component: 1,
          priority: i,
        },
        peer.now,
      );
    }
    const [check] = peer.checks();
    if (check === undefined) throw new RangeError('no check');
    peer.deliver(peer.success(check));
    expect(peer.agent.sendPath).toBeDefined();
    peer.agent.restart(peer.now);
    const sent = peer.count('check-sent');
    peer.advance(4000);
    expect(peer.count('check-sent')).toBe(sent);
    peer.check({ ...OLD, source: { address: '192.0.2.9', port: 1 } });
    peer.advance(100);
    expect(peer.count('check-sent')).toBe(sent + 1);
  });

  it('a candidate of the old session is none of the new one', () => {
    const peer = restarted();
    const [candidate] = peer.agent.inspect().previous?.remoteCandidates ?? [];
    if (candidate === undefined) throw new RangeError('no candidate');
    peer.agent.addRemoteCandidate({ ...candidate, port: 4000, usernameFragment: 'peer' }, peer.now);
    peer.agent.setRemoteParameters({ usernameFragment: 'anew', password: 'q'.repeat(22) }, peer.now);
    expect(peer.count('candidate-foreign')).toBe(1);
    expect(peer.agent.remoteCandidates).toEqual([]);
  });

  it('the old pair may still follow a peer whose address changes', () => {
    const peer = restarted({ role: 'controlled' });
    const elsewhere = { address: '192.0.2.2', port: 2001 };
    peer.now += 3000;
    peer.check({ ...OLD, source: elsewhere, useCandidate: true });
    for (let i = 0; i < 20; i++) {
      for (let out = peer.agent.pollTransmit(); out !== undefined; out = peer.agent.pollTransmit()) {
        const message = decodeStun(out.data);
        const isAnswered = out.destination.port === elsewhere.port;
        if (isFailure(message) || message.class !== 'request' || !isAnswered) continue;
        peer.deliver(peer.success(message), elsewhere);
      }
      peer.advance(250);
    }
    expect(peer.agent.sendPath?.destination).toEqual(elsewhere);
    expect(previous(peer.agent)).toMatchObject({ stage: 'superseded' });
  });
});

describe('lite', () => {
  const lite: Knobs = { a: { role: 'controlled', lite: true }, b: { role: 'controlling' } };

  it('a lite agent, restarted by its peer', () => {
    const pair = IcePair.connected(lite);
    pair.b.agent.restart(pair.now);
    pair.a.agent.restart(pair.now);
    pair.tell(pair.a);
    pair.tell(pair.b);
    runCarrying(pair, 1000, () => false);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect(pair.a.count('check-sent')).toBe(0);
    pair.run(60_000);
    expect(pair.states()).toEqual(['completed', 'completed']);
    expect([previous(pair.a.agent), previous(pair.b.agent)]).toEqual([undefined, undefined]);
  });

  it('two lite agents, without a datagram', () => {
    const pair = new IcePair({ a: { lite: true }, b: { lite: true } });
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.signal();
    const path = pair.a.agent.sendPath;
    pair.a.agent.restart(pair.now);
    expect(pair.a.agent.sendPath).toEqual(path);
    pair.b.agent.restart(pair.now);
    pair.signal();
    for (const { agent } of [pair.a, pair.b]) {
      expect(agent.state).toBe('completed');
      expect(agent.nextTimeout()).toBe(3000);
      agent.handleTimeout(3000);
      expect(previous(agent)).toBeUndefined();
      expect(agent.nextTimeout()).toBe(Infinity);
      expect(agent.pollTransmit()).toBeUndefined();
    }
    expect(pair.a.agent.sendPath).toEqual(path);
  });
});

describe('a restart that comes to nothing', () => {
  it('fails at its gate, and the old pair is in use as before', () => {
    const pair = IcePair.connected();
    const before = pair.a.agent.localParameters;
    pair.a.agent.restart(pair.now);
    pair.a.agent.setRemoteParameters(strangers(), pair.now);
    const began = pair.now;
    runCarrying(pair, 60_000, () => pair.a.events.at(-2)?.type === 'restartfailed');
    expect(pair.now - began).toBe(30_000);
    expect(pair.a.events.slice(-2)).toMatchObject([
      { type: 'restartfailed', failure: { code: 'connect-timeout', gate: 'iceConnect', elapsed: 30_000 } },
      { type: 'statechange', state: 'completed' },
    ]);
    expect(pair.a.agent.localParameters).toEqual(before);
    expect(previous(pair.a.agent)).toBeUndefined();
    runCarrying(pair, 60_000, () => false);
    expect(pair.states()).toEqual(['completed', 'completed']);
    pair.restart();
    runCarrying(pair, 1000, () => false);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('cancelled: the old pair is in use as before', () => {
    const pair = IcePair.connected();
    const before = pair.a.agent.localParameters;
    expect(pair.a.agent.cancelRestart(pair.now)).toBe(false);
    pair.a.agent.restart(pair.now);
    expect(pair.a.agent.cancelRestart(pair.now)).toBe(true);
    expect(pair.a.agent.localParameters).toEqual(before);
    expect(pair.a.agent.state).toBe('completed');
    runCarrying(pair, 60_000, () => false);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('and the old pair ends, too: failed, 30 s after the checks of the new one began', () => {
    const pair = IcePair.connected();
    pair.a.agent.restart(pair.now);
    pair.drop = () => true;
    pair.run(10_000);
    pair.a.agent.setRemoteParameters(strangers(), pair.now);
    const began = pair.now;
    pair.run(120_000, () => pair.a.agent.state === 'failed');
    expect(pair.now - began).toBe(30_000);
    expect(pair.a.states().slice(-3)).toEqual(['disconnected', 'checking', 'failed']);
    expect(pair.a.events.map(({ type }) => type)).not.toContain('restartfailed');
  });
});

describe('the old pair dies during a restart', () => {
  it('before the peer’s parameters have come: nothing fails, nothing carries, and they bring it back', () => {
    const pair = IcePair.connected();
    pair.a.agent.restart(pair.now);
    pair.drop = () => true;
    pair.run(60_000);
    expect(pair.a.states().slice(-2)).toEqual(['disconnected', 'new']);
    expect(pair.a.agent.sendPath).toBeUndefined();
    expect(pair.a.agent.nextTimeout()).toBe(Infinity);
    expect(pair.b.agent.state).toBe('failed');
    pair.drop = () => false;
    pair.b.agent.restart(pair.now);
    pair.signal();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('a new pair that is valid and not selected yet is used at once', () => {
    // The controlling side waits for its nomination; the controlled one knows that its old pair is silent.
    const pair = IcePair.connected({ a: { nominationDelay: 60_000 } });
    pair.b.host('198.51.100.2', 3000, pair.now);
    pair.restart();
    pair.drop = ({ transmit }) => [transmit.source, transmit.destination].some(({ port }) => port === 2000);
    pair.run(15_000);
    expect(pair.a.agent.sendPath?.destination.port).toBe(3000);
    expect(pair.b.agent.sendPath?.source.port).toBe(3000);
    pair.run(90_000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('and the restart is cancelled: failed, by what ended the old pair, and restarted to life', () => {
    const pair = IcePair.connected();
    pair.a.agent.restart(pair.now);
    pair.drop = () => true;
    pair.run(60_000);
    expect(pair.a.agent.cancelRestart(pair.now)).toBe(true);
    pair.run(1000);
    expect(pair.a.events.slice(-2)).toMatchObject([
      { type: 'statechange', state: 'failed' },
      { type: 'failed', failure: { code: 'consent-expired' } },
    ]);
    expect(pair.a.agent.cancelRestart(pair.now)).toBe(false);
    pair.drop = () => false;
    pair.restart();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('a failed agent whose restart is cancelled is failed as before, and takes addresses meanwhile', () => {
    const pair = IcePair.connected();
    pair.drop = () => true;
    pair.run(60_000);
    const { end } = pair.a.agent.inspect();
    expect(end?.reason.code).toBe('consent-expired');
    const sent = pair.a.count('check-sent') + pair.a.count('consent-sent') + pair.a.count('response-sent');
    pair.a.host('198.51.100.1', 3000, pair.now);
    pair.a.agent.restart(pair.now);
    pair.run(1000);
    expect(pair.a.agent.cancelRestart(pair.now)).toBe(true);
    expect(pair.a.agent.state).toBe('failed');
    expect(pair.a.agent.inspect().end?.reason).toEqual(end?.reason);
    pair.drop = () => false;
    pair.run(10_000);
    expect(pair.a.count('check-sent') + pair.a.count('consent-sent') + pair.a.count('response-sent')).toBe(
      sent,
    );
    pair.restart();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('a failed agent is revived', () => {
    const pair = IcePair.connected();
    pair.drop = () => true;
    pair.run(60_000);
    expect(pair.states()).toEqual(['failed', 'failed']);
    expect(pair.a.agent.inspect().end).toBeDefined();
    pair.drop = () => false;
    pair.restart();
    expect(pair.states()).toEqual(['checking', 'checking']);
    expect(pair.a.agent.inspect().end).toBeUndefined();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('data that comes over the old pair keeps it from counting as disconnected', () => {
    const pair = IcePair.connected();
    const path = pair.a.agent.sendPath;
    if (path === undefined) throw new RangeError('no path');
    pair.a.agent.restart(pair.now);
    pair.drop = () => true;
    for (let i = 0; i < 25; i++) {
      pair.run(1000);
      pair.a.agent.noteData(path.source, path.destination, path.protocol, pair.now);
    }
    expect(pair.a.agent.state).toBe('connected');
    expect(pair.a.agent.pathProvenAt(path.source, path.destination, path.protocol)).toBeGreaterThan(0);
  });

  it('F5b: the host stands still during a restart: both generations are forgiven', () => {
    const pair = IcePair.connected();
    pair.a.agent.restart(pair.now);
    pair.freeze(60_000);
    pair.run(6000);
    expect(pair.states()).toEqual(['connected', 'completed']);
    pair.b.agent.restart(pair.now);
    pair.signal();
    pair.freeze(60_000);
    pair.run(5000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });
});

describe('before anything works', () => {
  it('a restart that is cancelled leaves the first attempt as it was, with its gate', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000, pair.now);
    pair.b.host('192.0.2.2', 2000, pair.now);
    pair.signal();
    pair.drop = () => true;
    pair.run(10_000);
    pair.a.agent.restart(pair.now);
    pair.run(5000);
    pair.drop = () => false;
    pair.run(5000);
    // It goes on to check.
    expect(pair.b.agent.state).toBe('completed');
    expect(pair.a.agent.cancelRestart(pair.now)).toBe(true);
    expect(pair.a.agent.state).toBe('completed');
  });

  it('a restart that waits for the peer ends by the gate of the first attempt', () => {
    const peer = new HandMadePeer();
    peer.introduce();
    peer.advance(10_000);
    peer.agent.restart(peer.now);
    peer.advance(25_000);
    expect(peer.agent.state).toBe('failed');
    expect(peer.agent.inspect().end?.reason).toMatchObject({ code: 'connect-timeout', gate: 'iceConnect' });
  });

  it('once the peer has described the new session the first attempt is dropped', () => {
    const peer = new HandMadePeer();
    peer.introduce();
    peer.agent.restart(peer.now);
    expect(peer.agent.usernameFragments).toHaveLength(2);
    peer.agent.setRemoteParameters({ usernameFragment: 'anew', password: 'q'.repeat(22) }, peer.now);
    expect(previous(peer.agent)).toBeUndefined();
    expect(peer.agent.usernameFragments).toEqual([peer.agent.localParameters.usernameFragment]);
  });
});

describe('candidates that come before the description of their session', () => {
  const anew = { usernameFragment: 'anew', password: 'q'.repeat(22) };
  const candidate = (port: number, usernameFragment: string): IceCandidate => ({
    type: 'host',
    protocol: 'udp',
    address: '192.0.2.2',
    port,
    foundation: '1',
    component: 1,
    priority: port,
    usernameFragment,
  });

  it('wait for it, and are its own then; those of another one are foreign', () => {
    const peer = new HandMadePeer();
    peer.introduce();
    const known = peer.agent.remoteCandidates.length;
    peer.agent.addRemoteCandidate(candidate(4000, 'anew'), peer.now);
    peer.agent.addRemoteCandidate(candidate(4001, 'never'), peer.now);
    expect(peer.count('candidate-parked')).toBe(2);
    expect(peer.agent.remoteCandidates).toHaveLength(known);
    peer.agent.restart(peer.now);
    peer.agent.setRemoteParameters(anew, peer.now);
    expect(peer.agent.remoteCandidates.map(({ port }) => port)).toEqual([4000]);
    expect(peer.count('candidate-foreign')).toBe(1);
  });

  it('are so many at the most; the latest are kept', () => {
    const peer = new HandMadePeer({ maxParkedCandidates: 3 });
    peer.introduce();
    for (let port = 4000; port < 4010; port++)
      peer.agent.addRemoteCandidate(candidate(port, 'anew'), peer.now);
    expect(peer.count('candidate-foreign')).toBe(7);
    peer.agent.restart(peer.now);
    peer.agent.setRemoteParameters(anew, peer.now);
    expect(peer.agent.remoteCandidates.map(({ port }) => port)).toEqual([4007, 4008, 4009]);
  });

  it('wait while the agent has failed, too', () => {
    const pair = IcePair.connected();
    pair.drop = () => true;
    pair.run(60_000);
    pair.a.agent.addRemoteCandidate(candidate(4000, 'anew'), pair.now);
    pair.a.agent.restart(pair.now);
    pair.a.agent.setRemoteParameters(anew, pair.now);
    expect(pair.a.agent.remoteCandidates.map(({ port }) => port)).toEqual([4000]);
  });
});

describe('bounds and misuse', () => {
  it('a restart during a restart drops the one in between', () => {
    const pair = IcePair.connected();
    const oldest = pair.a.agent.localParameters;
    const middle = pair.a.agent.restart(pair.now);
    pair.b.agent.restart(pair.now);
    pair.b.agent.setRemoteParameters(middle, pair.now);
    for (const candidate of pair.a.agent.localCandidates)
      pair.b.agent.addRemoteCandidate(candidate, pair.now);
    pair.run(100);
    expect(pair.sent('a', 'success').length).toBeGreaterThan(0);
    pair.a.agent.restart(pair.now);
    expect(previous(pair.a.agent)).toMatchObject({
      stage: 'superseded',
      localUsernameFragment: oldest.usernameFragment,
    });
    pair.run(8000);
    expect(pair.a.count('bad-username')).toBeGreaterThan(0);
    pair.b.agent.restart(pair.now);
    pair.signal();
    runCarrying(pair, 1000, () => false);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('the peer’s old parameters again start nothing; new ones want a restart of ours', () => {
    const pair = IcePair.connected();
    const old = pair.b.agent.localParameters;
    pair.b.agent.restart(pair.now);
    expect(() => pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, pair.now)).toThrow('restart');
    pair.a.agent.restart(pair.now);
    pair.a.agent.setRemoteParameters(old, pair.now);
    expect(pair.a.agent.inspect()).not.toHaveProperty('remoteUsernameFragment');
    pair.a.agent.setRemoteParameters(pair.b.agent.localParameters, pair.now);
    expect(pair.a.agent.inspect()).toHaveProperty('remoteUsernameFragment');
  });

  it('refuses credentials in use, and a closed agent, and changes nothing', () => {
    const peer = new HandMadePeer().introduce();
    const { agent } = peer;
    const before = agent.inspect();
    expect(() => agent.restart(0, { usernameFragment: 'agent' })).toThrow('"usernameFragment"');
    expect(() => agent.restart(0, { password: 'a'.repeat(22) })).toThrow('22 characters');
    expect(() => agent.restart(0, { usernameFragment: 'a b' })).toThrow('"usernameFragment"');
    expect(() => agent.restart(0, { lite: true } as never)).toThrow('no option "lite"');
    expect(agent.inspect()).toEqual(before);
    agent.close(LOCAL_CLOSE, 0);
    expect(() => agent.restart(0)).toThrow('closed');
    expect(agent.cancelRestart(0)).toBe(false);
  });

  it('before anything has begun it is another name, and no more', () => {
    const pair = new IcePair();
    pair.a.host('192.0.2.1', 1000);
    pair.b.host('192.0.2.2', 2000);
    pair.a.agent.restart(0);
    expect(previous(pair.a.agent)).toBeUndefined();
    expect(pair.a.agent.state).toBe('new');
    pair.signal();
    pair.run(1000);
    expect(pair.states()).toEqual(['completed', 'completed']);
  });

  it('inspect() shows both, as plain JSON without passwords', () => {
    const pair = IcePair.connected();
    const old = pair.a.agent.localParameters;
    const young = pair.a.agent.restart(pair.now);
    const view = pair.a.agent.inspect();
    const text = JSON.stringify(view);
    expect(JSON.parse(text)).toEqual(view);
    for (const { password } of [old, young]) expect(text).not.toContain(password);
  });

  it('F2c: closed at any moment of a restart: nothing armed, nothing queued', () => {
    for (const at of [0, 5, 15, 55, 300, 2000, 7000]) {
      const pair = IcePair.connected();
      pair.restart();
      pair.run(at);
      pair.a.agent.close(LOCAL_CLOSE, pair.now);
      expect(pair.a.agent.nextTimeout()).toBe(Infinity);
      expect(pair.a.agent.invariantViolation()).toBeUndefined();
      expect(pair.a.agent.inspect()).toMatchObject({
        timers: {},
        queues: { transmits: 0, events: 0, triggeredChecks: 0, transactions: 0 },
      });
      expect(previous(pair.a.agent)).toBeUndefined();
    }
  });

  it('whatever is done when, through any loss: the invariants hold, and it can be restarted to life', () => {
    const step = fc.record({
      what: fc.constantFrom(
        'restart a',
        'restart b',
        'tell a',
        'tell b',
        'cancel a',
        'cancel b',
        'cut',
        'mend',
      ),
      wait: fc.integer({ min: 0, max: 12_000 }),
    });
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 25 }), (seed, steps) => {
        const pair = IcePair.connected({ seed, loss: 0 });
        for (const { what, wait } of steps) {
          const [verb, name] = what.split(' ');
          const side = name === 'b' ? pair.b : pair.a;
          if (verb === 'restart') side.agent.restart(pair.now);
          else if (verb === 'cancel') side.agent.cancelRestart(pair.now);
          else if (verb === 'tell') tellIfNew(pair, side);
          else pair.drop = () => verb === 'cut';
          checkInvariants(side.agent, pair.now);
          pair.run(wait);
        }
        pair.drop = () => false;
        pair.restart();
        pair.run(10_000);
        expect(pair.states()).toEqual(['completed', 'completed']);
        expect([previous(pair.a.agent), previous(pair.b.agent)]).toEqual([undefined, undefined]);
      }),
      { numRuns: 100 },
    );
  });
});

/** Tells `side` of the other, unless that would be misuse: new parameters without a restart of its own. */
function tellIfNew(pair: IcePair, side: IcePair['a']): void {
  const known = side.agent.inspect().remoteUsernameFragment;
  const { usernameFragment } = pair.other(side).agent.localParameters;
  if (known === undefined || known === usernameFragment) pair.tell(side);
}
