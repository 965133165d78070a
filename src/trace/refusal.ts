/** A trace that cannot be read, or cannot be used as asked. */
import { RtcError } from '../core/errors.ts';

/** An `RtcError` with the code `ERR_TRACE`, thrown at the call that was given the trace. */
export class TraceRefusal extends RtcError {
  /** Line of the file, from 1; `undefined` when the trouble is with the whole. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super('ERR_TRACE', line === undefined ? message : `line ${line}: ${message}`);
    this.name = 'TraceRefusal';
    this.line = line;
  }
}
