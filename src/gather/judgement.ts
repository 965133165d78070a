/**
 * Judgement of what a server says of us: an address that peers will be told, and will knock at.
 *
 * A server is not trusted with the network behind us. What is seen from the internet is an address of the internet, so one that
 * is more private than the server's own is refused: else a server could name a printer, and peers would send checks there.
 */
import type { TransportAddress } from '../core/address.ts';
import { ADDRESS_CLASSES, addressClass, isUnicast } from '../ice/index.ts';

/** True if a server at `server` may see us at `told`, or relay for us there. */
export function isCredible(told: TransportAddress, server: TransportAddress): boolean {
  if (told.port === 0 || !isUnicast(told.address)) return false;
  return privacy(told.address) <= privacy(server.address);
}

/** True for two addresses of one family. */
export function isSameFamily(a: TransportAddress, b: TransportAddress): boolean {
  return a.address.includes(':') === b.address.includes(':');
}

/** How far from the internet an address is: 0 is on it. */
function privacy(address: string): number {
  return ADDRESS_CLASSES.indexOf(addressClass(address));
}
