/** The state of a connection (W3C webrtc-pc §4.3.3), for one ICE and one DTLS transport. */
import type { Failure } from '../core/errors.ts';
import type { IceState } from '../ice/index.ts';
import type { ConnectionState, DtlsTransportState } from './contract.ts';
import { isOrderly } from './end-reasons.ts';

/** @param end why it has ended, if it has */
export function connectionStateOf(
  ice: IceState,
  dtls: DtlsTransportState,
  end: Failure | undefined,
): ConnectionState {
  if (end !== undefined) return isOrderly(end) ? 'closed' : 'failed';
  if (ice === 'disconnected') return 'disconnected';
  if (ice === 'new') return 'new';
  return (ice === 'connected' || ice === 'completed') && dtls === 'connected' ? 'connected' : 'connecting';
}
