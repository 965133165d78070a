/** Opus without a codec: how long a packet lasts, and the packets of a file as `opusenc` and `ffmpeg` write it. */

/** Milliseconds of a frame by the configuration in its first byte (RFC 6716 §3.1): SILK, hybrid, CELT. */
const FRAME_DURATIONS = [
  ...[1, 2, 3].flatMap(() => [10, 20, 40, 60]),
  ...[1, 2].flatMap(() => [10, 20]),
  ...[1, 2, 3, 4].flatMap(() => [2.5, 5, 10, 20]),
];

/** Milliseconds of a packet; 0 for an empty one. */
export function opusDuration(packet) {
  if (packet.length === 0) return 0;
  const code = packet[0] & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (packet[1] ?? 0) & 0x3f;
  return FRAME_DURATIONS[packet[0] >> 3] * frames;
}

/** The audio packets of an Ogg file (RFC 3533) with one Opus stream in it (RFC 7845). */
export function opusPackets(file) {
  const packets = [];
  let parts = [];
  for (let at = 0; at < file.length;) {
    if (file.toString('latin1', at, at + 4) !== 'OggS') throw new Error('that is no Ogg file');
    const lengths = file.subarray(at + 27, at + 27 + file[at + 26]);
    at += 27 + lengths.length;
    for (const length of lengths) {
      parts.push(file.subarray(at, at + length));
      at += length;
      // A packet ends with the first part that is not full, on whatever page that is.
      if (length === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
  }
  const [head, , ...audio] = packets;
  if (head?.toString('latin1', 0, 8) !== 'OpusHead') throw new Error('that is no Opus');
  return audio;
}
