/**
 * Source: where candidates come from. One of our sockets and one server: the address that a STUN server sees (reflexive.ts),
 * or the allocation of a TURN server (relay.ts). It belongs to the socket, and serves every connection that gathers there.
 *
 *     idle ──somebody uses it──▶ waiting ──Ta──▶ asking ──▶ known ◀─▶ asked again (keep-alive, restart)
 *                                   ▲               └─────▶ failed
 *                                   └── tried again, while somebody wants it ──┘
 */
import type { TransportAddress } from '../core/address.ts';
import type { HostReply } from '../core/host.ts';
import type { LocalCandidateInit } from '../ice/index.ts';
import type { ServerTransport, ServerUrl } from './ice-server.ts';

/** The timers of a gatherer. */
export type GatherTimer = 'gathering' | 'binding' | 'relay' | 'linger' | 'start' | 'call';

/** Something of a gatherer's with a deadline of its own. */
export interface Timed {
  /** Of its timer, for `timeoutReason`. */
  readonly timer: GatherTimer;
  /** Runs what is due, and sets its next deadline. */
  handleTimeout(): void;
}

/** One of the host's sockets. Datagrams leave from it and arrive at it. */
export interface LocalSocket extends TransportAddress {
  readonly protocol: 'udp';
}

/** Why a source gives no candidate. */
export interface SourceFailure {
  /** The server's error code; 701 if it was not reached or answered nothing of use. */
  readonly code: number;
  /** For people. */
  readonly text: string;
}

/** W3C's error code for a server that cannot be reached. */
export const UNREACHABLE = 701;

/** How it is with a source. */
export type SourceStatus = 'idle' | 'waiting' | 'asking' | 'known' | 'failed';

/** One of our sockets and one server, with the candidates that come of the two. */
export interface Source extends Timed {
  readonly key: string;
  readonly socket: LocalSocket;
  readonly server: TransportAddress;
  readonly transport: ServerTransport;
  readonly status: SourceStatus;
  /** Of `failed`; also why one that is `known` is about to be lost. */
  readonly failure: SourceFailure | undefined;
  /** What it gives at present. */
  readonly candidates: readonly LocalCandidateInit[];
  /** The gatherings that use it. */
  readonly users: Set<SourceUser>;
  /** When the last of them left, milliseconds; Infinity while there are any. */
  unusedSince: number;
  /** A datagram of its server's for its socket. @returns false: it is not for this source. */
  handlePacket(data: Uint8Array, owned: boolean): boolean;
  /** It is the turn of this one to ask its server: Ta has passed since another one did. */
  start(): void;
  /** Somebody begins to gather here: what has failed is tried again, what is known is verified. */
  renew(): void;
  /** Nobody uses it any more, or somebody does again. */
  noteUsers(): void;
  /** Nobody came back. @returns false: its server is told first, and it is over once `GatherHost.finished` has it */
  leave(): boolean;
  /** It is over at once. */
  close(): void;
  inspect(): object;
}

/** A source of relayed addresses. */
export interface RelaySource extends Source {
  /** Its relayed addresses, at present: one of each family at the most. */
  readonly relayed: readonly TransportAddress[];
  /** Sends a datagram, a copy of it, from a relayed address. */
  send(peer: TransportAddress, data: Uint8Array): void;
  /** What became of a stream that it has asked for. */
  handleStream(reply: StreamReply): void;
}

/** Of the host's replies, those about a stream. */
export type StreamReply = Exclude<HostReply, { readonly type: 'resolved' }>;

/** Where a gathering's sources come from. */
export interface Sources {
  /** The host is asked for the server's name, if it has one that is not known. */
  ask(server: ServerUrl): void;
  /** Of `server`, as far as its addresses are known, with each of our sockets that may reach it. */
  of(server: ServerUrl): readonly Source[];
  /** The host has been asked for the server's name, and has not replied. */
  isAwaited(server: ServerUrl): boolean;
  /** `renewed` are credentials in place of those of `server`. */
  renew(server: ServerUrl, renewed: ServerUrl): void;
  /** Why there are none of `server`, for people. */
  whyNone(server: ServerUrl): string;
}

/** Who uses sources: a gathering. */
export interface SourceUser {
  /** Something of a source has changed: what follows from it is told. */
  update(sources: Sources): void;
  /** The source is gone. */
  drop(source: Source): void;
  /** The server of one of its sources has something to say that ends nothing. */
  warn(server: ServerUrl, errorCode: number, errorText: string): void;
}
