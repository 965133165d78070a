/**
 * Recording: a connection whose every input, call and output is kept, with all that a replay needs.
 *
 *   const { rtc, recorder } = recordRtc({ mtu: 1200 })
 *   … use rtc as any other …
 *   writeFileSync('session.jsonl', formatTrace(recorder.trace))
 */
import { badArgument } from '../core/errors.ts';
import type { OptionRules } from '../core/options.ts';
import { checkOptions, nested, number, without } from '../core/options.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import { cryptoRule, jsCrypto } from '../crypto/index.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import { MEDIA_SUPPORT_RULES, rtpMedia } from '../media/index.ts';
import type { TraceEntry, TraceListener } from '../rtc.ts';
import { RTC_OPTION_RULES, Rtc } from '../rtc.ts';
import { mapPlain } from '../rtc/tracer/entry.ts';
import type { Trace, TraceConfiguration, TraceHeader } from './trace.ts';
import { traceHeader } from './trace.ts';
import { freshSeed, seededRandom } from './random.ts';

/** Entries kept by default: some minutes of a busy connection, some hundred megabytes. */
const DEFAULT_MAX_ENTRIES = 1_000_000;

/** Collects the entries of one connection: `rtc.setTrace(recorder.listener)`. */
export class TraceRecorder {
  readonly listener: TraceListener = (entry) => {
    if (this.#entries.length < this.#maxEntries) this.#entries.push(entry);
    else this.#isCut = true;
  };
  readonly #header: TraceHeader;
  readonly #maxEntries: number;
  readonly #entries: TraceEntry[] = [];
  #isCut = false;

  /**
   * @param header what `recordRtc` gives; without one the trace can be read, not replayed.
   * @param maxEntries the trace ends there; it stays good as far as it goes. Default 1,000,000.
   */
  constructor(header: TraceHeader = traceHeader(), maxEntries: number = DEFAULT_MAX_ENTRIES) {
    if (!(maxEntries > 0)) throw badArgument('maxEntries', 'a number above 0', maxEntries);
    this.#header = header;
    this.#maxEntries = maxEntries;
  }

  /** Everything so far; the array goes on growing while the connection lives. */
  get trace(): Trace {
    return { header: this.#header, entries: this.#entries };
  }

  /** True once `maxEntries` has been reached and something left out. */
  get isCut(): boolean {
    return this.#isCut;
  }
}

/** The options of an `Rtc`, those that a replay can bring back, and what is kept. */
export interface RecordOptions extends TraceConfiguration {
  /** Any provider: what it does is the same for all, and the certificate's signatures are always deterministic. */
  readonly crypto?: CryptoProvider | undefined;
  /**
   * Only for tests: a number that decides all keys. Left out, 32 bytes are drawn from the platform; the trace then holds
   * them, and with them every key of the connection.
   */
  readonly seed?: number | undefined;
  readonly maxEntries?: number | undefined;
}

const RULES: OptionRules<RecordOptions> = {
  ...without(RTC_OPTION_RULES, 'certificate', 'crypto', 'random', 'media'),
  media: nested(MEDIA_SUPPORT_RULES),
  crypto: cryptoRule,
  seed: number(-Number.MAX_VALUE),
  maxEntries: number(1, Infinity),
};

/** A connection and what is being kept of it. */
export interface Recording {
  readonly rtc: Rtc;
  readonly recorder: TraceRecorder;
}

/**
 * Makes an `Rtc` with a certificate of its own and records it from its first breath.
 * Throws `ERR_BAD_ARGUMENT` for options that are no plain data (`sctp.congestion`), and as the `Rtc` constructor does.
 */
export function recordRtc(options: RecordOptions = {}): Recording {
  checkOptions('recordRtc', options, RULES);
  const { crypto, seed, maxEntries, ...configuration } = options;
  const header = traceHeader(seed ?? freshSeed(), plainCopy(configuration));
  const recorder = new TraceRecorder(header, maxEntries);
  const rtc = rtcOf(header, crypto);
  rtc.setTrace(recorder.listener, { secrets: true });
  return { rtc, recorder };
}

/** The connection a header describes, before anything has happened to it. */
export function rtcOf(header: TraceHeader, crypto: CryptoProvider = jsCrypto()): Rtc {
  const random = seededRandom(header.seed ?? 0);
  // Always by the js provider: its signatures are the same every time (RFC 6979), those of others need not be.
  const certificate = selfSignedCertificate({ random: random.split('certificate'), crypto: jsCrypto() });
  const { media, ...options } = header.options ?? {};
  return new Rtc({
    ...options,
    ...(media === undefined ? {} : { media: rtpMedia(media) }),
    certificate,
    crypto,
    random: random.split('rtc'),
  });
}

function plainCopy(configuration: TraceConfiguration): TraceConfiguration {
  return mapPlain(configuration, (value, key) => {
    if (typeof value === 'function')
      throw badArgument(key, 'plain data: a trace cannot hold functions', value);
    return value;
  });
}
