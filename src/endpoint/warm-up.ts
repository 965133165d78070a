/**
 * A warm-up: whole connections in memory, so that a process has compiled what a connection needs before the first peer comes.
 *
 *   two endpoints, no sockets, a clock of its own   offer → answer → checks → handshakes → channel → a message there and back
 *
 * All but the last connection are closed again, which is compiled that way too. The last one stays open and goes to the caller:
 * an engine lets go of compiled code with the last object whose shape it was made for, and as long as somebody holds a connection, it
 * stays.
 */
import { RtcError } from '../core/errors.ts';
import { checkOptions, integer } from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomRule } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/index.ts';
import { cryptoRule, jsCrypto } from '../crypto/index.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import { Endpoint } from '../endpoint.ts';
import type { RtcEvent, RtcOptions } from '../rtc.ts';
import { Rtc } from '../rtc.ts';

/** What a warm-up runs. */
export interface WarmUpOptions {
  /** The provider that is to be warm, default `jsCrypto()`. */
  readonly crypto?: CryptoProvider | undefined;
  /** Default `systemRandom`. */
  readonly random?: RandomSource | undefined;
  /** As the connections to come will have it: another version or group is other code. */
  readonly dtls?: RtcOptions['dtls'];
  /** How many connections, one after the other, 1 to 1000, default 3. */
  readonly connections?: number | undefined;
}

/** Two ends that were warmed up on, connected to each other and to nobody else. */
export interface WarmConnection {
  /** The last connection: hold it for as long as the code is to stay. Nobody drives it, so it does nothing. */
  readonly ends: readonly [Rtc, Rtc];
}

const MAX_CONNECTIONS = 1000;
const DEFAULT_CONNECTIONS = 3;

/** Longest wait of one connection, ms of its clock: it takes 50 where nothing is lost. */
const PATIENCE = 10_000;

/** An end with its endpoint, which a datagram or the time has reached since it was drained. */
interface End {
  readonly endpoint: Endpoint;
  readonly rtc: Rtc;
  isDrained: boolean;
  at: number;
}

/**
 * Runs connections in memory until they have exchanged a message, before it returns: some 60 ms of CPU in place of those that
 * the first peer would pay for. Call it before you listen, and keep what it returns.
 *
 * Throws `ERR_BAD_ARGUMENT` for options that cannot be, `ERR_INVALID_STATE` if a connection does not come about, as with a provider that
 * does not work.
 */
export function warmUp(options: WarmUpOptions = {}): WarmConnection {
  checkOptions('warmUp', options, {
    crypto: cryptoRule,
    random: randomRule,
    dtls: () => undefined, // `Rtc` judges it
    connections: integer(1, MAX_CONNECTIONS),
  });
  const { crypto = jsCrypto(), random, dtls, connections = DEFAULT_CONNECTIONS } = options;
  crypto.warmUp();
  const certificate = selfSignedCertificate({ crypto, random });
  const connect = (): Pair =>
    new Pair(new Rtc({ certificate, crypto, random, dtls }), new Rtc({ certificate, crypto, random, dtls }));
  for (let left = connections; left > 1; left--) connect().run().close();
  return connect().run();
}

/** Two ends in one memory, whose datagrams arrive at once. */
class Pair implements WarmConnection {
  readonly ends: readonly [Rtc, Rtc];
  readonly #offering: End;
  readonly #answering: End;
  #now = 0;
  #isEchoed = false;

  constructor(offering: Rtc, answering: Rtc) {
    this.ends = [offering, answering];
    this.#offering = endOf(offering, 1);
    this.#answering = endOf(answering, 2);
  }

  run(): this {
    const draft = this.#offering.rtc.negotiation();
    draft.addChannel('warm-up');
    const offer = draft.offer();
    offer.accept(this.#answering.rtc.receiveOffer(offer.sdp).answer());
    while (!this.#isEchoed && this.#now < PATIENCE) {
      this.#tell();
      this.#drain();
      this.#now = Math.min(this.#offering.at, this.#answering.at);
    }
    if (!this.#isEchoed)
      throw new RtcError('ERR_INVALID_STATE', 'the connection to warm up on did not come about');
    return this;
  }

  close(): void {
    this.#offering.rtc.close();
    this.#tell();
    this.#drain();
  }

  /** The time. */
  #tell(): void {
    for (const end of [this.#offering, this.#answering]) {
      end.endpoint.handleInput({ type: 'timeout', now: this.#now });
      end.isDrained = false;
    }
  }

  /** Until both have nothing more to say at this time. */
  #drain(): void {
    while (!this.#offering.isDrained || !this.#answering.isDrained) {
      this.#drainEnd(this.#offering, this.#answering);
      this.#drainEnd(this.#answering, this.#offering);
    }
  }

  #drainEnd(end: End, other: End): void {
    for (;;) {
      const output = end.endpoint.pollOutput();
      if (output.type === 'transmit') {
        const { protocol, data, source, destination } = output;
        // What one sends from is what the other receives at.
        other.endpoint.handleInput({
          type: 'receive',
          now: this.#now,
          protocol,
          source,
          destination,
          data,
          owned: true,
        });
        other.isDrained = false;
      } else if (output.type === 'event') {
        this.#react(end, output.event);
      } else if (output.type === 'timeout') {
        end.at = output.at;
        end.isDrained = true;
        return;
      }
    }
  }

  #react(end: End, event: RtcEvent): void {
    if (event.type === 'channelopen') event.channel.send('warm-up');
    else if (event.type !== 'message') return;
    else if (end === this.#answering) event.channel.send(event.data);
    else this.#isEchoed = true;
  }
}

/** On a port of the loopback address that nobody will ever hear of. */
function endOf(rtc: Rtc, port: number): End {
  const endpoint = new Endpoint();
  endpoint.add(rtc);
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '127.0.0.1', port });
  return { endpoint, rtc, isDrained: false, at: 0 };
}
