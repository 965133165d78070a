import { describe, expect, it } from 'vitest';
import type { NetworkOptions, SimMachine, SimOutput } from '../../src/sim/index.ts';
import { ContractViolation, Network } from '../../src/sim/index.ts';
import { Echo, machineOf, transmit } from './toys.ts';

const A = { address: '192.0.2.1', port: 1 };
const B = { address: '192.0.2.2', port: 2 };
const NEVER: SimOutput = { type: 'timeout', at: Infinity };

function alone(machine: SimMachine, options: Partial<NetworkOptions> = {}) {
  const net = new Network({ seed: 99, ...options });
  return { net, peer: net.host(A.address).attach(machine, { name: 'alice', port: A.port }) };
}

function scripted(...outputs: SimOutput[]): SimMachine {
  return machineOf(() => outputs.shift() ?? NEVER);
}

function violation(run: () => unknown): ContractViolation {
  try {
    run();
  } catch (error) {
    if (error instanceof ContractViolation) return error;
    throw error;
  }
  throw new Error('the contract was not violated');
}

describe('a broken contract names machine, step, time and seed', () => {
  it('a deadline that is not in the future', () => {
    const { net } = alone(machineOf(() => ({ type: 'timeout', at: 5, reason: 'consent' })));
    const { message, ...facts } = violation(() => net.run());
    expect(message).toBe(
      'alice asked to be woken at 5 ms (consent), which is not later [deadline-in-past, step 2, at 5 ms, seed 99]',
    );
    expect(facts).toMatchObject({ code: 'ERR_CONTRACT', rule: 'deadline-in-past', peer: 'alice', step: 2 });
    expect(facts).toMatchObject({ at: 5, seed: 99 });
  });

  it('a deadline that is no number', () => {
    const { net } = alone(machineOf(() => ({ type: 'timeout', at: NaN })));
    expect(violation(() => net.run()).rule).toBe('deadline-in-past');
  });

  it('a drain without end', () => {
    const { net } = alone(
      machineOf(() => ({ type: 'event', event: 'again' })),
      { outputsPerDrain: 10 },
    );
    const found = violation(() => net.run());
    expect(found.rule).toBe('endless-drain');
    expect(net.events.length).toBe(11);
  });

  it('a machine that throws because of a datagram', () => {
    const cause = new RangeError('offset is outside the bounds');
    const net = new Network({ seed: 3 });
    net.host(A.address).attach(scripted(transmit(A, B, [1])), { port: A.port });
    net.host(B.address).attach(
      machineOf(
        () => NEVER,
        ({ type }) => {
          if (type === 'receive') throw cause;
        },
      ),
      { name: 'bob' },
    );
    const found = violation(() => net.run());
    expect(found.message).toContain('bob threw out of handleInput (receive): RangeError: offset is outside');
    expect(found).toMatchObject({ rule: 'threw', cause, seed: 3, at: 1 });
  });

  it('a machine that throws when polled', () => {
    const { net } = alone(
      machineOf(() => {
        throw new TypeError('undefined is not a function');
      }),
    );
    expect(violation(() => net.run())).toMatchObject({ rule: 'threw' });
  });

  it.each([
    ['sends', transmit(A, B, [1])],
    ['speaks', { type: 'event', event: { type: 'late' } }],
    ['wants to be woken', { type: 'timeout', at: 1000, reason: 'forgotten' }],
  ] as const)('a closed machine that %s', (_, after) => {
    const { net, peer } = alone(scripted({ type: 'event', event: { type: 'closed' } }, after));
    expect(violation(() => net.run()).rule).toBe('spoke-after-close');
    expect(peer.closed).toBe(true);
  });

  it('a closed machine that stays silent is well', () => {
    const { net, peer } = alone(scripted(transmit(A, B, [1]), { type: 'event', event: { type: 'closed' } }));
    expect(net.run().reason).toBe('quiescent');
    expect([peer.closed, peer.deadline]).toEqual([true, Infinity]);
  });

  it('a closed machine that still holds something', () => {
    const outputs: SimOutput[] = [{ type: 'event', event: { type: 'closed' } }];
    const machine = { ...machineOf(() => outputs.shift() ?? NEVER), isEmpty: false };
    expect(violation(() => alone(machine).net.run()).rule).toBe('held-after-close');
  });

  it('one closed connection does not close an endpoint, nor does an event by another name', () => {
    const closing = { type: 'event', event: { type: 'closed' }, rtc: {} } as const;
    const endpoint = alone(scripted(closing, { type: 'event', event: { type: 'other' } }));
    expect(endpoint.net.run().reason).toBe('quiescent');
    expect(endpoint.peer.closed).toBe(false);

    const net = new Network({ seed: 1 });
    const outputs: SimOutput[] = [{ type: 'event', event: { type: 'closed' } }, transmit(A, B, [1])];
    const peer = net.host(A.address).attach(scripted(...outputs), { closedEvent: false });
    net.run();
    expect(peer.closed).toBe(false);
  });

  it('a datagram from an address or a port that is not its own', () => {
    const strange = alone(scripted(transmit(B, A, [1])));
    expect(violation(() => strange.net.run())).toMatchObject({ rule: 'foreign-source' });
    const port = alone(scripted(transmit({ ...A, port: 9 }, B, [1])));
    expect(violation(() => port.net.run()).message).toContain('sent from 192.0.2.1 port 9');
  });

  it('a datagram that no network carries', () => {
    const long = alone(scripted(transmit(A, B, new Uint8Array(65_508))));
    expect(violation(() => long.net.run())).toMatchObject({ rule: 'bad-datagram' });
    const portless = alone(scripted(transmit(A, { ...B, port: 0 }, [1])));
    expect(violation(() => portless.net.run())).toMatchObject({ rule: 'bad-datagram' });
  });

  it('a rule of its own', () => {
    const net = new Network({ seed: 1 });
    let queued = 0;
    const machine = machineOf(
      () => NEVER,
      () => queued++,
    );
    const peer = net.host(A.address).attach(machine, {
      invariant: () => (queued > 2 ? `holds ${queued} messages, at most 2 allowed` : undefined),
    });
    peer.at(10, () => undefined);
    peer.at(20, () => undefined);
    const found = violation(() => net.run());
    expect(found).toMatchObject({ rule: 'invariant', at: 20 });
    expect(found.message).toContain('broke its own rule: holds 3 messages, at most 2 allowed');
  });

  it('a machine that keeps a view of a delivered datagram finds it overwritten', () => {
    let kept: Uint8Array = new Uint8Array(0);
    function keep(scribble: boolean): number[] {
      const net = new Network({ seed: 1, scribble });
      net.host(A.address).attach(scripted(transmit(A, B, [1, 2, 3])), { port: A.port });
      const keeper = machineOf(
        () => NEVER,
        (input) => {
          if (input.type === 'receive') kept = input.data;
        },
      );
      net.host(B.address).attach(keeper);
      net.run();
      return [...kept];
    }
    expect(keep(true)).toEqual([0xdb, 0xdb, 0xdb]);
    expect(keep(false)).toEqual([1, 2, 3]);
  });
});

describe('livelock', () => {
  it('of two machines that answer each other in no time names both', () => {
    const net = new Network({ seed: 1, defaults: { latency: 0 }, stepsPerInstant: 1000 });
    const first = new Echo();
    net.host(A.address).attach(first, { name: 'alice' });
    net.host(B.address).attach(new Echo(), { name: 'bob' });
    net.run();
    // As if bob had spoken: from now on a -> b -> a -> b …, all at one instant.
    const { protocol, data } = transmit(B, A, [1]);
    first.handleInput({ type: 'receive', now: 0, protocol, source: B, destination: A, data });
    expect(net.run()).toMatchObject({
      reason: 'livelock',
      now: 0,
      cause: 'more than 1000 steps at 0 ms; the last 64 were: bob: datagram ×32, alice: datagram ×32',
    });
  });

  it('of a deadline that creeps ahead by a hair', () => {
    let now = 0;
    const { net } = alone(
      machineOf(
        () => ({ type: 'timeout', at: now + 1e-9, reason: 'pacing' }),
        (input) => {
          now = input.now;
        },
      ),
      { stepsPerInstant: 100 },
    );
    expect(net.run()).toMatchObject({
      reason: 'livelock',
      cause: expect.stringMatching(
        /^more than 100 steps at 0 ms; the last 64 were: alice: timeout \(pacing\) ×64$/,
      ) as string,
    });
  });

  it('of a past deadline, when invariants are off', () => {
    const { net } = alone(
      machineOf(() => ({ type: 'timeout', at: -1 })),
      { invariants: false, stepsPerInstant: 100 },
    );
    expect(net.run()).toMatchObject({ reason: 'livelock', now: 0 });
  });

  it('of a planned function that plans itself', () => {
    const { net } = alone(
      machineOf(() => NEVER),
      { stepsPerInstant: 100 },
    );
    const again = (): void => net.after(0, again);
    again();
    const outcome = net.run();
    expect(outcome).toMatchObject({ reason: 'livelock' });
    expect('cause' in outcome && outcome.cause).toContain('network: call ×');
  });

  it('is not a long conversation that takes its time', () => {
    const net = new Network({ seed: 1, stepsPerInstant: 10 });
    const first = new Echo();
    net.host(A.address).attach(first);
    net.host(B.address).attach(new Echo());
    const { protocol, data } = transmit(B, A, [1]);
    first.handleInput({ type: 'receive', now: 0, protocol, source: B, destination: A, data });
    expect(net.run({ limit: 1000 })).toMatchObject({ reason: 'limit', steps: 1002 });
  });
});
