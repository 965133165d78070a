/** Replay: the same inputs and calls give the same outputs, byte for byte; what does not is named by its line. */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { TraceEntry } from '../../src/index.ts';
import { Rtc, SeededRandom } from '../../src/index.ts';
import type { ReplayOutcome, Trace } from '../../src/trace/index.ts';
import { TraceRecorder, formatTrace, parseTrace, recordRtc, replay } from '../../src/trace/index.ts';
import { Network } from '../../src/sim/index.ts';
import { certificates } from '../rtc/pair.ts';
import type { RecordedEnd } from './recorded.ts';
import { recordedEnd, recordedPair, recordedSession } from './recorded.ts';

function divergenceOf(outcome: ReplayOutcome): Extract<ReplayOutcome, { identical: false }>['divergence'] {
  if (outcome.identical) throw new Error('the replay was identical');
  return outcome.divergence;
}

/** The trace with entry `index` replaced. */
function tampered(trace: Trace, index: number, change: (entry: TraceEntry) => TraceEntry): Trace {
  const entries = trace.entries.map((entry, i) => (i === index ? change(entry) : entry));
  return { header: trace.header, entries };
}

function flipByte(entry: TraceEntry, at: number): TraceEntry {
  if (!('data' in entry)) throw new Error(`${entry.type} has no data`);
  const data = entry.data.slice();
  data[at]! ^= 1;
  return { ...entry, data };
}

const session = recordedSession(11, { latency: 20, jitter: 8, loss: 0.1, duplicate: 0.05 });

describe('the same bytes', () => {
  test.each([1, 2, 3, 4, 5])('both ends of a session with loss, from its text, seed %i', (seed) => {
    const { offerer, answerer } = recordedSession(seed, {
      latency: 20,
      jitter: 10,
      loss: 0.1,
      reorder: 0.1,
      duplicate: 0.05,
    });
    for (const end of [offerer, answerer]) {
      expect(end.rtc.isEmpty).toBe(true);
      const outputs = end.trace.entries.filter(({ type }) => ['transmit', 'event', 'timeout'].includes(type));
      expect(replay(formatTrace(end.trace))).toMatchObject({ identical: true, outputs: outputs.length });
      expect(outputs.length).toBeGreaterThan(50);
    }
  });

  test('the replayed connection ends where the recorded one did', () => {
    const { offerer } = recordedPair(3, { latency: 10 });
    offerer.rtc.handleInput({ type: 'timeout', now: 100 });
    while (offerer.rtc.pollOutput().type !== 'timeout');
    const { rtc } = replay(offerer.trace);
    expect(rtc.inspect()).toEqual(offerer.rtc.inspect());
  });

  test('A1: a message refused for its size', () => {
    const { net, offerer, chat } = recordedPair(6, { latency: 5 });
    net.run({ until: () => chat.readyState === 'open' });
    expect([chat.send(new Float32Array(100_000), { id: 3 }), chat.send('x'.repeat(300_000))]).toEqual([
      false,
      false,
    ]);
    net.run({ limit: 100 });
    const text = formatTrace(offerer.trace);
    expect(text).toContain('"outcome":"too-large"');
    expect(replay(text)).toMatchObject({ identical: true });
  });

  test('restarts of ICE, by either end, inside of the time and outside, one of them taken back', () => {
    const { net, offerer, answerer, chat } = recordedPair(7, { latency: 5 });
    net.run({ until: () => chat.readyState === 'open' });
    const exchange = (from: RecordedEnd, to: RecordedEnd): void => {
      from.rtc.restartIce();
      const offer = from.rtc.negotiation().offer();
      offer.accept(to.rtc.receiveOffer(offer.sdp).answer());
    };
    exchange(offerer, answerer);
    exchange(answerer, offerer);
    net.advance(100);
    offerer.rtc.restartIce();
    const draft = offerer.rtc.negotiation();
    const offer = draft.offer();
    // Nothing of it is left: the next restart has the credentials that it would have had anyway.
    expect(() => offerer.rtc.negotiation().offer()).toThrow('have-local-offer');
    offer.rollback();
    exchange(offerer, answerer);
    chat.send('over the new pair');
    net.advance(5000);
    expect(answerer.messages).toEqual(['over the new pair']);
    for (const { trace, rtc } of [offerer, answerer]) {
      const text = formatTrace(trace);
      expect(text).toContain('"method":"restartIce"');
      const outcome = replay(text);
      expect(outcome).toMatchObject({ identical: true });
      expect(outcome.rtc.localParameters).toEqual(rtc.localParameters);
    }
  });

  test('a restart of ICE without SDP', () => {
    const net = new Network({ seed: 8, defaults: { latency: 5 } });
    const [a, b] = [recordedEnd(net, '192.0.2.1', { seed: 1 }), recordedEnd(net, '192.0.2.2', { seed: 2 })];
    const toTell = ({ rtc }: RecordedEnd) => ({ ...rtc.localParameters, candidates: rtc.localCandidates });
    const told = [toTell(b), toTell(a)];
    const roles = [
      { iceRole: 'controlling', dtlsRole: 'client' },
      { iceRole: 'controlled', dtlsRole: 'server' },
    ] as const;
    for (const [i, { rtc }] of [a, b].entries()) {
      const { candidates, ...parameters } = told[i]!;
      rtc.start({ ...parameters, ...roles[i]! });
      for (const candidate of candidates) rtc.addRemoteCandidate(candidate);
    }
    net.advance(1000);
    a.rtc.restartIce();
    b.rtc.setRemoteIceParameters(a.rtc.localParameters.ice);
    a.rtc.setRemoteIceParameters(b.rtc.localParameters.ice);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      for (const candidate of from.rtc.localCandidates) to.rtc.addRemoteCandidate(candidate);
    net.advance(5000);
    for (const { rtc, trace } of [a, b]) {
      expect(rtc.connectionState).toBe('connected');
      expect(rtc.usernameFragments).toHaveLength(1);
      expect(replay(formatTrace(trace))).toMatchObject({ identical: true });
    }
  });

  test('recorded with one crypto provider, replayed with the other', () => {
    const { net, offerer, chat } = recordedPair(4, { latency: 5 }, { crypto: nodeCrypto() });
    net.run({ until: () => chat.readyState === 'open' });
    expect(replay(offerer.trace)).toMatchObject({ identical: true });
    expect(replay(offerer.trace, { crypto: nodeCrypto() })).toMatchObject({ identical: true });
  });

  test('without a seed of the caller, the recording draws one that nobody guesses', () => {
    const [first, second] = [recordRtc(), recordRtc()];
    expect(first.recorder.trace.header.seed).toMatch(/^[0-9a-f]{64}$/);
    expect(second.recorder.trace.header.seed).not.toBe(first.recorder.trace.header.seed);
    first.rtc.createChannel('chat');
    const { sdp } = first.rtc.negotiation().offer();
    second.rtc.receiveOffer(sdp).answer();
    for (const { recorder } of [first, second]) {
      expect(replay(formatTrace(recorder.trace))).toMatchObject({ identical: true });
    }
  });

  test('options come along, infinite ones too', () => {
    const { rtc, recorder } = recordRtc({
      seed: 1,
      iceLite: true,
      mtu: 1400,
      sctp: { gates: { shutdown: Infinity } },
      channels: { limits: { maxChannels: 1 } },
    });
    const trace = parseTrace(formatTrace(recorder.trace));
    expect(trace.header.options).toEqual({
      iceLite: true,
      mtu: 1400,
      sctp: { gates: { shutdown: Infinity } },
      channels: { limits: { maxChannels: 1 } },
    });
    expect(replay(trace).rtc.localParameters).toEqual(rtc.localParameters);
  });

  test('every kind of call: no SDP, negotiated channels, rollback and offering again, many channels', () => {
    const { net, offerer, answerer } = recordedPair(6);
    net.run({ until: () => offerer.rtc.connectionState === 'connected' });
    const a = recordRtc({ seed: 70 });
    const b = recordRtc({ seed: 71 });
    const draft = a.rtc.negotiation();
    draft.addChannel('lost');
    draft.offer().rollback();
    const pending = draft.offer();
    const other = a.rtc.negotiation();
    other.addChannel('early');
    pending.accept(b.rtc.receiveOffer(pending.sdp).answer());
    a.rtc.addRemoteCandidate('candidate:1 1 udp 1 192.0.2.9 9 typ host');
    a.rtc.addRemoteCandidate({ candidate: 'candidate:1 1 udp 1 192.0.2.10 9 typ host', sdpMid: '0' });
    a.rtc.addRemoteCandidate('');
    const negotiated = a.rtc.createChannel('fixed', { negotiated: true, id: 9, maxRetransmits: 0 });
    negotiated.bufferedAmountLowThreshold = 10;
    a.rtc.handleInput({ type: 'timeout', now: 5 });
    while (a.rtc.pollOutput().type !== 'timeout');
    negotiated.close();
    const c = recordRtc({ seed: 72 });
    c.rtc.start({
      ...a.rtc.localParameters,
      iceRole: 'controlled',
      dtlsRole: 'client',
      maxMessageSize: Infinity,
    });
    c.rtc.close();
    while (c.rtc.pollOutput().type !== 'timeout');
    for (const trace of [a, b, c].map(({ recorder }) => recorder.trace)) {
      expect(replay(formatTrace(trace))).toMatchObject({ identical: true });
    }
    expect(replay(answerer.trace)).toMatchObject({ identical: true });
  });

  test('a clock that goes back, and inputs after the end', () => {
    const { rtc, recorder } = recordRtc({ seed: 5 });
    rtc.createChannel('chat');
    for (const now of [10, 5, 20]) rtc.handleInput({ type: 'timeout', now });
    rtc.close();
    while (rtc.pollOutput().type !== 'timeout');
    rtc.handleInput({ type: 'timeout', now: 30 });
    expect(rtc.pollOutput()).toEqual({ type: 'timeout', at: Infinity, reason: 'idle' });
    expect(replay(recorder.trace)).toMatchObject({ identical: true });
  });
});

describe('a replay that diverges', () => {
  const { trace } = session.answerer;
  const lines = formatTrace(trace).split('\n');
  const entryOn = (line: number): TraceEntry => parseTrace(`${lines[0]!}\n${lines[line - 1]!}`).entries[0]!;

  test('every changed output is found, at its line', () => {
    for (const [index, entry] of trace.entries.entries()) {
      if (entry.type !== 'transmit') continue;
      const at = index % entry.data.length;
      const { line, message } = divergenceOf(replay(tampered(trace, index, (one) => flipByte(one, at))));
      expect(line).toBe(index + 2);
      expect(entryOn(line)).toEqual(entry);
      expect(message).toContain(`line ${String(line)}: transmit "data" expected`);
    }
  });

  test('it says what was expected and what came, from where the two part', () => {
    const index = trace.entries.findIndex(({ type }) => type === 'transmit');
    const flipped = tampered(trace, index, (one) => flipByte(one, 60));
    const { expected, got } = divergenceOf(replay(flipped));
    const real = trace.entries[index];
    if (real?.type !== 'transmit') throw new Error('no transmit');
    const hex = Buffer.from(real.data.subarray(60, 70)).toString('hex');
    expect(got).toContain(hex);
    expect(expected).not.toContain(hex);
    expect(expected).toContain(Buffer.from(real.data.subarray(61, 70)).toString('hex'));
  });

  test('a changed input shows in an output after it', () => {
    const index = trace.entries.findIndex(
      (entry) => 'summary' in entry && entry.summary === 'DTLS ClientHello',
    );
    const first = trace.entries.findIndex(({ type }) => type === 'receive');
    for (const at of new Set([first, index]).values()) {
      const entry = trace.entries[at]!;
      if (entry.type !== 'receive') continue;
      expect(divergenceOf(replay(tampered(trace, at, (one) => flipByte(one, 40)))).line).toBeGreaterThan(
        at + 2,
      );
    }
  });

  test('a missing input: the output that depended on it does not come', () => {
    const index = trace.entries.findIndex(({ type }) => type === 'receive');
    const entries = trace.entries.filter((_entry, i) => i !== index);
    const { message } = divergenceOf(replay({ header: trace.header, entries }));
    expect(message).toMatch(/^line \d+: an entry expected .*, got .*/);
  });

  test('a changed event, deadline, result and seed', () => {
    const change = (type: TraceEntry['type'], put: (entry: TraceEntry) => TraceEntry): string => {
      const index = trace.entries.findIndex((entry) => entry.type === type);
      return divergenceOf(replay(tampered(trace, index, put))).message;
    };
    expect(
      change('event', (entry) => ({ ...entry, event: { type: 'channelopen' } }) as TraceEntry),
    ).toContain('event "event.type" expected "channelopen", got "iceconnectionstatechange"');
    expect(change('timeout', (entry) => ({ ...entry, deadline: 1 }) as TraceEntry)).toContain(
      'timeout "deadline" expected 1, got',
    );
    const answer = trace.entries.findIndex(
      (entry) => entry.type === 'call' && entry.call.method === 'answer',
    );
    const put = (entry: TraceEntry): TraceEntry =>
      entry.type === 'call' && entry.call.method === 'answer'
        ? { ...entry, call: { ...entry.call, sdp: entry.call.sdp.replace('active', 'passive') } }
        : entry;
    expect(divergenceOf(replay(tampered(trace, answer, put))).message).toContain('call "call.sdp" expected');
    const otherSeed: Trace = { header: { ...trace.header, seed: 99 }, entries: trace.entries };
    expect(divergenceOf(replay(otherSeed)).message).toContain('call "call.sdp"');
  });

  test('a call that throws now', () => {
    const index = trace.entries.findIndex((entry) => entry.type === 'call' && entry.call.method === 'answer');
    const put = (entry: TraceEntry): TraceEntry =>
      entry.type === 'call' && entry.call.method === 'answer'
        ? { ...entry, call: { ...entry.call, offer: 'nonsense' } }
        : entry;
    const { line, got } = divergenceOf(replay(tampered(trace, index, put)));
    expect(line).toBe(index + 2);
    expect(got).toMatch(/^ERR_SDP thrown: /);
  });

  test('a call on a channel that does not exist', () => {
    const index = trace.entries.findIndex((entry) => entry.type === 'call' && entry.call.method === 'send');
    const put = (entry: TraceEntry): TraceEntry =>
      entry.type === 'call' && entry.call.method === 'send'
        ? { ...entry, call: { ...entry.call, channel: { index: 7, label: 'x' } } }
        : entry;
    expect(divergenceOf(replay(tampered(trace, index, put))).got).toBe('nothing');
  });

  test('other words in a summary are no divergence', () => {
    const entries = trace.entries.map((entry) => ('summary' in entry ? { ...entry, summary: 'x' } : entry));
    expect(replay({ header: trace.header, entries })).toMatchObject({ identical: true });
  });
});

describe('traces that cannot be replayed', () => {
  test('one that was not made by recordRtc', () => {
    const recorder = new TraceRecorder();
    new Rtc({ certificate: certificates[0], random: new SeededRandom(1) }).setTrace(recorder.listener);
    expect(() => replay(recorder.trace)).toThrow(expect.objectContaining({ code: 'ERR_TRACE', line: 1 }));
  });

  test('one whose seed is no seed', () => {
    const header = { ...session.offerer.trace.header, seed: 'abc' };
    expect(() => replay({ header, entries: [] })).toThrow(
      'line 1: "seed" expected a number or 64 hexadecimal',
    );
  });

  test('options that are no plain data are refused at the recording', () => {
    const congestion = (): never => {
      throw new Error('never called');
    };
    expect(() => recordRtc({ sctp: { congestion } })).toThrow(
      expect.objectContaining({ code: 'ERR_BAD_ARGUMENT', message: expect.stringContaining('congestion') }),
    );
  });
});

describe('the recorder', () => {
  test('stops at its bound, and what it has is good', () => {
    const { rtc, recorder } = recordRtc({ seed: 8, maxEntries: 10 });
    for (let now = 0; now < 30; now++) {
      rtc.handleInput({ type: 'timeout', now });
      while (rtc.pollOutput().type !== 'timeout');
    }
    expect(recorder.isCut).toBe(true);
    expect(recorder.trace.entries).toHaveLength(10);
    expect(replay(recorder.trace)).toMatchObject({ identical: true });
  });
});
