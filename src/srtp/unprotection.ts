/**
 * Unprotection: what the peer sends. A packet is authenticated before anything is learnt of it: a source begins to be kept, and its
 * window and its roll-over counter move, with packets that are authentic alone (RFC 3711 §3.3).
 */
import type { Bytes } from '../core/bytes.ts';
import { readU16, readU32 } from '../core/bytes.ts';
import type { Counters } from '../core/counters.ts';
import type { SrtpCounter } from './contract.ts';
import { isRtcpHeader, rtpHeaderLength } from './headers.ts';
import type { SrtpLimits } from './options.ts';
import type { PacketCiphers, RtcpCipher, RtpCipher } from './packet-cipher.ts';
import { ENCRYPTED, RTCP_TRAILER } from './packet-cipher.ts';
import { MAX_INDICES, packetIndex } from './packet-index.ts';
import type { Source } from './source-table.ts';
import { SourceTable } from './source-table.ts';

interface RemoteSource extends Source {
  readonly cipher: RtpCipher;
}

/** The receiving direction of one association. */
export class Unprotection {
  readonly #rtp: RtpCipher;
  readonly #rtcp: RtcpCipher;
  readonly #sources: SourceTable<RemoteSource>;
  readonly #rtcpSources: SourceTable<Source>;
  readonly #counters: Counters<SrtpCounter>;

  constructor({ rtp, rtcp }: PacketCiphers, limits: SrtpLimits, counters: Counters<SrtpCounter>) {
    const { maxSources, replayWindow } = limits;
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    this.#counters = counters;
    this.#sources = new SourceTable(maxSources, replayWindow, (ssrc, window) => ({
      ssrc,
      window,
      usedAt: 0,
      cipher: rtp.forSource(),
    }));
    this.#rtcpSources = new SourceTable(maxSources, replayWindow, (ssrc, window) => ({
      ssrc,
      window,
      usedAt: 0,
    }));
  }

  get sources(): number {
    return this.#sources.size;
  }

  get rtcpSources(): number {
    return this.#rtcpSources.size;
  }

  /** As `Srtp.unprotectRtp`. */
  unprotectRtp(packet: Bytes): number {
    const length = packet.length - this.#rtp.tagLength;
    const headerLength = rtpHeaderLength(packet, 0, length);
    if (headerLength < 0) return this.#refuse('malformed');
    const ssrc = readU32(packet, 8);
    const known = this.#sources.get(ssrc);
    const highest = known === undefined ? this.#sources.highestOf(ssrc) : known.window.highest;
    const index = packetIndex(highest, readU16(packet, 2));
    const isNew = known === undefined ? index > highest : known.window.isNew(index);
    if (!isNew || index >= MAX_INDICES) return this.#refuse('replayed');
    const cipher = known === undefined ? this.#rtp : known.cipher;
    if (!cipher.open(packet, headerLength, index)) return this.#refuse('notAuthentic');
    this.#used(this.#sources, ssrc, known).window.add(index);
    this.#counters.add('unprotectedRtp');
    return length;
  }

  /** As `Srtp.unprotectRtcp`. */
  unprotectRtcp(packet: Bytes): number {
    const { tagLength, trailerFromEnd } = this.#rtcp;
    const length = packet.length - tagLength - RTCP_TRAILER;
    if (!isRtcpHeader(packet, 0, length)) return this.#refuse('malformed');
    const ssrc = readU32(packet, 4);
    const trailer = readU32(packet, packet.length - trailerFromEnd);
    const index = trailer % ENCRYPTED;
    const known = this.#rtcpSources.get(ssrc);
    const isNew = known === undefined ? index > this.#rtcpSources.highestOf(ssrc) : known.window.isNew(index);
    if (!isNew) return this.#refuse('replayed');
    if (!this.#rtcp.open(packet, trailer)) return this.#refuse('notAuthentic');
    this.#used(this.#rtcpSources, ssrc, known).window.add(index);
    this.#counters.add('unprotectedRtcp');
    return length;
  }

  /** As `Srtp.forgetRemote`. */
  forget(ssrc: number): void {
    this.#sources.forget(ssrc);
    this.#rtcpSources.forget(ssrc);
  }

  /** The source of a packet that is authentic. */
  #used<S extends Source>(table: SourceTable<S>, ssrc: number, known: S | undefined): S {
    if (known !== undefined) {
      table.use(known);
      return known;
    }
    const { source, hasEvicted } = table.add(ssrc);
    if (hasEvicted) this.#counters.add('sourcesEvicted');
    return source;
  }

  #refuse(why: SrtpCounter): -1 {
    this.#counters.add(why);
    return -1;
  }
}
