/** What a `ProtocolStack` shows of itself: states, queue sizes, counters. */
import type { DataChannels } from '../channel/index.ts';
import type { Failure } from '../core/errors.ts';
import type { Dtls, DtlsRole } from '../dtls/index.ts';
import type { IceAgent } from '../ice/index.ts';
import type { SctpAssociation } from '../sctp/index.ts';
import type { ConnectionState } from './contract.ts';

export type StackCounter =
  | 'datagramsReceived'
  | 'bytesReceived'
  | 'datagramsSent'
  | 'bytesSent'
  | 'droppedUnknownProtocol'
  | 'droppedRtp'
  | 'droppedUnvalidatedPath'
  | 'droppedEarlyDatagrams';

export const STACK_COUNTERS: readonly StackCounter[] = [
  'datagramsReceived',
  'bytesReceived',
  'datagramsSent',
  'bytesSent',
  'droppedUnknownProtocol',
  'droppedRtp',
  'droppedUnvalidatedPath',
  'droppedEarlyDatagrams',
];

/** Every state of the stack, plain and JSON-safe. */
export interface StackInspection {
  readonly connectionState: ConnectionState;
  readonly closed?: Failure;
  readonly dtlsRole: DtlsRole | null;
  readonly setups: { readonly local: string | null; readonly remote: string | null };
  readonly ice: ReturnType<IceAgent['inspect']>;
  readonly dtls: ReturnType<Dtls['inspect']> | null;
  readonly sctp: ReturnType<SctpAssociation['inspect']>;
  readonly channels: ReturnType<DataChannels['inspect']>;
  readonly earlyDatagrams: number;
  readonly queued: { readonly events: number; readonly farewells: number };
  readonly counters: Record<StackCounter, number>;
}
