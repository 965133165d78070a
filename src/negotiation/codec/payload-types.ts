/**
 * Payload types: what each number means in a session. RFC 3264 §8.3.2: "the mapping from a particular dynamic payload type number to a
 * particular codec within that media stream MUST NOT change for the duration of a session", and in a BUNDLE group all streams share the
 * numbers (RFC 9143 §10.1.2). So a codec keeps its number in all offers of ours, and a number that has meant something is given to
 * nothing else.
 */
import type { SdpCodec, SdpError } from '../../sdp/index.ts';
import { sdpError } from '../../sdp/index.ts';
import { encodingOf, formatKey } from './format.ts';
import { formatParameter } from './parameters.ts';

/** What one number means. */
export interface PayloadTypeMeaning {
  /** 0–127. */
  readonly payloadType: number;
  /** What the formats have in common that it can mean; nothing to be read by others. */
  readonly format: string;
}

/** What every number means that has been spoken of in a session; at most one entry a number. Plain and immutable. */
export type PayloadTypes = readonly PayloadTypeMeaning[];

/** Of a session in which nothing has been said yet. */
export const NO_PAYLOAD_TYPES: PayloadTypes = [];

/** Numbers that mean a codec by themselves (RFC 3551 §6), by what the codec is. */
const STATIC: ReadonlyMap<string, number> = new Map([
  ['pcmu/8000/1', 0],
  ['pcma/8000/1', 8],
  ['g722/8000/1', 9],
  ['cn/8000/1', 13],
]);

/**
 * For dynamic assignment: 96–127 (RFC 3551 §6), and after those 35–63, which are unassigned. 64–95 read as RTCP where both share a port
 * (RFC 5761 §4).
 */
const DYNAMIC: readonly number[] = [...numbersOf(96, 127), ...numbersOf(35, 63)];

function numbersOf(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** What the number of a format means. `rtx` is its own for each format that it repeats; the codecs that `red` names may differ. */
export function meaningOf(codec: SdpCodec): string {
  const name = codec.name.toLowerCase();
  if (name === 'rtx') return retransmissionMeaning(codec.clockRate, formatParameter(codec.fmtp, 'apt') ?? '');
  return name === 'red' ? encodingOf(codec) : formatKey(codec);
}

/** What the number of the `rtx` of the format `apt` means. */
export function retransmissionMeaning(clockRate: number, apt: number | string): string {
  return `rtx/${String(clockRate)}/1;${String(apt)}`;
}

/**
 * What is known after a description has been applied whose sections, those of one BUNDLE group, have these formats.
 * `payload-type-conflict` where one number means two things in it. A number that meant something else before means what was said last:
 * browsers give numbers to others once their media have stopped.
 * @param unused formats that are offered and not taken: they refuse nothing. Firefox that has taken our numbers gives `red` of video one
 *   that audio has.
 */
export function notePayloadTypes(
  known: PayloadTypes,
  sections: readonly (readonly SdpCodec[])[],
  unused: readonly SdpCodec[] = [],
): PayloadTypes | SdpError {
  const noted = new Map<number, string>();
  for (const codec of sections.flat()) {
    const meaning = meaningOf(codec);
    const before = noted.get(codec.payloadType);
    if (before !== undefined && before !== meaning) {
      return sdpError(
        'payload-type-conflict',
        `payload type ${String(codec.payloadType)} means two codecs in one BUNDLE group, one of them ${codec.name.slice(0, 32)}`,
      );
    }
    noted.set(codec.payloadType, meaning);
  }
  for (const codec of unused) {
    if (!noted.has(codec.payloadType)) noted.set(codec.payloadType, meaningOf(codec));
  }
  return [
    ...known.filter(({ payloadType }) => !noted.has(payloadType)),
    ...[...noted].map(([payloadType, format]) => ({ payloadType, format })),
  ];
}

/** Gives numbers to the formats of one section of an offer. */
export class PayloadTypeAssignment {
  readonly #known: PayloadTypeMeaning[];
  readonly #taken: Set<number>;
  /** By meaning: the numbers that have it already and are not given yet, the one to be given first last. */
  readonly #before = new Map<string, number[]>();
  /** How many of `DYNAMIC` have been looked at. */
  #looked = 0;

  /** @param said the numbers of the section's last description, which it keeps where a format has several */
  constructor(known: PayloadTypes, said: readonly number[]) {
    this.#known = [...known];
    this.#taken = new Set(known.map(({ payloadType }) => payloadType));
    const own = new Set(said);
    const isOwn = ({ payloadType }: PayloadTypeMeaning): boolean => own.has(payloadType);
    const order = [...known.filter(isOwn), ...known.filter((meaning) => !isOwn(meaning))];
    for (const { payloadType, format } of order.reverse()) {
      const numbers = this.#before.get(format);
      if (numbers === undefined) this.#before.set(format, [payloadType]);
      else numbers.push(payloadType);
    }
  }

  /** What is known with the numbers that have been given. */
  get known(): PayloadTypes {
    return this.#known;
  }

  /** The number of a format: the one that it had, else its static one, else the next that means nothing. `undefined`: none is left. */
  assign(format: string): number | undefined {
    const before = this.#before.get(format)?.pop();
    if (before !== undefined) return before;
    const fixed = STATIC.get(format);
    const payloadType = fixed !== undefined && !this.#taken.has(fixed) ? fixed : this.#nextFree();
    if (payloadType === undefined) return undefined;
    this.#taken.add(payloadType);
    this.#known.push({ payloadType, format });
    return payloadType;
  }

  #nextFree(): number | undefined {
    while (this.#looked < DYNAMIC.length) {
      const payloadType = DYNAMIC[this.#looked++];
      if (payloadType !== undefined && !this.#taken.has(payloadType)) return payloadType;
    }
    return undefined;
  }
}
