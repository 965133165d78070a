/** Why channels end, as plain data. */
import type { Failure } from '../core/errors.ts';
import type { GateName } from './options.ts';

/** A failure of a channel: its code, and a sentence for people. */
export function channelFailure(code: string, message: string): Failure {
  return { layer: 'channel', code, message };
}

const EXPIRY: Readonly<Record<GateName, Failure>> = {
  openAck: channelFailure('open-timeout', 'the peer did not answer the OPEN'),
  inboundOpen: channelFailure('inbound-open-timeout', 'no channel came for the stream'),
  closeDrain: channelFailure('drain-timeout', 'what was queued could not be sent in time'),
  streamReset: channelFailure('reset-timeout', 'the peer did not reset the stream'),
  reassembly: channelFailure('reassembly-timeout', 'the rest of a message did not come'),
};

/** A gate has expired after `elapsed` milliseconds; the peer has been silent, in any matter, for `peerSilentFor`. */
export function expiry(gate: GateName, elapsed: number, peerSilentFor: number): Failure {
  return { ...EXPIRY[gate], gate, elapsed, peerSilentFor };
}
