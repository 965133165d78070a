/** RSA keys that may verify: the rule that both providers share (certificates of gateways bring them). */
import { RSA_MODULUS_BITS } from './provider.ts';

/** 65537 has three bytes; larger exponents than these only cost time. */
const MAX_EXPONENT_LENGTH = 4;

/** Both numbers big-endian without leading zeros: an odd modulus of a sane size, an odd exponent of 3 or more. */
export function isRsaKey(modulus: Uint8Array, exponent: Uint8Array): boolean {
  if (modulus.length === 0 || modulus.length > RSA_MODULUS_BITS.max / 8) return false;
  if (modulusBits(modulus) < RSA_MODULUS_BITS.min || !isOdd(modulus)) return false;
  if (exponent.length === 0 || exponent.length > MAX_EXPONENT_LENGTH || exponent[0] === 0) return false;
  return isOdd(exponent) && !(exponent.length === 1 && exponent[0] === 1);
}

/** The modulus' length in bits; 0 with a leading zero. */
export function modulusBits(modulus: Uint8Array): number {
  const first = modulus[0] ?? 0;
  return first === 0 ? 0 : modulus.length * 8 - (Math.clz32(first) - 24);
}

function isOdd(bytes: Uint8Array): boolean {
  return ((bytes[bytes.length - 1] ?? 0) & 1) === 1;
}
