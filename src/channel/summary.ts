/** Summary: what a message on a data channel's stream is, as a trace shows it in one line. */
import { isFailure } from '../core/decode.ts';
import { quote } from '../core/text.ts';
import { DCEP_MAX_TEXT, decodeDcep } from './dcep.ts';
import { Ppid } from './payload.ts';

/**
 * `DCEP OPEN "chat"`, `text 12 bytes`: by the payload protocol identifier. `isWhole`: `data` is no fragment. Never throws,
 * whatever the bytes are.
 */
export function messageSummary(ppid: number, data: Uint8Array, isWhole: boolean): string {
  if (ppid === Ppid.dcep && isWhole) return dcepSummary(data);
  return `${NAMES.get(ppid) ?? `PPID ${ppid}`} ${data.length} bytes`;
}

function dcepSummary(data: Uint8Array): string {
  const message = decodeDcep(data, { maxLabelLength: DCEP_MAX_TEXT, maxProtocolLength: DCEP_MAX_TEXT });
  if (isFailure(message)) return `DCEP malformed: ${message.reason}`;
  return message.type === 'ack' ? 'DCEP ACK' : `DCEP OPEN ${quote(message.label)}`;
}

const NAMES: ReadonlyMap<number, string> = /* @__PURE__ */ new Map<number, string>([
  [Ppid.dcep, 'DCEP'],
  [Ppid.text, 'text'],
  [Ppid.binary, 'binary'],
  [Ppid.partialText, 'partial text'],
  [Ppid.partialBinary, 'partial binary'],
  [Ppid.emptyText, 'empty text'],
  [Ppid.emptyBinary, 'empty binary'],
]);
