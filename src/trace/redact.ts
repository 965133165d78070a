/** Taking out of a whole trace what must not be shown, before it is given away. */
import type { TraceOptions } from '../rtc.ts';
import { hidePasswords, redactor } from '../rtc/tracer/redact.ts';
import type { Trace } from './format.ts';
import { traceHeader } from './format.ts';

/**
 * A copy of a trace, redacted as `setTrace` would have: without `secrets: true` the seed and all keys and passwords go, and
 * the copy cannot be replayed.
 */
export function redactTrace({ header, entries }: Trace, options: TraceOptions = {}): Trace {
  const redact = redactor(options);
  const shown = entries.flatMap((entry) => redact(entry) ?? []);
  if (options.secrets === true && options.hideAddresses !== true && options.hidePayload !== true) {
    return { header, entries: shown };
  }
  return { header: traceHeader(undefined, hidePasswords(header.options)), entries: shown };
}
