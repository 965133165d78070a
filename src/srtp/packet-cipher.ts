/** Packet ciphers: how one direction protects and opens packets under its session keys. They know nothing of sources and replays. */
import type { Bytes } from '../core/bytes.ts';

/** The fixed header of RTCP: what SRTCP leaves in plaintext (RFC 3711 §3.4). */
export const RTCP_HEADER = 8;
/** The flag E and the index behind an SRTCP packet, bytes. */
export const RTCP_TRAILER = 4;
/** E: the packet is encrypted. */
export const ENCRYPTED = 0x8000_0000;

/** Protects and opens RTP. `index` is the packet's (see packet-index.ts). */
export interface RtpCipher {
  /** Bytes that a packet grows by. */
  readonly tagLength: number;
  /** Encrypts what is behind the header, and writes the tag behind the `length` bytes at `offset`. */
  seal(buffer: Bytes, offset: number, headerLength: number, length: number, index: number): void;
  /** @returns false: not authentic. The packet is garbage then, and plain otherwise. */
  open(packet: Bytes, headerLength: number, index: number): boolean;
  /** The cipher for one source by itself, whose packets follow each other: what is prepared for the next ones is its own. */
  forSource(): RtpCipher;
}

/** Protects and opens RTCP. */
export interface RtcpCipher {
  readonly tagLength: number;
  /** Where the flag E and the index stand, counted from the end of an SRTCP packet. */
  readonly trailerFromEnd: number;
  /** Encrypts what is behind the header; tag and trailer are written behind the `length` bytes at `offset`. */
  seal(buffer: Bytes, offset: number, length: number, index: number): void;
  /** @param trailer E and index, as they came. @returns false: not authentic */
  open(packet: Bytes, trailer: number): boolean;
}

/** The ciphers of one direction. */
export interface PacketCiphers {
  readonly rtp: RtpCipher;
  readonly rtcp: RtcpCipher;
}
