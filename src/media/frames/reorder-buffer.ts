/**
 * ReorderBuffer: the packets of one stream in their order, waited for no longer than it pays.
 *
 *     10 11 │ 13 14    12 is missing: it has a deadline from the moment that is seen
 *           └ it comes: 12 13 14          └ it does not: 13 (not contiguous) 14, and should it come then, it is too late
 *
 * The wait is what a packet that was overtaken needs, four times the jitter, and where lost packets are sent again (NACK) what that
 * takes: a few round trips. It ends by time, never by a count of packets that may not come: a stream of two frames a second is not
 * held back for longer than one of sixty.
 */
import { Counters } from '../../core/counters.ts';
import type { OptionRules } from '../../core/options.ts';
import { checkOptions, integer, number, withDefaults } from '../../core/options.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { RtpEvent, RtpStream } from '../contract.ts';

/** How much is held, and for how long. */
export interface ReorderBufferOptions {
  /** The longest wait for a missing packet, ms, 20 at the least. Default 500 for video, 120 for audio. */
  readonly maxWait?: number | undefined;
  /** Packets behind one that is missing, 16 to 2048. What is more ends the wait. Default 512. */
  readonly maxPackets?: number | undefined;
  /** Bytes of them. Default 4 MiB. */
  readonly maxBytes?: number | undefined;
}

/** A packet in its turn. */
export interface OrderedPacket {
  readonly event: RtpEvent;
  /** False: packets between this one and the one before it are missing for good. */
  readonly isContiguous: boolean;
}

/** What has become of packets. */
export type ReorderBufferCounter =
  | 'packetsOrdered'
  | 'packetsSkipped'
  | 'packetsTooLate'
  | 'packetsDuplicate'
  | 'packetsOfPadding'
  | 'packetsFarOff'
  | 'packetsNotTaken'
  | 'overflows'
  | 'resyncs';

const COUNTERS: readonly ReorderBufferCounter[] = [
  'packetsOrdered',
  'packetsSkipped',
  'packetsTooLate',
  'packetsDuplicate',
  'packetsOfPadding',
  'packetsFarOff',
  'packetsNotTaken',
  'overflows',
  'resyncs',
];

const MIN_WAIT = 20;
const MAX_WAIT = { audio: 120, video: 500 };
/** What is further off than this belongs to another count. */
const FAR = 3000;
/** Requests that a lost packet is worth, and what each takes beside the round trip, ms. */
const REQUESTS = 3;
const REQUEST_DELAY = 10;
/** As long as none was measured, ms. */
const UNKNOWN_ROUND_TRIP = 100;
const DEFAULTS = { maxPackets: 512, maxBytes: 4 * 1024 * 1024 };

const REORDER_BUFFER_OPTION_RULES: OptionRules<ReorderBufferOptions> = {
  maxWait: number(MIN_WAIT),
  maxPackets: integer(16, 2048),
  maxBytes: integer(1),
};

/** Of one stream. Packets go in as they come (`push`), and out in order (`poll`, until `undefined`). */
export class ReorderBuffer {
  readonly #maxWait: number | undefined;
  readonly #maxPackets: number;
  readonly #maxBytes: number;
  readonly #ring: (RtpEvent | undefined)[];
  /** Of those missing, ms; by sequence number, as the ring. */
  readonly #deadlines: Float64Array;
  readonly #ready: BoundedQueue<OrderedPacket>;
  readonly #counters = new Counters<ReorderBufferCounter>(COUNTERS);
  #stream: RtpStream | undefined;
  /** The next one to give out, and the one behind the largest. */
  #next = 0;
  #end = 0;
  #bytes = 0;
  #isContiguous = true;
  /** What follows the last packet that was far off. */
  #afterFar = -1;
  #now = -Infinity;
  /** ms */
  #roundTrip: number = UNKNOWN_ROUND_TRIP;
  #jitter = 0;
  #transit: number | undefined;
  /** Lost packets are asked for, and sent again. */
  #isRepaired = false;

  /** Throws `ERR_BAD_ARGUMENT` for options that cannot be. */
  constructor(options: ReorderBufferOptions = {}) {
    checkOptions('ReorderBuffer', options, REORDER_BUFFER_OPTION_RULES);
    const { maxPackets, maxBytes } = withDefaults(DEFAULTS, options);
    const slots = 2 ** Math.ceil(Math.log2(maxPackets));
    this.#maxWait = options.maxWait;
    this.#maxPackets = maxPackets;
    this.#maxBytes = maxBytes;
    this.#ring = new Array<RtpEvent | undefined>(slots).fill(undefined);
    this.#deadlines = new Float64Array(slots);
    this.#ready = new BoundedQueue(2 * slots);
  }

  /** The round trip to the sender, ms: packets that are sent again are waited for so long, three times. Default 100. */
  setRoundTripTime(milliseconds: number): void {
    if (milliseconds >= 0 && milliseconds < Infinity) this.#roundTrip = milliseconds;
  }

  /** A packet, at the time it was received. One of another stream begins anew: what the one before still has comes first. */
  push(event: RtpEvent): void {
    const { sequence, stream, receivedAt } = event;
    if (stream !== this.#stream) this.#begin(event);
    this.#advance(receivedAt);
    if (sequence < this.#next - FAR || sequence >= this.#end + FAR) {
      if (!this.#isNewCount(event)) return;
      this.#begin(event);
    }
    if (sequence < this.#next) {
      this.#counters.add('packetsTooLate');
      return;
    }
    if (sequence < this.#end && this.#ring[this.#slot(sequence)] !== undefined) {
      this.#counters.add('packetsDuplicate');
      return;
    }
    this.#measure(event);
    this.#place(event);
    this.#giveOut();
    this.#bound();
  }

  /** The next packet in order; `undefined`: it has not come yet. */
  poll(): OrderedPacket | undefined {
    return this.#ready.shift();
  }

  /** Gives up what is missing for too long at `now`. */
  handleTimeout(now: number): void {
    this.#advance(now);
  }

  /** When the missing packet that holds up the others is given up, ms; `Infinity`: none does. */
  nextTimeout(): number {
    return this.#next < this.#end ? this.#deadlines[this.#slot(this.#next)]! : Infinity;
  }

  /** The stream is over: gives out what there is, without waiting for anything. */
  flush(): void {
    while (this.#next < this.#end) this.#step();
  }

  /** How many packets went which way. */
  get counters(): Record<ReorderBufferCounter, number> {
    return this.#counters.snapshot();
  }

  /** What is held and waited for, as plain JSON-safe data. */
  inspect(): object {
    return {
      ssrc: this.#stream?.ssrc,
      next: this.#next,
      end: this.#end,
      bytes: this.#bytes,
      ready: this.#ready.size,
      wait: this.#wait(),
      jitter: this.#jitter,
      counters: this.counters,
    };
  }

  #slot(sequence: number): number {
    return sequence & (this.#ring.length - 1);
  }

  #advance(now: number): void {
    if (now > this.#now) this.#now = now;
    this.#giveOut();
  }

  /** All that is in order, and what is behind a gap whose time is over. */
  #giveOut(): void {
    while (this.#next < this.#end) {
      const slot = this.#slot(this.#next);
      if (this.#ring[slot] === undefined && this.#deadlines[slot]! > this.#now) return;
      this.#step();
    }
  }

  /** The next one is given out, or skipped where it is missing. */
  #step(): void {
    const slot = this.#slot(this.#next);
    const event = this.#ring[slot];
    this.#next++;
    if (event === undefined) {
      this.#counters.add('packetsSkipped');
      this.#isContiguous = false;
      return;
    }
    this.#ring[slot] = undefined;
    this.#bytes -= event.packet.bytes.length;
    if (event.packet.payload.length === 0) {
      this.#counters.add('packetsOfPadding');
      return;
    }
    const isTaken = this.#ready.push({ event, isContiguous: this.#isContiguous });
    this.#counters.add(isTaken ? 'packetsOrdered' : 'packetsNotTaken');
    this.#isContiguous = isTaken;
  }

  /** Within the bounds, though something may be missing in front. */
  #bound(): void {
    if (this.#end - this.#next <= this.#maxPackets && this.#bytes <= this.#maxBytes) return;
    this.#counters.add('overflows');
    while (this.#end - this.#next > this.#maxPackets || this.#bytes > this.#maxBytes) this.#step();
    this.#giveOut();
  }

  /** Into the ring, and a deadline for each number in front of it that has not come. */
  #place(event: RtpEvent): void {
    const { sequence } = event;
    // No more than the ring has room for; what is in front of that is given out or skipped.
    if (sequence - this.#next >= this.#ring.length) this.#counters.add('overflows');
    while (sequence - this.#next >= this.#ring.length && this.#next < this.#end) this.#step();
    if (sequence - this.#next >= this.#ring.length) {
      this.#counters.add('packetsSkipped', sequence - this.#next);
      this.#isContiguous = false;
      this.#next = sequence;
    }
    const deadline = this.#now + this.#wait();
    for (let at = Math.max(this.#end, this.#next); at < sequence; at++)
      this.#deadlines[this.#slot(at)] = deadline;
    this.#ring[this.#slot(sequence)] = event;
    this.#bytes += event.packet.bytes.length;
    this.#end = Math.max(this.#end, sequence + 1);
  }

  #begin({ stream, sequence, codec }: RtpEvent): void {
    this.flush();
    this.#isRepaired = codec.rtcpFeedback.includes('nack');
    if (this.#stream !== undefined) {
      this.#counters.add('resyncs');
      this.#isContiguous = false;
    }
    this.#stream = stream;
    this.#next = sequence;
    this.#end = sequence;
    this.#afterFar = -1;
    this.#transit = undefined;
  }

  /** One packet from far off is a stray; two in a row are a count that began anew (RFC 3550 A.1). */
  #isNewCount({ sequence, isRecovered }: RtpEvent): boolean {
    if (sequence === this.#afterFar && !isRecovered) return true;
    this.#counters.add('packetsFarOff');
    if (!isRecovered) this.#afterFar = sequence + 1;
    return false;
  }

  /** RFC 3550 A.8, in ms, of packets that came by themselves. */
  #measure({ time, receivedAt, codec, isRecovered }: RtpEvent): void {
    if (isRecovered) return;
    const transit = receivedAt - (time * 1000) / codec.clockRate;
    if (this.#transit !== undefined) {
      this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16;
    }
    this.#transit = transit;
  }

  #wait(): number {
    const longest = this.#maxWait ?? MAX_WAIT[this.#stream?.kind ?? 'video'];
    const again = this.#isRepaired ? REQUESTS * (this.#roundTrip + REQUEST_DELAY) : 0;
    return Math.max(MIN_WAIT, Math.min(longest, 4 * this.#jitter + again));
  }
}
