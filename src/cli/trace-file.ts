/** Trace files: a connection that is recorded line by line as it happens, so that a crash loses nothing. */
import type { CryptoProvider } from '../crypto/index.ts';
import type { Rtc, RtcOptions } from '../rtc.ts';
import { formatEntry, formatHeader, recordRtc } from '../trace/index.ts';
import type { LineFile } from './terminal.ts';

/** Entries of one file: some minutes of a busy connection, some hundred megabytes. */
const MAX_ENTRIES = 1_000_000;

/** A connection whose every input, call and output goes to `file`, its keys among them. The caller closes the file. */
export function recordToFile(
  file: LineFile,
  crypto: CryptoProvider,
  options: Omit<RtcOptions, 'certificate' | 'crypto' | 'random' | 'media'> = {},
): Rtc {
  const { rtc, recorder } = recordRtc({ ...options, crypto });
  file.write(formatHeader(recorder.trace.header));
  for (const entry of recorder.trace.entries) file.write(formatEntry(entry));
  let count = recorder.trace.entries.length;
  rtc.setTrace((entry) => (count++ < MAX_ENTRIES ? file.write(formatEntry(entry)) : undefined), {
    secrets: true,
  });
  return rtc;
}
