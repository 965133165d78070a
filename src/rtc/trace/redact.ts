/**
 * What a trace must not show, taken out entry by entry. A trace without secrets cannot be replayed: the checksums and
 * keys of the peer's answers depend on them.
 *
 *   secrets     ICE passwords become `***`; `secret` entries go
 *   addresses   one pseudonym each, in members, in descriptions and summaries, and inside STUN messages (whose
 *               MESSAGE-INTEGRITY and FINGERPRINT then do not fit any more)
 *   payload     messages, DATA chunks except DCEP, and DTLS application data: their length stays
 */
import { Ppid } from '../../channel/index.ts';
import { formatIp, parseIp } from '../../core/address.ts';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes, readU16, readU32 } from '../../core/bytes.ts';
import { checkOptions } from '../../core/options.ts';
import {
  ContentType,
  RECORD_HEADER_LENGTH,
  isRecordHeader,
  recordFragmentLength,
} from '../../dtls/record/record.ts';
import { CHUNK, DATA_HEADER_SIZE, FLAG_BEGIN, I_DATA_HEADER_SIZE } from '../../sctp/constants.ts';
import { ChunkCursor, checkPacket } from '../../sctp/packet/packet.ts';
import { decodeXorAddress, encodeXorAddress, isAddressValue } from '../../stun/address.ts';
import { StunAttributeType, isStun } from '../../stun/index.ts';
import { datagramKind } from '../../transport/index.ts';
import type { TraceEntry, TraceOptions } from './entry.ts';
import { TRACE_OPTION_RULES } from './entry.ts';
import { mapPlain } from './plain.ts';

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

  /** A STUN message with its addresses replaced; one that cannot be is zeroed. */
  inStun(message: Uint8Array): Bytes {
    const copy = copyBytes(message);
    for (let at = STUN_HEADER; at + 4 <= copy.length;) {
      const length = readU16(copy, at + 2);
      const value = copy.subarray(at + 4, at + 4 + length);
      if (ADDRESS_ATTRIBUTES.has(readU16(copy, at))) this.#replaceValue(value, copy.subarray(8, STUN_HEADER));
      at += 4 + length + (-length & 3);
    }
    return copy;
  }

  #replaceValue(value: Uint8Array, transactionId: Uint8Array): void {
    if (isAddressValue(value, 0, value.length)) {
      const { address, port } = decodeXorAddress(value, transactionId);
      const shown = encodeXorAddress({ address: this.#pseudonym(address) ?? address, port }, transactionId);
      if (shown.length === value.length) {
        value.set(shown);
        return;
      }
    }
    value.fill(0);
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

const STUN_HEADER = 20;

const ADDRESS_ATTRIBUTES: ReadonlySet<number> = /* @__PURE__ */ new Set<number>([
  StunAttributeType.mappedAddress,
  StunAttributeType.alternateServer,
  StunAttributeType.xorMappedAddress,
  StunAttributeType.xorPeerAddress,
  StunAttributeType.xorRelayedAddress,
]);

// --- payload ---

function hidePayload(entry: TraceEntry): TraceEntry {
  switch (entry.type) {
    case 'call':
      if (entry.call.method !== 'send') return entry;
      return { ...entry, call: { ...entry.call, data: blank(entry.call.data) } };
    case 'event':
      if (entry.event.data === undefined) return entry;
      return { ...entry, event: { ...entry.event, data: blank(entry.event.data) } };
    case 'packet':
      return { ...entry, data: blankChunks(entry.data) };
    case 'receive':
    case 'transmit':
      return datagramKind(entry.data) === 'dtls' ? { ...entry, data: blankRecords(entry.data) } : entry;
    default:
      return entry;
  }
}

function blank(data: string | Uint8Array): string | Bytes {
  return typeof data === 'string' ? 'x'.repeat(data.length) : new Uint8Array(data.length);
}

/** DATA chunks keep their header, and DCEP keeps all: labels are names. */
function blankChunks(packet: Uint8Array): Bytes {
  const copy = copyBytes(packet);
  if (checkPacket(copy, true) !== undefined) return copy.fill(0);
  const cursor = new ChunkCursor();
  cursor.begin(copy);
  while (cursor.next()) {
    const { type, flags, whole } = cursor;
    if (type !== CHUNK.data && type !== CHUNK.iData) continue;
    const headerSize = type === CHUNK.data ? DATA_HEADER_SIZE : I_DATA_HEADER_SIZE;
    // A fragment that is not the first of its message has no PPID in I-DATA: its number must not pass for one.
    const hasPpid = type === CHUNK.data || (flags & FLAG_BEGIN) !== 0;
    if (whole.length < headerSize || (hasPpid && readU32(whole, headerSize - 4) === Ppid.dcep)) continue;
    whole.subarray(headerSize).fill(0);
  }
  return copy;
}

/** Application data is blanked although it is encrypted: somebody may have the keys. */
function blankRecords(datagram: Uint8Array): Bytes {
  const copy = copyBytes(datagram);
  for (let at = 0; at < copy.length;) {
    const left = copy.length - at;
    const isRecord = left >= RECORD_HEADER_LENGTH && isRecordHeader(copy, at);
    const length = isRecord ? RECORD_HEADER_LENGTH + recordFragmentLength(copy, at) : left;
    const isShown = isRecord && copy[at] !== ContentType.applicationData;
    if (!isShown) copy.subarray(at + (isRecord ? RECORD_HEADER_LENGTH : 0), at + length).fill(0);
    at += length;
  }
  return copy;
}
