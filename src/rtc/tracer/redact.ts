/**
 * Redaction: what a trace must not show, taken out entry by entry. A trace without secrets cannot be replayed: the checksums and
 * keys of the peer's answers depend on them.
 *
 *   secrets     ICE passwords become `***`; `secret` entries go
 *   addresses   one pseudonym each, in members, in descriptions and summaries, and inside STUN messages (whose
 *               MESSAGE-INTEGRITY and FINGERPRINT then do not fit any more)
 *   payload     messages, DATA chunks except DCEP, DTLS application data, payloads of RTP, data of applications in RTCP: their length stays
 */
import { Ppid } from '../../channel/index.ts';
import { formatIp, parseIp } from '../../core/address.ts';
import type { Bytes } from '../../core/bytes.ts';
import type { PacketKind } from '../../core/machine.ts';
import { checkOptions } from '../../core/options.ts';
import { blankApplicationData } from '../../dtls/summary.ts';
import { blankApplicationRtcp, blankRtpPayload } from '../../rtp/summary.ts';
import { blankUserData } from '../../sctp/summary.ts';
import { isStun } from '../../stun/index.ts';
import { replaceStunAddresses } from '../../stun/summary.ts';
import { datagramKind } from '../../transport/index.ts';
import type { TraceCall, TraceEntry, TraceEvent, TraceOptions } from './entry.ts';
import { TRACE_OPTION_RULES, mapPlain } from './entry.ts';

/** Gives an entry as it may be shown, or `undefined` when it may not be shown at all. */
export type Redactor = (entry: TraceEntry) => TraceEntry | undefined;

/** Throws `ERR_BAD_ARGUMENT` for options that cannot be: a misspelt one would show what it was to hide. */
export function redactor(options: TraceOptions): Redactor {
  checkOptions('trace', options, TRACE_OPTION_RULES);
  const pseudonyms = options.hideAddresses === true ? new Pseudonyms() : undefined;
  return (entry) => {
    let shown = entry;
    if (options.secrets !== true) {
      if (entry.type === 'secret') return undefined;
      if (entry.type === 'call') shown = hidePasswords(shown);
    }
    if (options.hidePayload === true) shown = hidePayload(shown);
    return pseudonyms === undefined ? shown : hideAddresses(shown, pseudonyms);
  };
}

// --- secrets ---

const HIDDEN = '***';

/** ICE passwords, in descriptions and as members, of any plain data. */
export function hidePasswords<T>(data: T): T {
  return mapPlain(data, (value, key) => {
    if (typeof value !== 'string') return value;
    return key === 'password' ? HIDDEN : value.replaceAll(/^(a=ice-pwd:).*$/gm, `$1${HIDDEN}`);
  });
}

// --- addresses ---

function hideAddresses(entry: TraceEntry, pseudonyms: Pseudonyms): TraceEntry {
  const shown = mapPlain(entry, (value) => (typeof value === 'string' ? pseudonyms.inText(value) : value));
  if (shown.type !== 'receive' && shown.type !== 'transmit') return shown;
  return isStun(shown.data) ? { ...shown, data: pseudonyms.inStun(shown.data) } : shown;
}

const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d)/g;
/** Whole runs of what IPv6 is made of; a certificate's fingerprint is such a run too, but no address. */
const IPV6 = /(?<![0-9a-fA-F:])[0-9a-fA-F:]{2,40}(?![0-9a-fA-F:]|\.\d)/g;

/** Pseudonyms in the order of first appearance. What says nothing about anybody stays: 0.0.0.0, loopback and their like. */
export class Pseudonyms {
  readonly #known = new Map<string, string>();
  #families = { 4: 0, 6: 0 };

  inText(text: string): string {
    return text
      .replaceAll(IPV4, (address) => this.#pseudonym(address) ?? address)
      .replaceAll(IPV6, (run) => {
        // A colon may end the clause that the address stands in.
        const address = run.endsWith('::') ? run : run.replace(/:$/, '');
        return (this.#pseudonym(address) ?? address) + run.slice(address.length);
      });
  }

  /** A copy of a STUN message with its addresses replaced; one that cannot be is zeroed. */
  inStun(message: Uint8Array): Bytes {
    return replaceStunAddresses(message, (address) => this.#pseudonym(address) ?? address);
  }

  #pseudonym(text: string): string | undefined {
    const ip = parseIp(text);
    if (ip === undefined || isImpersonal(ip)) return undefined;
    const address = formatIp(ip);
    let pseudonym = this.#known.get(address);
    if (pseudonym === undefined) {
      const family = ip.length === 4 ? 4 : 6;
      pseudonym = nthPseudonym(family, ++this.#families[family]);
      this.#known.set(address, pseudonym);
    }
    return pseudonym;
  }
}

function isImpersonal(ip: Uint8Array): boolean {
  if (ip.length === 4) return ip[0] === 127 || ip.every((byte) => byte === 0);
  return ip.every((byte, i) => byte === 0 || (i === 15 && byte === 1));
}

/** 198.18.0.0/15 is for benchmarks (RFC 2544), 2001:db8::/32 for documentation (RFC 3849). */
function nthPseudonym(family: 4 | 6, n: number): string {
  if (family === 4) return `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}`;
  return formatIp(Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, n >> 16, n >> 8, n));
}

// --- payload ---

function hidePayload(entry: TraceEntry): TraceEntry {
  switch (entry.type) {
    case 'call':
      return { ...entry, call: hideCall(entry.call) };
    case 'event':
      return { ...entry, event: hideEvent(entry.event) };
    case 'packet':
      return { ...entry, data: hidePacket(entry.kind, entry.data) };
    case 'receive':
    case 'transmit':
      return datagramKind(entry.data) === 'dtls'
        ? { ...entry, data: blankApplicationData(entry.data) }
        : entry;
    default:
      return entry;
  }
}

function hideCall(call: TraceCall): TraceCall {
  if (!('data' in call)) return call;
  if (call.method !== 'writeRtp') return { ...call, data: blank(call.data) };
  const { patch, ...packet } = call.packet;
  const shown =
    patch === undefined ? packet : { ...packet, patch: { ...patch, bytes: blankBytes(patch.bytes) } };
  return { ...call, packet: shown, data: blank(call.data) };
}

function hideEvent(event: TraceEvent): TraceEvent {
  const { type, data, details } = event;
  if (type === 'rtp' && data instanceof Uint8Array) return { ...event, data: blankRtpPayload(data) };
  if (type === 'rtcp') return { ...event, details: mapPlain(details, blankLeaf) };
  return data === undefined ? event : { ...event, data: blank(data) };
}

function hidePacket(kind: PacketKind, data: Bytes): Bytes {
  switch (kind) {
    case 'sctp':
      return blankUserData(data, isDcep);
    case 'rtp':
      return blankRtpPayload(data);
    case 'rtcp':
      return blankApplicationRtcp(data);
  }
}

function blankLeaf(value: unknown): unknown {
  return value instanceof Uint8Array ? blankBytes(value) : value;
}

function blankBytes(data: Uint8Array): Bytes {
  return new Uint8Array(data.length);
}

function blank(data: string | Uint8Array): string | Bytes {
  return typeof data === 'string' ? 'x'.repeat(data.length) : blankBytes(data);
}

/** Labels are names, so DCEP keeps all. */
function isDcep(ppid: number): boolean {
  return ppid === Ppid.dcep;
}
