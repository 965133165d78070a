/**
 * What the bench needs of a stack: each file in this folder exports `open`, and is used from a copy beside the package that it
 * imports. Scenarios know nothing else.
 */

/** A candidate on its way to the other end, as in W3C: `candidate:…` and the media section that it belongs to. */
export interface Candidate {
  readonly candidate: string;
  readonly sdpMid: string;
}

export interface Options {
  /** A server has many peers in its process, and may serve them on one port; a client's peers stand for one machine each. */
  readonly role: 'client' | 'server';
  /** Of the stack's own, for a scenario that asks for other than its defaults. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Stack {
  peer(listener: Listener): Promise<Peer>;
}

export interface Listener {
  /** For the other end. May come before `offer` or `answer` has resolved. */
  onCandidate(candidate: Candidate): void;
  /** The channel is open. */
  onChannel(channel: Channel): void;
}

/** One connection with one channel: reliable, ordered. Descriptions are SDP. */
export interface Peer {
  /** Opens the channel. */
  offer(): Promise<string>;
  answer(offer: string): Promise<string>;
  accept(answer: string): Promise<void>;
  /** Called when the other end's description has been taken, and not before. */
  addCandidate(candidate: Candidate): Promise<void>;
  close(): Promise<void>;
}

export interface Channel {
  /** Throws when the message is refused. */
  send(data: Uint8Array): void;
  /** Bytes that wait for the network. */
  readonly bufferedAmount: number;
  /** Resolves once `bufferedAmount` is at most so many bytes. */
  drained(bytes: number): Promise<void>;
  /** Set by the bench. */
  onMessage: (data: Uint8Array | ArrayBuffer) => void;
}

export declare function open(options: Options): Promise<Stack>;

/** What an application does before anybody waits, if there is anything: `settings` say so. */
export declare function prepare(options: Options): Promise<void>;
