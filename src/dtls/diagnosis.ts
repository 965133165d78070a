/**
 * Diagnoses of a handshake that does not get anywhere, in texts that say who should do what (F1b, F1f). Pure: told what has
 * been seen, it answers in values.
 */
import { handshakeTypeName } from './messages/handshake.ts';
import type { DtlsSetups } from './options.ts';
import type { MessageProgress } from './reassembly.ts';
import type { DtlsRole } from './states.ts';

/** The code and text of a `Failure`; the connection adds gate and times. */
export interface Diagnosis {
  readonly code: string;
  readonly message: string;
}

/** Two clients: each sees the other's ClientHello (role-conflict.ts). */
export function bothActive(setups: DtlsSetups): Diagnosis {
  return {
    code: 'role-conflict-both-active',
    message:
      `Both peers act as DTLS client (${describeSetups(setups)}; the peer sent a ClientHello). One side must be passive: ` +
      "check that the answer's a=setup is the complement of what the peer applied, or that the role was not set to " +
      '"client" by hand on both ends.',
  };
}

/** Nothing of the peer's handshake has come: what its role makes of that. */
export function silence({ role, setups, waited, datagramsSent, bytesSent }: Standstill): Diagnosis {
  return role === 'server'
    ? silentClient(setups, waited)
    : silentServer(setups, waited, datagramsSent, bytesSent);
}

/** A server that has not heard a ClientHello for `waited` ms. */
function silentClient(setups: DtlsSetups, waited: number): Diagnosis {
  const seen = `No ClientHello for ${Math.round(waited)} ms on a path that ICE has proved (${describeSetups(setups)}).`;
  if (setups.remote === 'active') {
    return {
      code: 'no-client-hello',
      message: `${seen} The peer is active and should have sent one: check that it applied our description, and that nothing on the path drops its DTLS packets.`,
    };
  }
  return {
    code: 'role-conflict-both-passive',
    message:
      `${seen} Both peers seem to wait as DTLS server. One side must be active: check that the answer's a=setup is "active" ` +
      'or "passive" and that the peer acted on it, or that the role was not set to "server" by hand on both ends.',
  };
}

/** A client whose flight of `bytes` bytes in `datagrams` datagrams has had no answer. */
function silentServer(setups: DtlsSetups, waited: number, datagrams: number, bytes: number): Diagnosis {
  return {
    code: 'no-response',
    message:
      `No answer to our ClientHello for ${Math.round(waited)} ms (${datagrams} datagrams, ${bytes} bytes sent; ` +
      `${describeSetups(setups)}). Check that the peer acts as DTLS server, and that nothing on the path drops DTLS packets.`,
  };
}

/** What is known when time is up. */
export interface Standstill {
  readonly role: DtlsRole;
  readonly setups: DtlsSetups;
  /** Name of the state the handshake is in. */
  readonly state: string;
  /** True once any part of a handshake message has come from the peer. */
  readonly heard: boolean;
  readonly complete: boolean;
  /** The peer is who it should be, and has not acknowledged our last flight (DTLS 1.3). */
  readonly unacknowledged: boolean;
  readonly suspectsConflict: boolean;
  /** How much of the next message has come. */
  readonly progress: MessageProgress | undefined;
  readonly waited: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
}

/** Why the handshake has not got anywhere. */
export function diagnose(view: Standstill): Diagnosis {
  if (view.complete && view.unacknowledged) {
    return {
      code: 'unacknowledged',
      message: `The peer has not acknowledged our last flight and has been silent since (DTLS ${view.role}, ${describeSetups(view.setups)}).`,
    };
  }
  if (view.complete) {
    return {
      code: 'fingerprint-missing',
      message:
        'The handshake is complete, but no fingerprint has come by signalling to identify the peer with: apply its description, or call setRemoteFingerprints.',
    };
  }
  if (view.suspectsConflict) return bothActive(view.setups);
  if (!view.heard) return silence(view);
  const part =
    view.progress === undefined
      ? ''
      : ` with ${view.progress.received} of ${view.progress.length} bytes of ${handshakeTypeName(view.progress.type)}`;
  return {
    code: 'handshake-timeout',
    message: `The handshake stood still in the state "${view.state}"${part} (DTLS ${view.role}, ${describeSetups(view.setups)}).`,
  };
}

function describeSetups(setups: DtlsSetups): string {
  return `local a=setup:${setups.local ?? '?'}, remote a=setup:${setups.remote ?? '?'}`;
}
