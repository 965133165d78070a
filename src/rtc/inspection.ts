/** Inspection of a connection: its states, queue sizes and counters, as plain data. */
import type { SctpTransportInspection } from '../channel/index.ts';
import type { Failure } from '../core/errors.ts';
import type { MediaInspection } from '../media/index.ts';
import type { MediaPlan } from '../negotiation/index.ts';
import type { TransportCounter, TransportInspection } from '../transport/index.ts';
import type { ConnectionState } from './contract.ts';
import type { ConnectionGate } from './gates.ts';

/** Datagrams and bytes of UDP payload, in and out. */
export type StackCounter = 'datagramsReceived' | 'bytesReceived' | 'datagramsSent' | 'bytesSent';

/** The names of the stack's counters. */
export const STACK_COUNTERS: readonly StackCounter[] = [
  'datagramsReceived',
  'bytesReceived',
  'datagramsSent',
  'bytesSent',
];

/** Every state of the stack, plain and JSON-safe. */
export interface StackInspection extends Omit<TransportInspection, 'counters'>, SctpTransportInspection {
  readonly connectionState: ConnectionState;
  readonly closed?: Failure;
  /** What media has been agreed on, one a section. */
  readonly media: readonly MediaPlan[];
  /** The streams of these media, where the connection was given media to carry them. */
  readonly streams?: MediaInspection;
  /** The deadlines of the connection's own gates, milliseconds on the caller's clock. */
  readonly gates: Partial<Record<ConnectionGate, number>>;
  readonly queued: { readonly events: number; readonly farewells: number };
  /** `droppedSctp`: SCTP packets that came while data was not agreed on. */
  readonly counters: Record<StackCounter | TransportCounter | 'droppedSctp', number>;
}
