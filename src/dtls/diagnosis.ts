/**
 * Why a handshake does not get anywhere: the role conflict detector, and the texts that say who should do what (F1b, F1f).
 *
 * Pure: it is told what has been seen and answers in values.
 *
 * Two clients: each sees the other's ClientHello. Two servers: nobody speaks, and only time tells. A ClientHello with
 * our own random is our own packet on its way back.
 */
import { equalBytes } from '../core/bytes.ts';
import { handshakeTypeName } from './messages/handshake.ts';
import type { DtlsSetups } from './options.ts';
import type { DtlsRole } from './states.ts';

/** The code and text of a `Failure`; the connection adds gate and times. */
export interface Diagnosis {
  readonly code: string;
  readonly message: string;
}

/** What a ClientHello means to a client. */
export type ForeignHello =
  | 'reflected' // our own
  | 'repeated' // the datagram of the suspicion once more
  | 'suspicion' // the first
  | 'conflict'; // the second, or the first when SDP says that the peer is active

export class RoleConflictDetector {
  /** Record sequence number of the first foreign ClientHello: a copy made by the network has the same. */
  #firstSequence: number | undefined;

  /** True once a ClientHello has come that is not our own. */
  get suspects(): boolean {
    return this.#firstSequence !== undefined;
  }

  /** Judges a ClientHello's `random` that has come to a client in the record `sequence`. */
  judge(
    random: Uint8Array,
    sequence: number,
    ownRandom: Uint8Array,
    remoteSetup: string | undefined,
  ): ForeignHello {
    if (equalBytes(random, ownRandom)) return 'reflected';
    if (this.#firstSequence === sequence) return 'repeated';
    const isFirst = this.#firstSequence === undefined;
    this.#firstSequence ??= sequence;
    return isFirst && remoteSetup !== 'active' ? 'suspicion' : 'conflict';
  }
}

export function bothActive(setups: DtlsSetups): Diagnosis {
  return {
    code: 'role-conflict-both-active',
    message:
      `Both peers act as DTLS client (${describeSetups(setups)}; the peer sent a ClientHello). One side must be passive: ` +
      "check that the answer's a=setup is the complement of what the peer applied, or that the role was not set to " +
      '"client" by hand on both ends.',
  };
}

/** A server that has not heard a ClientHello for `waited` ms. */
export function silentClient(setups: DtlsSetups, waited: number): Diagnosis {
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
export function silentServer(
  setups: DtlsSetups,
  waited: number,
  datagrams: number,
  bytes: number,
): Diagnosis {
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
  readonly progress:
    { readonly type: number; readonly received: number; readonly length: number } | undefined;
  readonly waited: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
}

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
  if (!view.heard) {
    return view.role === 'server'
      ? silentClient(view.setups, view.waited)
      : silentServer(view.setups, view.waited, view.datagramsSent, view.bytesSent);
  }
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
