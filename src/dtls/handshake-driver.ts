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
import { Client } from './client.ts';
import { cookiesFor } from './cookie.ts';
import type { DtlsCounters } from './counting.ts';
import type { Diagnosis, Standstill } from './diagnosis.ts';
import { diagnose, silence } from './diagnosis.ts';
import type { HelloMachine } from './handshake-machine.ts';
import type { Handshake } from './handshake.ts';
import { IncomingMessages } from './incoming-messages.ts';
import type { HandshakeInspection } from './inspection.ts';
import type { Fragment } from './messages/handshake.ts';
import { HandshakeType, decodeFragment, helloRandomOf } from './messages/handshake.ts';
import type { DtlsConfiguration } from './options.ts';
import type { Problem } from './problem.ts';
import { isProblem, malformed, spansKeyChange } from './problem.ts';
import { decodeAck } from './record/ack.ts';
import { Acknowledgements } from './record/acknowledgements.ts';
import { APPLICATION_EPOCH } from './record/epoch13.ts';
import type { RecordReader } from './record/reader.ts';
import { Retransmission } from './retransmission.ts';
import { RoleConflictDetector } from './role-conflict.ts';
import { Server } from './server.ts';
import type { DtlsTimer } from './states.ts';

/** RFC 9147 §7.1: an ACK for a part of a flight waits this share of the retransmission timeout. */
const ACK_DELAY = 1 / 4;

/** What a record of the handshake has led to, beyond the next flight. */
export type HandshakeOutcome =
  | { readonly type: 'complete' }
  /** DTLS 1.3: the peer has our last flight. */
  | { readonly type: 'acknowledged' }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'warning'; readonly diagnosis: Diagnosis }
  /** The peer wants to shake hands again, which WebRTC forbids (RFC 8827 §6.5). */
  | { readonly type: 'renegotiation' };

/** One handshake from its first flight to its last acknowledgement. */
export class HandshakeDriver {
  /** True once the peer has sent application data (`confirmPeer`). A plain field: it is read for every record. */
  peerConfirmed = false;
  readonly #configuration: DtlsConfiguration;
  readonly #handshake: Handshake;
  readonly #machine: HelloMachine;
  readonly #incoming: IncomingMessages;
  readonly #acknowledgements = new Acknowledgements();
  readonly #detector: RoleConflictDetector;
  readonly #timers: TimerTable<DtlsTimer>;
  readonly #counters: DtlsCounters;
  readonly #retransmission: Retransmission;
  #heard = false;
  #gaveUp = false;

  constructor(
    configuration: DtlsConfiguration,
    handshake: Handshake,
    timers: TimerTable<DtlsTimer>,
    counters: DtlsCounters,
  ) {
    this.#configuration = configuration;
    this.#handshake = handshake;
    this.#machine =
      configuration.role === 'client'
        ? new Client(handshake)
        : new Server(handshake, cookiesFor(configuration));
    this.#incoming = new IncomingMessages(handshake, configuration.limits, counters);
    this.#detector = new RoleConflictDetector(configuration.setups, counters);
    this.#timers = timers;
    this.#counters = counters;
    this.#retransmission = new Retransmission(configuration, handshake.flight, timers, counters);
  }

  /** Both Finished have been said and the peer's verified. */
  get complete(): boolean {
    return this.#machine.state === 'complete';
  }

  /** True while a flight of ours has been neither answered nor acknowledged. */
  get awaitsAnswer(): boolean {
    if (this.#gaveUp || (this.complete && !this.#isDtls13())) return false;
    const { flight } = this.#handshake;
    return flight.awaited && flight.messages > 0;
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
    this.#machine.start();
    if (this.#handshake.flight.begun > 0) this.#retransmission.awaitAnswer(now);
  }

  /** Takes a handshake record, up to the first fragment that has an outcome. */
  handleRecord(record: RecordReader, now: number): HandshakeOutcome | undefined {
    const { epochs, flight } = this.#handshake;
    const [readKeys] = epochs.read13;
    const { begun } = flight;
    const reader = new Reader(record.body);
    let isTaken = true;
    let outcome: HandshakeOutcome | undefined;
    while (reader.remaining > 0 && outcome === undefined) {
      const fragment = decodeFragment(reader);
      if (isFailure(fragment)) {
        if (record.epoch > 0) return problemOutcome(malformed(fragment.reason));
        this.#counters.add('fragmentsMalformed');
        return undefined;
      }
      const result = this.#handleFragment(fragment, record, now);
      if (result === 'dropped') isTaken = false;
      else outcome = result;
    }
    const changesKeys = epochs.read13[0] !== readKeys || outcome?.type === 'complete';
    if (changesKeys && reader.remaining > 0) return problemOutcome(spansKeyChange());
    if (isTaken && outcome?.type !== 'problem') this.#oweAck(record, flight.begun !== begun, now);
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
    if (isNews) this.#retransmission.repeat(now);
    return undefined;
  }

  /** DTLS 1.3: new keys for what we write, by a KeyUpdate. */
  updateKeys(requestPeer: boolean, now: number): void {
    const { flight } = this.#handshake;
    const { begun } = flight;
    this.#machine.keyUpdates?.updateKeys(requestPeer);
    if (flight.begun !== begun) this.#retransmission.awaitAnswer(now);
  }

  /** The peer has sent application data: in DTLS 1.2 that shows that it has our last flight, if that has gone out. */
  confirmPeer(): void {
    if (this.peerConfirmed || !this.complete || this.#handshake.flight.pending) return;
    this.peerConfirmed = true;
    if (!this.#isDtls13()) this.#handshake.flight.clear();
  }

  /** The peer speaks, and never acknowledges: it will not be bothered further. */
  giveUp(): void {
    this.#gaveUp = true;
    this.#retransmission.end();
  }

  /** `dtlsRetransmit` has fired. */
  retransmit(now: number): void {
    this.#retransmission.handleTimeout(now);
  }

  /** `dtlsAck` has fired: the rest of the peer's flight has had its time. */
  acknowledge(): void {
    this.#acknowledgements.due = true;
  }

  /** True while `pollTransmit` has something. */
  get hasDatagrams(): boolean {
    const { flight, epochs } = this.#handshake;
    return flight.pending || (epochs.write !== undefined && this.#acknowledgements.isDue);
  }

  pollTransmit(): Bytes | undefined {
    const { flight, epochs } = this.#handshake;
    const { mtu } = this.#retransmission;
    // Later records have numbers of their own; during the handshake an ACK repeats the ones before, in case they are lost.
    const ack = this.#acknowledgements.poll(epochs.write, mtu, this.complete);
    if (ack !== undefined) this.#incoming.keyUpdates.unacknowledged = false;
    const datagram = ack ?? flight.poll(mtu);
    if (datagram !== undefined) this.#retransmission.noteDatagram(datagram.length);
    return datagram;
  }

  /** What to tell people when nothing has been heard for `waited` ms. */
  hint(waited: number): Diagnosis {
    return silence(this.#standstill(waited));
  }

  /** Why the handshake has not got anywhere in `waited` ms. */
  diagnose(waited: number): Diagnosis {
    return diagnose(this.#standstill(waited));
  }

  /** Frees everything that only the handshake needed. */
  release(): void {
    this.#retransmission.end();
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
    const { flight, group } = this.#handshake;
    return {
      state: this.#machine.state,
      group: group ?? null,
      flight: flight.inspect(),
      retransmitTimeout: this.#retransmission.timeout,
      datagramsSent: this.#retransmission.datagramsSent,
      bytesSent: this.#retransmission.bytesSent,
      peerConfirmed: this.peerConfirmed,
      suspectsRoleConflict: this.#detector.suspects,
      acknowledgements: this.#acknowledgements.size,
      reassembly: { messages: this.#incoming.pending, bytes: this.#incoming.reserved },
    };
  }

  #standstill(waited: number): Standstill {
    return {
      role: this.#configuration.role,
      setups: this.#configuration.setups,
      state: this.#machine.state,
      heard: this.#heard,
      complete: this.complete,
      unacknowledged: this.complete && this.awaitsAnswer && this.#handshake.peer.accepted,
      suspectsConflict: this.#detector.suspects,
      progress: this.#incoming.progress,
      waited,
      datagramsSent: this.#retransmission.datagramsSent,
      bytesSent: this.#retransmission.bytesSent,
    };
  }

  #isClient(): boolean {
    return this.#configuration.role === 'client';
  }

  #isDtls13(): boolean {
    return this.#handshake.version === '1.3';
  }

  /** What a fragment has led to; `dropped` for one that an ACK must not name (RFC 9147 §7). */
  #handleFragment(
    fragment: Fragment,
    record: RecordReader,
    now: number,
  ): HandshakeOutcome | 'dropped' | undefined {
    const fate = this.#incoming.accept(fragment, record.epoch, this.#machine.state, now);
    switch (fate) {
      case 'taken':
        break;
      case 'stale':
        if (this.#handshake.flight.isAskedForBy(fragment)) this.#retransmission.handleRepetition(now);
        return undefined;
      case 'duplicate':
        return undefined;
      case 'dropped':
        return 'dropped';
      case 'foreign-hello':
        return this.#handleForeignHello(fragment, record.sequence);
      case 'renegotiation':
        return { type: 'renegotiation' };
      default:
        return problemOutcome(fate);
    }
    this.#heard = true;
    this.#timers.disarm('dtlsHint');
    if (record.epoch > 0 || this.#isHello13(fragment)) this.#endFlight13(now);
    return this.#takeMessages(now);
  }

  /** True for a part of the peer's next hello where it can be of DTLS 1.3 alone. */
  #isHello13({ type, messageSeq }: Fragment): boolean {
    const isSure = this.#isDtls13() || !this.#handshake.speaks('1.2');
    const hello = this.#isClient() ? HandshakeType.serverHello : HandshakeType.clientHello;
    return isSure && type === hello && messageSeq === this.#incoming.nextSeq;
  }

  /**
   * RFC 9147 §7.2: any part of the answer acknowledges the flight, all of it, and it goes out no more. What is missing of
   * the answer is the peer's to repeat. (RFC 6347 §4.2.4: in DTLS 1.2 a part of the answer changes nothing.)
   */
  #endFlight13(now: number): void {
    const { flight, version } = this.#handshake;
    if (this.complete || version === '1.2' || flight.messages === 0) return;
    this.#retransmission.noteAnswer(now);
    flight.clear();
    this.#retransmission.end();
  }

  #takeMessages(now: number): HandshakeOutcome | undefined {
    const { flight, epochs } = this.#handshake;
    for (let message = this.#incoming.take(); message !== undefined; message = this.#incoming.take()) {
      const { begun } = flight;
      const [readKeys] = epochs.read13;
      const wasComplete = this.complete;
      const problem = this.#machine.handle(message);
      if (problem !== undefined) return problemOutcome(problem);
      const isNewFlight = flight.begun !== begun;
      if (isNewFlight) {
        this.#retransmission.noteAnswer(now);
        this.#retransmission.begin();
      }
      if (epochs.read13[0] !== readKeys) {
        if (readKeys !== undefined && this.#incoming.pending > 0) return problemOutcome(spansKeyChange());
        // What came in plaintext for a place after the ServerHello was not the peer's word.
        this.#incoming.clear();
        if (!isNewFlight) this.#endFlight13(now);
      }
      if (isNewFlight && !wasComplete) this.#acknowledgements.clear();
      if (this.complete && !wasComplete) {
        // An answer that nobody answers: DTLS 1.2's server keeps it for repetition, DTLS 1.3's client repeats it itself.
        if (!isNewFlight) flight.clear();
        this.release();
        if (isNewFlight && this.#isDtls13()) this.#retransmission.awaitAnswer(now);
        return { type: 'complete' };
      }
      if (wasComplete && message.type === HandshakeType.keyUpdate) this.#incoming.keyUpdates.take(now);
      if (isNewFlight) this.#retransmission.awaitAnswer(now);
    }
    return undefined;
  }

  /**
   * RFC 9147 §7, §7.1. A hello is answered by a hello, all but the ServerHello, whose records are acknowledged with the
   * protected ones after it: until there are keys no ACK is sent.
   */
  #oweAck(record: RecordReader, isAnswered: boolean, now: number): void {
    const { version } = this.#handshake;
    if (version === '1.2' || (record.epoch === 0 && (isAnswered || !this.#isClient()))) return;
    this.#acknowledgements.add(record.epoch, record.sequence);
    if (this.#machine.keyUpdates === undefined) return;
    const isGap = this.#incoming.pending > 0 && this.#incoming.progress === undefined;
    const isEnd = this.complete && !(this.#isClient() && record.epoch < APPLICATION_EPOCH);
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
    this.#retransmission.end();
    if (this.complete) this.#machine.keyUpdates?.handleAcknowledged();
    if (flight.begun !== begun) this.#retransmission.awaitAnswer(now);
    return { type: 'acknowledged' };
  }

  /** A ClientHello to a client: our own come back, or a peer that is a client too. */
  #handleForeignHello(fragment: Fragment, sequence: number): HandshakeOutcome | 'dropped' {
    const random = helloRandomOf(fragment);
    if (random === undefined || this.#heard) {
      this.#counters.add('hellosIgnored');
      return 'dropped';
    }
    const sign = this.#detector.judge(random, sequence, this.#handshake.clientRandom);
    if (sign === undefined) return 'dropped';
    return isProblem(sign) ? problemOutcome(sign) : { type: 'warning', diagnosis: sign };
  }
}

function problemOutcome(problem: Problem): HandshakeOutcome {
  return { type: 'problem', problem };
}
