import type { Bytes } from '../../src/core/bytes.ts';
import { Clock } from '../../src/core/clock.ts';
import type { Machine } from '../../src/core/machine.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { MediaStreamEvent } from '../../src/media/contract.ts';
import { MediaEventQueue } from '../../src/media/receive/event-queue.ts';
import { receiveSettings } from '../../src/media/receive/options.ts';
import { Receiver } from '../../src/media/receive/receiver.ts';
import { rtcpLength, writeRtcp } from '../../src/rtp/index.ts';
import { AUDIO, SIMULCAST, VIDEO, VP8_DELTA, VP8_KEYFRAME, rtp } from '../media/receive/rig.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { layer } from './subjects.ts';

/** A publisher of video with holes in it, one packet each 20 ms; it hears nothing. */
class Publisher implements Machine<never> {
  readonly queuedEvents = 0;
  readonly #random: SeededRandom;
  #now = 0;
  #due = 20;
  #sequence = 65_500;
  #packets: Bytes[] = [];

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  handleTimeout(now: number): void {
    this.#now = Math.max(this.#now, now);
    if (this.#now < this.#due) return;
    this.#due = this.#now + 20;
    this.#sequence += this.#random.unit() < 0.2 ? 3 : 1;
    const sequence = this.#sequence;
    const payload = this.#random.unit() < 0.1 ? VP8_KEYFRAME : VP8_DELTA;
    const init = {
      ssrc: 5,
      mid: '1',
      sequence,
      timestamp: 90 * this.#now,
      payload,
      transportSequence: sequence & 0xffff,
    };
    this.#packets.push(rtp(init));
    if (sequence % 8 === 0)
      this.#packets.push(rtp({ ...init, ssrc: 50, payloadType: 97, repairs: sequence - 1 }));
  }

  nextTimeout(): number {
    return this.#due;
  }

  timeoutReason(): string | undefined {
    return this.#due === Infinity ? undefined : 'packet';
  }

  pollEvent(): undefined {
    return undefined;
  }

  pollPacket(): Bytes | undefined {
    return this.#packets.shift();
  }

  thaw(missed: number): void {
    this.#due += missed;
  }

  close(): void {
    this.#due = Infinity;
    this.#packets = [];
  }

  inspect(): object {
    return { sequence: this.#sequence };
  }

  invariantViolation(): undefined {
    return undefined;
  }
}

/** A receiver with its queue of events, as the session of a connection has them. */
class Received implements Machine<MediaStreamEvent> {
  readonly events: MediaEventQueue;
  readonly receiver: Receiver;

  constructor(clock: Clock) {
    const settings = receiveSettings({ maxStreams: 8, maxQueuedPackets: 50 });
    this.events = new MediaEventQueue(settings);
    this.receiver = new Receiver({ clock, options: settings, events: this.events, ssrc: 77, ntpOffset: 0 });
  }

  get queuedEvents(): number {
    return this.events.size;
  }

  handleTimeout(now: number): void {
    this.receiver.handleTimeout(now);
  }

  nextTimeout(): number {
    return this.receiver.nextTimeout();
  }

  timeoutReason(): string | undefined {
    return this.receiver.timeoutReason();
  }

  pollEvent(): MediaStreamEvent | undefined {
    return this.events.shift();
  }

  thaw(missed: number): void {
    this.receiver.thaw(missed);
  }

  close(): void {
    this.receiver.close();
    this.events.clear();
  }

  inspect(): object {
    return { ...this.receiver.inspect(), counters: this.receiver.counters.snapshot() };
  }

  invariantViolation(): string | undefined {
    return this.receiver.invariantViolation();
  }
}

function receiving(): Subject {
  const clock = new Clock(true, 0);
  const received = new Received(clock);
  const { receiver } = received;
  clock.advance(0, received);
  const facts = { writable: true, largestDatagram: 1200, overhead: 0, roundTripTime: 20, generation: 1 };
  receiver.setMedia([AUDIO, VIDEO], 0);
  receiver.setPath(facts);
  return layer({
    machine: received,
    advance: (now) => {
      clock.advance(now, received);
      return clock.now;
    },
    handlePacket: (packet, now) => {
      receiver.handleRtp(packet, now);
    },
    pollPacket: () => {
      const packet = receiver.pollFeedback(clock.now);
      if (packet === undefined) return undefined;
      const bytes = new Uint8Array(rtcpLength(packet));
      writeRtcp(packet, bytes, 0);
      return bytes;
    },
    endDrain: () => {
      clock.endDrain();
    },
    calls: [
      () => receiver.requestKeyframe(2, undefined, clock.now),
      () => receiver.requestKeyframe(1, 'h', clock.now),
      () => receiver.reportBlocks(clock.now),
      () => {
        receiver.setMedia([AUDIO, SIMULCAST], clock.now);
      },
      () => {
        receiver.setMedia([VIDEO], clock.now);
      },
      () => {
        receiver.setPath({ ...facts, writable: false });
      },
      () => {
        receiver.setPath({ ...facts, roundTripTime: undefined });
      },
      () => {
        receiver.handleBye({ type: 'bye', ssrcs: [5] }, clock.now);
      },
    ],
  });
}

function publishing(seed: number): Subject {
  const publisher = new Publisher(seed);
  return layer({
    machine: publisher,
    handlePacket: (_packet, now) => {
      publisher.handleTimeout(now);
    },
    pollPacket: () => publisher.pollPacket(),
  });
}

const fixture: Fixture = {
  name: 'Receiver',
  setUp: 400,
  connected: '"rtpstreamstart"',
  ownsPackets: true,
  make: (seed) => ({ subject: receiving(), peer: publishing(seed) }),
};

describeMachine(fixture);
