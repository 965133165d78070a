/**
 * Blocks of an extended report (RFC 3611 §3, §4) that are known: receiver reference times, and the answers to them.
 *
 *     type (8) │ specific to it (8) │ length in words, less one │ …
 */
import type { Bytes, Reader } from '../../core/bytes.ts';
import { writeU16, writeU32 } from '../../core/bytes.ts';
import type { OptionRule } from '../../core/options.ts';
import { fields, oneOf, required } from '../../core/options.ts';
import { ANY_TYPE, U32, U8, WORDS, elements } from './form.ts';

/** RFC 3611 §4.4: the time of a receiver that sends no media, for whoever can answer. */
export interface ReceiverReferenceTime {
  readonly type: 'receiver-reference-time';
  readonly ntpSeconds: number;
  readonly ntpFraction: number;
}

/** RFC 3611 §4.5: the answers to receiver reference times. */
export interface DelaySinceLastReceiverReport {
  readonly type: 'delay-since-last-receiver-report';
  readonly reports: readonly {
    readonly ssrc: number;
    /** Middle 32 bits of the receiver's NTP time. */
    readonly lastReceiverReport: number;
    /** 1/65536 s since then. */
    readonly delay: number;
  }[];
}

/** Another block, as bytes; a view, when read. */
export interface OtherXrBlock {
  readonly type: 'other';
  readonly blockType: number;
  /** The byte behind the block's type. */
  readonly typeSpecific: number;
  /** Whole words. */
  readonly data: Uint8Array;
}

/** Any block. */
export type XrBlock = ReceiverReferenceTime | DelaySinceLastReceiverReport | OtherXrBlock;

type Delay = DelaySinceLastReceiverReport['reports'][number];

const BLOCK_TYPE = { receiverReferenceTime: 4, delaySinceLastReceiverReport: 5 } as const;
const BLOCK_HEADER = 4;
const REFERENCE_TIME_LENGTH = 8;
const DELAY_LENGTH = 12;

const DELAY = fields<Delay>({ ssrc: U32, lastReceiverReport: U32, delay: U32 });

const BLOCK_RULES: { readonly [Type in XrBlock['type']]: OptionRule } = {
  'receiver-reference-time': fields<ReceiverReferenceTime>({
    type: ANY_TYPE,
    ntpSeconds: U32,
    ntpFraction: U32,
  }),
  'delay-since-last-receiver-report': fields<DelaySinceLastReceiverReport>({
    type: ANY_TYPE,
    reports: elements(DELAY, 0, Infinity),
  }),
  other: fields<OtherXrBlock>({ type: ANY_TYPE, blockType: U8, typeSpecific: U8, data: WORDS }),
};

/** The rule of one block. */
export const XR_BLOCK: OptionRule = (value, name) => {
  fields<Pick<XrBlock, 'type'>>({ type: required(oneOf(Object.keys(BLOCK_RULES))) })(value, name);
  BLOCK_RULES[(value as XrBlock).type](value, name);
};

/** The next block; `undefined`: it is longer than what is left, or not as long as its type is. */
export function readXrBlock(body: Reader): XrBlock | undefined {
  const blockType = body.u8();
  const typeSpecific = body.u8();
  const block = body.sub(4 * body.u16());
  if (body.failed) return undefined;
  switch (blockType) {
    case BLOCK_TYPE.receiverReferenceTime:
      if (block.remaining !== REFERENCE_TIME_LENGTH) return undefined;
      return { type: 'receiver-reference-time', ntpSeconds: block.u32(), ntpFraction: block.u32() };
    case BLOCK_TYPE.delaySinceLastReceiverReport:
      if (block.remaining % DELAY_LENGTH !== 0) return undefined;
      return { type: 'delay-since-last-receiver-report', reports: readDelays(block) };
    default:
      return { type: 'other', blockType, typeSpecific, data: block.view(block.remaining) };
  }
}

function readDelays(block: Reader): Delay[] {
  const reports: Delay[] = [];
  while (block.remaining > 0) {
    reports.push({ ssrc: block.u32(), lastReceiverReport: block.u32(), delay: block.u32() });
  }
  return reports;
}

/** Bytes of a block with its header. */
export function xrBlockLength(block: XrBlock): number {
  switch (block.type) {
    case 'receiver-reference-time':
      return BLOCK_HEADER + REFERENCE_TIME_LENGTH;
    case 'delay-since-last-receiver-report':
      return BLOCK_HEADER + DELAY_LENGTH * block.reports.length;
    case 'other':
      return BLOCK_HEADER + block.data.length;
  }
}

/** Writes a block with its header at `at`. */
export function writeXrBlock(block: XrBlock, into: Bytes, at: number): void {
  into[at + 1] = 0;
  writeU16(into, at + 2, xrBlockLength(block) / 4 - 1);
  switch (block.type) {
    case 'receiver-reference-time':
      into[at] = BLOCK_TYPE.receiverReferenceTime;
      writeU32(into, at + 4, block.ntpSeconds);
      writeU32(into, at + 8, block.ntpFraction);
      break;
    case 'delay-since-last-receiver-report':
      into[at] = BLOCK_TYPE.delaySinceLastReceiverReport;
      block.reports.forEach(({ ssrc, lastReceiverReport, delay }, i) => {
        writeU32(into, at + 4 + DELAY_LENGTH * i, ssrc);
        writeU32(into, at + 8 + DELAY_LENGTH * i, lastReceiverReport);
        writeU32(into, at + 12 + DELAY_LENGTH * i, delay);
      });
      break;
    case 'other':
      into[at] = block.blockType;
      into[at + 1] = block.typeSpecific;
      into.set(block.data, at + BLOCK_HEADER);
      break;
  }
}
