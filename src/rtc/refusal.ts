/** Refusals of descriptions and candidates, as they are thrown. */
import { RtcError } from '../core/errors.ts';
import type { SdpError } from '../sdp/index.ts';

/** A description or candidate that was refused; nothing has changed. `code` is `ERR_SDP`. */
export class SdpRefusal extends RtcError {
  /** Why, stable and in kebab-case (docs/errors.md lists them). */
  readonly sdpCode: string;
  /** Line of the description, from 1. */
  readonly line: number | undefined;
  /** The media section concerned. */
  readonly mid: string | undefined;

  constructor(error: SdpError) {
    const place = error.line === undefined ? '' : ` (line ${error.line})`;
    super('ERR_SDP', `${error.code}: ${error.message}${place}`);
    this.name = 'SdpRefusal';
    this.sdpCode = error.code;
    this.line = error.line;
    this.mid = error.mid;
  }
}
