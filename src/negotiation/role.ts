/**
 * Roles on the shared transport: DTLS client or server (RFC 5763 §5, RFC 8842 §5), ICE controlling or controlled
 * (RFC 8445 §6.1.1). Pure tables: each combination is a role or an error with a name, none is a guess (F1a).
 *
 *   offer `actpass`    the answerer chooses: active = DTLS client, passive = DTLS server
 *   offer `active`     the offerer is the client, the answer must say passive; `passive` is its mirror image
 *   association lives  its roles stay, whatever a later exchange says; only a new certificate or `a=tls-id` together
 *                      with an ICE restart starts a new association, and then the tables begin afresh
 */
import type { DtlsRole, IceRole } from '../core/roles.ts';
import type { SdpError, SdpWarning, Setup } from '../sdp/index.ts';
import { isSdpError, sdpError } from '../sdp/index.ts';

/** What this end wants to be: `auto` offers `actpass` and answers `active`, the others say so in both. */
export type SetupPreference = 'auto' | 'active' | 'passive';

/** What an offer of ours may say. `holdconn` has no meaning for DTLS (RFC 8842 §5.1). */
export type OfferSetup = 'actpass' | 'active' | 'passive';

/** What is known of a DTLS association when a description comes. */
export interface AssociationState {
  /** The role of the association that exists, or that an earlier description has fixed; `undefined` before. */
  readonly current: DtlsRole | undefined;
  /** The peer's fingerprints or its `a=tls-id` are not those of the association. */
  readonly identityChanged: boolean;
  /** The exchange restarts ICE: without it no new association may start (RFC 8842). */
  readonly iceRestart: boolean;
  /** Refuse what is against the RFCs though it could be understood. */
  readonly strict: boolean;
}

/** What decides our DTLS role where the offer is ours. */
export interface OffererRoleInput extends AssociationState {
  readonly offered: OfferSetup;
  readonly answered: Setup | undefined;
}

/** What decides our DTLS role where the offer is the peer's. */
export interface AnswererRoleInput extends AssociationState {
  readonly offered: Setup | undefined;
  readonly preference: SetupPreference;
}

/** Our DTLS role, as an exchange has settled it. */
export interface RoleDecision {
  readonly role: DtlsRole;
  /** A new DTLS association replaces the one that exists. */
  readonly newAssociation: boolean;
  /** What a lenient reading passed over. */
  readonly warning?: 'setup-missing' | 'role-change-ignored' | undefined;
}

/** We offered, the answer is here. */
export function resolveOffererRole(input: OffererRoleInput): RoleDecision | SdpError {
  const association = judgeAssociation(input);
  if (isSdpError(association)) return association;
  const { current, newAssociation } = association;
  const { offered, answered } = input;
  switch (answered) {
    case 'actpass':
      return sdpError(
        'setup-invalid-answer',
        'an answer chooses: it says "a=setup:active" or "a=setup:passive"',
      );
    case 'holdconn':
      return holdconn();
    case undefined: {
      if (input.strict) return setupMissing();
      // libwebrtc takes silence as `active`. A fixed offer leaves only its complement.
      const role = current ?? (offered === 'active' ? 'client' : 'server');
      return { role, newAssociation, warning: 'setup-missing' };
    }
    case 'active':
    case 'passive': {
      if (answered === offered) return conflict(answered);
      const role = answered === 'active' ? 'server' : 'client';
      if (current === undefined || current === role) return { role, newAssociation };
      if (input.strict) return roleChanged(current, answered);
      // Firefox answers a re-offer with `active` even where it is the server. Its DTLS goes on as it was, and so does ours.
      return { role: current, newAssociation, warning: 'role-change-ignored' };
    }
  }
}

/** The peer offered; the role we take. Our `a=setup` follows from it, see `setupOf`. */
export function resolveAnswererRole(input: AnswererRoleInput): RoleDecision | SdpError {
  const association = judgeAssociation(input);
  if (isSdpError(association)) return association;
  const { current, newAssociation } = association;
  const { offered, preference } = input;
  switch (offered) {
    case 'holdconn':
      return holdconn();
    case 'active':
    case 'passive': {
      const role = offered === 'active' ? 'server' : 'client';
      if (current !== undefined && current !== role) return roleChanged(current, offered);
      if (current === undefined && preference === offered) {
        return sdpError(
          'role-config-conflict',
          `the offer says "a=setup:${offered}", and this end is configured to be ${preference} itself`,
        );
      }
      return { role, newAssociation };
    }
    case undefined:
    case 'actpass': {
      if (offered === undefined && input.strict) return setupMissing();
      const role = current ?? (preference === 'passive' ? 'server' : 'client');
      return offered === undefined
        ? { role, newAssociation, warning: 'setup-missing' }
        : { role, newAssociation };
    }
  }
}

/** What a lenient reading of `a=setup` passed over, for people. `mid`: the section that speaks for the transport. */
export function roleWarning({ warning, role }: RoleDecision, mid: string | undefined): SdpWarning[] {
  if (warning === undefined) return [];
  const reason =
    warning === 'setup-missing'
      ? '"a=setup" is missing'
      : 'the answer changes the role of a living association';
  return [{ code: warning, message: `${reason}: this end is DTLS ${role}`, mid }];
}

/** The `a=setup` of an answer given in `role`. */
export function setupOf(role: DtlsRole): 'active' | 'passive' {
  return role === 'client' ? 'active' : 'passive';
}

/** The `a=setup` of our offers (RFC 8842 §5.2: `actpass`, unless the application insists). */
export function offerSetup(preference: SetupPreference): OfferSetup {
  return preference === 'auto' ? 'actpass' : preference;
}

/** RFC 8445 §6.1.1: a full agent facing a lite one is controlling; of two equals it is the offerer. */
export function resolveIceRole(input: {
  readonly offerer: boolean;
  readonly localLite: boolean;
  readonly remoteLite: boolean;
}): IceRole {
  if (input.localLite !== input.remoteLite) return input.remoteLite ? 'controlling' : 'controlled';
  return input.offerer ? 'controlling' : 'controlled';
}

/** RFC 8445 §6.1.1: the role of the first exchange persists, over restarts too, unless one end is lite and the other is not now. */
export function keptIceRole(
  before: IceRole | undefined,
  input: { readonly offerer: boolean; readonly localLite: boolean; readonly remoteLite: boolean },
): IceRole {
  return before === undefined || input.localLite !== input.remoteLite ? resolveIceRole(input) : before;
}

/** Which association the exchange is about: the one that exists, or a new one whose roles are open. */
function judgeAssociation(
  input: AssociationState,
): { current: DtlsRole | undefined; newAssociation: boolean } | SdpError {
  if (input.current === undefined || !input.identityChanged) {
    return { current: input.current, newAssociation: false };
  }
  if (input.iceRestart) return { current: undefined, newAssociation: true };
  return sdpError(
    'dtls-restart-without-ice-restart',
    'another certificate or "a=tls-id" needs new ICE credentials in the same exchange',
  );
}

function conflict(setup: 'active' | 'passive'): SdpError {
  return setup === 'active'
    ? sdpError(
        'role-conflict-both-active',
        'offer and answer both say "a=setup:active": the answer must be "a=setup:passive", and its sender DTLS server',
      )
    : sdpError(
        'role-conflict-both-passive',
        'offer and answer both say "a=setup:passive": the answer must be "a=setup:active", and its sender DTLS client',
      );
}

function holdconn(): SdpError {
  return sdpError('setup-holdconn', '"a=setup:holdconn" must not be used with DTLS');
}

function setupMissing(): SdpError {
  return sdpError(
    'setup-missing',
    'expected "a=setup": without it nobody knows which end is to send the ClientHello',
  );
}

/** @param said by the peer, of itself */
function roleChanged(current: DtlsRole, said: 'active' | 'passive'): SdpError {
  const expected = setupOf(current === 'client' ? 'server' : 'client');
  return sdpError(
    'role-changed',
    `the DTLS association goes on with this end as ${current}, so the peer stays "a=setup:${expected}"; it says "a=setup:${said}"`,
  );
}
