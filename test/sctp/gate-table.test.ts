/**
 * Every gate of an association, one row each: how the wait begins and where the path is cut, then that it ends within the
 * gate and one retransmission time-out, what the event says, and that nothing is held afterwards.
 */
import { describe, expect, test } from 'vitest';
import { DEFAULT_SCTP_GATES } from '../../src/sctp/index.ts';
import type { SctpEvent, SctpGates } from '../../src/sctp/index.ts';
import { expectNothingHeld } from './empty.ts';
import type { PairOptions } from './pair.ts';
import { inspect, LOCAL_CLOSE, Pair, payload } from './pair.ts';
import { dataOf } from './wire.ts';

interface Row {
  readonly gate: keyof SctpGates;
  readonly code: string;
  readonly place: string;
  readonly options?: PairOptions;
  /** False: `wait` sets up by itself. */
  readonly connected?: false;
  /** Begins the wait and cuts the path. Afterwards the clock of the gate runs; the end that is to close. */
  wait(pair: Pair): 0 | 1;
  /** Milliseconds that the clock may have run already, or may yet be fed by what is on its way. */
  readonly slack?: number;
  /** What the gate takes in this place, if not its default. */
  readonly within?: number;
}

const SMALL = { receiveWindow: 5000, maxMessageSize: 5000 };

function cut(pair: Pair): void {
  pair.cut[0] = true;
  pair.cut[1] = true;
}

/** 64 KiB are on their way. */
function transfer(pair: Pair): void {
  pair.a.send(1, { ppid: 53, data: payload(65_536, 1) });
  pair.runFor(60);
}

/** a fills the window of b, which reads nothing. */
function fillWindow(pair: Pair): void {
  pair.polls[1] = false;
  for (let i = 0; i < 30; i++) pair.a.send(1, { ppid: 53, data: payload(1000, i) });
  pair.run(() => inspect(pair.a).send.peerWindow === 0, 5000);
}

const rows: readonly Row[] = [
  {
    gate: 'sctpConnect',
    code: 'connect-timeout',
    place: 'no answer to the INIT, messages queued (G1, G4)',
    connected: false,
    wait(pair) {
      cut(pair);
      for (let i = 0; i < 10; i++) pair.a.send(i, { ppid: 53, data: payload(1000, i) });
      pair.a.connect(pair.now);
      return 0;
    },
  },
  {
    gate: 'sctpConnect',
    code: 'connect-timeout',
    place: 'no answer to the COOKIE ECHO',
    connected: false,
    wait(pair) {
      let answers = 0;
      pair.filter = (from) => from === 0 || answers++ === 0;
      pair.a.connect(pair.now);
      return 0;
    },
  },
  {
    gate: 'sctpConnect',
    code: 'connect-timeout',
    place: 'the asked end, whose asker has gone',
    connected: false,
    wait(pair) {
      let packets = 0;
      pair.filter = (from) => from !== 0 || packets++ === 0;
      pair.a.connect(pair.now);
      pair.runFor(30);
      pair.a.close(LOCAL_CLOSE, pair.now);
      return 1;
    },
    slack: 30,
  },
  {
    gate: 'dataProgress',
    code: 'data-timeout',
    place: 'in the midst of a transfer (G9, G10)',
    wait(pair) {
      transfer(pair);
      cut(pair);
      return 0;
    },
    slack: 100,
  },
  {
    gate: 'dataProgress',
    code: 'data-timeout',
    place: 'one way alone: nothing of ours arrives',
    wait(pair) {
      pair.cut[0] = true;
      pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
      return 0;
    },
  },
  {
    gate: 'dataProgress',
    code: 'data-timeout',
    place: 'behind a window that has shut, the peer gone',
    options: { b: SMALL },
    wait(pair) {
      fillWindow(pair);
      cut(pair);
      return 0;
    },
    slack: 500,
  },
  {
    gate: 'zeroWindow',
    code: 'zero-window-timeout',
    place: 'a reader that never reads, SACKs still come (G11)',
    options: { b: { ...SMALL, gates: { readerStalled: 500_000 } } },
    wait(pair) {
      fillWindow(pair);
      return 0;
    },
    slack: 500,
  },
  {
    gate: 'readerStalled',
    code: 'reader-stalled',
    place: 'the same, at the end of the reader (G17, G25)',
    options: { a: { gates: { zeroWindow: 500_000 } }, b: SMALL },
    wait(pair) {
      fillWindow(pair);
      return 1;
    },
    slack: 500,
  },
  {
    gate: 'peerLiveness',
    code: 'peer-unresponsive',
    place: 'idle (G18)',
    wait(pair) {
      cut(pair);
      return 0;
    },
  },
  {
    gate: 'peerLiveness',
    code: 'peer-unresponsive',
    place: 'idle, at the end that was asked',
    wait(pair) {
      cut(pair);
      return 1;
    },
  },
  {
    gate: 'reassembly',
    code: 'reassembly-timeout',
    place: 'a gap: one chunk never comes (G16)',
    options: { a: { gates: { dataProgress: 500_000 } } },
    wait(pair) {
      let lost = -1;
      pair.filter = (from, packet) => {
        const [first] = dataOf(packet);
        if (from !== 0 || first === undefined) return true;
        if (lost < 0) lost = first.tsn;
        return first.tsn !== lost;
      };
      for (let i = 0; i < 4; i++) pair.a.send(1, { ppid: 53, data: payload(1100, i) });
      return 1;
    },
    slack: 50,
  },
  {
    gate: 'shutdown',
    code: 'shutdown-timeout',
    place: 'shutdown-pending: data that cannot be delivered (G20)',
    options: { a: { gates: { dataProgress: 500_000 } } },
    wait(pair) {
      cut(pair);
      pair.a.send(1, { ppid: 53, data: payload(1000, 1) });
      pair.a.shutdown(pair.now);
      return 0;
    },
  },
  {
    gate: 'shutdown',
    code: 'shutdown-timeout',
    place: 'shutdown-sent: no SHUTDOWN ACK (G21)',
    wait(pair) {
      cut(pair);
      pair.a.shutdown(pair.now);
      return 0;
    },
    within: 10_000,
  },
  {
    gate: 'shutdown',
    code: 'shutdown-timeout',
    place: 'shutdown-received: our data cannot be delivered (G22)',
    options: { b: { gates: { dataProgress: 500_000 } } },
    wait(pair) {
      pair.cut[1] = true;
      pair.b.send(1, { ppid: 53, data: payload(1000, 1) });
      pair.a.shutdown(pair.now);
      pair.runFor(25);
      cut(pair);
      return 1;
    },
    slack: 25,
  },
  {
    gate: 'shutdown',
    code: 'shutdown-timeout',
    place: 'shutdown-ack-sent: no SHUTDOWN COMPLETE (G21)',
    wait(pair) {
      pair.cut[1] = true;
      pair.a.shutdown(pair.now);
      pair.runFor(25);
      cut(pair);
      return 1;
    },
    within: 10_000,
    slack: 25,
  },
];

/** What a gate may be late by: the retransmission time-out in force (here always below its cap). */
const ONE_RTO = 3000;

function closed(events: readonly SctpEvent[]): Extract<SctpEvent, { type: 'closed' }> | undefined {
  const last = events.at(-1);
  return last?.type === 'closed' ? last : undefined;
}

describe('F2a, F2b: the path is cut, the gate ends the association', () => {
  test.each(rows)('$gate: $place', (row) => {
    const pair = new Pair({ link: { delay: 20 }, ...row.options });
    if (row.connected !== false) pair.connect();
    const index = row.wait(pair);
    const { now: startedAt } = pair;
    const gate = row.within ?? DEFAULT_SCTP_GATES[row.gate];
    const end = pair.end(index);
    pair.run(() => end.state === 'closed', gate + ONE_RTO);
    const elapsed = pair.now - startedAt;
    expect(end.state).toBe('closed');
    expect(elapsed).toBeLessThanOrEqual(gate + ONE_RTO);
    expect(elapsed).toBeGreaterThanOrEqual(gate - (row.slack ?? 0) - 300);
    pair.polls[1] = true;
    pair.drain();
    const event = closed(pair.events[index]);
    expect(event).toMatchObject({
      origin: 'local',
      failure: { layer: 'sctp', code: row.code, gate: row.gate },
    });
    expect(event?.failure?.elapsed).toBeGreaterThanOrEqual(gate);
    expect(event?.failure?.elapsed).toBeLessThanOrEqual(gate + ONE_RTO);
    expect(event?.failure?.peerSilentFor).toBeGreaterThanOrEqual(0);
    expect(event?.failure?.peerSilentFor).toBeLessThanOrEqual(pair.now - 1000);
    expect(pair.events[index].filter(({ type }) => type === 'closed')).toHaveLength(1);
    expectNothingHeld(end, pair.now);
  });

  test('streamReset: the wait ends alone, the stream goes on, and nothing is left of it when the peer answers (G12)', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    pair.filter = (from) => from !== 1;
    pair.a.resetStreams([1, 3]);
    const startedAt = pair.now;
    const outcomes = (): string[] =>
      pair.events[0].flatMap((event) =>
        event.type === 'streamreset' ? [`${event.streamId} ${event.outcome}`] : [],
      );
    pair.run(() => outcomes().length === 2, 20_000);
    expect(pair.now - startedAt).toBe(DEFAULT_SCTP_GATES.streamReset);
    expect(outcomes()).toEqual(['1 timeout', '3 timeout']);
    expect(pair.a.state).toBe('established');
    expect(inspect(pair.a).timers).not.toHaveProperty('streamReset');
    pair.filter = undefined;
    pair.runFor(5000);
    expect(inspect(pair.a).resets).toEqual({ inFlight: [], overdue: false, waiting: 0 });
    expect(inspect(pair.a).timers).not.toHaveProperty('reconfig');
  });

  test('messageLifetime: each message has its own, the association goes on (G7)', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    pair.cut[0] = true;
    pair.a.send(1, { ppid: 53, data: payload(1000, 1), maxPacketLifeTime: 2000, token: 'x' });
    pair.a.setPathWritable(false, pair.now);
    pair.runFor(2000);
    expect(pair.events[0]).toContainEqual({
      type: 'messageoutcome',
      streamId: 1,
      token: 'x',
      outcome: 'expired',
    });
    expect(inspect(pair.a).send).toMatchObject({ bufferedBytes: 0, outstandingChunks: 0 });
    expect(pair.a.state).toBe('established');
  });

  test('abort: no wait at all: one ABORT, everything released in the same call (G23)', () => {
    const pair = new Pair({ link: { delay: 20 } }).connect();
    transfer(pair);
    cut(pair);
    pair.a.abort('enough', pair.now);
    expect(pair.a.state).toBe('closed');
    expect(pair.a.pollTransmit()).toBeDefined();
    expect(pair.a.pollTransmit()).toBeUndefined();
    expectNothingHeld(pair.a, pair.now);
  });

  test('the table has every gate', () => {
    const covered = new Set([...rows.map(({ gate }) => gate), 'streamReset']);
    expect([...covered].sort()).toEqual(Object.keys(DEFAULT_SCTP_GATES).sort());
  });
});
