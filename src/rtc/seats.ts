/**
 * Seats of the machines of a stack: who was called since the last `carry`, and when each is due, so that quiet machines are not
 * asked. A user's sources of packets stand in the order of their urgency.
 */
import type { Machine, PacketSource, PathUser } from '../core/machine.ts';
import type { RtcEvent } from './contract.ts';

/** A machine of the stack and what is remembered of it. */
export interface Seat<M extends Machine<unknown>> {
  readonly machine: M;
  /** It was called since the last `carry`. */
  isTouched: boolean;
  /** How often it was called, polls that gave nothing apart. */
  calls: number;
  /** When it is due, as of its last touch. */
  deadline: number;
}

/** A user of the path. */
export interface UserSeat extends Seat<PathUser<RtcEvent>> {
  /** How many of its events have a place among the others'. They stay with the user until they are polled. */
  placed: number;
}

/** A source of packets, and whose it is. */
export interface SeatedSource {
  readonly source: PacketSource;
  readonly seat: UserSeat;
  /** The seat's `calls` when it had nothing to send: until it is called it has nothing still. -1: it may have something. */
  emptyAt: number;
}

/** The seat of a machine that nobody has called yet. */
export function seatOf<M extends Machine<unknown>>(machine: M): Seat<M> {
  return { machine, isTouched: false, calls: 0, deadline: Infinity };
}

/** When it is due: remembered, or asked where it may have changed. */
export function deadlineOf(seat: Seat<Machine<unknown>>): number {
  return seat.isTouched ? seat.machine.nextTimeout() : seat.deadline;
}

/** The name of its timer, if that is due at `at`. */
export function reasonOf(seat: Seat<Machine<unknown>>, at: number): string | undefined {
  return deadlineOf(seat) === at ? seat.machine.timeoutReason() : undefined;
}

/** All that it had to say is carried. */
export function rest(seat: Seat<Machine<unknown>>): void {
  seat.isTouched = false;
  seat.deadline = seat.machine.nextTimeout();
}

const URGENCIES: readonly PacketSource['urgency'][] = ['feedback', 'audio', 'paced', 'data'];

/** The sources of all users, the most urgent first; of equal ones, in the order of the users. */
export function byUrgency(users: readonly UserSeat[]): SeatedSource[] {
  const all = users.flatMap((seat) => seat.machine.sources.map((source) => ({ source, seat, emptyAt: -1 })));
  return URGENCIES.flatMap((urgency) => all.filter(({ source }) => source.urgency === urgency));
}

/** Polls and drops what there is no path for: farewells. */
export function dropPackets(source: PacketSource, now: number): void {
  const nowhere = new Uint8Array(source.largestPacket);
  while (source.pollPacket(nowhere, 0, now) > 0);
}
