/**
 * H.264 (RFC 6184): a format is a profile and a packetization mode; the level can differ, or be lowered to the lower of both.
 *
 * A profile is told by `profile_idc` and by some of the constraint flags of `profile-level-id` (RFC 6184 §8.1, table 5):
 *
 *   42 x1xx0000, 4d 1xxx0000, 58 11xx0000   Constrained Baseline
 *   42 x0xx0000, 58 10xx0000                Baseline
 *   4d 0x0x0000                             Main
 *   58 00xx0000                             Extended
 *   64 00000000, 64 00001100                High, Constrained High
 *
 * Any other is itself, bit for bit.
 */
import { formatParameter, numberParameter, withFormatParameter } from './parameters.ts';
import type { AgreedParameters, CodecRules } from './rules.ts';

/**
 * What `profile-level-id` is where it is absent: Constrained Baseline, level 3.1. RFC 6184 §8.1: "If no profile-level-id is present,
 * the Baseline profile, without additional constraints at Level 1, MUST be inferred". No browser does: those that leave it out mean
 * what libwebrtc takes it for, and level 1 would be 128 x 96.
 */
const DEFAULT_PROFILE_LEVEL_ID = '42e01f';

/** `profile_idc`, a mask over the constraint flags, their value below it, and the name of the profile. */
const PROFILES: readonly (readonly [idc: number, mask: number, flags: number, name: string])[] = [
  [0x42, 0x4f, 0x40, 'constrained-baseline'],
  [0x4d, 0x8f, 0x80, 'constrained-baseline'],
  [0x58, 0xcf, 0xc0, 'constrained-baseline'],
  [0x42, 0x4f, 0x00, 'baseline'],
  [0x58, 0xcf, 0x80, 'baseline'],
  [0x4d, 0xaf, 0x00, 'main'],
  [0x58, 0xcf, 0x00, 'extended'],
  [0x64, 0xff, 0x00, 'high'],
  [0x64, 0xff, 0x0c, 'constrained-high'],
];

/** `profile_idc` whose level 1b is written as level 1.1 with `constraint_set3_flag` (RFC 6184 §8.2.2). */
const FLAGGED_LEVEL_1B: readonly number[] = [0x42, 0x4d, 0x58];
const CONSTRAINT_SET3 = 0x10;

interface ProfileLevel {
  readonly idc: number;
  readonly flags: number;
  /** As `level_idc` is written. */
  readonly level: number;
}

/** The rules of `H264`. */
export const H264_RULES: CodecRules = {
  identity(fmtp) {
    const mode = numberParameter(fmtp, 'packetization-mode', 0);
    const id = profileLevelId(fmtp);
    const profile = readProfileLevel(id);
    return `${String(mode)} ${profile === undefined ? id : profileName(profile)}`;
  },

  agree(ours, theirs): AgreedParameters {
    const own = readProfileLevel(profileLevelId(ours));
    const others = readProfileLevel(profileLevelId(theirs));
    if (own === undefined || others === undefined || (isAsymmetric(ours) && isAsymmetric(theirs))) {
      return { receive: ours, send: theirs };
    }
    const lower = levelOrder(own) <= levelOrder(others) ? own : others;
    return { receive: withLevel(ours, own, lower), send: withLevel(theirs, others, lower) };
  },
};

function profileLevelId(fmtp: string | undefined): string {
  return formatParameter(fmtp, 'profile-level-id')?.toLowerCase() ?? DEFAULT_PROFILE_LEVEL_ID;
}

function readProfileLevel(id: string): ProfileLevel | undefined {
  if (!/^[0-9a-f]{6}$/.test(id)) return undefined;
  const value = Number.parseInt(id, 16);
  return { idc: value >> 16, flags: (value >> 8) & 0xff, level: value & 0xff };
}

function profileName({ idc, flags }: ProfileLevel): string {
  const known = PROFILES.find(([of, mask, expected]) => of === idc && (flags & mask) === expected);
  return known?.[3] ?? ((idc << 8) | flags).toString(16);
}

/** RFC 6184 §8.2.2: only where both ends say so. */
function isAsymmetric(fmtp: string | undefined): boolean {
  return formatParameter(fmtp, 'level-asymmetry-allowed') === '1';
}

function isLevel1b({ idc, flags, level }: ProfileLevel): boolean {
  if (!FLAGGED_LEVEL_1B.includes(idc)) return level === 9;
  return level === 11 && (flags & CONSTRAINT_SET3) !== 0;
}

/** Levels by height: 1b lies between 1.0 and 1.1. */
function levelOrder(profile: ProfileLevel): number {
  return isLevel1b(profile) ? 10.5 : profile.level;
}

/** `fmtp`, which says `current`, with the level of `target`. */
function withLevel(
  fmtp: string | undefined,
  current: ProfileLevel,
  target: ProfileLevel,
): string | undefined {
  if (levelOrder(current) === levelOrder(target)) return fmtp;
  const isFlagged = FLAGGED_LEVEL_1B.includes(current.idc);
  const plain = isFlagged ? current.flags & ~CONSTRAINT_SET3 : current.flags;
  const is1b = isLevel1b(target);
  const flags = is1b && isFlagged ? plain | CONSTRAINT_SET3 : plain;
  const level = is1b ? (isFlagged ? 11 : 9) : target.level;
  const id = ((current.idc << 16) | (flags << 8) | level).toString(16).padStart(6, '0');
  return withFormatParameter(fmtp, 'profile-level-id', id);
}
