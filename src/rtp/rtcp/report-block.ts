/** A report block of RFC 3550 §6.4.1: how one source is received. */

export interface ReportBlock {
  readonly ssrc: number;
  /** Of the interval, in 1/256, 0–255. */
  readonly fractionLost: number;
  /** −2^23 … 2^23−1: duplicates make it negative. */
  readonly packetsLost: number;
  /** Extended: 16 bits of cycles before the 16 bits of the number. */
  readonly highestSequenceNumber: number;
  /** In units of the timestamp. */
  readonly jitter: number;
  /** Middle 32 bits of the NTP time of the last sender report; 0: none has come. */
  readonly lastSenderReport: number;
  /** 1/65536 s since then; 0: none has come. */
  readonly delaySinceLastSenderReport: number;
}
