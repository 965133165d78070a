/** Path takeovers as the reason for a connection's end: `path-taken-over`. */
import { formatAddress, sameAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import type { PathAddresses } from './contract.ts';

/** True if the two lead from and to the same addresses. */
export function isSamePath(a: PathAddresses, b: PathAddresses): boolean {
  return a.protocol === b.protocol && sameAddress(a.local, b.local) && sameAddress(a.remote, b.remote);
}

/** Another connection has the path: a warning at first, and the true cause of whatever ends this one because of it. */
export function pathTakenOver({ protocol, local, remote }: PathAddresses, cause?: Failure): Failure {
  const path = `${formatAddress(local)} – ${formatAddress(remote)} (${protocol})`;
  const taken = `another connection of this host has the path ${path}: give each a socket of its own`;
  if (cause === undefined) return { layer: 'rtc', code: 'path-taken-over', message: taken };
  return {
    ...cause,
    code: 'path-taken-over',
    message: `${taken}; what ended this one is ${cause.layer} ${cause.code}: ${cause.message}`,
  };
}
