/** Gathering, as whoever uses an agent's candidates is told of it: the state and the error of W3C's webrtc-pc. */

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
