/**
 * HandshakeDriver: drives one handshake, from records to messages and from flights to datagrams.
 *
 *   in:   record → fragments → reassembly → the state machine of our role → the next flight
 *   out:  flight → datagrams, when polled; again when `dtlsRetransmit` fires or the peer repeats what the flight answers
 *   end:  `complete`; from then on DTLS 1.2 only heeds repetitions of the peer's Finished, until it shows that it has ours
 *
 * DTLS 1.3 adds ACKs (RFC 9147 §7). Ours go out at once for a record that ends the handshake or comes after it, and when
 * something is missing before it; otherwise `dtlsAck` gives the rest of the peer's flight time to come. The peer's take
 * what they name out of the flight. The flight that ends the handshake, and each KeyUpdate, is repeated until acknowledged.
 *
 * RFC 6347 §4.2.4 draws it as PREPARING → SENDING → WAITING → FINISHED; the flight is PREPARING and SENDING, the timer
 * being armed is WAITING.
 */
import type { Bytes } from '../core/bytes.ts';
import { Reader } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { TimerTable } from '../core/timers.ts';
import { Acknowledgements } from './acknowledgements.ts';
import { AlertDescription } from './alerts.ts';
import type { CipherSuite } from './cipher-suites.ts';
import { Client } from './client.ts';
import { cookiesFor } from './cookie.ts';
import type { DtlsCounter, DtlsCounters } from './counting.ts';
import type { Diagnosis } from './diagnosis.ts';
import { RoleConflictDetector, bothActive, diagnose, silentClient, silentServer } from './diagnosis.ts';
import type { Epochs } from './epoch.ts';
import { APPLICATION_EPOCH } from './epoch13.ts';
import type { Exporter } from './handshake.ts';
import { Handshake } from './handshake.ts';
import type { RecordReader } from './inbound.ts';
import type { HandshakeInspection } from './inspection.ts';
import { decodeAck } from './messages/ack.ts';
import { mayComeInEpoch } from './message-epochs.ts';
import type { Fragment } from './messages/handshake.ts';
import { HandshakeType, decodeFragment, helloRandomOf } from './messages/handshake.ts';
import type { DtlsConfiguration } from './options.ts';
import { MAX_RETRANSMIT_TIMEOUT } from './options.ts';
import type { Peer } from './peer.ts';
import type { Problem } from './problem.ts';
import type { FragmentVerdict } from './reassembly.ts';
import { Reassembly } from './reassembly.ts';
import { Server } from './server.ts';
import type { SrtpProfile } from './srtp.ts';

export type DtlsTimer = 'dtlsAck' | 'dtlsRetransmit' | 'dtlsHint' | 'dtlsHandshake';

/** RFC 9147 §7.1: an ACK for a part of a flight waits this share of the retransmission timeout. */
const ACK_DELAY = 1 / 4;
/** Repetitions of a flight after which its datagrams are made small, and how small: what every IPv4 path carries. */
const PATIENCE = 2;
const CAUTIOUS_MTU = 548;

/** What a record of the handshake has led to, beyond the next flight. */
export type HandshakeOutcome =
  | { readonly type: 'complete' }
  /** DTLS 1.3: the peer has our last flight. */
  | { readonly type: 'acknowledged' }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'warning'; readonly diagnosis: Diagnosis }
  /** The peer wants to shake hands again, which WebRTC forbids (RFC 8827 §6.5). */
  | { readonly type: 'renegotiation' };

const DROP_COUNTERS: Readonly<Record<Exclude<FragmentVerdict, 'taken'>, DtlsCounter>> = {
  stale: 'fragmentsRepeated',
  duplicate: 'fragmentsRepeated',
  'too-long': 'fragmentsTooLong',
  'too-far-ahead': 'fragmentsTooFarAhead',
  'no-room': 'fragmentsNoRoom',
};

export class HandshakeDriver {
  readonly #configuration: DtlsConfiguration;
  readonly #handshake: Handshake;
  readonly #machine: Client | Server;
  readonly #incoming: Reassembly;
  readonly #acknowledgements = new Acknowledgements();
  readonly #detector = new RoleConflictDetector();
  readonly #timers: TimerTable<DtlsTimer>;
  readonly #counters: DtlsCounters;
  /** Doubles with every retransmission of a flight, in ms. */
  #retransmitTimeout: number;
  /** Times a flight with a datagram above `CAUTIOUS_MTU` was repeated; after `PATIENCE`, datagrams stay small for good. */
  #repeats = 0;
  #hasLargeDatagrams = false;
  #heard = false;
  #peerConfirmed = false;
  #gaveUp = false;
  #datagramsSent = 0;
  #bytesSent = 0;

  constructor(
    configuration: DtlsConfiguration,
    peer: Peer,
    timers: TimerTable<DtlsTimer>,
    counters: DtlsCounters,
  ) {
    this.#configuration = configuration;
    this.#handshake = new Handshake(configuration, peer);
    this.#machine =
      configuration.role === 'client'
        ? new Client(this.#handshake)
        : new Server(this.#handshake, cookiesFor(configuration));
    this.#incoming = new Reassembly(configuration.limits);
    this.#timers = timers;
    this.#counters = counters;
    this.#retransmitTimeout = configuration.retransmitTimeout;
  }

  get epochs(): Epochs {
    return this.#handshake.epochs;
  }

  /** Undefined until the server has chosen. */
  get suite(): CipherSuite | undefined {
    return this.#handshake.suite;
  }

  /** Undefined until the server has chosen, and where it has not. */
  get srtpProfile(): SrtpProfile | undefined {
    return this.#handshake.srtpProfile;
  }

  get exporter(): Exporter | undefined {
    return this.#handshake.exporter;
  }

  /** Both Finished have been said and the peer's verified. */
  get complete(): boolean {
    return this.#machine.complete;
  }

  /** True while a flight of ours has been neither answered nor acknowledged. */
  get awaitsAnswer(): boolean {
    if (this.#gaveUp || (this.complete && !this.#isDtls13)) return false;
    const { flight } = this.#handshake;
    return flight.awaited && flight.messages > 0;
  }

  /** True once the peer has sent application data. */
  get peerConfirmed(): boolean {
    return this.#peerConfirmed;
  }

  /** True once any part of the peer's handshake has come. */
  get heard(): boolean {
    return this.#heard;
  }

  /** True if another client has been seen where a server should be. */
  get suspectsConflict(): boolean {
    return this.#detector.suspects;
  }

  /** The client speaks first. */
  start(now: number): void {
    if (this.#machine instanceof Server) return;
    this.#machine.start();
    this.#awaitAnswer(now);
  }

  /** Takes a handshake record, up to the first fragment that has an outcome. */
  handleRecord(record: RecordReader, now: number): HandshakeOutcome | undefined {
    const reader = new Reader(record.body);
    let isTaken = true;
    let outcome: HandshakeOutcome | undefined;
    while (reader.remaining > 0 && outcome === undefined) {
      const fragment = decodeFragment(reader);
      if (isFailure(fragment)) {
        this.#counters.add('fragmentsMalformed');
        return undefined;
      }
      if (this.complete && !this.#isDtls13) {
        outcome = this.#handleLateFragment(fragment, record.epoch, now);
      } else {
        const result = this.#handleFragment(fragment, record, now);
        if (result === 'dropped') isTaken = false;
        else outcome = result;
      }
    }
    if (this.#isDtls13 && isTaken && outcome?.type !== 'problem') this.#oweAck(record, now);
    return outcome;
  }

  /** Takes an ACK. Those in plaintext may be forged: they are for a ClientHello, which its timer looks after. */
  handleAck(record: RecordReader, now: number): HandshakeOutcome | undefined {
    const numbers = decodeAck(record.body);
    if (isFailure(numbers) || record.epoch === 0) {
      this.#counters.add('acksIgnored');
      return undefined;
    }
    const { flight } = this.#handshake;
    let isNews = false;
    for (const number of numbers) {
      const verdict = flight.acknowledge(number);
      if (verdict === 'complete') return this.#handleAcknowledged(now);
      isNews ||= verdict === 'progress';
    }
    // RFC 9147 §5.8.1: what has not been acknowledged is sent again at once.
    if (isNews) this.#repeatFlight(now);
    return undefined;
  }

  /** DTLS 1.3: new keys for what we write, by a KeyUpdate. */
  updateKeys(updateRequested: boolean, now: number): void {
    const { flight } = this.#handshake;
    const { begun } = flight;
    this.#machine.session13?.updateKeys(updateRequested);
    if (flight.begun !== begun) this.#awaitAnswer(now);
  }

  /** The peer has sent application data: in DTLS 1.2 that shows that it has our last flight, if that has gone out. */
  confirmPeer(): void {
    if (this.#peerConfirmed || !this.complete || this.#handshake.flight.pending) return;
    this.#peerConfirmed = true;
    if (!this.#isDtls13) this.#handshake.flight.clear();
  }

  /** The peer speaks, and never acknowledges: it will not be bothered further. */
  giveUp(): void {
    this.#gaveUp = true;
    this.#timers.disarm('dtlsRetransmit');
  }

  /** `dtlsRetransmit` has fired: the flight goes out once more and the timeout doubles (RFC 6347 §4.2.4.1). */
  retransmit(now: number): void {
    this.#counters.add('retransmissions');
    this.#repeat();
    this.#retransmitTimeout = Math.min(this.#retransmitTimeout * 2, MAX_RETRANSMIT_TIMEOUT);
    this.#timers.arm('dtlsRetransmit', now + this.#retransmitTimeout);
  }

  /** `dtlsAck` has fired: the rest of the peer's flight has had its time. */
  acknowledge(): void {
    this.#acknowledgements.due = true;
  }

  pollTransmit(): Bytes | undefined {
    const { flight, epochs } = this.#handshake;
    const mtu = this.#mtu;
    // Later records have numbers of their own; during the handshake an ACK repeats the ones before, in case they are lost.
    const ack = this.#acknowledgements.poll(epochs.write, mtu, this.complete);
    const datagram = ack ?? flight.poll(mtu);
    if (datagram !== undefined) {
      this.#datagramsSent++;
      this.#hasLargeDatagrams ||= datagram.length > CAUTIOUS_MTU;
      this.#bytesSent += datagram.length;
    }
    return datagram;
  }

  /** What to tell people when nothing has been heard for `waited` ms. */
  hint(waited: number): Diagnosis {
    const { role, setups } = this.#configuration;
    return role === 'server'
      ? silentClient(setups, waited)
      : silentServer(setups, waited, this.#datagramsSent, this.#bytesSent);
  }

  /** Why the handshake has not got anywhere in `waited` ms. */
  diagnose(waited: number): Diagnosis {
    return diagnose({
      role: this.#configuration.role,
      setups: this.#configuration.setups,
      state: this.#machine.state,
      heard: this.#heard,
      complete: this.complete,
      unacknowledged: this.complete && this.awaitsAnswer && this.#handshake.peer.verified,
      suspectsConflict: this.#detector.suspects,
      progress: this.#incoming.progress(),
      waited,
      datagramsSent: this.#datagramsSent,
      bytesSent: this.#bytesSent,
    });
  }

  /** Frees everything that only the handshake needed. */
  release(): void {
    this.#timers.disarm('dtlsRetransmit');
    this.#timers.disarm('dtlsAck');
    this.#incoming.clear();
    this.#handshake.transcript.reset();
  }

  /** Nothing more will be sent. */
  abandon(): void {
    this.release();
    this.#acknowledgements.clear();
    this.#handshake.flight.clear();
  }

  inspect(): HandshakeInspection {
    const { flight } = this.#handshake;
    return {
      state: this.#machine.state,
      group: this.#handshake.group ?? null,
      flight: {
        number: flight.number,
        messages: flight.messages,
        transmissions: flight.transmissions,
        pending: flight.pending,
      },
      retransmitTimeout: this.#retransmitTimeout,
      datagramsSent: this.#datagramsSent,
      bytesSent: this.#bytesSent,
      peerConfirmed: this.#peerConfirmed,
      suspectsRoleConflict: this.#detector.suspects,
      acknowledgements: this.#acknowledgements.size,
      reassembly: { messages: this.#incoming.pending, bytes: this.#incoming.reserved },
    };
  }

  get #isDtls13(): boolean {
    return this.#handshake.version === '1.3';
  }

  /** What a fragment has led to; `dropped` for one that an ACK must not name (RFC 9147 §7). */
  #handleFragment(
    fragment: Fragment,
    record: RecordReader,
    now: number,
  ): HandshakeOutcome | 'dropped' | undefined {
    if (
      this.#machine instanceof Client &&
      fragment.type === HandshakeType.clientHello &&
      record.epoch === 0
    ) {
      return this.#handleForeignHello(fragment, record, this.#machine) ?? 'dropped';
    }
    if (!mayComeInEpoch(fragment.type, record.epoch, this.#handshake.version, this.complete)) {
      const isPlaintext = this.complete && record.epoch === 0;
      this.#counters.add(isPlaintext ? 'plaintextIgnored' : 'fragmentsWrongEpoch');
      return 'dropped';
    }
    // RFC 5246 §7.4.1.1: ignored by a client that is negotiating already. It is no part of the sequence.
    if (fragment.type === HandshakeType.helloRequest && !this.#isDtls13) {
      this.#counters.add('renegotiationsRefused');
      return 'dropped';
    }
    const verdict = this.#incoming.accept(fragment);
    if (verdict !== 'taken') {
      this.#counters.add(DROP_COUNTERS[verdict]);
      if (verdict === 'stale' && this.#asksForFlight(fragment)) this.#repeatFlight(now);
      return verdict === 'stale' || verdict === 'duplicate' ? undefined : 'dropped';
    }
    this.#heard = true;
    this.#timers.disarm('dtlsHint');
    return this.#takeMessages(now);
  }

  #takeMessages(now: number): HandshakeOutcome | undefined {
    const { flight } = this.#handshake;
    for (let message = this.#incoming.take(); message !== undefined; message = this.#incoming.take()) {
      const { begun } = flight;
      const wasComplete = this.complete;
      const session = this.#machine.session13;
      const problem = this.#machine.handle(message);
      if (problem !== undefined) return { type: 'problem', problem };
      // What came in plaintext for a place behind the ServerHello was no word of the peer's.
      if (this.#machine.session13 !== session) this.#incoming.clear();
      const isNewFlight = flight.begun !== begun;
      if (isNewFlight && !wasComplete) this.#acknowledgements.clear();
      if (this.complete && !wasComplete) {
        // An answer that nobody answers: DTLS 1.2's server keeps it for repetition, DTLS 1.3's client repeats it itself.
        if (!isNewFlight) flight.clear();
        this.release();
        if (isNewFlight && this.#isDtls13) this.#awaitAnswer(now);
        return { type: 'complete' };
      }
      if (isNewFlight) this.#awaitAnswer(now);
    }
    return undefined;
  }

  /** RFC 9147 §7.1. Until there are keys nothing is acknowledged: the hellos are answered by hellos. */
  #oweAck(record: RecordReader, now: number): void {
    if (this.#machine.session13 === undefined) return;
    if (record.epoch > 0) this.#acknowledgements.add(record.epoch, record.sequence);
    if (this.#acknowledgements.size === 0) return;
    const isGap = this.#incoming.pending > 0 && this.#incoming.progress() === undefined;
    const isEnd = this.complete && !(this.#machine instanceof Client && record.epoch < APPLICATION_EPOCH);
    if (isEnd || isGap) this.#acknowledgements.due = true;
    else if (!this.complete)
      this.#timers.armEarliest('dtlsAck', now + this.#configuration.retransmitTimeout * ACK_DELAY);
  }

  /** The peer has all of our flight. */
  #handleAcknowledged(now: number): HandshakeOutcome {
    const { flight } = this.#handshake;
    const { begun } = flight;
    flight.clear();
    this.#gaveUp = false;
    this.#timers.disarm('dtlsRetransmit');
    if (this.complete) this.#machine.session13?.handleAcknowledged();
    if (flight.begun !== begun) this.#awaitAnswer(now);
    return { type: 'acknowledged' };
  }

  /** A new flight starts with the first timeout again. */
  #awaitAnswer(now: number): void {
    this.#hasLargeDatagrams = false;
    if (this.#repeats < PATIENCE) this.#repeats = 0;
    this.#retransmitTimeout = this.#configuration.retransmitTimeout;
    if (!this.#handshake.flight.awaited) this.#timers.disarm('dtlsRetransmit');
    else this.#timers.arm('dtlsRetransmit', now + this.#retransmitTimeout);
  }

  #repeat(): void {
    if (this.#hasLargeDatagrams) this.#repeats++;
    this.#handshake.flight.repeat();
  }

  /**
   * RFC 6347 §4.1.1.1, RFC 9147 §4.4: "If repeated retransmissions do not result in a response, and the PMTU is unknown,
   * subsequent retransmissions SHOULD back off to a smaller record size".
   */
  get #mtu(): number {
    const { mtu } = this.#configuration;
    return this.#repeats < PATIENCE ? mtu : Math.min(mtu, CAUTIOUS_MTU);
  }

  /** True for the end of the message our flight answers: its sender has not got the flight. */
  #asksForFlight(fragment: Fragment): boolean {
    const { answers } = this.#handshake.flight;
    return (
      answers !== undefined &&
      fragment.type === answers.type &&
      fragment.messageSeq === answers.messageSeq &&
      fragment.offset + fragment.body.length === fragment.length
    );
  }

  /** RFC 6347 §4.2.4: in WAITING, a repetition of the peer's flight is answered with ours; the timer starts over. */
  #repeatFlight(now: number): void {
    if (this.#handshake.flight.pending) return;
    this.#counters.add('repetitions');
    this.#repeat();
    if (this.#timers.isArmed('dtlsRetransmit')) {
      this.#timers.arm('dtlsRetransmit', now + this.#retransmitTimeout);
    }
  }

  /** A ClientHello to a client: our own come back, or a peer that is a client too. */
  #handleForeignHello(
    fragment: Fragment,
    record: RecordReader,
    client: Client,
  ): HandshakeOutcome | undefined {
    const random = helloRandomOf(fragment);
    if (record.epoch > 0 || random === undefined || this.#heard) {
      this.#counters.add('hellosIgnored');
      return undefined;
    }
    const { setups } = this.#configuration;
    switch (this.#detector.judge(random, record.sequence, client.random, setups.remote)) {
      case 'reflected':
        this.#counters.add('hellosReflected');
        return undefined;
      case 'repeated':
        this.#counters.add('hellosIgnored');
        return undefined;
      case 'suspicion':
        return { type: 'warning', diagnosis: bothActive(setups) };
      case 'conflict':
        // The alert lets the peer fail as fast as we do.
        return {
          type: 'problem',
          problem: { ...bothActive(setups), alert: AlertDescription.unexpectedMessage },
        };
    }
  }

  /** After the handshake: repetitions, and attempts to start another one. */
  #handleLateFragment(fragment: Fragment, epoch: number, now: number): HandshakeOutcome | undefined {
    const isServer = this.#machine instanceof Server;
    const startsAnother = isServer ? HandshakeType.clientHello : HandshakeType.helloRequest;
    if (epoch === 0) {
      this.#counters.add('plaintextIgnored');
    } else if (fragment.type === startsAnother) {
      this.#counters.add('renegotiationsRefused');
      return { type: 'renegotiation' };
    } else {
      this.#counters.add('fragmentsRepeated');
      if (isServer && this.#asksForFlight(fragment)) this.#repeatFlight(now);
    }
    return undefined;
  }
}
