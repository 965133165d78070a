/** Any trace, as fast-check makes them: every kind of entry, every kind of call, with the values that JSON has trouble with. */
import fc from 'fast-check';
import type { TraceEntry } from '../../src/index.ts';
import type { TraceCall, TraceChannel, TraceEvent } from '../../src/rtc.ts';
import type { Trace } from '../../src/trace/index.ts';
import { traceHeader } from '../../src/trace/index.ts';

const at = fc.double({ noNaN: true, noDefaultInfinity: true }).map((time) => time + 0); // JSON has no -0
const deadline = fc.oneof(at, fc.constant(Infinity));
const text = fc.string({ unit: 'binary', maxLength: 30 });
const bytes = fc.uint8Array({ maxLength: 40 }).map((data) => Uint8Array.from(data));
const payload = fc.oneof(text, bytes);
const address = fc.record({ address: text, port: fc.nat(65_535) });

const channel: fc.Arbitrary<TraceChannel> = fc.record(
  { index: fc.nat(), id: fc.nat(65_534), label: text },
  { requiredKeys: ['index', 'label'] },
);

const failure = fc.record(
  { layer: fc.constant('ice' as const), code: text, message: text, gate: text, elapsed: fc.nat() },
  { requiredKeys: ['layer', 'code', 'message'] },
);

const call: fc.Arbitrary<TraceCall> = fc.oneof(
  fc.record({
    method: fc.constant('addLocalCandidate' as const),
    candidate: fc.record({
      type: fc.constant('host' as const),
      protocol: fc.constant('udp' as const),
      address: text,
      port: fc.nat(),
    }),
  }),
  fc.record({
    method: fc.constant('addRemoteCandidate' as const),
    candidate: fc.oneof(text, fc.record({ candidate: text, sdpMid: fc.constant(null) })),
  }),
  fc.record({
    method: fc.constant('start' as const),
    parameters: fc.record({
      ice: fc.record({ usernameFragment: text, password: text }),
      iceRole: fc.constant('controlled' as const),
      dtlsRole: fc.constant('server' as const),
      fingerprints: fc.array(fc.record({ algorithm: text, value: text }), { maxLength: 2 }),
      maxMessageSize: fc.constantFrom(65_536, Infinity),
    }),
  }),
  fc.record({
    method: fc.constant('openData' as const),
    parameters: fc.record({ sctpPort: fc.nat(), maxMessageSize: fc.constantFrom(65_536, Infinity) }),
  }),
  fc.record({ method: fc.constant('setRemoteMaxMessageSize' as const), size: fc.constantFrom(1, Infinity) }),
  fc.record({ method: fc.constant('closeData' as const) }),
  fc.record(
    {
      method: fc.constant('createChannel' as const),
      channel,
      label: text,
      options: fc.record({ ordered: fc.boolean(), protocol: text }, { requiredKeys: [] }),
      draft: fc.nat(),
    },
    { requiredKeys: ['method', 'channel', 'label', 'options'] },
  ),
  fc.record({ method: fc.constant('offer' as const), draft: fc.nat(), sdp: text }),
  fc.record({ method: fc.constant('accept' as const), sdp: text }),
  fc.record({ method: fc.constant('rollback' as const) }),
  fc.record({ method: fc.constant('answer' as const), offer: text, sdp: text }),
  fc.record({ method: fc.constant('send' as const), channel, data: payload, accepted: fc.boolean() }),
  fc.record({ method: fc.constant('setLowThreshold' as const), channel, bytes: fc.nat() }),
  fc.record({
    method: fc.constant('setPriority' as const),
    channel,
    priority: fc.constantFrom('very-low', 'low', 'medium', 'high'),
  }),
  fc.record({ method: fc.constant('closeChannel' as const), channel }),
  fc.record({
    method: fc.constant('setPathHeld' as const),
    path: fc.record({
      protocol: fc.constant('udp' as const),
      local: fc.record({ address: text, port: fc.nat() }),
      remote: fc.record({ address: text, port: fc.nat() }),
    }),
    held: fc.boolean(),
  }),
  fc.record({ method: fc.constant('close' as const) }),
);

const event: fc.Arbitrary<TraceEvent> = fc.record(
  {
    type: fc.constantFrom('message', 'channelopen', 'closed', 'warning', 'dtlsstatechange'),
    state: text,
    channel,
    data: payload,
    failure,
  },
  { requiredKeys: ['type'] },
);

const datagram = {
  at,
  protocol: fc.constantFrom('udp' as const, 'tcp' as const),
  source: address,
  destination: address,
  data: bytes,
  summary: text,
};

export const entry: fc.Arbitrary<TraceEntry> = fc.oneof(
  fc.record({ type: fc.constant('receive' as const), ...datagram }),
  fc.record({ type: fc.constant('time' as const), at }),
  fc.record({ type: fc.constant('call' as const), at, call }),
  fc.record({ type: fc.constant('transmit' as const), ...datagram }),
  fc.record({ type: fc.constant('event' as const), at, event }),
  fc.record({ type: fc.constant('timeout' as const), at, deadline, reason: text }),
  fc.record({
    type: fc.constant('packet' as const),
    at,
    direction: fc.constantFrom('in' as const, 'out' as const),
    kind: fc.constantFrom('sctp' as const, 'rtp' as const, 'rtcp' as const),
    data: bytes,
    summary: text,
  }),
  fc.record({
    type: fc.constant('timer' as const),
    at,
    timer: text,
    change: fc.constantFrom('armed' as const, 'fired' as const, 'disarmed' as const),
    deadline,
  }),
  fc.record({
    type: fc.constant('state' as const),
    at,
    machine: fc.constantFrom('rtc' as const, 'dtls.handshake' as const),
    from: text,
    to: text,
  }),
  fc.record({ type: fc.constant('drop' as const), at, counter: text, count: fc.nat() }),
  fc.record({ type: fc.constant('secret' as const), at, label: text, clientRandom: bytes, secret: bytes }),
);

const options = fc.record(
  {
    mtu: fc.nat(),
    iceLite: fc.boolean(),
    sctp: fc.record({ gates: fc.record({ shutdown: fc.constant(Infinity) }) }),
  },
  { requiredKeys: [] },
);

export const trace: fc.Arbitrary<Trace> = fc.record({
  header: fc
    .tuple(
      fc.option(fc.oneof(fc.integer(), text), { nil: undefined }),
      fc.option(options, { nil: undefined }),
    )
    .map(([seed, configuration]) => traceHeader(seed, configuration)),
  entries: fc.array(entry, { maxLength: 8 }),
});
