/**
 * SCTP packets as DTLS records: each is written where its record will be, sealed in place, and copied out once. The place is
 * one workspace for all connections.
 */
import type { Bytes } from '../core/bytes.ts';
import { NO_BYTES } from '../core/bytes.ts';
import { wireCopy } from '../core/slab.ts';
import type { Dtls } from '../dtls/index.ts';
import { DTLS_HEADROOM, DTLS_TAILROOM } from '../dtls/index.ts';
import type { SctpAssociation } from '../sctp/index.ts';

/** What DTLS adds to an SCTP packet, at the most. */
export const DTLS_OVERHEAD: number = DTLS_HEADROOM + DTLS_TAILROOM;

let workspace: Bytes = NO_BYTES;

/**
 * The next record, `undefined` when the association has nothing to send or DTLS cannot seal it.
 * @param tap sees the packet in plaintext, during the call alone
 */
export function nextSctpRecord(
  association: SctpAssociation,
  dtls: Dtls,
  tap: { packet(direction: 'out', packet: Uint8Array): void } | undefined,
  now: number,
): Bytes | undefined {
  const buffer = takeWorkspace(association.mtu + DTLS_OVERHEAD);
  const offset = dtls.headroom;
  const length = association.pollTransmitInto(buffer, offset, now);
  if (length > 0) tap?.packet('out', buffer.subarray(offset, offset + length));
  const sealed = length > 0 ? dtls.seal(buffer, offset, length) : -1;
  const record = sealed < 0 ? undefined : wireCopy(buffer, 0, sealed);
  workspace = buffer;
  return record;
}

/** At least `length` bytes, nobody else's until they are put back: a tap may call whatever it likes. */
function takeWorkspace(length: number): Bytes {
  const taken = workspace;
  workspace = NO_BYTES;
  return taken.length < length ? new Uint8Array(length) : taken;
}
