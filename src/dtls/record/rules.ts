/**
 * Rules of protected records. A protected record is authentic, so it is the peer's own word: what breaks a rule ends the association
 * at once, where the same in plaintext, which anybody may have sent, is counted and dropped.
 *
 * The epoch says which version it is of: 1 is DTLS 1.2's, 2 the handshake's of DTLS 1.3, 3 and up those of its data.
 */
import type { Problem } from '../problem.ts';
import { recordOverflow, unexpectedRecord } from '../problem.ts';
import { HANDSHAKE_EPOCH } from './epoch13.ts';
import type { RecordReader } from './reader.ts';
import { ContentType, OVERSIZED } from './record.ts';

/** Judges the current record of `record`, which must be protected. */
export function judgeRecord(record: RecordReader): Problem | undefined {
  const { type, epoch, body } = record;
  switch (type) {
    case ContentType.applicationData:
      // RFC 9147 §6.1, RFC 8446 §7.3: data begins with epoch 3. DTLS 1.2 has one epoch for Finished and data.
      return epoch === HANDSHAKE_EPOCH
        ? unexpectedRecord('application data under the keys of the handshake')
        : undefined;
    case ContentType.handshake:
    case ContentType.alert:
      // RFC 8446 §5.4, RFC 5246 §6.2.1.
      return body.length === 0
        ? unexpectedRecord('a record of its handshake or alerts without content')
        : undefined;
    case ContentType.ack:
      return epoch < HANDSHAKE_EPOCH ? unexpectedRecord('an ACK of DTLS 1.3 in DTLS 1.2') : undefined;
    case ContentType.changeCipherSpec:
      // RFC 8446 §5. In DTLS 1.2 it would begin another epoch, and there is no renegotiation.
      return unexpectedRecord('a ChangeCipherSpec');
    case OVERSIZED:
      return recordOverflow();
    default:
      // RFC 8446 §5, §5.4, RFC 5246 §6: padding alone, or a type nobody knows, such as records with connection ids.
      return unexpectedRecord('a record of no known content type');
  }
}
