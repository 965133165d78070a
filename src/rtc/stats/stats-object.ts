/**
 * StatsObject: what every dictionary of W3C webrtc-stats begins with, and how the objects of one report name each other.
 *
 * An id names one thing for as long as the connection lives, and nothing else after that: of the connection and its transport
 * there is one; a channel, a candidate and a pair have the number by which their machine knows them; a certificate is known by its
 * fingerprint.
 */

/** The members that all have. */
export interface StatsObject<Type extends string> {
  /** The same in every report; no other thing of this connection ever has it. */
  readonly id: string;
  /** When the report was made: milliseconds on the caller's clock, the last time that the connection has seen. */
  readonly timestamp: number;
  readonly type: Type;
}

/** The id of the connection itself. */
export const PEER_CONNECTION_ID = 'P';

/** The id of its one transport. */
export const TRANSPORT_ID = 'T';
