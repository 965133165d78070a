/**
 * Requests: what a client has asked and not heard of, and what comes of it (RFC 8489 §6.2, §9.2.5).
 *
 *     ask ─▶ sent ─▶ again after 0.5, 1, 2, 4 … s (UDP) ─▶ turnRequest: 39.5 s after the first ─▶ timeout
 *              │ response, signed as the request was
 *              ├─ success ─▶ success
 *              ├─ 401 to a request without signature, or with an outdated one; 438 ─▶ asked again, signed anew, on the same clock
 *              ├─ any other error ─▶ error
 *              └─ what is not signed as it must be ─▶ discarded, as if it had never come
 *
 * However often it is asked again, a request has one gate, and as many nonces as `maxStaleNonces`.
 */
import { copyBytes, equalBytes, readU48 } from '../core/bytes.ts';
import type { Bytes } from '../core/bytes.ts';
import type { StunMessage } from '../stun/index.ts';
import {
  StunErrorCode,
  errorCodeOf,
  errorReasonOf,
  transactionIdOf,
  unknownAttributes,
} from '../stun/index.ts';
import type { Authentication, Signature } from './authentication.ts';
import { isBidDown, isSignedAlike } from './authentication.ts';
import type { Ask } from './messages.ts';
import { METHODS, UNDERSTOOD, writeAsk } from './messages.ts';
import type { WayOut } from './way-out.ts';

/** One request on its way. Times in milliseconds. */
export interface Request {
  readonly ask: Ask;
  readonly id: Bytes;
  readonly message: Bytes;
  readonly signature: Signature | undefined;
  /** When it was first asked, whatever has been asked again since. */
  readonly startedAt: number;
  /** When this one went out first: what the server grants counts from here at the earliest. */
  readonly sentAt: number;
  /** False: it is sent once, over a stream at any rate. */
  readonly isRepeated: boolean;
  /** The gate. */
  deadline: number;
  /** When it is sent again; `Infinity`: never. */
  repeatAt: number;
  interval: number;
  readonly staleNonces: number;
  /** A 401 has been answered already. */
  readonly wasChallenged: boolean;
  /** The code of an error that came unsigned, and was discarded: the best guess when nothing else comes. */
  discarded: number | undefined;
}

/** W3C: the server did not answer, or not as it should. */
export const NO_ANSWER = 701;

/** What came of a request. */
export type Outcome =
  | { readonly type: 'success'; readonly request: Request; readonly message: StunMessage }
  | {
      readonly type: 'error';
      readonly request: Request;
      readonly code: number;
      /** The server's words, to be shown and not acted upon. */
      readonly text: string;
      /** `undefined` where the answer is none that may be read. */
      readonly message: StunMessage | undefined;
    }
  | { readonly type: 'timeout'; readonly request: Request };

/** Characters of a reason phrase that are kept: the RFC allows 128. */
const MAX_REASON_LENGTH = 128;

/** The requests of one client, by their transaction ids. */
export class Requests {
  readonly #out: WayOut;
  readonly #authentication: Authentication;
  /** By the first 48 of the 96 random bits, which fit a number. */
  readonly #byId = new Map<number, Request>();

  constructor(out: WayOut, authentication: Authentication) {
    this.#out = out;
    this.#authentication = authentication;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** True while a signed Allocate is on its way: there may be an allocation that nobody has told us of. */
  get mayHaveAllocated(): boolean {
    for (const { ask, signature } of this.#byId.values()) {
      if (ask.type === 'allocate' && signature !== undefined) return true;
    }
    return false;
  }

  /**
   * Asks for something. The caller sees to it that there is an end to what is asked at once.
   * @param isRepeated false: the caller asks anew when there is no answer
   */
  ask(ask: Ask, isRepeated = true): void {
    const { now, settings, isStream } = this.#out;
    this.#send(ask, {
      startedAt: now,
      deadline: now + settings.requestTimeout,
      isRepeated: isRepeated && !isStream,
      staleNonces: 0,
      wasChallenged: false,
    });
  }

  /** A message that asks once and waits for nothing: a farewell. Signed, or there is no use in it. */
  encode(ask: Ask): Bytes {
    const writer = writeAsk(ask, this.#out.transactionId());
    this.#authentication.sign(writer);
    return writer.finish();
  }

  /** Forgets those of this type: nobody waits for them any more. */
  forget(type: Ask['type']): void {
    for (const [key, { ask }] of this.#byId) if (ask.type === type) this.#byId.delete(key);
  }

  clear(): void {
    this.#byId.clear();
  }

  /** When the next is due, to be sent again or to be given up. */
  nextTimeout(): number {
    let at = Infinity;
    for (const { repeatAt, deadline } of this.#byId.values()) at = Math.min(at, repeatAt, deadline);
    return at;
  }

  /** Sends again what is due, and answers those whose gate is over. */
  takeDue(): Outcome[] {
    const { now, counters } = this.#out;
    const over: Outcome[] = [];
    for (const [key, request] of this.#byId) {
      if (request.deadline <= now) {
        this.#byId.delete(key);
        over.push({ type: 'timeout', request });
      } else if (request.repeatAt <= now) {
        request.interval *= 2;
        request.repeatAt = now + request.interval;
        if (this.#out.transmit(copyBytes(request.message))) counters.add('request-retransmitted');
      }
    }
    return over;
  }

  /** Nobody listened for `missed` milliseconds: all are waited for so much longer. */
  thaw(missed: number): void {
    for (const request of this.#byId.values()) request.deadline += missed;
  }

  /** Takes a response. @returns `undefined` when it is not to be acted upon, which is counted, or asked again */
  answer(message: StunMessage): Outcome | undefined {
    const { counters } = this.#out;
    const request = this.#find(transactionIdOf(message));
    if (request === undefined) {
      counters.add('unknown-transaction');
      return undefined;
    }
    if (message.method !== METHODS[request.ask.type]) {
      counters.add('unexpected-message');
      return undefined;
    }
    const code = message.class === 'error' ? errorCodeOf(message) : undefined;
    if (message.class === 'error' && code === undefined) {
      counters.add('bad-response');
      return undefined;
    }
    const isChallenge = code === StunErrorCode.unauthenticated || code === StunErrorCode.staleNonce;
    const { signature } = request;
    // Who challenges has no key yet that both know (RFC 8489 §9.2.4); all others do.
    if (signature !== undefined && !isChallenge && !isSignedAlike(message, signature)) {
      request.discarded = code ?? request.discarded;
      counters.add('bad-integrity');
      return undefined;
    }
    if (!isChallenge && isBidDown(message)) {
      counters.add('bid-down');
      return undefined;
    }
    this.#remove(request);
    this.#out.heard();
    counters.add('response-received');
    // RFC 8489 §6.3.3: the transaction has failed.
    if (unknownAttributes(message, UNDERSTOOD).length > 0) {
      counters.add('unknown-attribute');
      return refused(request, NO_ANSWER, 'the answer has attributes that must be understood, and are not');
    }
    if (code === undefined) {
      if (signature?.credentials === this.#authentication.credentialsNumber) this.#authentication.accepted();
      return { type: 'success', request, message };
    }
    counters.add('error-response');
    const again = this.#secondTry(request, code, message);
    if (again === undefined) return refused(request, code, errorReasonOf(message), message);
    this.#send(request.ask, again);
    return undefined;
  }

  /** How a refused request is asked again, if it is. */
  #secondTry(request: Request, code: number, message: StunMessage): Chain | undefined {
    const { settings, counters } = this.#out;
    const authentication = this.#authentication;
    const { signature, startedAt, deadline, isRepeated, staleNonces, wasChallenged } = request;
    const chain = { startedAt, deadline, isRepeated, staleNonces, wasChallenged };
    switch (code) {
      case StunErrorCode.unauthenticated: {
        const isOutdated =
          signature !== undefined && signature.credentials !== authentication.credentialsNumber;
        const isRefused =
          wasChallenged || (signature !== undefined && !authentication.isNewNonce(message, signature));
        if (isRefused && !isOutdated) return undefined;
        if (!this.#takeChallenge(message)) return undefined;
        counters.add('challenge');
        return { ...chain, wasChallenged: true };
      }
      case StunErrorCode.staleNonce:
        if (staleNonces >= settings.maxStaleNonces || !this.#takeChallenge(message)) return undefined;
        counters.add('challenge');
        return { ...chain, staleNonces: staleNonces + 1 };
      case StunErrorCode.wrongCredentials:
        // The allocation is another user's: that of before the credentials were renewed, perhaps (RFC 8656 §5).
        return authentication.fallBack() ? chain : undefined;
      default:
        return undefined;
    }
  }

  #takeChallenge(message: StunMessage): boolean {
    const isTaken = this.#authentication.takeChallenge(message);
    if (!isTaken && isBidDown(message)) this.#out.counters.add('bid-down');
    return isTaken;
  }

  #send(ask: Ask, chain: Chain): void {
    const { now, settings, counters } = this.#out;
    const id = this.#out.transactionId();
    const writer = writeAsk(ask, id);
    const signature = this.#authentication.sign(writer);
    const message = writer.finish();
    const interval = settings.retransmitTimeout;
    this.#byId.set(readU48(id, 0), {
      ...chain,
      ask,
      id,
      message,
      signature,
      sentAt: now,
      repeatAt: chain.isRepeated ? now + interval : Infinity,
      interval,
      discarded: undefined,
    });
    if (this.#out.transmit(copyBytes(message))) counters.add('request-sent');
  }

  #find(id: Uint8Array): Request | undefined {
    const request = this.#byId.get(readU48(id, 0));
    return request !== undefined && equalBytes(request.id, id) ? request : undefined;
  }

  #remove(request: Request): void {
    this.#byId.delete(readU48(request.id, 0));
  }
}

/** What a request hands on to the one that is asked in its place. */
type Chain = Pick<Request, 'startedAt' | 'deadline' | 'isRepeated' | 'staleNonces' | 'wasChallenged'>;

function refused(request: Request, code: number, text: string, message?: StunMessage): Outcome {
  return { type: 'error', request, code, text: text.slice(0, MAX_REASON_LENGTH), message };
}
