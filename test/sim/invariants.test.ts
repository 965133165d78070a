/** What the network asserts after every step beyond the contract: the machine's own rules, and each channel's one end. */
import { describe, expect, it, vi } from 'vitest';
import { Endpoint, Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';
import type { SimEvent, SimMachine } from '../../src/sim/index.ts';
import { ContractViolation, Network } from '../../src/sim/index.ts';

/** Gives out what is pushed, one event after the other. */
function speaker(...events: unknown[]): SimMachine {
  const outputs = events.map((event): SimEvent => ({ type: 'event', event }));
  return {
    handleInput: () => undefined,
    pollOutput: () => outputs.shift() ?? { type: 'timeout', at: Infinity },
  };
}

function run(machine: SimMachine, invariants = true): void {
  const net = new Network({ seed: 3, invariants });
  net.host('192.0.2.1', { name: 'a' }).attach(machine);
  net.run();
}

function violation(machine: SimMachine): string {
  try {
    run(machine);
  } catch (error) {
    if (error instanceof ContractViolation) return `${error.rule}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe("a machine's own invariant", () => {
  it('is asked after every step', () => {
    const machine: SimMachine = { ...speaker(), invariantViolation: () => 'data outstanding, no t3' };
    expect(violation(machine)).toBe(
      'invariant: a broke its own rule: data outstanding, no t3 [invariant, step 1, at 0 ms, seed 3]',
    );
  });

  it('is not asked with invariants off', () => {
    run({ ...speaker(), invariantViolation: () => 'wrong' }, false);
  });

  it.each(['rtc', 'endpoint'] as const)('an %s has one', (kind) => {
    const certificate = selfSignedCertificate({ random: new SeededRandom(1) });
    const rtc = new Rtc({ certificate, random: new SeededRandom(1) });
    const endpoint = new Endpoint();
    if (kind === 'endpoint') endpoint.add(rtc);
    expect(rtc.invariantViolation()).toBeUndefined();
    vi.spyOn(rtc, 'invariantViolation').mockReturnValue('nonsense');
    expect(violation(kind === 'rtc' ? rtc : endpoint)).toContain('nonsense');
  });
});

describe("a channel's one end", () => {
  const channel = { label: 'chat', readyState: 'closed' };
  const opened = { type: 'channelopen', channel };
  const closed = { type: 'channelclose', channel };
  const ended = { type: 'closed' };

  it.each([
    ['opened, closed, over', [opened, closed, ended], 'none'],
    ['never heard of', [ended], 'none'],
    [
      'closed twice',
      [opened, closed, closed],
      'channel-outcome: a gave out channelclose after channel "chat" had closed',
    ],
    [
      'heard of after its end',
      [closed, { type: 'message', channel }],
      'gave out message after channel "chat"',
    ],
    ['left open', [opened, ended], 'closed without a channelclose for channel "chat"'],
    [
      'closed only by name',
      [{ type: 'channelclose', channel: { readyState: 'open' } }],
      'gave out channelclose while a channel was open',
    ],
  ])('%s', (_, events, expected) => {
    expect(violation(speaker(...events))).toContain(expected);
  });

  it("does not mind what is no channel's event", () => {
    expect(violation(speaker('text', null, { type: 'channelclose', channel: 7 }, opened.type))).toBe('none');
  });

  it('is nobody else’s: each connection of an endpoint is watched for itself', () => {
    const other = { label: 'other', readyState: 'closed' };
    const outputs: (SimEvent & { readonly rtc: number })[] = [
      { type: 'event', rtc: 1, event: opened },
      { type: 'event', rtc: 2, event: { type: 'channelopen', channel: other } },
      { type: 'event', rtc: 1, event: closed },
      { type: 'event', rtc: 1, event: ended },
      { type: 'event', rtc: 2, event: ended },
    ];
    const machine: SimMachine = {
      handleInput: () => undefined,
      pollOutput: () => outputs.shift() ?? { type: 'timeout', at: Infinity },
    };
    expect(violation(machine)).toContain('closed without a channelclose for channel "other"');
  });
});
