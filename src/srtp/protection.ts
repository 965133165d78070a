/**
 * Protection: what this end sends. Each packet gets an index that no other packet under the key has, or is not sent.
 *
 *   RTP    the index follows the sequence number, which is the sender's choice. A packet that is sent again has the index it had: the same
 *          bytes give the same SRTP packet, and others must not leave. The first bytes of each tag are kept to tell.
 *   RTCP   the index counts on with every packet, whoever it is of
 */
import type { Bytes } from '../core/bytes.ts';
import { readU16, readU32 } from '../core/bytes.ts';
import type { Counters } from '../core/counters.ts';
import { badArgument } from '../core/errors.ts';
import type { SrtpCounter } from './contract.ts';
import { isRtcpHeader, rtpHeaderLength } from './headers.ts';
import type { SrtpLimits } from './options.ts';
import { MAX_RTCP_INDICES } from './options.ts';
import type { PacketCiphers, RtcpCipher, RtpCipher } from './packet-cipher.ts';
import { RTCP_TRAILER } from './packet-cipher.ts';
import { MAX_INDICES, packetIndex } from './packet-index.ts';
import type { Source } from './source-table.ts';
import { SourceTable } from './source-table.ts';

/** Packets of a source that may be sent again. */
const REPEATABLE = 1024;

interface LocalSource extends Source {
  readonly cipher: RtpCipher;
  /** The first four bytes of the tags of the latest packets, by the low bits of their indices. */
  readonly tags: Int32Array;
}

/** The sending direction of one association. */
export class Protection {
  readonly #rtcp: RtcpCipher;
  readonly #sources: SourceTable<LocalSource>;
  readonly #counters: Counters<SrtpCounter>;
  readonly #tagLength: number;
  readonly #rtcpGrowth: number;
  /** Packets that the keys may still protect. */
  #rtpLeft: number;
  #rtcpLeft: number;
  #rtcpIndex = 0;

  constructor({ rtp, rtcp }: PacketCiphers, limits: SrtpLimits, counters: Counters<SrtpCounter>) {
    this.#rtcp = rtcp;
    this.#counters = counters;
    this.#tagLength = rtp.tagLength;
    this.#rtcpGrowth = rtcp.tagLength + RTCP_TRAILER;
    this.#rtpLeft = limits.maxRtpPackets;
    this.#rtcpLeft = limits.maxRtcpPackets;
    this.#sources = new SourceTable(limits.maxSources, REPEATABLE, (ssrc, window) => ({
      ssrc,
      window,
      usedAt: 0,
      cipher: rtp.forSource(),
      tags: new Int32Array(REPEATABLE),
    }));
  }

  get sources(): number {
    return this.#sources.size;
  }

  /** As `Srtp.protectRtp`. */
  protectRtp(buffer: Bytes, offset: number, length: number): number {
    checkRoom(buffer, offset, length, this.#tagLength);
    const headerLength = rtpHeaderLength(buffer, offset, length);
    if (headerLength < 0) return this.#refuse('malformed');
    const source = this.#sourceOf(readU32(buffer, offset + 8));
    if (source === undefined || this.#rtpLeft <= 0) return this.#refuse('keyWornOut');
    const { window, tags } = source;
    const index = packetIndex(window.highest, readU16(buffer, offset + 2));
    if (index >= MAX_INDICES) return this.#refuse('keyWornOut');
    const isRepeated = window.hasSeen(index);
    if (!isRepeated && !window.isNew(index)) return this.#refuse('indexReused');
    source.cipher.seal(buffer, offset, headerLength, length, index);
    const tag = readU32(buffer, offset + length) | 0;
    const slot = index % REPEATABLE;
    if (!isRepeated) {
      window.add(index);
      tags[slot] = tag;
      this.#rtpLeft--;
    } else if (tags[slot] !== tag) {
      buffer.fill(0, offset, offset + length + this.#tagLength);
      return this.#refuse('indexReused');
    }
    this.#counters.add('protectedRtp');
    return length + this.#tagLength;
  }

  /** As `Srtp.protectRtcp`. */
  protectRtcp(buffer: Bytes, offset: number, length: number): number {
    checkRoom(buffer, offset, length, this.#rtcpGrowth);
    if (!isRtcpHeader(buffer, offset, length)) return this.#refuse('malformed');
    if (this.#rtcpLeft <= 0 || this.#rtcpIndex >= MAX_RTCP_INDICES) return this.#refuse('keyWornOut');
    this.#rtcp.seal(buffer, offset, length, this.#rtcpIndex++);
    this.#rtcpLeft--;
    this.#counters.add('protectedRtcp');
    return length + this.#rtcpGrowth;
  }

  /** `undefined`: another one more could not be remembered, and an index of a source that is forgotten might come again. */
  #sourceOf(ssrc: number): LocalSource | undefined {
    const known = this.#sources.get(ssrc);
    if (known !== undefined) {
      this.#sources.use(known);
      return known;
    }
    if (!this.#sources.canRemember) return undefined;
    const { source, hasEvicted } = this.#sources.add(ssrc);
    if (hasEvicted) this.#counters.add('sourcesEvicted');
    return source;
  }

  #refuse(why: SrtpCounter): -1 {
    this.#counters.add(why);
    return -1;
  }
}

function checkRoom(buffer: Bytes, offset: number, length: number, growth: number): void {
  // Written so that NaN is refused, too.
  if (!(offset >= 0 && length >= 0 && offset + length + growth <= buffer.length)) {
    throw badArgument('buffer', `room for ${length} bytes and ${growth} more at ${offset}`, buffer.length);
  }
}
