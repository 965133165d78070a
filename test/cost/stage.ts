/**
 * The stage of the tests of cost: two connections on a virtual clock and nothing between them. Datagrams are given away, sixteen before a
 * drain, a millisecond each way; nothing but the library makes an array.
 */
import type { DataChannel, RtcEvent, RtcOptions, Transmit } from '../../src/index.ts';
import { Rtc, SeededRandom, jsCrypto, selfSignedCertificate } from '../../src/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { Counts } from './counting.ts';
import { countArrays, countingProvider, noCounts } from './counting.ts';

/** In a warm process, whatever ran in it before: the first keys of HMAC are OpenSSL's, with other objects around them. */
const crypto = nodeCrypto();
for (let keys = 0; keys < 2000; keys++) crypto.hmac('sha-256', new Uint8Array(32));

/** As many datagrams as Node's driver takes in before it drains. */
const BATCH = 16;
/** Milliseconds of the way. */
const DELAY = 1;

interface End {
  readonly rtc: Rtc;
  readonly inbox: { readonly at: number; readonly transmit: Transmit }[];
  deadline: number;
  channel: DataChannel | undefined;
  messages: number;
  onMessage: ((event: Extract<RtcEvent, { type: 'message' }>) => void) | undefined;
}

const certificates = [1, 2].map((seed) =>
  selfSignedCertificate({ random: new SeededRandom(seed), crypto: jsCrypto() }),
);

/** Two connections that count what they cost. */
export class Stage {
  readonly a: End;
  readonly b: End;
  #now = 0;
  #counts: Counts = noCounts();

  constructor(options: Partial<RtcOptions> = {}) {
    this.a = this.#end(0, options);
    this.b = this.#end(1, options);
  }

  /** What `work` costs, from the first call to the last datagram: `until` says when it is done. */
  cost(work: () => void, until: () => boolean): Counts {
    const counts = noCounts();
    this.#counts = counts;
    countArrays(counts, () => {
      work();
      this.#run(until);
    });
    this.#counts = noCounts();
    return counts;
  }

  /** Offer and answer, and a channel at both ends. */
  connect(): void {
    const draft = this.a.rtc.negotiation();
    draft.addChannel('cost');
    const offer = draft.offer();
    offer.accept(this.b.rtc.receiveOffer(offer.sdp).answer());
  }

  isOpen(): boolean {
    return this.a.channel !== undefined && this.b.channel !== undefined;
  }

  #end(index: 0 | 1, options: Partial<RtcOptions>): End {
    const certificate = certificates[index];
    if (certificate === undefined) throw new Error('no certificate');
    const rtc = new Rtc({
      certificate,
      crypto: countingProvider(crypto, () => this.#counts),
      random: new SeededRandom(10 + index),
      now: 0,
      ...options,
    });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 1 + index });
    return { rtc, inbox: [], deadline: 0, channel: undefined, messages: 0, onMessage: undefined };
  }

  #run(until: () => boolean): void {
    for (let steps = 0; ; steps++) {
      this.#turn(this.a, this.b, 'datagrams there');
      this.#turn(this.b, this.a, 'datagrams back');
      if (until()) return;
      if (steps > 100_000) throw new Error('it does not end');
      const arrivals = [this.a, this.b].map(({ inbox }) => inbox[0]?.at ?? Infinity);
      this.#now = Math.max(this.#now, Math.min(this.a.deadline, this.b.deadline, ...arrivals));
    }
  }

  #turn(end: End, other: End, way: 'datagrams there' | 'datagrams back'): void {
    const now = this.#now;
    end.rtc.handleInput({ type: 'timeout', now });
    for (let taken = 0; (end.inbox[0]?.at ?? Infinity) <= now; taken++) {
      if (taken === BATCH) {
        this.#drain(end, other, way);
        taken = 0;
      }
      const next = end.inbox.shift();
      if (next === undefined) break;
      const { protocol, source, destination, data } = next.transmit;
      end.rtc.handleInput({
        type: 'receive',
        now,
        protocol,
        source,
        destination,
        data,
        owned: true,
      });
    }
    this.#drain(end, other, way);
  }

  #drain(end: End, other: End, way: 'datagrams there' | 'datagrams back'): void {
    for (;;) {
      const output = end.rtc.pollOutput();
      if (output.type === 'timeout') {
        end.deadline = output.at;
        return;
      }
      if (output.type === 'transmit') {
        this.#counts[way]++;
        other.inbox.push({ at: this.#now + DELAY, transmit: output });
        continue;
      }
      this.#counts.events++;
      const { event } = output;
      if (event.type === 'channelopen' || event.type === 'datachannel') end.channel = event.channel;
      if (event.type === 'message') {
        end.messages++;
        end.onMessage?.(event);
      }
    }
  }
}
