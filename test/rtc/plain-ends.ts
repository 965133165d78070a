/** Two ends that are told of each other by plain methods alone: no description is ever written. */
import type { DataChannel, TransportParameters } from '../../src/index.ts';
import type { End, Pair, PairOptions } from './pair.ts';
import { makeUnsignalledPair } from './pair.ts';

export const BOTH = ['offerer', 'answerer'] as const;

/** What `of` has to say of itself, as the other end takes it. */
export function parametersOf({ rtc }: End, index: 0 | 1): TransportParameters {
  const { ice, fingerprints, sctpPort, maxMessageSize } = rtc.localParameters;
  return {
    ice,
    fingerprints,
    sctpPort,
    maxMessageSize,
    iceRole: index === 0 ? 'controlled' : 'controlling',
    dtlsRole: index === 0 ? 'server' : 'client',
  };
}

/** Starts both, and tells each the other's addresses. */
export function startBoth({ offerer, answerer }: Pair, more: Partial<TransportParameters> = {}): void {
  offerer.rtc.start({ ...parametersOf(answerer, 1), ...more });
  answerer.rtc.start({ ...parametersOf(offerer, 0), ...more });
  for (const candidate of answerer.rtc.localCandidates) offerer.rtc.addRemoteCandidate(candidate);
  for (const candidate of offerer.rtc.localCandidates) answerer.rtc.addRemoteCandidate(candidate);
}

/** A pair that is connected, and has no data. */
export function connectedWithoutData(options: PairOptions = { conditions: { latency: 20 } }): Pair {
  const pair = makeUnsignalledPair(options);
  startBoth(pair, { data: false });
  const { net, offerer, answerer } = pair;
  const isUp = (): boolean => [offerer, answerer].every(({ rtc }) => rtc.connectionState === 'connected');
  const { reason } = net.run({ until: isUp, limit: 10_000 });
  if (reason !== 'condition') throw new Error(`not connected: ${reason}`);
  return pair;
}

/** Both ends open data; the one named makes a channel, which has opened at both ends afterwards. */
export function openData(pair: Pair, label: string, by: 'offerer' | 'answerer' = 'offerer'): DataChannel {
  pair.offerer.rtc.openData();
  pair.answerer.rtc.openData();
  const channel = pair[by].rtc.createChannel(label);
  runUntilOpen(pair, label);
  return channel;
}

export function runUntilOpen({ net, offerer, answerer }: Pair, label: string, limit = 10_000): void {
  const isOpen = (end: End): boolean => end.channels.get(label)?.readyState === 'open';
  const { reason } = net.run({ until: () => isOpen(offerer) && isOpen(answerer), limit });
  if (reason !== 'condition') throw new Error(`"${label}" is not open: ${reason}`);
}

/** Events of one type, in their order. */
export function heard<Type extends End['events'][number]['type']>(
  { events }: End,
  type: Type,
): Extract<End['events'][number], { type: Type }>[] {
  return events.filter((event) => event.type === type) as Extract<End['events'][number], { type: Type }>[];
}

/** SCTP packets that have gone either way so far. */
export function sctpPackets({ rtc }: End): number {
  const { counters } = rtc.inspect().sctp;
  return counters['packets-sent'] + counters['packets-received'];
}
