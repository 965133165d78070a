/**
 * Replay: the connection of a trace, made again from its seed and options, is given the same inputs and calls in the same
 * order, and must give the same outputs, byte for byte.
 *
 * Each entry that went in or came out is done again with a listener on; the entry this makes must equal the recorded
 * one. Entries about the inside are commentary, as are summaries: another version may word them otherwise.
 */
import type { DataChannel } from '../channel/index.ts';
import { RtcError } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions } from '../core/options.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import { cryptoRule } from '../crypto/index.ts';
import type { Media, OfferDraft, Output, PendingOffer, Rtc, TraceEntry, WrittenOffer } from '../rtc.ts';
import type { CallTarget } from '../rtc/calls.ts';
import { performCall } from '../rtc/calls.ts';
import { TraceRefusal } from '../rtc/tracer/fields.ts';
import { difference } from './difference.ts';
import { parseTrace } from './format.ts';
import { rtcOf } from './record.ts';
import type { Trace } from './trace.ts';
import { lineOf } from './trace.ts';

/** Where and how a replay departs from its recording. */
export interface Divergence {
  /** Of the trace's text, from 1: the header is line 1. */
  readonly line: number;
  readonly expected: string;
  readonly got: string;
  /** All of it in one sentence. */
  readonly message: string;
}

/** What a replay came to: the same outputs throughout, or the first that was another. */
export type ReplayOutcome =
  /** `outputs`: how many datagrams, events and deadlines were compared. */
  | { readonly identical: true; readonly rtc: Rtc; readonly outputs: number }
  /** `rtc` stands where it diverged, for `inspect()`. */
  | { readonly identical: false; readonly rtc: Rtc; readonly divergence: Divergence };

/** Options of `replay`. */
export interface ReplayOptions {
  /** Default `jsCrypto()`; it need not be the recording's. */
  readonly crypto?: CryptoProvider | undefined;
}

const RULES: OptionRules<ReplayOptions> = { crypto: cryptoRule };

/**
 * Replays a trace, given as text or parsed. Throws a `TraceRefusal` for a text that is no trace, and for one that has no
 * seed or was redacted: `recordRtc` makes those that can be replayed.
 */
export function replay(trace: Trace | string, options: ReplayOptions = {}): ReplayOutcome {
  checkOptions('replay', options, RULES);
  const { header, entries } = typeof trace === 'string' ? parseTrace(trace) : trace;
  if (header.seed === undefined) {
    throw new TraceRefusal('this trace has no seed: only one made by recordRtc can be replayed', 1);
  }
  const rtc = rtcOf(header, options.crypto);
  const again = new Again(rtc);
  let outputs = 0;
  for (const [index, recorded] of entries.entries()) {
    if (!isDone(recorded)) continue;
    const found = difference(recorded, again.do(recorded));
    if (found !== undefined) {
      const line = lineOf(index);
      const message = `line ${line}: ${found.what} expected ${found.expected}, got ${found.got}`;
      return {
        identical: false,
        rtc,
        divergence: { line, expected: found.expected, got: found.got, message },
      };
    }
    if (isOutput(recorded)) outputs++;
  }
  return { identical: true, rtc, outputs };
}

/** Entries that say what was done with the connection, not what went on inside. */
type Done = Extract<
  TraceEntry,
  { readonly type: 'receive' | 'resolved' | 'time' | 'call' | 'transmit' | 'event' | 'timeout' }
>;

function isDone(entry: TraceEntry): entry is Done {
  switch (entry.type) {
    case 'receive':
    case 'resolved':
    case 'time':
    case 'call':
    case 'transmit':
    case 'event':
    case 'timeout':
      return true;
    case 'packet':
    case 'timer':
    case 'state':
    case 'drop':
    case 'secret':
      return false;
  }
}

function isOutput(entry: Done): boolean {
  return entry.type === 'transmit' || entry.type === 'event' || entry.type === 'timeout';
}

/** Does what entries say, on a connection of its own, and catches the entry that this makes. */
class Again implements CallTarget {
  readonly rtc: Rtc;
  readonly channels: DataChannel[] = [];
  readonly media: Media[] = [];
  readonly written = new Map<number, WrittenOffer>();
  offer: PendingOffer | undefined;
  applied: CallTarget['applied'];
  readonly #drafts = new Map<number, OfferDraft>();
  #made: TraceEntry | undefined;

  constructor(rtc: Rtc) {
    this.rtc = rtc;
    rtc.setTrace(
      (entry) => {
        if (isDone(entry)) this.#made = entry;
      },
      { secrets: true },
    );
  }

  /** The entry made; `undefined` for nothing; what was thrown instead of a call's success. */
  do(entry: Done): TraceEntry | RtcError | undefined {
    this.#made = undefined;
    switch (entry.type) {
      case 'receive': {
        const { at: now, protocol, source, destination, data, ecn } = entry;
        this.rtc.handleInput({ type: 'receive', now, protocol, source, destination, data, ecn });
        break;
      }
      case 'resolved': {
        const { at: now, name, addresses } = entry;
        this.rtc.handleInput({ type: 'resolved', now, name, addresses });
        break;
      }
      case 'time':
        this.rtc.handleInput({ type: 'timeout', now: entry.at });
        break;
      case 'call':
        try {
          performCall(this, entry.call);
        } catch (error) {
          if (error instanceof RtcError) return error;
          throw error;
        }
        break;
      case 'transmit':
      case 'event':
      case 'timeout':
        this.#learn(this.rtc.pollOutput());
    }
    return this.#made;
  }

  draft(number: number): OfferDraft {
    let draft = this.#drafts.get(number);
    if (draft === undefined) {
      draft = this.rtc.negotiation();
      this.#drafts.set(number, draft);
    }
    return draft;
  }

  /** What the peer has opened or added is known from its first event on, and has the next number. */
  #learn(output: Output): void {
    if (output.type !== 'event') return;
    const { event } = output;
    if ('channel' in event && !this.channels.includes(event.channel)) this.channels.push(event.channel);
    if ('media' in event && !this.media.includes(event.media)) this.media.push(event.media);
  }
}
