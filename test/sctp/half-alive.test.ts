/**
 * F2: peers that are half alive. Each gives signs of life all the time and still makes no progress in one matter: the gate
 * of that matter ends it, on its own clock, whatever else the peer does.
 */
import { describe, expect, test } from 'vitest';
import { readU32 } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import { CHUNK } from '../../src/sctp/constants.ts';
import { decodeReconfig, encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk, encodeShutdown } from '../../src/sctp/packet/simple.ts';
import { expectNothingHeld } from './empty.ts';
import { inspect, Pair, payload } from './pair.ts';
import { INTERLEAVING_EXTENSIONS, Puppet } from './puppet.ts';

/** A sign of life that is progress in no matter. */
function heartbeat(): Uint8Array {
  return encodeChunk(CHUNK.heartbeat, 0, Uint8Array.of(0, 1, 0, 8, 1, 2, 3, 4));
}

/** Runs until a has closed, and says by which gate, after how long and with how long a silence. */
function endOf(
  puppet: Puppet,
  tick?: { period: number; does: () => void },
): { gate: string | undefined; after: number; elapsed: number; silence: number } {
  const after = puppet.run(200_000, tick);
  expect(puppet.a.state).toBe('closed');
  const { failure } = puppet.closing();
  expectNothingHeld(puppet.a, puppet.now);
  return {
    gate: failure?.gate,
    after,
    elapsed: Math.round(failure?.elapsed ?? 0),
    silence: failure?.peerSilentFor ?? 0,
  };
}

/** Which stream a gives up, and when; the association lives. */
function stallOf(
  puppet: Puppet,
  tick?: { period: number; does: () => void },
): { streamId: number; after: number; elapsed: number } {
  const startedAt = puppet.now;
  const stalls: { streamId: number; after: number; elapsed: number }[] = [];
  puppet.upper = {
    handleEvent(event, now): void {
      if (event.type !== 'streamstalled') return;
      expect(event.failure).toMatchObject({ code: 'reassembly-timeout', gate: 'reassembly' });
      const { elapsed = 0 } = event.failure;
      stalls.push({ streamId: event.streamId, after: now - startedAt, elapsed });
    },
    handleTimeout: () => undefined,
    nextTimeout: () => Infinity,
  };
  puppet.run(80_000, tick);
  expect(puppet.a.state).toBe('established');
  return stalls[0] ?? expect.unreachable();
}

describe('a peer that takes data', () => {
  test('G9: answers heartbeats and never SACKs', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(5000, 1) });
    const end = endOf(puppet, { period: 1000, does: () => puppet.say(heartbeat()) });
    expect(end).toMatchObject({ gate: 'dataProgress', after: 30_000, elapsed: 30_000 });
    expect(end.silence).toBeLessThanOrEqual(1000);
  });

  test('G9: repeats the same SACK for ever', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(5000, 1) });
    const end = endOf(puppet, { period: 200, does: () => puppet.say(puppet.sack(2)) });
    // The first one is progress.
    expect(end).toMatchObject({ gate: 'dataProgress', after: 30_200, elapsed: 30_000 });
    expect(puppet.count('invalid-sack')).toBe(0);
  });

  test('G9: sends data of its own without end, and acknowledges nothing', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(5000, 1) });
    let ssn = 0;
    const end = endOf(puppet, { period: 100, does: () => puppet.say(puppet.data({ ssn: ssn++ })) });
    expect(end).toMatchObject({ gate: 'dataProgress', after: 30_000 });
  });

  test('G9: acknowledges one chunk an hour', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(50_000, 1) });
    let upTo = 0;
    const end = endOf(puppet, { period: 3_600_000, does: () => puppet.say(puppet.sack(++upTo)) });
    expect(end).toMatchObject({ gate: 'dataProgress', after: 30_000 });
  });

  test('S14, S15: reports everything but the first chunk, takes it back, reports it again', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(9000, 1) });
    puppet.run(10);
    const end = endOf(puppet, {
      period: 300,
      // The block that begins at 1 reports the very chunk that the cumulative TSN says is missing.
      does: () =>
        puppet.say(puppet.sack(0, { blocks: [1, puppet.sentNumbers().reduce((a, b) => Math.max(a, b))] })),
    });
    expect(end.gate).toBe('dataProgress');
    expect(end.after).toBeLessThanOrEqual(30_000 + 1000);
  });

  test('G11: keeps its window at zero, and says so', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(50_000, 1) });
    puppet.run(10);
    puppet.say(puppet.sack(0, { window: 0 }));
    const end = endOf(puppet, { period: 500, does: () => puppet.say(puppet.sack(0, { window: 0 })) });
    expect(end).toMatchObject({ gate: 'zeroWindow', after: 60_000, elapsed: 60_000 });
  });

  test('G11: takes a probe now and then, its window always zero', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(200_000, 1) });
    puppet.run(10);
    puppet.say(puppet.sack(0, { window: 0 }));
    let upTo = 0;
    const end = endOf(puppet, { period: 5000, does: () => puppet.say(puppet.sack(++upTo, { window: 0 })) });
    expect(end).toMatchObject({ gate: 'zeroWindow', after: 60_000 });
  });

  test('S13, G11: lets its window swing between 0 and 1, taking nothing', () => {
    const puppet = new Puppet();
    puppet.a.send(1, { ppid: 53, data: payload(50_000, 1) });
    puppet.run(10);
    puppet.say(puppet.sack(0, { window: 0 }));
    let window = 0;
    const end = endOf(puppet, {
      period: 250,
      does: () => {
        window = 1 - window;
        puppet.say(puppet.sack(0, { window }));
      },
    });
    expect(end.gate).toBe('zeroWindow');
    expect(end.after).toBeLessThanOrEqual(60_000);
  });

  test('S13: announces a window of 2^32−1: no more than our own limits goes out', () => {
    const puppet = new Puppet({}, { window: 0xffff_ffff });
    puppet.a.send(1, { ppid: 53, data: payload(1_000_000, 1) });
    puppet.run(10);
    puppet.say(puppet.sack(0, { window: 0xffff_ffff }));
    puppet.drain();
    expect(inspect(puppet.a).send.flightBytes).toBeLessThan(20_000);
  });
});

describe('a peer that sends', () => {
  test('G16: never completes a message, and sends others all the time', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, flags: 2 }));
    let ssn = 0;
    const end = stallOf(puppet, {
      period: 100,
      does: () => puppet.say(puppet.data({ streamId: 2, ssn: ssn++ })),
    });
    expect(end).toMatchObject({ streamId: 1, after: 60_000, elapsed: 60_000 });
  });

  test('G16: the same with interleaving', () => {
    const puppet = new Puppet({ interleaving: true }, { extensions: INTERLEAVING_EXTENSIONS });
    puppet.say(puppet.iData({ streamId: 1, flags: 2 }));
    let mid = 0;
    const end = stallOf(puppet, {
      period: 100,
      does: () => puppet.say(puppet.iData({ streamId: 1, flags: 7, mid: mid++ })),
    });
    expect(end).toMatchObject({ streamId: 1, after: 60_000, elapsed: 60_000 });
  });

  test('G16: skips a message for ever, so that all that follow on the stream wait', () => {
    const puppet = new Puppet();
    let ssn = 1;
    const end = stallOf(puppet, {
      period: 1000,
      does: () =>
        puppet.say(puppet.data({ streamId: 1, ssn: ssn++ }), puppet.data({ streamId: 2, ssn: ssn - 2 })),
    });
    expect(end).toMatchObject({ streamId: 1, after: 61_000, elapsed: 60_000 });
  });

  test('G16: drips a fragment of one byte an hour', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, flags: 2 }));
    const end = stallOf(puppet, {
      period: 3_600_000,
      does: () => puppet.say(puppet.data({ streamId: 1, flags: 0 })),
    });
    expect(end).toMatchObject({ streamId: 1, after: 60_000 });
  });

  test('a fragment every 50 s is progress, and a message that completes is one less to wait for', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ flags: 2 }));
    puppet.run(270_000, { period: 50_000, does: () => puppet.say(puppet.data({ flags: 0 })) });
    expect(puppet.a.state).toBe('established');
    puppet.say(puppet.data({ flags: 1 }));
    puppet.run(1000);
    expect(inspect(puppet.a).timers).not.toHaveProperty('reassembly');
  });

  test('G16: the clock stands still while the path is down, and after a freeze of the host', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, flags: 2 }));
    puppet.run(30_000);
    puppet.a.setPathWritable(false, puppet.now);
    puppet.run(40_000);
    puppet.a.setPathWritable(true, puppet.now);
    const end = stallOf(puppet);
    expect(end).toMatchObject({ streamId: 1, elapsed: 60_000 });
    expect(end.after).toBe(30_000);
  });
});

describe('a peer that answers resets', () => {
  /** Answers every reset request of a with `result`. */
  function answering(result: number): { puppet: Puppet; outcomes: () => string[] } {
    const puppet = new Puppet();
    puppet.onChunk = (chunk): void => {
      if (chunk.type === CHUNK.data) puppet.say(puppet.sack((readU32(chunk.body, 0) - puppet.base) | 0));
      if (chunk.type !== CHUNK.reconfig) return;
      const parameters = decodeReconfig(chunk.body);
      if (isFailure(parameters)) throw new Error(parameters.reason);
      for (const parameter of parameters) {
        if (parameter.type === 'outgoing-reset') puppet.say(encodeResponse(parameter.sequence, result));
      }
    };
    const outcomes = (): string[] =>
      puppet.events.flatMap((event) =>
        event.type === 'streamreset' ? [`${event.streamId} ${event.outcome}`] : [],
      );
    return { puppet, outcomes };
  }

  test('G12: "in progress" for ever, while data flows on other streams', () => {
    const { puppet, outcomes } = answering(6);
    puppet.a.resetStreams([1]);
    const startedAt = puppet.now;
    let endedAt = 0;
    puppet.run(60_000, {
      period: 100,
      does: () => {
        puppet.a.send(2, { ppid: 53, data: payload(10, 1) });
        if (outcomes().length > 0 && endedAt === 0) endedAt = puppet.now;
      },
    });
    expect(outcomes()).toEqual(['1 timeout']);
    expect(endedAt - startedAt).toBeLessThanOrEqual(10_000 + 200);
    expect(puppet.a.state).toBe('established');
    // It goes on asking, at the pace of the longest back-off.
    expect(puppet.heardOf(CHUNK.reconfig).length).toBeLessThan(70);
    puppet.a.abort('done', puppet.now);
    expectNothingHeld(puppet.a, puppet.now);
  });

  test('G12: "bad sequence number" for ever: each request is denied at once, and nothing piles up', () => {
    const { puppet, outcomes } = answering(5);
    for (let i = 0; i < 20; i++) {
      puppet.a.resetStreams([1]);
      puppet.run(1000);
    }
    expect(outcomes()).toEqual(Array.from({ length: 20 }, () => '1 denied'));
    expect(inspect(puppet.a).resets).toEqual({ inFlight: [], overdue: false, waiting: 0 });
    puppet.a.send(1, { ppid: 53, data: payload(10, 1) });
    puppet.run(1000);
    expect(puppet.a.bufferedAmount(1)).toBe(0);
    expect(puppet.a.state).toBe('established');
  });

  test('G15: asks for a reset itself whose last TSN never comes, and sends on other streams', () => {
    const puppet = new Puppet();
    const request = encodeOutgoingReset({
      sequence: 5000,
      responseSequence: 0,
      lastTsn: 5000 + 90_000,
      streams: [1],
    });
    puppet.say(request);
    let ssn = 0;
    const end = endOf(puppet, {
      period: 100,
      does: () => puppet.say(puppet.data({ streamId: 2, ssn: ssn++ })),
    });
    expect(end).toMatchObject({ gate: 'reassembly', after: 60_000 });
  });
});

describe('a peer that closes', () => {
  test('G21: ignores our SHUTDOWN, answers heartbeats and goes on sending', () => {
    const puppet = new Puppet();
    puppet.a.shutdown(puppet.now);
    let ssn = 0;
    const end = endOf(puppet, {
      period: 100,
      does: () => puppet.say(heartbeat(), puppet.data({ ssn: ssn++ })),
    });
    expect(end).toMatchObject({ gate: 'shutdown', after: 10_000, elapsed: 10_000 });
    expect(puppet.heardOf(CHUNK.shutdown).length).toBeGreaterThan(50);
  });

  test('G21: repeats its SHUTDOWN for ever and never completes', () => {
    const puppet = new Puppet();
    const shutdown = encodeShutdown(puppet.base);
    puppet.say(shutdown);
    const end = endOf(puppet, { period: 100, does: () => puppet.say(shutdown) });
    expect(end).toMatchObject({ gate: 'shutdown', after: 10_000 });
    // Each is answered, as RFC 9260 §9.2 wants.
    expect(puppet.heardOf(CHUNK.shutdownAck).length).toBeGreaterThan(90);
  });

  test('G22: repeats its SHUTDOWN for ever and does not take what we still have', () => {
    const puppet = new Puppet({ gates: { dataProgress: 500_000 } });
    puppet.a.send(1, { ppid: 53, data: payload(1000, 1) });
    puppet.run(10);
    const shutdown = encodeShutdown(puppet.base);
    puppet.say(shutdown);
    const end = endOf(puppet, { period: 100, does: () => puppet.say(shutdown) });
    expect(end).toMatchObject({ gate: 'shutdown', after: 30_000 });
  });

  test('G21: answers our SHUTDOWN with its own, for ever', () => {
    const puppet = new Puppet();
    puppet.a.shutdown(puppet.now);
    const shutdown = encodeShutdown(puppet.base);
    const end = endOf(puppet, { period: 100, does: () => puppet.say(shutdown) });
    expect(end.gate).toBe('shutdown');
    expect(end.after).toBeLessThanOrEqual(10_000);
  });

  test.each([
    ['idle', 0, 'peerLiveness', 45_000],
    ['with data for it', 5000, 'dataProgress', 30_000],
  ] as const)(
    'F2c: an ABORT that is lost: the other end, %s, ends by a gate of its own',
    (_, bytes, gate, within) => {
      const pair = new Pair({ link: { delay: 20 } }).connect();
      pair.cut[0] = true;
      pair.a.abort('lost', pair.now);
      if (bytes > 0) pair.b.send(1, { ppid: 53, data: payload(bytes, 1) });
      const startedAt = pair.now;
      pair.run(() => pair.b.state === 'closed', within + 3000);
      expect(pair.now - startedAt).toBeLessThanOrEqual(within);
      expect(pair.events[1].at(-1)).toMatchObject({ type: 'closed', failure: { gate } });
      expectNothingHeld(pair.b, pair.now);
      expect(pair.a.nextTimeout()).toBe(Infinity);
    },
  );
});
