/**
 * Datagrams as a pcapng file for Wireshark, with two interfaces, or three where there are media:
 *
 *   wire        the datagrams, with IP and UDP headers made for them
 *   plaintext   the SCTP packets inside, which Wireshark does not find behind DTLS by itself
 *   media       the RTP and RTCP inside, opened; each says which of them it is, as Wireshark exports packets of a protocol
 *
 * Each packet has its direction and a comment: the summary, and what became of it. Where a trace holds the keys they go
 * along, and Wireshark opens the DTLS records too. Formats: draft-ietf-opsawg-pcapng.
 */
import type { TransportAddress } from '../core/address.ts';
import { parseIp } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { Writer, concatBytes, readU16 } from '../core/bytes.ts';
import { encodeUtf8, toHex } from '../core/text.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions, number } from '../core/options.ts';
import type { Trace } from './trace.ts';
import type { Passage, PassagePacket, PassageSource } from './passages.ts';
import { passagesOf } from './passages.ts';

/** Options of `pcapng`. */
export interface PcapngOptions {
  /** What time 0 of the trace is, in milliseconds since 1970. Default 0: Wireshark shows times relative to the start. */
  readonly epoch?: number | undefined;
}

const RULES: OptionRules<PcapngOptions> = { epoch: number(0) };

const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const DECRYPTION_SECRETS = 10;

const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
/** The secrets are lines of an NSS key log. */
const TLS_KEY_LOG = 0x544c_534b;

const LINKTYPE_RAW = 101;
const LINKTYPE_SCTP = 248;
const LINKTYPE_WIRESHARK_UPPER_PDU = 252;

const OPTION_COMMENT = 1;
/** Of an interface its name, of a packet its flags. */
const OPTION_NAME = 2;
const OPTION_FLAGS = 2;

const WIRE = 0;
const PLAINTEXT = 1;
const MEDIA = 2;
const INBOUND = 1;
const OUTBOUND = 2;

/** A whole file. */
export function pcapng(source: PassageSource, options: PcapngOptions = {}): Bytes {
  checkOptions('pcapng', options, RULES);
  const { list } = passagesOf(source);
  const epoch = options.epoch ?? 0;
  const blocks = [
    sectionHeader(),
    interfaceBlock('wire', LINKTYPE_RAW),
    interfaceBlock('plaintext', LINKTYPE_SCTP),
  ];
  if (list.some(({ packets }) => packets.some(isMedia))) {
    blocks.push(interfaceBlock('media', LINKTYPE_WIRESHARK_UPPER_PDU));
  }
  const secrets = tracesOf(source).map(keyLog).join('');
  if (secrets !== '') blocks.push(secretsBlock(secrets));
  for (const passage of list) blocks.push(...packetBlocks(passage, epoch));
  return concatBytes(...blocks);
}

function tracesOf(source: PassageSource): readonly Trace[] {
  if ('datagrams' in source) return source.traces ?? [];
  return 'header' in source ? [source] : source;
}

function keyLog(trace: Trace): string {
  return trace.entries
    .map((entry) =>
      entry.type === 'secret' ? `${entry.label} ${toHex(entry.clientRandom)} ${toHex(entry.secret)}\n` : '',
    )
    .join('');
}

// --- blocks ---

function sectionHeader(): Bytes {
  // Version 1.0; a section of unknown length.
  return block(
    SECTION_HEADER,
    concatBytes(u32(BYTE_ORDER_MAGIC), u16(1), u16(0), new Uint8Array(8).fill(0xff)),
  );
}

function interfaceBlock(name: string, linkType: number): Bytes {
  const snapLength = 0; // no limit
  return block(
    INTERFACE_DESCRIPTION,
    concatBytes(
      u16(linkType),
      u16(0),
      u32(snapLength),
      option(OPTION_NAME, encodeUtf8(name)),
      END_OF_OPTIONS,
    ),
  );
}

function secretsBlock(secrets: string): Bytes {
  const data = encodeUtf8(secrets);
  return block(DECRYPTION_SECRETS, concatBytes(u32(TLS_KEY_LOG), u32(data.length), padded(data)));
}

function packetBlocks(passage: Passage, epoch: number): Bytes[] {
  const { from, source, destination, sentAt, data, packets } = passage;
  const direction = from === 'left' ? OUTBOUND : INBOUND;
  const at = epoch + sentAt;
  const datagram = data === undefined ? undefined : ipDatagram(source, destination, data);
  const wire = datagram === undefined ? [] : [packetBlock(WIRE, at, datagram, direction, comment(passage))];
  return [
    ...wire,
    ...packets.map((packet) =>
      isMedia(packet)
        ? packetBlock(MEDIA, at, exportedPdu(passage, packet), direction, packet.summary)
        : packetBlock(PLAINTEXT, at, packet.data, direction, packet.summary),
    ),
  ];
}

function isMedia({ kind }: PassagePacket): boolean {
  return kind !== 'sctp';
}

function comment({ summary, lost, corrupted, arrivals }: Passage): string {
  const notes = [summary];
  if (lost !== undefined) notes.push(`lost: ${lost}`);
  if (corrupted) notes.push('corrupted on the way');
  if (arrivals.length > 1) notes.push(`arrived ${arrivals.length} times`);
  return notes.join('; ');
}

function packetBlock(interfaceId: number, at: number, data: Bytes, direction: number, said: string): Bytes {
  const microseconds = Math.round(at * 1000);
  return block(
    ENHANCED_PACKET,
    concatBytes(
      u32(interfaceId),
      u32(Math.floor(microseconds / 0x1_0000_0000)),
      u32(microseconds),
      u32(data.length),
      u32(data.length),
      padded(data),
      option(OPTION_COMMENT, encodeUtf8(said)),
      option(OPTION_FLAGS, u32(direction)),
      END_OF_OPTIONS,
    ),
  );
}

/** Type, length, body, length again; everything little-endian, as the section header's magic says. */
function block(type: number, body: Bytes): Bytes {
  const length = u32(body.length + 12);
  return concatBytes(u32(type), length, body, length);
}

function option(code: number, value: Bytes): Bytes {
  return concatBytes(u16(code), u16(value.length), padded(value));
}

const END_OF_OPTIONS: Bytes = new Uint8Array(4);

function padded(data: Bytes): Bytes {
  return concatBytes(data, new Uint8Array(-data.length & 3));
}

function u16(value: number): Bytes {
  return Uint8Array.of(value, value >>> 8);
}

function u32(value: number): Bytes {
  return Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
}

// --- packets of a protocol that Wireshark is told ---

/** Tags in front of an exported PDU (Wireshark's epan/exported_pdu.h), each with the length of its value in whole words, both big-endian; the end is a tag of zeros. */
const PDU_TAG = { dissector: 12, ip: { 4: [20, 21], 16: [22, 23] }, ports: [25, 26] } as const;

/**
 * Addresses and ports, and no word of UDP: what Wireshark has read on `wire` in a DTLS handshake, that from now on there is SRTP between
 * these UDP ports, it would hold against packets that are open already.
 */
function exportedPdu({ source, destination }: Passage, { kind, data }: PassagePacket): Bytes {
  const writer = new Writer(96 + data.length);
  tag(writer, PDU_TAG.dissector, encodeUtf8(kind));
  const from = parseIp(source.address);
  const to = parseIp(destination.address);
  if (from !== undefined && to?.length === from.length) {
    const [fromTag, toTag] = PDU_TAG.ip[from.length === 4 ? 4 : 16];
    tag(writer, fromTag, from);
    tag(writer, toTag, to);
    tag(writer, PDU_TAG.ports[0], u32(source.port).reverse());
    tag(writer, PDU_TAG.ports[1], u32(destination.port).reverse());
  }
  return writer.u32(0).raw(data).finish();
}

function tag(writer: Writer, number: number, value: Uint8Array): void {
  const padded = (value.length + 3) & ~3;
  writer
    .u16(number)
    .u16(padded)
    .raw(value)
    .zeros(padded - value.length);
}

// --- headers for datagrams that have none ---

const PROTOCOL_UDP = 17;
const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const HOP_LIMIT = 64;

/** `undefined` for addresses that are no IP addresses of one family. */
function ipDatagram(
  source: TransportAddress,
  destination: TransportAddress,
  data: Uint8Array,
): Bytes | undefined {
  const from = parseIp(source.address);
  const to = parseIp(destination.address);
  if (from === undefined || to?.length !== from.length) return undefined;
  const length = UDP_HEADER + data.length;
  const udp = new Writer(length).u16(source.port).u16(destination.port).u16(length).u16(0).raw(data).finish();
  // RFC 768, RFC 8200 §8.1: the checksum also covers addresses, length and protocol; 0 would mean "none".
  const pseudo = new Writer(40).raw(from).raw(to).u32(length).u32(PROTOCOL_UDP).finish();
  const checksum = internetChecksum(pseudo, udp) || 0xffff;
  udp.set([checksum >>> 8, checksum & 0xff], 6);
  return concatBytes(from.length === 4 ? ipv4Header(from, to, length) : ipv6Header(from, to, length), udp);
}

/** RFC 791 §3.1. */
function ipv4Header(from: Bytes, to: Bytes, payloadLength: number): Bytes {
  const header = new Writer(IPV4_HEADER)
    .u8(0x45)
    .u8(0)
    .u16(IPV4_HEADER + payloadLength)
    .u32(0x4000) // identification 0, don't fragment
    .u8(HOP_LIMIT)
    .u8(PROTOCOL_UDP)
    .u16(0)
    .raw(from)
    .raw(to)
    .finish();
  const checksum = internetChecksum(header);
  header.set([checksum >>> 8, checksum & 0xff], 10);
  return header;
}

/** RFC 8200 §3. */
function ipv6Header(from: Bytes, to: Bytes, payloadLength: number): Bytes {
  return new Writer(40)
    .u32(0x6000_0000)
    .u16(payloadLength)
    .u8(PROTOCOL_UDP)
    .u8(HOP_LIMIT)
    .raw(from)
    .raw(to)
    .finish();
}

/** RFC 1071, over parts of even length but for the last. */
function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2)
      sum += at + 1 < part.length ? readU16(part, at) : part[at]! << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}
