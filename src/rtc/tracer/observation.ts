/** Observations: states, timers and counters of a connection at one moment, and what has changed between two of them. */
import type { TraceEntry, TraceMachine } from './entry.ts';

/** A connection at one moment. */
export interface Observation {
  readonly states: Readonly<Record<TraceMachine, string>>;
  /** Deadlines by `layer.timer`, milliseconds. */
  readonly timers: ReadonlyMap<string, number>;
  /** Counters of each layer, snapshots of its own. */
  readonly counters: Readonly<Record<ObservedName, Readonly<Record<string, number>>>>;
}

const LAYERS = ['rtc', 'ice', 'dtls', 'sctp', 'channel', 'media'] as const;

type ObservedName = (typeof LAYERS)[number];

/** The part of a layer's inspection that is looked at. */
interface ObservedLayer {
  readonly timers: Readonly<Partial<Record<string, number>>>;
  readonly counters: Readonly<Record<string, number>>;
}

/** The part of an `Rtc`'s inspection that is looked at. */
export interface ObservedInspection {
  readonly now: number;
  readonly connectionState: string;
  readonly negotiation: { readonly signalingState: string };
  readonly counters: Readonly<Record<string, number>>;
  readonly ice: ObservedLayer & { readonly state: string };
  readonly dtls:
    (ObservedLayer & { readonly state: string; readonly handshake: { readonly state: string } }) | null;
  readonly sctp: ObservedLayer & { readonly state: string };
  readonly channels: ObservedLayer;
  readonly streams?: ObservedLayer;
}

/** Counters of what goes on all the time; any other counter says that something was dropped, refused or given up. */
const ORDINARY: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'rtc.datagramsReceived',
  'rtc.bytesReceived',
  'rtc.datagramsSent',
  'rtc.bytesSent',
  'ice.request-received',
  'ice.response-sent',
  'ice.check-sent',
  'ice.check-retransmitted',
  'ice.consent-sent',
  'ice.response-received',
  'dtls.retransmissions',
  'dtls.repetitions',
  'sctp.packets-sent',
  'sctp.packets-received',
  'sctp.messages-sent',
  'sctp.messages-received',
  'sctp.retransmitted-chunks',
  'sctp.fast-retransmits',
  'sctp.retransmission-timeouts',
  'sctp.heartbeats-sent',
  'media.rtcpReceived',
  'media.rtcpSent',
  'media.recoveredPackets',
]);

const NOTHING: ObservedLayer = { timers: {}, counters: {} };

/** What a connection shows at this moment. It is asked after each input and each drain: names are made for what has changed alone. */
export function observe(inspection: ObservedInspection): Observation {
  const { ice, dtls, sctp, channels } = inspection;
  const layers: Readonly<Record<ObservedName, ObservedLayer>> = {
    rtc: { timers: {}, counters: inspection.counters },
    ice,
    dtls: dtls ?? NOTHING,
    sctp,
    channel: channels,
    media: inspection.streams ?? NOTHING,
  };
  const timers = new Map<string, number>();
  for (const layer of LAYERS) {
    const armed = layers[layer].timers;
    for (const name in armed) {
      const deadline = armed[name];
      if (deadline !== undefined) timers.set(`${layer}.${name}`, deadline);
    }
  }
  return {
    states: {
      rtc: inspection.connectionState,
      signaling: inspection.negotiation.signalingState,
      ice: ice.state,
      dtls: dtls?.state ?? 'new',
      'dtls.handshake': dtls?.handshake.state ?? 'start',
      sctp: sctp.state,
    },
    timers,
    counters: {
      rtc: layers.rtc.counters,
      ice: layers.ice.counters,
      dtls: layers.dtls.counters,
      sctp: layers.sctp.counters,
      channel: layers.channel.counters,
      media: layers.media.counters,
    },
  };
}

/** What has changed, as entries: drops and fired timers, which are causes, then states, then what is armed now. */
export function changes(before: Observation, after: Observation, at: number): TraceEntry[] {
  return [
    ...dropChanges(before, after, at),
    ...timersFired(before, after, at),
    ...stateChanges(before, after, at),
    ...timersSet(before, after, at),
  ];
}

function dropChanges(before: Observation, after: Observation, at: number): TraceEntry[] {
  const entries: TraceEntry[] = [];
  for (const layer of LAYERS) {
    const [earlier, later] = [before.counters[layer], after.counters[layer]];
    for (const name in later) {
      const count = later[name]! - (earlier[name] ?? 0);
      if (!(count > 0)) continue;
      const counter = `${layer}.${name}`;
      if (!ORDINARY.has(counter)) entries.push({ type: 'drop', at, counter, count });
    }
  }
  return entries;
}

/** A timer that was due and has been cleared or set anew. */
function timersFired(before: Observation, after: Observation, at: number): TraceEntry[] {
  const entries: TraceEntry[] = [];
  for (const [timer, deadline] of before.timers) {
    if (deadline > at || after.timers.get(timer) === deadline) continue;
    entries.push({ type: 'timer', at, timer, change: 'fired', deadline });
  }
  return entries;
}

function timersSet(before: Observation, after: Observation, at: number): TraceEntry[] {
  const entries: TraceEntry[] = [];
  for (const [timer, deadline] of before.timers) {
    if (deadline <= at || after.timers.has(timer)) continue;
    entries.push({ type: 'timer', at, timer, change: 'disarmed', deadline });
  }
  for (const [timer, deadline] of after.timers) {
    if (before.timers.get(timer) === deadline) continue;
    entries.push({ type: 'timer', at, timer, change: 'armed', deadline });
  }
  return entries;
}

function stateChanges(before: Observation, after: Observation, at: number): TraceEntry[] {
  const entries: TraceEntry[] = [];
  for (const machine of Object.keys(after.states) as TraceMachine[]) {
    const from = before.states[machine];
    const to = after.states[machine];
    if (from !== to) entries.push({ type: 'state', at, machine, from, to });
  }
  return entries;
}
