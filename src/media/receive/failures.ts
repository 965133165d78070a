/** Failures of received streams: why one has paused, is over, or gives no keyframe. */
import type { Failure } from '../../core/errors.ts';
import { quote } from '../../core/text.ts';

/** How long a source has been silent, ms. */
export interface Silence {
  /** As the gate counts it: without what the host has missed. */
  readonly elapsed: number;
  readonly peerSilentFor: number;
}

/** Gate `streamPause`. */
export function silent(ssrc: number, silence: Silence): Failure {
  return failure('stream-silent', `source ${ssrc} sends nothing`, { gate: 'streamPause', ...silence });
}

/** Gate `streamSilence`. */
export function timedOut(ssrc: number, silence: Silence): Failure {
  const message = `source ${ssrc} has sent nothing for ${Math.round(silence.peerSilentFor)} ms`;
  return failure('stream-timeout', message, { gate: 'streamSilence', ...silence });
}

/** Gate `keyframe`. */
export function noKeyframe(ssrc: number, silence: Silence): Failure {
  const message = `source ${ssrc} was asked for a keyframe for ${Math.round(silence.elapsed)} ms, and none has come`;
  return failure('keyframe-timeout', message, { gate: 'keyframe', ...silence });
}

/** A description has ended it. */
export function notAgreed(ssrc: number): Failure {
  return failure('stream-not-agreed', `source ${ssrc} is not agreed on any more`);
}

/** Another source is heard in its place. */
export function replacedBy(ssrc: number, other: number): Failure {
  return failure('stream-replaced', `source ${ssrc} is over: source ${other} is heard in its place`);
}

/** It names another media or encoding than it was bound to. */
export function moved(ssrc: number): Failure {
  return failure('stream-replaced', `source ${ssrc} names another media or encoding now`);
}

/** @param reason what the peer says of it */
export function saidBye(ssrc: number, reason: string | undefined): Failure {
  const why = reason === undefined || reason === '' ? '' : `: ${quote(reason)}`;
  return failure('stream-bye', `source ${ssrc} has said BYE${why}`);
}

function failure(code: string, message: string, gate?: Silence & { readonly gate: string }): Failure {
  return { layer: 'media', code, message, ...gate };
}
