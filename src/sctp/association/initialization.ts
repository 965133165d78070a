/**
 * Initialization data of an association (RFC 9260 §5.1, §5.2): its tags, its cookies, and who the peer is. The states through
 * which the exchange goes are setup.ts.
 *
 *   us                           peer
 *   INIT ─────────────────────→          cookie-wait
 *        ←──────────── INIT ACK          cookie-echoed
 *   COOKIE ECHO ──────────────→
 *        ←────────── COOKIE ACK          established
 *
 * In WebRTC both ends do this at once. One tag and one initial TSN serve our INIT and every INIT ACK (§5.2.1, §5.2.2), so
 * that whichever exchange ends first settles the same association.
 *
 * A cookie is 16 random bytes that name the INIT it answers: the parameters stay here, one slot for the association
 * and one for a peer that restarts, so that an INIT costs no memory and a forged cookie carries nothing.
 */
import type { Bytes } from '../../core/bytes.ts';
import { equalConstantTime, NO_BYTES } from '../../core/bytes.ts';
import type { RandomSource } from '../../core/random.ts';
import { randomBytes, randomU32 } from '../../core/random.ts';
import { CHUNK } from '../constants.ts';
import type { InitChunk } from '../packet/init.ts';
import { encodeInit } from '../packet/init.ts';

const COOKIE_LENGTH = 16;
/** RFC 9260 §15 "Valid.Cookie.Life", milliseconds. */
const COOKIE_LIFE = 60_000;

/**
 * What we can do, in every INIT and INIT ACK: RFC 8831 §6.1 asks for the first two, RFC 8260 for two more. PAD (RFC 4820) tells
 * a peer that probes the path how to.
 */
const EXTENSIONS: readonly number[] = [CHUNK.reconfig, CHUNK.forwardTsn, CHUNK.pad];
const INTERLEAVING: readonly number[] = [CHUNK.iData, CHUNK.iForwardTsn];

interface CookieSlot {
  readonly nonce: Bytes;
  readonly peer: InitChunk;
  readonly localTag: number;
  readonly initialTsn: number;
  issuedAt: number;
}

/** What a COOKIE ECHO is worth (RFC 9260 §5.2.4). */
export type CookieVerdict =
  | { readonly verdict: 'valid'; readonly peer: InitChunk }
  /** Case A: the peer has lost its state and starts anew. */
  | { readonly verdict: 'restart'; readonly peer: InitChunk }
  | { readonly verdict: 'stale'; readonly peer: InitChunk; readonly staleness: number }
  | { readonly verdict: 'unknown' };

/** What our INIT and INIT ACK say of us. */
export interface LocalParameters {
  readonly window: number;
  readonly streams: number;
  readonly interleaving: boolean;
  readonly zeroChecksum: boolean;
}

/** Tags and cookies of an association, and who its peer is. */
export class Initialization {
  readonly localTag: number;
  readonly initialTsn: number;
  /** The peer's INIT or INIT ACK that counts. */
  peer: InitChunk | undefined;
  /** Its tag, which goes into every packet; 0 before it is known. */
  peerTag = 0;
  /** The cookie of the peer's INIT ACK. */
  cookie: Bytes = NO_BYTES;
  /** INITs or COOKIE ECHOs sent since the state was entered. */
  attempts = 0;
  readonly #random: RandomSource;
  readonly #local: LocalParameters;
  #slot: CookieSlot | undefined;
  #restart: CookieSlot | undefined;

  constructor(random: RandomSource, local: LocalParameters) {
    this.#random = random;
    this.#local = local;
    this.localTag = randomTag(random);
    this.initialTsn = randomU32(random);
  }

  /** Both ends take I-DATA and I-FORWARD-TSN (RFC 8260 §2.2.1). */
  get interleaves(): boolean {
    const theirs = this.peer?.extensions ?? [];
    return this.#local.interleaving && INTERLEAVING.every((chunk) => theirs.includes(chunk));
  }

  /**
   * Takes the peer's INIT or INIT ACK as the one that counts. RFC 9260 §3.2.1 and RFC 5061 §4.2.7 let both say what the peer can
   * do; some say a part of it in one of them alone, and go by what we have said in ours. So each adds to what the other has said.
   */
  adopt(peer: InitChunk): void {
    const other = [this.peer, this.#slot?.peer].filter(
      (said) => said !== undefined && said.tag === peer.tag && said.initialTsn === peer.initialTsn,
    );
    this.peerTag = peer.tag;
    this.peer = {
      ...peer,
      forwardTsn: peer.forwardTsn || other.some((said) => said?.forwardTsn),
      zeroChecksum: peer.zeroChecksum || other.some((said) => said?.zeroChecksum),
      extensions: [...new Set([peer, ...other].flatMap((said) => said?.extensions ?? []))],
    };
  }

  /** Our INIT chunk. */
  encodeInit(): Bytes {
    return encodeInit(CHUNK.init, this.#parameters(this.localTag, this.initialTsn));
  }

  /** The INIT ACK that answers `init`. `associated`: an association exists, which must not be touched (§5.2.2). */
  answerInit(init: InitChunk, associated: boolean, now: number): Bytes {
    const slot =
      associated && init.tag !== this.peerTag
        ? (this.#restart = this.#issue(this.#restart, init, now, true))
        : (this.#slot = this.#issue(this.#slot, init, now, false));
    return encodeInit(CHUNK.initAck, {
      ...this.#parameters(slot.localTag, slot.initialTsn),
      // Only if the peer has offered it as well. pion/sctp, against RFC 9260 §3.2.1, drops an INIT ACK or INIT with a parameter
      // that it does not know: our INIT is lost then, and this answer to its own INIT must be one that it takes.
      zeroChecksum: this.#local.zeroChecksum && init.zeroChecksum,
      cookie: slot.nonce,
      unrecognized: init.unrecognized,
    });
  }

  /** Judges a COOKIE ECHO that came with the verification tag `tag`. Changes nothing. */
  judgeCookie(cookie: Uint8Array, tag: number, now: number): CookieVerdict {
    if (holds(this.#slot, cookie, tag)) {
      const staleness = now - this.#slot.issuedAt - COOKIE_LIFE;
      // A cookie of the association that exists never grows stale (§5.2.4, cases B and D).
      if (staleness > 0 && this.#slot.peer.tag !== this.peerTag) {
        return { verdict: 'stale', peer: this.#slot.peer, staleness };
      }
      return { verdict: 'valid', peer: this.#slot.peer };
    }
    if (holds(this.#restart, cookie, tag)) return { verdict: 'restart', peer: this.#restart.peer };
    return { verdict: 'unknown' };
  }

  #parameters(tag: number, initialTsn: number): InitChunk {
    return {
      tag,
      window: this.#local.window,
      outboundStreams: this.#local.streams,
      inboundStreams: this.#local.streams,
      initialTsn,
      forwardTsn: true,
      zeroChecksum: this.#local.zeroChecksum,
      extensions: this.#local.interleaving ? [...EXTENSIONS, ...INTERLEAVING] : EXTENSIONS,
      unrecognized: [],
    };
  }

  /** The slot for `init`; the same INIT, sent again, gets the same cookie. */
  #issue(slot: CookieSlot | undefined, init: InitChunk, now: number, restart: boolean): CookieSlot {
    if (slot?.peer.tag === init.tag && slot.peer.initialTsn === init.initialTsn) {
      slot.issuedAt = now;
      return slot;
    }
    return {
      nonce: randomBytes(this.#random, COOKIE_LENGTH),
      peer: init,
      localTag: restart ? randomTag(this.#random) : this.localTag,
      initialTsn: restart ? randomU32(this.#random) : this.initialTsn,
      issuedAt: now,
    };
  }
}

function holds(slot: CookieSlot | undefined, cookie: Uint8Array, tag: number): slot is CookieSlot {
  return slot !== undefined && slot.localTag === tag && equalConstantTime(slot.nonce, cookie);
}

/** RFC 9260 §5.3.1: any number but 0. */
function randomTag(random: RandomSource): number {
  const tag = randomU32(random);
  return tag === 0 ? 1 : tag;
}
