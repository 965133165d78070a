/** The contract of SRTP: what both directions of one association are made of, and what they do. */
import type { Bytes } from '../core/bytes.ts';
import type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
import type { CryptoProvider } from '../crypto/index.ts';

/** Bounds of what a peer can make us keep, and of what a key may protect. */
export interface SrtpOptions {
  /**
   * Sources whose roll-over counters and replay windows are kept, each way, of RTP and of RTCP; the one longest unused makes room.
   * Of 64 times as many former ones the highest index is remembered. Default 1024.
   */
  readonly maxSources?: number | undefined;
  /** Packets behind the latest of a source that are still taken, a power of two from 64 to 32768. Default 1024. */
  readonly replayWindow?: number | undefined;
  /** RTP packets that one key protects, at the most 2^48 (RFC 3711 §9.2), which is the default. */
  readonly maxRtpPackets?: number | undefined;
  /** RTCP packets that one key protects, at the most 2^31, which is the default. */
  readonly maxRtcpPackets?: number | undefined;
}

/** What an association begins with. */
export interface SrtpInit extends SrtpOptions {
  readonly profile: SrtpProfile;
  readonly crypto: CryptoProvider;
  /** Of what this end sends. Its bytes are taken, and wiped. */
  readonly local: SrtpMasterKey;
  /** Of what the peer sends. Its bytes are taken, and wiped. */
  readonly remote: SrtpMasterKey;
}

/**
 * Both directions of SRTP and SRTCP under one pair of master keys. Packets are worked on where they lie. Nothing is thrown because
 * of a packet: what is refused is counted, and changes nothing else.
 */
export interface Srtp {
  readonly profile: SrtpProfile;
  /** Bytes that a packet grows by, at the most: RTP and RTCP. */
  readonly overhead: { readonly rtp: number; readonly rtcp: number };
  /**
   * Protects the `length` bytes of an RTP packet at `offset`; `buffer` needs room for `overhead.rtp` behind them, or
   * `ERR_BAD_ARGUMENT` is thrown. A packet that is sent again must be the same bytes as before, header extensions included: another
   * one under the same index would give a key of AES-GCM away, so it is refused, and so is one that is too old to tell.
   * @returns the length of the SRTP packet; -1: refused, and counted. The packet may be garbage then.
   */
  protectRtp(buffer: Bytes, offset: number, length: number): number;
  /** As `protectRtp`, for a compound of RTCP. */
  protectRtcp(buffer: Bytes, offset: number, length: number): number;
  /**
   * Authenticates, then decrypts the SRTP packet that `packet` is, in place. Nothing is learnt from one that is not authentic.
   * @returns the length of the RTP packet that begins it; -1: refused
   */
  unprotectRtp(packet: Bytes): number;
  /** As `unprotectRtp`, for SRTCP. */
  unprotectRtcp(packet: Bytes): number;
  /** A source of the peer's has ended: what was kept of it goes. */
  forgetRemote(ssrc: number): void;
  inspect(): SrtpInspection;
}

/** What became of packets, by number. */
export type SrtpCounter =
  | 'protectedRtp'
  | 'protectedRtcp'
  | 'unprotectedRtp'
  | 'unprotectedRtcp'
  /** Too short, or not of this version. */
  | 'malformed'
  /** The tag is wrong. */
  | 'notAuthentic'
  /** Seen before, or behind the window. */
  | 'replayed'
  /** Not sent: the key has protected as much as it may (RFC 3711 §9.2), or more sources than can be remembered. */
  | 'keyWornOut'
  /** Not sent: another packet has had this index. */
  | 'indexReused'
  /** A source made room for another. */
  | 'sourcesEvicted';

/** What `Srtp.inspect` shows. */
export interface SrtpInspection {
  readonly profile: SrtpProfile;
  /** Sources that are kept, of RTP, and of RTCP of the peer's. */
  readonly sources: { readonly local: number; readonly remote: number; readonly remoteRtcp: number };
  readonly counters: Record<SrtpCounter, number>;
}

/** SRTP as a transport is handed it, so that who has no media does not carry it: profiles, and how an association is made. */
export interface SrtpSupport {
  /** The preferred first. */
  readonly profiles: readonly SrtpProfile[];
  create(init: Omit<SrtpInit, keyof SrtpOptions>): Srtp;
}
