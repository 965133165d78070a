/**
 * Bulk transfers over one data channel, for both ends of the demo.
 *
 * Requests and results are JSON strings, the bytes between them binary messages:
 *
 *   {"type":"put","bytes":N}  <N bytes> ->   <- {"type":"received","bytes":N,"sha256":…,"milliseconds":…}
 *   {"type":"get","bytes":N} ->              <- <N bytes>  {"type":"sent","bytes":N,"sha256":…}
 */
import { createHash, randomFillSync } from 'node:crypto';

export const CHUNK_SIZE = 64 * 1024;
/** A sender keeps between a quarter of a mebibyte and one mebibyte queued in its channel. */
const LOW_WATER = 256 * 1024;
const HIGH_WATER = 1024 * 1024;

/** Sends `bytes` random bytes as fast as the channel takes them. Call `pump()` to start and on every `bufferedamountlow`. */
export class BulkSender {
  #channel;
  #left;
  #hash = createHash('sha256');
  #onSent;

  /** @param onSent called once with the SHA-256 (hex) when the last byte has been handed to the channel */
  constructor(channel, bytes, onSent) {
    this.#channel = channel;
    this.#left = bytes;
    this.#onSent = onSent;
    channel.bufferedAmountLowThreshold = LOW_WATER;
  }

  pump() {
    while (this.#left > 0 && this.#channel.bufferedAmount < HIGH_WATER) {
      const chunk = randomFillSync(new Uint8Array(Math.min(CHUNK_SIZE, this.#left)));
      // Refused is not lost: nothing was queued, and the channel calls again when there is room.
      if (!this.#channel.send(chunk)) return;
      this.#hash.update(chunk);
      this.#left -= chunk.length;
      if (this.#left === 0) this.#onSent(this.#hash.digest('hex'));
    }
  }
}

/** Counts and hashes `bytes` bytes. */
export class BulkReceiver {
  #left;
  #hash = createHash('sha256');
  #started = performance.now();
  #onReceived;

  /** @param onReceived called once with the SHA-256 (hex) and the milliseconds since construction */
  constructor(bytes, onReceived) {
    this.#left = bytes;
    this.#onReceived = onReceived;
  }

  push(data) {
    this.#hash.update(data);
    this.#left -= data.length;
    if (this.#left === 0) this.#onReceived(this.#hash.digest('hex'), performance.now() - this.#started);
  }
}
