/**
 * Bot: one call. It greets, and says back what it hears; who speaks while it does interrupts it. Keys of a telephone and a data channel
 * steer it, and the channel tells what it does.
 *
 *   listening ──speech──▶ hearing ──pause──▶ thinking ──answerDelay──▶ speaking ──all said, or speech──▶ …
 */
import { durationOf, Ear } from './ear.mjs';
import { Voice } from './voice.mjs';

/** Milliseconds. */
const ANSWER_DELAY = 300;

export class Bot {
  #greeting;
  #media;
  #channel;
  #ear;
  #voice;
  #state = 'listening';
  #answerDelay = ANSWER_DELAY;
  #thinking;

  /**
   * @param rtc a connection whose audio goes both ways
   * @param greeting packets of Opus with their durations
   */
  constructor(rtc, greeting) {
    this.#greeting = greeting;
    this.#media = rtc.media.find(
      ({ kind, currentDirection }) => kind === 'audio' && currentDirection === 'sendrecv',
    );
    this.#voice = new Voice(() => rtc.sender(this.#media.id), { onEnd: () => this.#become('listening') });
    this.#ear = new Ear({
      onSpeech: () => this.#interrupted(),
      onUtterance: (packets) => this.#think(packets),
    });
  }

  /** What happens on the connection. */
  handleEvent(event) {
    switch (event.type) {
      case 'connectionstatechange':
        if (event.state === 'connected') this.#greet();
        return;
      case 'rtp':
        if (event.codec.mimeType.toLowerCase() === 'audio/opus') this.#ear.hear(event);
        return;
      case 'dtmf':
        this.#tell({ type: 'dtmf', tone: event.tone });
        this.#press(event.tone);
        return;
      case 'datachannel':
        this.#channel ??= event.channel;
        this.#tell({ type: 'state', state: this.#state });
        return;
      case 'message':
        if (event.data === 'greet') this.#greet();
        else if (event.data === 'stop') this.#stop();
        return;
      case 'closed':
        this.#voice.stop();
        this.#ear.close();
        clearTimeout(this.#thinking);
        return;
    }
  }

  #greet() {
    this.#stop();
    this.#speak(this.#greeting);
  }

  #stop() {
    clearTimeout(this.#thinking);
    this.#voice.stop();
    this.#become('listening');
  }

  /** A digit is how long it thinks, in tenths of a second; `*` is the greeting again, `#` silence. */
  #press(tone) {
    if (tone === '*') this.#greet();
    else if (tone === '#') this.#stop();
    else if (/^\d$/.test(tone)) this.#answerDelay = Number(tone) * 100;
  }

  #interrupted() {
    if (this.#voice.isSpeaking) this.#tell({ type: 'interrupted' });
    this.#stop();
    this.#become('hearing');
  }

  /** Here is the place for speech to text, a language model, and text to speech. */
  #think(packets) {
    this.#tell({ type: 'heard', milliseconds: durationOf(packets) });
    this.#become('thinking');
    this.#thinking = setTimeout(() => this.#speak(packets), this.#answerDelay);
  }

  #speak(packets) {
    this.#become('speaking');
    this.#voice.say(packets);
  }

  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#tell({ type: 'state', state });
  }

  #tell(message) {
    if (this.#channel?.readyState === 'open') this.#channel.send(JSON.stringify(message));
  }
}
