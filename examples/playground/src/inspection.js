/** What `rtc.inspect()` says, as a tree for people: states, deadlines, timers, the path, channels, counters. */

/** Timers that end a wait; docs/deadlines.md says what each ends. The others only say when something is done again. */
const DEADLINES = new Set([
  'signaling',
  'pathDown',
  'iceConnect',
  'iceConsent',
  'nameResolution',
  'dtlsHandshake',
  'sctpConnect',
  'dataProgress',
  'zeroWindow',
  'streamReset',
  'peerLiveness',
  'reassembly',
  'readerStalled',
  'shutdown',
  'openAck',
  'inboundOpen',
  'closeDrain',
]);

const TONES = {
  connected: 'good',
  completed: 'good',
  established: 'good',
  open: 'good',
  stable: 'good',
  failed: 'bad',
  closed: 'bad',
  disconnected: 'bad',
};

/** Nodes for the ends of one peer's connections. */
export function peerNodes(ends, now) {
  return ends.map((end, i) => ({
    name: `to ${end.other.name}`,
    value: end.reason === undefined ? end.state : `closed: ${end.reason.code}`,
    tone: TONES[end.reason === undefined ? end.state : 'closed'],
    open: i === 0,
    children: () => endNodes(end, now),
  }));
}

function endNodes(end, now) {
  const seen = end.rtc.inspect();
  const { deadlines, timers } = clocks(seen);
  const closed = seen.closed;
  return [
    ...(closed === undefined
      ? []
      : [{ name: 'closed because', value: `${closed.message} (${closed.code})`, tone: 'bad' }]),
    { name: 'states', open: true, children: () => stateNodes(seen) },
    {
      name: 'deadlines',
      value: deadlines.length === 0 ? 'none' : `${deadlines.length}, next in ${left(deadlines[0].at, now)}`,
      open: true,
      children: () =>
        deadlines.map(({ name, at }) => ({
          name,
          value: `in ${left(at, now)}`,
          tone: at - now < 5000 ? 'bad' : '',
        })),
    },
    {
      name: 'timers',
      value: timers.length === 0 ? 'none' : `${timers.length}, next in ${left(timers[0].at, now)}`,
      children: () => timers.map(({ name, at }) => ({ name, value: `in ${left(at, now)}` })),
    },
    { name: 'path', value: pathText(seen.ice.selectedPair), children: () => pathNodes(seen) },
    { name: 'association', value: seen.sctp?.state ?? 'none', children: () => associationNodes(seen.sctp) },
    {
      name: 'channels',
      value: String(seen.channels?.channels.length ?? 0),
      children: () => channelNodes(seen.channels),
    },
    { name: 'counters', value: 'those above 0', children: () => counterNodes(seen) },
  ];
}

function stateNodes({ connectionState, negotiation, ice, dtls, sctp, iceGatheringState, dtlsRole }) {
  const state = (name, value) => ({ name, value, tone: TONES[value] });
  return [
    state('connection', connectionState),
    state('signalling', negotiation.signalingState),
    { name: 'gathering', value: iceGatheringState },
    state('ICE', ice.state),
    { name: 'ICE role', value: ice.role ?? '–' },
    state('DTLS', dtls?.state ?? 'new'),
    { name: 'DTLS role', value: dtlsRole ?? '–' },
    ...(dtls?.handshake == null ? [] : [{ name: 'handshake', value: dtls.handshake.state }]),
    { name: 'cipher', value: dtls?.dtlsCipher ?? '–' },
    state('SCTP', sctp?.state ?? 'none'),
  ];
}

/** Every clock that runs, the earliest first. */
export function clocks(seen) {
  const all = [];
  const add = (layer, armed = {}) => {
    for (const [name, at] of Object.entries(armed ?? {}))
      if (typeof at === 'number')
        all.push({ name: layer === '' ? name : `${layer} ${name}`, isDeadline: DEADLINES.has(name), at });
  };
  add('', seen.gates);
  add('ICE', seen.ice.timers);
  add('DTLS', seen.dtls?.timers);
  add('SCTP', seen.sctp?.timers);
  add('channels', seen.channels?.timers);
  all.sort((a, b) => a.at - b.at);
  return { deadlines: all.filter((one) => one.isDeadline), timers: all.filter((one) => !one.isDeadline) };
}

function left(at, now) {
  return duration(Math.max(0, at - now));
}

export function duration(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;
}

export function pathText(pair) {
  if (pair == null) return 'none';
  return pair.local.type === 'relay' || pair.remote.type === 'relay' ? 'through the relay' : 'direct';
}

function pathNodes({ ice }) {
  const pair = ice.selectedPair;
  const candidate = ({ type, address, port }) => `${address}:${port} (${type})`;
  return [
    { name: 'from', value: pair == null ? '–' : candidate(pair.local) },
    { name: 'to', value: pair == null ? '–' : candidate(pair.remote) },
    {
      name: 'pairs',
      value: String(ice.pairs.length),
      children: () =>
        ice.pairs.map((one, i) => ({
          name: `${i + 1}. ${candidate(one.local)} → ${candidate(one.remote)}`,
          value: `${one.state}${one.nominated ? ', nominated' : ''}`,
          tone: one.state === 'succeeded' ? 'good' : '',
        })),
    },
  ];
}

function associationNodes(sctp) {
  if (sctp == null) return [];
  const { send, pathMtu, counters } = sctp;
  return [
    { name: 'round trip', value: send?.roundTripTime == null ? '–' : `${send.roundTripTime.toFixed(1)} ms` },
    { name: 'in flight', value: `${send?.flightBytes ?? 0} B` },
    { name: 'waiting', value: `${send?.bufferedBytes ?? 0} B` },
    { name: 'window', value: `${Math.round(send?.congestion?.window ?? 0)} B` },
    { name: 'congestion', value: `${send?.congestion?.controller ?? '–'}, ${send?.congestion?.phase ?? ''}` },
    { name: 'path MTU', value: `${pathMtu?.size ?? '–'} B` },
    { name: 'sent again', value: `${counters['retransmitted-chunks']} chunks` },
  ];
}

function channelNodes(channels) {
  return (channels?.channels ?? []).map((one) => ({
    name: one.label,
    value: one.readyState,
    tone: TONES[one.readyState],
    children: () => [
      { name: 'id', value: one.id === null ? '–' : String(one.id) },
      {
        name: 'delivery',
        value:
          one.maxRetransmits === null
            ? 'reliable, in order'
            : `unordered, sent again ${one.maxRetransmits} times`,
      },
      { name: 'sent', value: `${one.messagesSent} messages, ${one.bytesSent} B` },
      { name: 'received', value: `${one.messagesReceived} messages, ${one.bytesReceived} B` },
      { name: 'waiting', value: `${one.bufferedAmount} B` },
    ],
  }));
}

function counterNodes(seen) {
  const layers = {
    connection: seen.counters,
    ICE: seen.ice.counters,
    DTLS: seen.dtls?.counters,
    SCTP: seen.sctp?.counters,
    channels: seen.channels?.counters,
  };
  return Object.entries(layers).flatMap(([layer, counters]) => {
    const some = Object.entries(counters ?? {}).filter(([, count]) => count > 0);
    if (some.length === 0) return [];
    return {
      name: layer,
      value: String(some.length),
      children: () => some.map(([name, count]) => ({ name, value: String(count) })),
    };
  });
}
