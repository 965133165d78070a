/**
 * HeaderPlan: which header extensions the packets of a stream carry, under which ids, and how much room they take.
 *
 *     mid, rid                until the peer's reports show that it knows the source (RFC 8843 §9.2, RFC 8852 §3)
 *     mid, repaired-rid       the same of the source of what is sent again
 *     transport-wide sequence number, absolute send time          on every packet
 *     further ones by URI     as the packet says; our own are not taken from it
 */
import { encodeUtf8 } from '../../core/text.ts';
import {
  ABSOLUTE_SEND_TIME_URI,
  MID_URI,
  REPAIRED_RID_URI,
  RID_URI,
  TRANSPORT_SEQUENCE_URI,
  fitsOneByteForm,
} from '../../rtp/index.ts';
import type { SentFlow } from '../parameters.ts';

/** A header extension whose value is always the same. */
export interface FixedExtension {
  readonly id: number;
  readonly value: Uint8Array;
}

/** Extensions that go together: how many, their bytes of values, and whether the short form can say them (RFC 8285 §4.2). */
export interface ExtensionSet {
  /** Those whose values are always the same; `count` and `bytes` include the numbers as well. */
  readonly fixed: readonly FixedExtension[];
  readonly count: number;
  readonly bytes: number;
  readonly isShort: boolean;
}

/** RFC 8285 §4.3. */
const MAX_ID = 255;
const TRANSPORT_SEQUENCE_LENGTH = 2;
const SEND_TIME_LENGTH = 3;
const OURS: readonly string[] = [
  MID_URI,
  RID_URI,
  REPAIRED_RID_URI,
  TRANSPORT_SEQUENCE_URI,
  ABSOLUTE_SEND_TIME_URI,
];

/** The header extensions of one stream. It does not change: other agreements make another one. */
export class HeaderPlan {
  /** Equal where the plans are. */
  readonly key: string;
  /** 0: not agreed on. */
  readonly transportSequenceId: number;
  readonly sendTimeId: number;
  /** Of a source that the peer knows. */
  readonly plain: ExtensionSet;
  /** Of one that it may not know. */
  readonly identified: ExtensionSet;
  /** Of a source of retransmissions that it may not know. */
  readonly repairing: ExtensionSet;
  readonly #others = new Map<string, number>();

  constructor(mid: string | undefined, rid: string | undefined, extensions: SentFlow['headerExtensions']) {
    const ids = new Map<string, number>();
    for (const { id, uri } of extensions) if (id >= 1 && id <= MAX_ID && !ids.has(uri)) ids.set(uri, id);
    for (const [uri, id] of ids) if (!OURS.includes(uri)) this.#others.set(uri, id);
    this.key = JSON.stringify([mid, rid, [...ids]]);
    this.transportSequenceId = ids.get(TRANSPORT_SEQUENCE_URI) ?? 0;
    this.sendTimeId = ids.get(ABSOLUTE_SEND_TIME_URI) ?? 0;
    const numbers: readonly Measure[] = [
      { id: this.transportSequenceId, length: TRANSPORT_SEQUENCE_LENGTH },
      { id: this.sendTimeId, length: SEND_TIME_LENGTH },
    ].filter(({ id }) => id !== 0);
    const fixedMid = fixed(ids.get(MID_URI), mid);
    this.plain = setOf([], numbers);
    this.identified = setOf([...fixedMid, ...fixed(ids.get(RID_URI), rid)], numbers);
    this.repairing = setOf([...fixedMid, ...fixed(ids.get(REPAIRED_RID_URI), rid)], numbers);
  }

  /** The id of an extension that a packet brings along; 0: not agreed on, or ours to write. */
  idOf(uri: string): number {
    return this.#others.get(uri) ?? 0;
  }
}

interface Measure {
  readonly id: number;
  readonly length: number;
}

function fixed(id: number | undefined, text: string | undefined): readonly FixedExtension[] {
  if (id === undefined || text === undefined) return [];
  const value = encodeUtf8(text);
  return value.length > MAX_ID ? [] : [{ id, value }];
}

function setOf(fixed: readonly FixedExtension[], numbers: readonly Measure[]): ExtensionSet {
  const all: readonly Measure[] = [...fixed.map(({ id, value: { length } }) => ({ id, length })), ...numbers];
  return {
    fixed,
    count: all.length,
    bytes: all.reduce((sum, { length }) => sum + length, 0),
    isShort: all.every(({ id, length }) => fitsOneByteForm(id, length)),
  };
}
