/** The audio level of a packet (RFC 6464 §3), for who mixes or picks speakers without decoding. */
import type { Bytes } from '../../core/bytes.ts';
import { ownBytes } from '../../core/bytes.ts';

/** How loud the audio of a packet is. */
export interface AudioLevel {
  /** In dBov, 0 (the loudest) to −127 (silence). */
  readonly level: number;
  /** V: there is speech in it, as far as the sender can tell. */
  readonly isVoice: boolean;
}

/** `undefined`: it is empty. In the two-byte form a byte of padding may be behind (RFC 6464 §3). */
export function readAudioLevel(value: Uint8Array): AudioLevel | undefined {
  if (value.length === 0) return undefined;
  return { level: 0 - (value[0]! & 0x7f), isVoice: (value[0]! & 0x80) !== 0 };
}

/** Levels are rounded, and those out of the range are the nearest in it. */
export function writeAudioLevel({ level, isVoice }: AudioLevel): Bytes {
  const value = ownBytes(1);
  value[0] = (isVoice ? 0x80 : 0) | Math.min(127, Math.max(0, Math.round(-level)));
  return value;
}
