/** The contract of SRTP: what both directions of one association are made of, and what they do. */
import type { Bytes } from '../core/bytes.ts';
import type { SrtpMasterKey, SrtpProfile } from '../core/srtp-keys.ts';
import type { CryptoProvider } from '../crypto/index.ts';

/** Bounds of what a peer can make us keep. */
export interface SrtpOptions {
  /** Sources whose roll-over counters and replay windows are kept, each way; the one longest unused makes room. Default 1024. */
  readonly maxSources?: number | undefined;
  /** Packets behind the latest of a source that are still taken, 64–32768. Default 1024. */
  readonly replayWindow?: number | undefined;
}

/** What an association begins with. */
export interface SrtpInit extends SrtpOptions {
  readonly profile: SrtpProfile;
  readonly crypto: CryptoProvider;
  /** Of what this end sends. */
  readonly local: SrtpMasterKey;
  /** Of what the peer sends. */
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
   * Protects the `length` bytes of an RTP packet at `offset`; `buffer` needs room for `overhead.rtp` behind them.
   * @returns the length of the SRTP packet; -1: no RTP packet, or a key that is worn out
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
  /** Not sent: the key has protected as much as it may (RFC 3711 §9.2). */
  | 'keyWornOut'
  /** A source made room for another. */
  | 'sourcesEvicted';

/** What `Srtp.inspect` shows. */
export interface SrtpInspection {
  readonly profile: SrtpProfile;
  readonly sources: { readonly local: number; readonly remote: number };
  readonly counters: Record<SrtpCounter, number>;
}

/** SRTP as a transport is handed it, so that who has no media does not carry it: profiles, and how an association is made. */
export interface SrtpSupport {
  /** The preferred first. */
  readonly profiles: readonly SrtpProfile[];
  create(init: Omit<SrtpInit, keyof SrtpOptions>): Srtp;
}
