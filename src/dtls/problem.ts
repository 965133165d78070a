/** Problems: what goes wrong in a handshake. Never thrown: a handler answers it, and the connection ends with an alert. */
import { AlertDescription } from './alerts.ts';
import type { DtlsVersion } from './cipher-suites.ts';
import { handshakeTypeName } from './messages/handshake.ts';
import type { DtlsRole } from './states.ts';

/** Why a handshake cannot go on: the alert for the peer, and the code and text of the `Failure` for us. */
export interface Problem {
  readonly alert: AlertDescription;
  readonly code: string;
  readonly message: string;
}

/** Tells a problem from whatever else may be answered. */
export function isProblem(value: object): value is Problem {
  return 'alert' in value;
}

/** A message that does not decode. `reason` is the decoder's. */
export function malformed(reason: string): Problem {
  return {
    alert: AlertDescription.decodeError,
    code: 'malformed-message',
    message: `The peer sent a handshake message that does not decode: ${reason}.`,
  };
}

/** A message that is not due in this state. `waitingFor` is the state's name. */
export function unexpected(waitingFor: string, type: number): Problem {
  return {
    alert: AlertDescription.unexpectedMessage,
    code: 'unexpected-message',
    message: `The peer sent ${handshakeTypeName(type)} in the state "${waitingFor}".`,
  };
}

/** RFC 8446 §5.1: messages do not span changes of keys. */
export function spansKeyChange(): Problem {
  return {
    alert: AlertDescription.unexpectedMessage,
    code: 'unexpected-message',
    message:
      'The peer sent more of its handshake behind a message that changes its keys, and under the old ones.',
  };
}

/** A protected record that must not be there. `what` has been sent. */
export function unexpectedRecord(what: string): Problem {
  return {
    alert: AlertDescription.unexpectedMessage,
    code: 'unexpected-message',
    message: `The peer sent ${what}, protected, where no such record may be.`,
  };
}

/** RFC 8446 §5.2, §5.4, RFC 5246 §6.2.1. */
export function recordOverflow(): Problem {
  return {
    alert: AlertDescription.recordOverflow,
    code: 'record-overflow',
    message: 'The peer sent a record of more than 16384 bytes of plaintext.',
  };
}

/** A value that decodes, and that may not be. `message` says which. */
export function illegalParameter(message: string): Problem {
  return { alert: AlertDescription.illegalParameter, code: 'illegal-parameter', message };
}

/**
 * RFC 8446 §4.2: an extension that nobody has asked for, or (illegal_parameter) one that we know, in a message that it is
 * not for.
 */
export function unsolicitedExtension(type: number, isOffered = false): Problem {
  return {
    alert: isOffered ? AlertDescription.illegalParameter : AlertDescription.unsupportedExtension,
    code: 'extension-unsolicited',
    message: isOffered
      ? `The peer put extension ${type} into a message that it is not for.`
      : `The peer answered extension ${type}, which was not offered.`,
  };
}

/** RFC 8446 §9.2. */
export function missingExtension(name: string): Problem {
  return {
    alert: AlertDescription.missingExtension,
    code: 'extension-missing',
    message: `The peer sent no ${name}, without which DTLS 1.3 cannot be negotiated.`,
  };
}

/** No version in common. `message` says what each end speaks. */
export function versionUnsupported(message: string): Problem {
  return { alert: AlertDescription.protocolVersion, code: 'version-unsupported', message };
}

/** RFC 8446 §4.2.1: a selected_version that was not offered, or is older than 1.3. */
export function versionNotOffered(version: number): Problem {
  return {
    alert: AlertDescription.illegalParameter,
    code: 'version-unsupported',
    message: `The server chose version 0x${version.toString(16)}, which was not offered.`,
  };
}

/** RFC 8446 §4.1.3. */
export function downgraded(): Problem {
  return {
    alert: AlertDescription.illegalParameter,
    code: 'version-downgraded',
    message:
      'The server speaks DTLS 1.3 and was made to believe that we do not: somebody changes our packets on their way.',
  };
}

/** No choice of `what` suits both sides. */
export function nothingInCommon(
  what: 'cipher-suite' | 'group' | 'signature' | 'compression' | 'srtp-profile',
  detail: string,
): Problem {
  return {
    alert: AlertDescription.handshakeFailure,
    code: `no-common-${what}`,
    message: detail,
  };
}

/** A proof of possession that is none. `message` says of what. */
export function badSignature(message: string): Problem {
  return { alert: AlertDescription.decryptError, code: 'signature-invalid', message };
}

/** A public key that no secret can be agreed on with. */
export function badKeyShare(): Problem {
  return {
    alert: AlertDescription.illegalParameter,
    code: 'key-share-invalid',
    message:
      "The peer's ephemeral public key is of the wrong length, compressed, off the curve or of low order.",
  };
}

/** RFC 7627 §1: without it a man in the middle can make two connections share their keys; §5.2 lets us insist. */
export function extendedMasterSecretMissing(): Problem {
  return {
    alert: AlertDescription.handshakeFailure,
    code: 'extended-master-secret-missing',
    message: 'The peer does not support the extended master secret (RFC 7627).',
  };
}

/** A renegotiation_info of another handshake. */
export function foreignRenegotiation(): Problem {
  return {
    alert: AlertDescription.handshakeFailure,
    code: 'renegotiation-info-invalid',
    message: "The peer's renegotiation_info is not that of a first handshake (RFC 5746 §3.4, §3.6).",
  };
}

/** A Finished over another transcript. */
export function finishedMismatch(): Problem {
  return {
    alert: AlertDescription.decryptError,
    code: 'finished-mismatch',
    message:
      "The peer's Finished does not match the handshake as seen here: a message was changed on its way.",
  };
}

/** RFC 8446 §4.4.2.4: an alert for clients without one; of a server's Certificate, an empty list is no content. */
export function noCertificate(from: DtlsRole, version: DtlsVersion): Problem {
  const { certificateRequired, decodeError, handshakeFailure } = AlertDescription;
  return {
    alert: version === '1.2' ? handshakeFailure : from === 'server' ? decodeError : certificateRequired,
    code: 'certificate-missing',
    message: 'The peer showed no certificate; WebRTC identifies both ends by theirs (RFC 8827 §6.5).',
  };
}
