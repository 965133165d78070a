/**
 * Ear: tells speech from silence by the level that the sender has written beside each packet (RFC 6464), so that nothing is decoded,
 * and keeps what was said.
 *
 *   silence ──loud for SPEECH_AFTER──▶ speech ──quiet for SILENCE_AFTER, or MAX_UTTERANCE──▶ silence: an utterance
 */
import { opusDuration } from 'sansrtc/media';
import { AUDIO_LEVEL_URI, readAudioLevel } from 'sansrtc/rtp';

/** dBov: 0 is the loudest there is, a voice is at −20 to −45, a quiet room below −60. */
const LOUDEST_SILENCE = -50;
/** Milliseconds: a click is shorter. */
const SPEECH_AFTER = 60;
/** Milliseconds: a pause between words is shorter. */
const SILENCE_AFTER = 700;
/** What is kept of the time before, ms: the first consonant is quiet. */
const LEAD = 200;
/** Milliseconds. */
const MAX_UTTERANCE = 10_000;

/** Opus counts at 48 kHz always (RFC 7587 §4.1). */
const UNITS_PER_MILLISECOND = 48;

/** Hears one stream. */
export class Ear {
  #onSpeech;
  #onUtterance;
  /** What was heard, oldest first; while nobody speaks, of the last LEAD alone. */
  #heard = [];
  #isSpeech = false;
  /** Milliseconds of it in a row. */
  #loud = 0;
  #quiet = 0;
  #timer;

  /** @param onSpeech somebody begins to speak; @param onUtterance somebody has spoken: the packets, in their order */
  constructor({ onSpeech, onUtterance }) {
    this.#onSpeech = onSpeech;
    this.#onUtterance = onUtterance;
  }

  /** A packet of Opus. */
  hear({ packet, stream, sequence }) {
    const duration = (opusDuration(packet.payload) ?? 0) / UNITS_PER_MILLISECOND;
    // Silence need not be sent at all: what does not come is quiet, too.
    clearTimeout(this.#timer);
    if (this.#isSpeech) this.#timer = setTimeout(() => this.#end(), SILENCE_AFTER);
    if (duration === 0) return;
    this.#heard.push({ payload: packet.payload, duration, sequence });
    const extension = packet.extension(stream.extensionIds.get(AUDIO_LEVEL_URI));
    const isLoud = extension !== undefined && readAudioLevel(extension).level > LOUDEST_SILENCE;
    this.#loud = isLoud ? this.#loud + duration : 0;
    this.#quiet = isLoud ? 0 : this.#quiet + duration;
    if (this.#isSpeech) {
      if (this.#quiet >= SILENCE_AFTER || durationOf(this.#heard) >= MAX_UTTERANCE) this.#end();
    } else if (this.#loud >= SPEECH_AFTER) {
      this.#isSpeech = true;
      this.#onSpeech();
    } else {
      while (durationOf(this.#heard) > LEAD) this.#heard.shift();
    }
  }

  close() {
    clearTimeout(this.#timer);
  }

  #end() {
    clearTimeout(this.#timer);
    const utterance = this.#heard.splice(0).sort((a, b) => a.sequence - b.sequence);
    // The pause that has ended it is not part of it.
    let excess = this.#quiet - LEAD;
    while (excess > 0 && utterance.length > 0) excess -= utterance.pop().duration;
    this.#isSpeech = false;
    this.#loud = this.#quiet = 0;
    this.#onUtterance(utterance);
  }
}

export function durationOf(packets) {
  return packets.reduce((sum, { duration }) => sum + duration, 0);
}
