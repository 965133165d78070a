/** Roles and the repair of role conflicts (RFC 8445 §6.1.1, §7.3.1.1). */

import type { IceRole } from '../core/roles.ts';

export type { IceRole } from '../core/roles.ts';

/** The role of the peer. */
export function otherRole(role: IceRole): IceRole {
  return role === 'controlling' ? 'controlled' : 'controlling';
}

/** What a request's role attribute means for the agent that receives it. */
export type RoleVerdict = 'no-conflict' | 'switch' | 'refuse';

/**
 * RFC 8445 §7.3.1.1. The rule is asymmetric: the larger tie-breaker ends up controlling, so with a tie-breaker at least
 * the peer's a controlling agent refuses (487) and a controlled one switches. Many agents get the second half wrong.
 * @param own, theirs tie-breakers, 8 bytes in network order
 */
export function judgeRole(role: IceRole, own: Uint8Array, claimed: IceRole, theirs: Uint8Array): RoleVerdict {
  if (claimed !== role) return 'no-conflict';
  const weWin = compareBytes(own, theirs) >= 0;
  return weWin === (role === 'controlling') ? 'refuse' : 'switch';
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
