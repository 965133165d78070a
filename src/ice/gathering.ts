/** Gathering, as whoever uses an agent's candidates is told of it: the state and the error of W3C's webrtc-pc. */
import type { OptionRules } from '../core/options.ts';
import { integer, or, required, text } from '../core/options.ts';

/** W3C `RTCIceGatheringState`. `complete`: no more candidates are under way. */
export type IceGatheringState = 'new' | 'gathering' | 'complete';

/** Every state, in the order in which they come. */
export const ICE_GATHERING_STATES: readonly IceGatheringState[] = ['new', 'gathering', 'complete'];

/** A STUN or TURN server that gave no candidate: the members of W3C's `RTCPeerConnectionIceErrorEvent`. */
export interface IceCandidateError {
  /** The server's URL, as it was given. */
  readonly url: string;
  /** The server's error code, 300–699; 701 for a server that cannot be reached, or that answers nothing of use. */
  readonly errorCode: number;
  /** For people: the server's own words, or ours. */
  readonly errorText: string;
  /** Our address that was used; `null` where there is no one of which that could be said. */
  readonly address: string | null;
  readonly port: number | null;
}

/** The shape of an `IceCandidateError`. */
export const ICE_CANDIDATE_ERROR_RULES: OptionRules<IceCandidateError> = {
  url: required(text()),
  errorCode: required(integer(300, 701)),
  errorText: required(text()),
  address: or(null, text(0, 255)),
  port: or(null, integer(0, 65_535)),
};
