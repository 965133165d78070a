/**
 * HandshakeMachine: what the driver knows of a handshake, of whichever role and version.
 *
 *     Client, the hellos of both versions ─ServerHello→ Client12 or Client13
 *     Server, likewise                    ─ClientHello→ Server12 or Server13
 *
 * A machine is told the peer's messages in their order and says its own to the `Handshake` it was made with. Records,
 * fragments, loss and time are none of its business.
 */
import type { HandshakeMessage } from './messages/handshake.ts';
import type { Problem } from './problem.ts';

/** One role's part in a handshake, or in what comes after its hellos. */
export interface HandshakeMachine {
  /** Named for the message waited for, or `start` of a client that has said nothing, or `complete`. */
  readonly state: string;
  /** DTLS 1.3: undefined before there are keys, and in DTLS 1.2. */
  readonly keyUpdates?: KeyUpdates | undefined;
  /** Takes the next message in order; its bytes are the machine's from here on. Answers why the handshake cannot go on. */
  handle(message: HandshakeMessage): Problem | undefined;
}

/** The machine that a handshake begins with: it hands over to one of DTLS 1.2 or 1.3, and stays its front. */
export interface HelloMachine extends HandshakeMachine {
  /** A client says its ClientHello, once; a server waits for one. */
  start(): void;
}

/** Changes of the keys that we write with (RFC 9147 §8). */
export interface KeyUpdates {
  /** Begins a change, or wants one as soon as our last flight is acknowledged; `requestPeer` asks the peer for the same. */
  updateKeys(requestPeer: boolean): void;
  /** The peer has all of our last flight: new keys are in use from here on. */
  handleAcknowledged(): void;
}
