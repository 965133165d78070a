/** Ogg files (RFC 3533) with Opus in them (RFC 7845), as `opusenc` and `ffmpeg` write them. */

/** The audio packets of a file with one stream. */
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
