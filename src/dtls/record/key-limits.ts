/**
 * Limits of a key (RFC 9147 §4.5.3, RFC 8446 §5.5): how many records it may seal, and how many forged ones it can bear. In DTLS 1.3 keys are changed in good time; in 1.2 there is no way but to end.
 */
import type { Diagnosis } from '../diagnosis.ts';
import type { DtlsLimits } from '../options.ts';
import type { Epochs } from './epochs.ts';
import type { WriteEpoch } from './write-epoch.ts';

/** What a key is still good for: all, or its replacement is due, or nothing. */
export type KeyVerdict = 'good' | 'replace' | 'worn';

/** Why an association ends that may seal nothing more. */
export const RECORD_LIMIT: Diagnosis = {
  code: 'record-limit',
  message: 'One key has protected all the records it may.',
};

/** Why an association ends that may open nothing more. */
export const FORGERY_LIMIT: Diagnosis = {
  code: 'forgery-limit',
  message: 'As many forged records have come as one key can bear.',
};

/** Judges the key we write with, before another record. */
export function judgeWriting(write: WriteEpoch, isDtls13: boolean, limits: DtlsLimits): KeyVerdict {
  const { recordsPerKey, recordsPerUpdate } = limits;
  const most = isDtls13 ? Math.min(recordsPerKey, 2 * recordsPerUpdate) : recordsPerKey;
  if (write.sequence >= most) return 'worn';
  return isDtls13 && write.sequence >= recordsPerUpdate ? 'replace' : 'good';
}

/** Judges the newest key we read with. With every forgery it gets likelier that one will pass. */
export function judgeReading({ read12, read13 }: Epochs, { forgeriesPerKey }: DtlsLimits): KeyVerdict {
  const [newest] = read13;
  const forged = newest?.forged ?? read12?.forged ?? 0;
  if (forged >= forgeriesPerKey) return 'worn';
  return forged * 2 >= forgeriesPerKey && newest?.successorAsked === false ? 'replace' : 'good';
}
