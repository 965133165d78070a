/** What a lenient reading of roles passed over, as a warning with its place. */
import type { SdpWarning } from '../sdp/index.ts';
import type { RoleDecision } from './role.ts';

export function roleWarning({ warning, role }: RoleDecision, mid: string | undefined): SdpWarning[] {
  if (warning === undefined) return [];
  const reason =
    warning === 'setup-missing'
      ? '"a=setup" is missing'
      : 'the answer changes the role of a living association';
  return [{ code: warning, message: `${reason}: this end is DTLS ${role}`, mid }];
}
