/** Inspection of an endpoint: what it counts and what it holds, apart from its connections. */
import type { GatherInspection } from '../gather/index.ts';

/** Everything that an endpoint counts. */
export const ENDPOINT_COUNTERS = [
  'datagramsReceived',
  /** STUN checks for a username fragment that is not here. */
  'droppedUnknownUsername',
  /** Username fragments, of a restart of ICE, that another connection here has. */
  'usernameFragmentTaken',
  /** Anything else from an address that no connection has verified. */
  'droppedUnknownAddress',
  /** Of both kinds, those that `onUnknown` was not told of: it had been told too often in that second. */
  'unknownNotReported',
  'routesBound',
  /** Of these, those taken from a connection that is still here. */
  'routesTakenOver',
  /** Connections that were told that another one here has their path (`path-taken-over`). */
  'routesContested',
  /** Routes let go for a new one at `maxRoutesPerConnection`. */
  'routesEvicted',
  /** Checks not sent, and those not taken, over a path that `onSharedPath` keeps a connection off. */
  'routesShunned',
  /** Routes on which a connection is told from others by its connection id, and not by the path alone. */
  'routesShared',
  /** Checks held back until the first connection over a path knows whether the peer has connection ids. */
  'checksDeferred',
  /** DTLS with a connection id that nobody here has, or from an address that its connection knows nothing of. */
  'droppedUnknownConnectionId',
  /** Plaintext of DTLS that says nothing of whose it is, over a path where several shake hands. */
  'droppedUnattributed',
  /** What connections threw when they were fed or polled. */
  'internalErrors',
  /** Connections closed as they held most of `maxBufferedBytes`. */
  'closedForMemory',
  /** Names of peers' candidates that were not asked for, beyond `maxNames`. */
  'namesRefused',
  /** Gathered candidates that a connection did not take: it has as many as it may. */
  'candidatesRefused',
] as const;

/** The name of a counter of an endpoint; docs/operations.md says what each means. */
export type EndpointCounter = (typeof ENDPOINT_COUNTERS)[number];

/** What `Endpoint.inspect` shows. */
export interface EndpointInspection {
  readonly connections: number;
  readonly routes: number;
  /** Connections with a deadline. */
  readonly armed: number;
  /** Connections waiting to be drained. */
  readonly ready: number;
  /** Bytes that all connections hold of what was received or is to be sent. */
  readonly bufferedBytes: number;
  /** Names that the host has been asked for and has not replied to. */
  readonly names: number;
  /** What is gathered, once anything has been. */
  readonly gathering?: GatherInspection;
  readonly counters: Record<EndpointCounter, number>;
}
