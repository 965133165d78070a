/**
 * More than one core, or more than one host: the username fragment names the shard a connection lives on.
 *
 * Every check of a peer carries the fragment we chose (RFC 8445 §7.2.2), so any worker, and any stateless balancer in
 * front of several hosts, can tell from one datagram where it belongs, without shared state:
 *
 *   new Rtc({ certificate, ice: { usernameFragment: shardUsernameFragment(3) } })
 *   shardOf(data) === 3                    // a STUN check for that connection, wherever it arrives
 *
 * With DTLS connection ids (`dtls: { connectionId: { length: 10 } }`) every protected record of a peer that has them says it, too.
 */
import { badArgument } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';
import { randomText, systemRandom } from '../core/random.ts';
import { connectionIdAt } from '../dtls/identification.ts';
import { stunRequestUsername } from '../stun/index.ts';

/** ice-char (RFC 8839 §5.4), in the order of their values. */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Shards are numbered from 0; two digits hold them. */
export const MAX_SHARDS: number = DIGITS.length ** 2;

/** 48 bits, as fragments without a shard have: they must not collide among the connections of one shard. */
const RANDOM_LENGTH = 8;

/** A fresh username fragment whose first two characters name `shard`, 0–4095. Throws `ERR_BAD_ARGUMENT`. */
export function shardUsernameFragment(shard: number, random: RandomSource = systemRandom): string {
  if (!Number.isInteger(shard) || shard < 0 || shard >= MAX_SHARDS) {
    throw badArgument('shard', `an integer from 0 to ${MAX_SHARDS - 1}`, shard);
  }
  const high = DIGITS.charAt(Math.floor(shard / DIGITS.length));
  const low = DIGITS.charAt(shard % DIGITS.length);
  return `${high}${low}${randomText(random, RANDOM_LENGTH, DIGITS)}`;
}

/**
 * The shard a datagram names: a number for a STUN check and for DTLS with a connection id, `undefined` for anything else. Nothing
 * is verified: a stranger can name any shard, so it decides where a datagram is looked at, and nothing more.
 */
export function shardOf(data: Uint8Array): number | undefined {
  const receiver = stunRequestUsername(data)?.receiver;
  if (receiver !== undefined) return shardNamed(receiver);
  const at = connectionIdAt(data);
  return at < 0 ? undefined : shardNamed(String.fromCharCode(...data.subarray(at, at + 2)));
}

function shardNamed(name: string): number | undefined {
  if (name.length < 2) return undefined;
  const high = DIGITS.indexOf(name.charAt(0));
  const low = DIGITS.indexOf(name.charAt(1));
  return high < 0 || low < 0 ? undefined : high * DIGITS.length + low;
}
