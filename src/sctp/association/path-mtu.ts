/**
 * Path MTU: how large packets may be on this path (RFC 8899, "DPLPMTUD"; for SCTP §6.2), and what to do when they vanish.
 *
 *   base ──── data flows ────→ searching ── nothing left to try ──→ complete
 *    ↑ ↑                           ↑  ↑                                │
 *    │ │                           │  └───── 600 s later, data flows ──┘
 *    │ └── another path            └── a packet of the base size arrives ── error
 *    └─ larger packets vanish (searching, complete)        those of the base size vanish ↑
 *
 * Two things tell what the path carries:
 * - *Probes*: a HEARTBEAT in a packet of the size in question. The answer names the probe by its nonce. A lost one is no
 *   congestion, no silence of the peer and no reason to send anything again.
 * - *Watched packets*: one packet of data at a time. Its acknowledgement confirms its size; when one after the other has to
 *   be sent again, sizes come down at once, and a probe finds out later whether that was needed (§4.3).
 *
 * A packet can be made smaller, a chunk cannot: "Once a message is fragmented, it cannot be re-fragmented" (RFC 9260 §6.9).
 * So no chunk is larger than a smaller packet that has arrived (`chunkSize`). A packet above the base size holds several
 * chunks, and so does one of the base size until data of that size has arrived over this path. However the path changes, what
 * is in flight can still be sent over it, down to the base size, or down to `min` at the start.
 *
 * A probe can be filled in two ways (`filling`). RFC 8899 §6.2.1.2 uses a PAD chunk (RFC 4820), whose answer is small. But some
 * peers fail over a chunk that they do not know (werift) or drop the packet (pion). So the HEARTBEAT's own information is
 * made long instead: every peer accepts that, and most send all of it back. A peer that answers on no rung of the ladder
 * (Chromium sends no packet above 1191 bytes) is searched a second time with PAD; one that lists PAD in its set-up gets it from
 * the start. The first answer settles which of the two is used.
 *
 * Sizes are those of SCTP packets; what the layers below add is `overhead`. SCTP acknowledges, so there is no
 * CONFIRMATION_TIMER (§5.1.1). The raise timer is only a point in time that is compared with, so that an idle association wakes nobody up.
 */
import type { Bytes } from '../../core/bytes.ts';
import { equalConstantTime, NO_BYTES } from '../../core/bytes.ts';
import type { Counters } from '../../core/counters.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes } from '../../core/random.ts';
import type { SctpCounter } from '../events.ts';
import { CHUNK_HEADER_SIZE, COMMON_HEADER_SIZE } from '../constants.ts';
import { encodeHeartbeat } from '../packet/simple.ts';

/** The states of RFC 8899 §5.2. `error`: the path does not carry the base size. `disabled`: packets stay at it. */
export type PathMtuState = 'disabled' | 'base' | 'searching' | 'complete' | 'error';

/** What makes a probe as large as it is: its HEARTBEAT's own information, or a PAD chunk behind it. */
export type ProbeFilling = 'information' | 'pad';

/** How path MTU probing is set up. */
export interface PathMtuSettings {
  readonly enabled: boolean;
  /** BASE_PLPMTU, sent from the start: bytes of an SCTP packet. */
  readonly base: number;
  /** MIN_PLPMTU: what remains when packets of the base size vanish. UDP payload, bytes. */
  readonly min: number;
  /** MAX_PLPMTU. UDP payload, bytes. */
  readonly max: number;
  /** Bytes that the layers below add to a packet, as far as is known at first. */
  readonly overhead: number;
  /** Bytes of data to send before a search begins: what is sent after it must be worth it. */
  readonly probeAfter: number;
}

/** What `PathMtu.inspect` shows. Sizes in bytes of UDP payload. */
export interface PathMtuInspection {
  readonly state: PathMtuState;
  /** Of the largest datagrams that are sent now. */
  readonly size: number;
  /** The largest that has arrived. */
  readonly confirmed: number;
  /** The largest that is tried. */
  readonly max: number;
  /** Of the probe that is under way, `null` for none. */
  readonly probing: number | null;
}

/** RFC 8899 §5.1.2: attempts at one size; also how many watched packets in a row make a black hole. */
const MAX_PROBES = 3;
/**
 * RFC 8899 §5.1.1: PROBE_TIMER is 1 s or more, and "SHOULD be larger than 15 seconds" for who does not know the round trip.
 * We know it, and take this or the retransmission time-out, whichever is larger.
 */
export const PROBE_TIMER = 1000;
/** RFC 8899 §5.1.1, "PMTU_RAISE_TIMER", milliseconds. */
export const RAISE_TIMER = 600_000;
/** A search ends when no more than this many bytes could be gained. */
const GRANULARITY = 16;
const NONCE_LENGTH = 8;
/** What a packet with a HEARTBEAT has around its information: the packet's header, the chunk's and the parameter's. */
const HEARTBEAT_FRAME = COMMON_HEADER_SIZE + 2 * CHUNK_HEADER_SIZE;

/**
 * UDP payloads worth a try (RFC 8899 §5.3.2): what IP leaves of 1280, 1400, 1420 (WireGuard), 1440, 1480 (tunnels), 1492
 * (PPPoE), 1500 and 9000 bytes, with IPv6 and with IPv4.
 */
const LADDER = [1232, 1252, 1352, 1372, 1392, 1412, 1432, 1444, 1452, 1464, 1472, 8952, 8972];

/** The path MTU search of one association. */
export class PathMtu {
  state: PathMtuState;
  /** PLPMTU: the largest packet, but for probes. */
  size: number;
  /** The largest packet that a chunk may need for itself alone: it must fit again when sizes have come down. */
  chunkSize = 0;
  /** The largest packet there will ever be on any path, probes included. */
  largest = 0;
  /** A probe is under way: PROBE_TIMER runs. */
  awaitsAnswer = false;
  /** No search begins before: milliseconds. */
  restUntil: number;
  /** Of the peer, not of the path: it stays when the path changes. */
  filling: ProbeFilling = 'information';
  /** Position of a chunk of the packet that is watched, -1: none is. */
  watched = -1;
  readonly #settings: PathMtuSettings;
  readonly #random: RandomSource;
  readonly #counters: Counters<SctpCounter>;
  #overhead: number;
  /** UDP payload that is the most to try on this path. */
  #pathMax: number;
  /** From these two: MIN_PLPMTU and MAX_PLPMTU of this path, and sizes between them. */
  #min = 0;
  #max = 0;
  #ladder: readonly number[] = [];
  /** The largest packet known to have arrived over this path, by its data or as a probe. */
  #confirmed: number;
  /** PROBED_SIZE; 0 while no search is on. */
  #probed = 0;
  /** PROBE_COUNT: probes sent of this size. */
  #tries = 0;
  /** Shared by all probes of a size: a late answer to the first is as good as an answer to the last. */
  #nonce: Bytes = NO_BYTES;
  /** The peer has answered a probe above the base size, filled as they are now. */
  #fillingSettled = false;
  /** The search goes on below this size: it was tried in vain, or lies beyond `#max`. */
  #limit = 0;
  /** Bytes of data sent since the last search, or on this path. */
  #sentBytes = 0;
  #watchedSize = 0;
  /** Watched packets lost since one as large as the smallest of them arrived. */
  #misses = 0;
  #smallestMiss = Infinity;

  constructor(settings: PathMtuSettings, random: RandomSource, counters: Counters<SctpCounter>) {
    this.#settings = settings;
    this.#random = random;
    this.#counters = counters;
    this.#overhead = settings.overhead;
    this.#pathMax = settings.max;
    this.state = settings.enabled ? 'base' : 'disabled';
    this.size = settings.base;
    this.restUntil = settings.enabled ? -Infinity : Infinity;
    this.#measure();
    this.#confirmed = this.#min;
    this.#sizeChunks();
  }

  /** Bytes that the layers below add to a packet. Set before anything has been sent. */
  get overhead(): number {
    return this.#overhead;
  }

  set overhead(bytes: number) {
    this.#overhead = bytes;
    this.#measure();
    this.#confirmed = this.#min;
    this.#sizeChunks();
  }

  /** Another path: nothing is known of it (RFC 8899 §5.3.3). `max`: the largest UDP payload to try there. */
  reset(max: number): void {
    if (this.state === 'disabled') return;
    this.state = 'base';
    this.size = this.#settings.base;
    this.#pathMax = Math.min(max, this.#settings.max);
    this.#measure();
    this.restUntil = -Infinity;
    this.#forget();
  }

  // --- data ---

  /** A packet of `size` bytes with data has been sent; `position` is that of one of its chunks. */
  noteSent(position: number, size: number): void {
    if (this.state === 'disabled') return;
    this.#sentBytes += size;
    if (this.watched >= 0 || size <= this.#min) return;
    this.watched = position;
    this.#watchedSize = size;
  }

  /** The watched packet has arrived. */
  noteArrived(): void {
    this.watched = -1;
    this.#confirm(this.#watchedSize);
  }

  /** The watched packet is taken for lost. */
  noteLost(now: number): void {
    this.watched = -1;
    this.#misses++;
    this.#smallestMiss = Math.min(this.#smallestMiss, this.#watchedSize);
    if (this.#misses >= MAX_PROBES) this.#comeDown(now);
  }

  // --- probes ---

  /** Size of the probe that may go out now; 0: none. */
  probeDue(now: number): number {
    if (this.state === 'disabled' || this.awaitsAnswer) return 0;
    if (this.#probed === 0 && now >= this.restUntil && this.#isWorthIt()) this.#begin(now);
    return this.#probed;
  }

  /** The HEARTBEAT chunk of the probe that goes out now: the whole probe, or with `pad` what stands in front of the PAD chunk. */
  probe(): Bytes {
    this.awaitsAnswer = true;
    this.#tries++;
    this.#counters.add('path-mtu-probes-sent');
    const information = new Uint8Array(
      this.filling === 'pad' ? NONCE_LENGTH : this.#probed - HEARTBEAT_FRAME,
    );
    information.set(this.#nonce);
    return encodeHeartbeat(information);
  }

  /** The peer says in its set-up that it knows PAD chunks. */
  notePadSupported(): void {
    this.filling = 'pad';
    this.#fillingSettled = true;
  }

  /** A HEARTBEAT ACK has come; true if it answers a probe. */
  handleAnswer(info: Uint8Array | undefined, now: number): boolean {
    if (this.#tries === 0 || info === undefined) return false;
    if (!equalConstantTime(this.#nonce, info.subarray(0, NONCE_LENGTH))) return false;
    this.awaitsAnswer = false;
    if (this.#probed > this.#settings.base) this.#fillingSettled = true;
    this.size = Math.max(this.size, this.#probed);
    this.#confirm(this.#probed);
    this.#proceed(now);
    return true;
  }

  /** PROBE_TIMER has expired. */
  handleTimeout(now: number): void {
    this.awaitsAnswer = false;
    this.#counters.add('path-mtu-probes-lost');
    if (this.#tries < MAX_PROBES) return;
    this.#limit = this.#probed;
    this.#proceed(now);
  }

  /** Nothing is waited for any more. */
  clear(): void {
    this.awaitsAnswer = false;
    this.#probed = 0;
  }

  /** Sizes are UDP payloads, bytes. */
  inspect(): PathMtuInspection {
    const overhead = this.#overhead;
    return {
      state: this.state,
      size: this.size + overhead,
      confirmed: this.#confirmed + overhead,
      max: this.#max + overhead,
      probing: this.#probed === 0 ? null : this.#probed + overhead,
    };
  }

  /** The SCTP packet that makes a UDP payload of this size, or a little less. */
  #packetOf(payload: number): number {
    const { enabled, base } = this.#settings;
    return enabled ? Math.max(base, (payload - this.#overhead) & ~3) : base;
  }

  #measure(): void {
    const { base, enabled, min } = this.#settings;
    this.largest = this.#packetOf(this.#settings.max);
    this.#max = this.#packetOf(this.#pathMax);
    this.#min = enabled ? Math.min(base, (min - this.#overhead) & ~3) : base;
    this.#ladder = LADDER.map((payload) => (payload - this.#overhead) & ~3);
  }

  /** In `error` there is nothing to lose; otherwise enough must be sent for a larger size to pay. */
  #isWorthIt(): boolean {
    return this.#sentBytes > 0 && (this.state === 'error' || this.#sentBytes >= this.#settings.probeAfter);
  }

  #begin(now: number): void {
    if (this.state !== 'error') this.state = 'searching';
    this.#limit = this.#max + 4;
    this.#proceed(now);
  }

  /** On to the next size, or to rest when none is left (RFC 8899 §5.2, "Search Complete"). */
  #proceed(now: number): void {
    this.#tries = 0;
    this.#probed = this.#nextSize();
    if (this.#probed > 0) {
      this.#nonce = randomBytes(this.#random, NONCE_LENGTH);
      return;
    }
    if (!this.#fillingSettled && this.#fillOtherwise(now)) return;
    if (this.state !== 'error') this.state = 'complete';
    this.restUntil = now + RAISE_TIMER;
    this.#sentBytes = 0;
  }

  /** Nothing above the base size was answered. That may be the peer and not the path: search once more with PAD, unless PAD was tried. */
  #fillOtherwise(now: number): boolean {
    const isOver = this.filling === 'pad' || this.size < this.#settings.base || this.#max <= this.size;
    this.filling = isOver ? 'information' : 'pad';
    if (!isOver) this.#begin(now);
    return !isOver;
  }

  /** The base size first, then the largest, which most paths carry; then up the ladder, halving the last step. */
  #nextSize(): number {
    const fits = (size: number): boolean => size > this.size && size < this.#limit;
    if (fits(this.#settings.base)) return this.#settings.base;
    if (fits(this.#max)) return this.#max;
    const rung = this.size < this.#settings.base ? undefined : this.#ladder.find(fits);
    if (rung !== undefined) return rung;
    // Until it is known that the peer answers at all, halving tells nothing: Chromium's own packets end between two rungs.
    if (!this.#fillingSettled && this.size >= this.#settings.base) return 0;
    return this.#limit - this.size > GRANULARITY ? ((this.size + this.#limit) / 2) & ~3 : 0;
  }

  #confirm(size: number): void {
    this.#confirmed = Math.max(this.#confirmed, size);
    if (size >= this.#smallestMiss) {
      this.#misses = 0;
      this.#smallestMiss = Infinity;
    }
    if (this.state === 'error') {
      // A chunk that could not be made smaller has arrived nevertheless.
      this.size = Math.max(this.size, Math.min(size, this.#settings.base));
      if (this.size >= this.#settings.base) this.state = this.#probed === 0 ? 'base' : 'searching';
    }
    this.#sizeChunks();
  }

  /** After every change of `size` or of what is confirmed. */
  #sizeChunks(): void {
    this.chunkSize = Math.min(this.size, this.#settings.base, this.#confirmed);
  }

  /** RFC 8899 §4.3: a black hole. */
  #comeDown(now: number): void {
    const { base } = this.#settings;
    const isAboveBase = this.#smallestMiss > base;
    this.#misses = 0;
    this.#smallestMiss = Infinity;
    if (this.size <= (isAboveBase ? base : this.#min)) return;
    this.#counters.add('path-mtu-black-holes');
    this.state = isAboveBase ? 'base' : 'error';
    this.size = isAboveBase ? base : this.#min;
    this.restUntil = now + PROBE_TIMER;
    this.#forget();
  }

  #forget(): void {
    this.#confirmed = this.#min;
    this.#probed = 0;
    this.#tries = 0;
    this.awaitsAnswer = false;
    this.#sentBytes = 0;
    this.watched = -1;
    this.#misses = 0;
    this.#smallestMiss = Infinity;
    this.#sizeChunks();
  }
}
