/**
 * ICE servers: W3C's `RTCIceServer`, read and judged at the call (RFC 7064 for `stun:`, RFC 7065 for `turn:` and `turns:`).
 *
 *     stun:host[:port]      turn:host[:port][?transport=udp|tcp]      turns:host[:port][?transport=tcp]
 *
 * Ports are 3478, and 5349 with TLS. A server that cannot be is misuse and throws; one that cannot be reached is an event.
 */
import { addressFamily, canonicalAddress } from '../core/address.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions, or, required, text } from '../core/options.ts';

/** A STUN or TURN server, in the shape of W3C's `RTCIceServer`. */
export interface IceServer {
  /** `stun:`, `turn:` or `turns:` URLs, one at the least; those of one entry share the credentials. */
  readonly urls: string | readonly string[];
  /** Required for `turn:` and `turns:`; up to 508 bytes (RFC 8489 §14.3). */
  readonly username?: string | undefined;
  /** The password; required for `turn:` and `turns:`. */
  readonly credential?: string | undefined;
}

/** What carries us to a server. */
export type ServerTransport = 'udp' | 'tcp' | 'tls';

/** One URL of an `IceServer`, taken apart. */
export interface ServerUrl {
  /** As it was given. */
  readonly url: string;
  readonly kind: 'stun' | 'turn';
  readonly transport: ServerTransport;
  /** A name in lower case, or an IP address in canonical text. */
  readonly host: string;
  readonly isName: boolean;
  readonly port: number;
  /** Of `turn`, both. */
  readonly username: string;
  readonly credential: string;
}

const DEFAULT_PORT = 3478;
const DEFAULT_TLS_PORT = 5349;

/** Of user name and password each: RFC 8489 §14.3 has it below 509 bytes. */
const MAX_CREDENTIAL_LENGTH = 508;

/** Of a name in text (RFC 1035 §2.3.4). */
const MAX_NAME_LENGTH = 253;

const SERVER_RULES: OptionRules<IceServer> = {
  urls: required((value, name) => {
    if (typeof value !== 'string' && !Array.isArray(value))
      throw badArgument(name, 'a URL or an array', value);
  }),
  username: or(null, text(0, MAX_CREDENTIAL_LENGTH)),
  credential: or(null, text(0, MAX_CREDENTIAL_LENGTH)),
};

const HINTS = new Map([
  ['url', 'its name is "urls"'],
  ['credentialType', 'a credential is a password always, and needs no type'],
]);

/**
 * Every URL of `servers`, in their order; equal ones once. Throws `ERR_BAD_ARGUMENT` for what is no such URL and for a
 * TURN server without credentials, `ERR_LIMIT` for more than `max` URLs.
 */
export function readIceServers(servers: readonly IceServer[], max: number): ServerUrl[] {
  if (!Array.isArray(servers)) throw badArgument('iceServers', 'an array', servers);
  const read: ServerUrl[] = [];
  for (const [index, server] of (servers as readonly IceServer[]).entries()) {
    const owner = `iceServers[${index}]`;
    checkOptions(owner, server, SERVER_RULES, HINTS);
    const urls = typeof server.urls === 'string' ? [server.urls] : server.urls;
    if (urls.length === 0) throw badArgument(`${owner}.urls`, 'one URL at the least', 'none');
    for (const url of urls) {
      const made = readUrl(url, server, owner);
      if (!read.some((one) => isSame(one, made))) read.push(made);
    }
  }
  if (read.length > max)
    throw new RtcError('ERR_LIMIT', `"maxServers" is ${max}, and there are ${read.length} URLs`);
  return read;
}

function isSame(a: ServerUrl, b: ServerUrl): boolean {
  const isSamePlace =
    a.kind === b.kind && a.transport === b.transport && a.host === b.host && a.port === b.port;
  return isSamePlace && a.username === b.username;
}

const URL_PARTS = /^([a-z]+):(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?(?:\?transport=([a-z]+))?$/;

function readUrl(url: unknown, { username, credential }: IceServer, owner: string): ServerUrl {
  const name = `${owner}.urls`;
  const parts = typeof url === 'string' ? URL_PARTS.exec(url.toLowerCase()) : null;
  if (typeof url !== 'string' || parts === null)
    throw badArgument(name, 'stun:host, turn:host or turns:host', url);
  const [, scheme, ipv6, plain = '', port, transport] = parts;
  const isTurn = scheme === 'turn' || scheme === 'turns';
  if (scheme === 'stuns') throw badArgument(name, 'stun: without TLS, which tells no UDP address', url);
  if (!isTurn && scheme !== 'stun') throw badArgument(name, 'a stun:, turn: or turns: URL', url);
  if (!isTurn && transport !== undefined) throw badArgument(name, 'stun: without a transport', url);
  const host =
    ipv6 === undefined ? readHost(plain) : addressFamily(ipv6) === 6 ? canonicalAddress(ipv6) : undefined;
  if (host === undefined) throw badArgument(name, 'a host name or an IP address', url);
  const isSecure = scheme === 'turns';
  const number = port === undefined ? (isSecure ? DEFAULT_TLS_PORT : DEFAULT_PORT) : Number(port);
  if (number < 1 || number > 65_535) throw badArgument(name, 'a port from 1 to 65535', url);
  const hasCredentials = typeof username === 'string' && typeof credential === 'string';
  if (isTurn && !hasCredentials)
    throw badArgument(owner, `a username and a credential for ${quoted(url)}`, 'none');
  return {
    url,
    kind: isTurn ? 'turn' : 'stun',
    transport: isTurn ? readTransport(transport, isSecure, name, url) : 'udp',
    host,
    isName: addressFamily(host) === undefined,
    port: number,
    username: username ?? '',
    credential: credential ?? '',
  };
}

/** RFC 7065 §3.2 has `tcp` as the default of `turns`, and its `udp` is DTLS, which we do not speak to servers. */
function readTransport(
  transport: string | undefined,
  isSecure: boolean,
  name: string,
  url: string,
): ServerTransport {
  if (isSecure) {
    if (transport !== undefined && transport !== 'tcp') throw badArgument(name, 'turns: over tcp', url);
    return 'tls';
  }
  if (transport !== undefined && transport !== 'udp' && transport !== 'tcp')
    throw badArgument(name, 'the transport udp or tcp', url);
  return transport ?? 'udp';
}

/** A name of labels of letters, digits, hyphens and underscores; what ends in a number must be an IPv4 address. */
function readHost(plain: string): string | undefined {
  if (addressFamily(plain) === 4) return canonicalAddress(plain);
  const labels = plain.replace(/\.$/, '').split('.');
  const isName = plain.length <= MAX_NAME_LENGTH && labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label));
  return isName && !/^\d+$/.test(labels.at(-1) ?? '') ? plain : undefined;
}

function quoted(url: string): string {
  return JSON.stringify(url.length > 80 ? `${url.slice(0, 80)}…` : url);
}
