/**
 * Machine: the contract of everything that runs on time, as an interface. Each layer of a connection has it and is usable
 * alone; `test/machine/` holds the suite that all of them pass.
 *
 *     feed      handleTimeout, and what bytes or facts its kind takes, each with the time
 *     drain     pollEvent until `undefined`, and what datagrams or packets its kind gives
 *     sleep     until nextTimeout(), and not longer
 *
 * Times are milliseconds of the caller's monotonic clock; a time earlier than one seen before counts as that one. Nothing is
 * thrown because of bytes from the network. After every call something that waits has a deadline, and once it is over a
 * machine holds nothing and asks for nothing.
 */
import type { Bytes } from './bytes.ts';
import type { Failure } from './errors.ts';

/** What runs on time and tells of it by events of the type `Event`. */
export interface Machine<Event> {
  /** Runs what is due at `now`. Afterwards `nextTimeout()` lies in the future. */
  handleTimeout(now: number): void;
  /** When `handleTimeout` is due; `Infinity` when nothing is awaited. */
  nextTimeout(): number;
  /** Which timer that is, as `layer.timer` where there are several layers; `undefined` when nothing is awaited. */
  timeoutReason(): string | undefined;
  /** How many events `pollEvent` has, at the most: some may be taken back before they are polled. */
  readonly queuedEvents: number;
  /** The next event, `undefined` when drained. */
  pollEvent(): Event | undefined;
  /**
   * The host stood still for `missed` milliseconds up to the time that is told next: what waits for the peer waits so much
   * longer, for the peer was not silent, nobody listened. Only told by the owner of a shared `Clock`.
   */
  thaw(missed: number): void;
  /**
   * Ends the machine for `reason`. What it still has to tell the peer (an ABORT, an alert) and the host is there to be
   * polled afterwards; everything else is released in this call. Again: nothing happens.
   */
  close(reason: Failure, now: number): void;
  /** Every state, timer, queue size and counter, as plain JSON-safe data without secrets. */
  inspect(): object;
  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined;
}

/** What a user of a secured path is told about it. */
export interface PathFacts {
  /** Packets can be carried. While they cannot nothing is sent, and what waits for the peer stands still. */
  readonly writable: boolean;
  /** Largest UDP payload worth a try on this path, bytes. */
  readonly largestDatagram: number;
  /** Bytes that the layers below add to a packet of SCTP, at the most. */
  readonly overhead: number;
  /** Bytes that SRTP adds to a packet of RTP, of RTCP. Absent: RTP is not carried, as the two ends have not agreed on SRTP. */
  readonly srtpOverhead?: { readonly rtp: number; readonly rtcp: number } | undefined;
  /** Milliseconds, as measured by ICE; `undefined` before a measurement. */
  readonly roundTripTime: number | undefined;
  /** Grows by one with each other path: what was measured on the one before does not hold. */
  readonly generation: number;
}

/** What a plain packet carries (RFC 7983, RFC 5761). */
export type PacketKind = 'sctp' | 'rtp' | 'rtcp';

/** Packets of one kind and one class of urgency. */
export interface PacketSource {
  readonly kind: PacketKind;
  /** The classes in their order: control before audio, audio before paced video and RTX, data last. */
  readonly urgency: 'feedback' | 'audio' | 'paced' | 'data';
  /** Room that `pollPacket` wants at `offset`, bytes. */
  readonly largestPacket: number;
  /** Writes the next packet at `offset` of `into`, `largestPacket` bytes at the most: its length, 0 when there is none. */
  pollPacket(into: Bytes, offset: number, now: number): number;
}

/** A user of a connection's secured path: data channels over SCTP, media over RTP. */
export interface PathUser<Event> extends Machine<Event> {
  /** Told once when the path is secured, and then with every change of the facts. */
  handlePath(path: PathFacts, now: number): void;
  /** One packet, authenticated. Its memory is given away. */
  handlePacket(kind: PacketKind, packet: Bytes, now: number): void;
  readonly sources: readonly PacketSource[];
  /** Ends gracefully: what the user has accepted is delivered first, within a gate. `end` says when that is done, and how. */
  shutdown(now: number): void;
  /** Why it is over by itself, which is the end of the connection; `undefined` while it is not. */
  readonly end: Failure | undefined;
}
