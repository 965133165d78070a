/**
 * Epochs of handshake messages: which may come in which. A message in the wrong one is not the peer's, or not for us: it
 * is dropped before anything looks at it.
 *
 * RFC 6347 §4.2.4: of DTLS 1.2's handshake Finished alone comes protected, and only ever so. RFC 9147 §6.1: of DTLS 1.3's
 * only the hellos come in plaintext.
 */
import type { DtlsVersion } from './cipher-suites.ts';
import { HandshakeType } from './messages/handshake.ts';
import { APPLICATION_EPOCH, HANDSHAKE_EPOCH } from './record/epoch13.ts';

/** True if a message of `type` may come in `epoch`. `version` is undefined until the server has chosen; `isComplete`: both Finished have been said. */
export function mayComeInEpoch(
  type: number,
  epoch: number,
  version: DtlsVersion | undefined,
  isComplete: boolean,
): boolean {
  if (version !== '1.3') return (type === HandshakeType.finished) === epoch > 0;
  switch (type) {
    case HandshakeType.clientHello:
    case HandshakeType.serverHello:
    case HandshakeType.helloVerifyRequest:
      return epoch === 0 && !isComplete;
    case HandshakeType.encryptedExtensions:
    case HandshakeType.certificateRequest:
    case HandshakeType.certificate:
    case HandshakeType.certificateVerify:
    case HandshakeType.finished:
      return epoch === HANDSHAKE_EPOCH || (isComplete && epoch > HANDSHAKE_EPOCH);
    default:
      return epoch >= APPLICATION_EPOCH;
  }
}
