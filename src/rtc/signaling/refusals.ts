/** What signalling refuses: descriptions that cannot be taken, and handles whose moment has passed. */
import { RtcError } from '../../core/errors.ts';
import type { OfferedPlan, SignalingState, TransportPlan } from '../../negotiation/index.ts';
import type { SdpError, SdpIceParameters } from '../../sdp/index.ts';
import { isSdpError, sdpError } from '../../sdp/index.ts';
import { SdpRefusal } from '../refusal.ts';

/** The error of a handle whose moment has passed, to be thrown. */
export function movedOn(): RtcError {
  const message = 'this offer is no longer current: the negotiation has moved on';
  return new RtcError('ERR_INVALID_STATE', message);
}

/** What was judged; throws `SdpRefusal` if it was found wrong. */
export function judged<T>(result: T | SdpError): T {
  if (isSdpError(result)) throw new SdpRefusal(result);
  return result;
}

/**
 * An offer of the peer's that comes between a provisional answer and the one that counts: the peer's doing, and no misuse. Nobody can
 * take the exchange back any more (RFC 9429 §4.1.10.2).
 */
export function refuseDuringProvisional(state: SignalingState): void {
  if (state !== 'have-local-pranswer' && state !== 'have-remote-pranswer') return;
  const message = 'an offer that is answered provisionally waits for its answer';
  throw new SdpRefusal(sdpError('glare', message));
}

/**
 * Another certificate starts another DTLS association (RFC 8842 §5.5), and with it another SCTP association: every channel of
 * this one would end. Refused before anything changes.
 */
export function refuseNewAssociation({ dtlsRestart, mid }: Pick<TransportPlan, 'dtlsRestart' | 'mid'>): void {
  if (!dtlsRestart) return;
  const message =
    'another certificate or "a=tls-id" needs another connection: channels do not outlive their association';
  throw new SdpRefusal(sdpError('dtls-restart-unsupported', message, { mid }));
}

/** A provisional answer has started the transport: what is chosen after it may not lead to another one. */
export function refuseOtherTransport(
  started: TransportPlan | undefined,
  now: OfferedPlan['transport'],
): void {
  if (started === undefined) return;
  const keys = ['ice', 'fingerprints', 'dtlsRole'] as const;
  if (keys.every((key) => JSON.stringify(started[key]) === JSON.stringify(now[key]))) return;
  const message = 'the transport of the provisional answer has started: another one cannot take its place';
  throw new SdpRefusal(sdpError('pranswer-transport-changed', message, { mid: now.mid }));
}

/**
 * ICE answers to the credentials that it was made with, so an edit cannot choose others; `ice.usernameFragment` and `ice.password`
 * of the options do.
 */
export function refuseOtherIce(
  written: SdpIceParameters | undefined,
  edited: SdpIceParameters | undefined,
): void {
  if (written?.usernameFragment === edited?.usernameFragment && written?.password === edited?.password)
    return;
  const message = 'the ICE credentials were changed: the options "ice" of the connection choose them';
  throw new SdpRefusal(sdpError('local-description-changed', message));
}
