/**
 * HandshakeDriver: drives one handshake, from records to messages and from flights to datagrams.
 *
 *   in:   record → fragments → reassembly → the state machine of our role → the next flight
 *   out:  flight → datagrams, when polled; again when `dtlsRetransmit` fires or the peer repeats what the flight answers
 *   end:  `complete`; from then on only repetitions of the peer's Finished matter, until it shows that it has ours
 *
 * RFC 6347 §4.2.4 draws it as PREPARING → SENDING → WAITING → FINISHED; the flight is PREPARING and SENDING, the timer
 * being armed is WAITING.
 */
import type { Bytes } from '../core/bytes.ts';
import { Reader } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { TimerTable } from '../core/timers.ts';
import { AlertDescription } from './alerts.ts';
import { Client12 } from './client12.ts';
import type { DtlsCounter, DtlsCounters } from './counting.ts';
import type { Diagnosis } from './diagnosis.ts';
import { RoleConflictDetector, bothActive, diagnose, silentClient, silentServer } from './diagnosis.ts';
import type { Epochs } from './epoch.ts';
import { Handshake } from './handshake.ts';
import type { RecordReader } from './inbound.ts';
import type { Fragment } from './messages/handshake.ts';
import { HandshakeType, decodeFragment, helloRandomOf } from './messages/handshake.ts';
import type { DtlsConfiguration } from './options.ts';
import { MAX_RETRANSMIT_TIMEOUT } from './options.ts';
import type { Peer } from './peer.ts';
import type { Problem } from './problem.ts';
import type { FragmentVerdict } from './reassembly.ts';
import { Reassembly } from './reassembly.ts';
import { Server12 } from './server12.ts';

export type DtlsTimer = 'dtlsRetransmit' | 'dtlsHint' | 'dtlsHandshake';

/** What a record of the handshake has led to, beyond the next flight. */
export type HandshakeOutcome =
  | { readonly type: 'complete' }
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
  readonly #machine: Client12 | Server12;
  readonly #incoming: Reassembly;
  readonly #detector = new RoleConflictDetector();
  readonly #timers: TimerTable<DtlsTimer>;
  readonly #counters: DtlsCounters;
  /** Doubles with every retransmission of a flight, in ms. */
  #retransmitTimeout: number;
  #heard = false;
  #peerConfirmed = false;
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
      configuration.role === 'client' ? new Client12(this.#handshake) : new Server12(this.#handshake);
    this.#incoming = new Reassembly(configuration.limits);
    this.#timers = timers;
    this.#counters = counters;
    this.#retransmitTimeout = configuration.retransmitTimeout;
  }

  get epochs(): Epochs {
    return this.#handshake.epochs;
  }

  /** Both Finished have been said and the peer's verified. */
  get complete(): boolean {
    return this.#machine.state === 'complete';
  }

  /** True while a flight of ours has not been answered. */
  get awaitsAnswer(): boolean {
    return !this.complete && this.#handshake.flight.messages > 0;
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
    if (this.#machine instanceof Server12) return;
    this.#machine.start();
    this.#awaitAnswer(now);
  }

  /** Takes a handshake record, up to the first fragment that has an outcome. */
  handleRecord(record: RecordReader, now: number): HandshakeOutcome | undefined {
    const reader = new Reader(record.body);
    while (reader.remaining > 0) {
      const fragment = decodeFragment(reader);
      if (isFailure(fragment)) {
        this.#counters.add('fragmentsMalformed');
        return undefined;
      }
      const outcome = this.complete
        ? this.#handleLateFragment(fragment, record.epoch, now)
        : this.#handleFragment(fragment, record, now);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  /** The peer has shown, by protected data, that it has our last flight: it will not be asked for again. */
  confirmPeer(): void {
    if (this.#peerConfirmed || !this.complete) return;
    this.#peerConfirmed = true;
    this.#handshake.flight.clear();
  }

  /** `dtlsRetransmit` has fired: the flight goes out once more and the timeout doubles (RFC 6347 §4.2.4.1). */
  retransmit(now: number): void {
    this.#counters.add('retransmissions');
    this.#handshake.flight.repeat();
    this.#retransmitTimeout = Math.min(this.#retransmitTimeout * 2, MAX_RETRANSMIT_TIMEOUT);
    this.#timers.arm('dtlsRetransmit', now + this.#retransmitTimeout);
  }

  pollTransmit(): Bytes | undefined {
    const datagram = this.#handshake.flight.poll(this.#configuration.mtu);
    if (datagram !== undefined) {
      this.#datagramsSent++;
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
    this.#incoming.clear();
    this.#handshake.transcript.reset();
  }

  /** Nothing more will be sent. */
  abandon(): void {
    this.release();
    this.#handshake.flight.clear();
  }

  inspect(): HandshakeInspection {
    const { flight } = this.#handshake;
    return {
      state: this.#machine.state,
      group: this.#machine.group ?? null,
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
      reassembly: { messages: this.#incoming.pending, bytes: this.#incoming.reserved },
    };
  }

  #handleFragment(fragment: Fragment, record: RecordReader, now: number): HandshakeOutcome | undefined {
    if (this.#machine instanceof Client12 && fragment.type === HandshakeType.clientHello) {
      return this.#handleForeignHello(fragment, record, this.#machine);
    }
    // RFC 6347 §4.2.4: of the whole handshake Finished alone comes protected, and only ever so.
    if ((fragment.type === HandshakeType.finished) !== record.epoch > 0) {
      this.#counters.add('fragmentsWrongEpoch');
      return undefined;
    }
    // RFC 5246 §7.4.1.1: ignored by a client that is negotiating already. It is no part of the sequence.
    if (fragment.type === HandshakeType.helloRequest) {
      this.#counters.add('renegotiationsRefused');
      return undefined;
    }
    const verdict = this.#incoming.accept(fragment);
    if (verdict !== 'taken') {
      this.#counters.add(DROP_COUNTERS[verdict]);
      if (verdict === 'stale' && this.#asksForFlight(fragment)) this.#repeatFlight(now);
      return undefined;
    }
    this.#heard = true;
    this.#timers.disarm('dtlsHint');
    return this.#takeMessages(now);
  }

  #takeMessages(now: number): HandshakeOutcome | undefined {
    const { flight } = this.#handshake;
    for (let message = this.#incoming.take(); message !== undefined; message = this.#incoming.take()) {
      const begun = flight.begun;
      const problem = this.#machine.handle(message);
      if (problem !== undefined) return { type: 'problem', problem };
      if (this.complete) {
        if (this.#machine instanceof Client12) flight.clear();
        this.release();
        return { type: 'complete' };
      }
      if (flight.begun !== begun) this.#awaitAnswer(now);
    }
    return undefined;
  }

  /** A new flight starts with the first timeout again. */
  #awaitAnswer(now: number): void {
    this.#retransmitTimeout = this.#configuration.retransmitTimeout;
    this.#timers.arm('dtlsRetransmit', now + this.#retransmitTimeout);
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
    this.#handshake.flight.repeat();
    if (this.#timers.isArmed('dtlsRetransmit')) {
      this.#timers.arm('dtlsRetransmit', now + this.#retransmitTimeout);
    }
  }

  /** A ClientHello to a client: our own come back, or a peer that is a client too. */
  #handleForeignHello(
    fragment: Fragment,
    record: RecordReader,
    client: Client12,
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
    const isServer = this.#machine instanceof Server12;
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

/** What `Dtls.inspect()` shows of the handshake. */
export interface HandshakeInspection {
  /** Named for the message waited for, or `start`, or `complete`. */
  readonly state: string;
  readonly group: string | null;
  readonly flight: {
    /** RFC 6347 §4.2.4 counts flights 1 to 6; 0 before the first. */
    readonly number: number;
    readonly messages: number;
    readonly transmissions: number;
    /** True while part of it waits to be polled. */
    readonly pending: boolean;
  };
  /** Milliseconds. */
  readonly retransmitTimeout: number;
  readonly datagramsSent: number;
  readonly bytesSent: number;
  /** True once protected data has shown that the peer has our last flight. */
  readonly peerConfirmed: boolean;
  readonly suspectsRoleConflict: boolean;
  readonly reassembly: { readonly messages: number; readonly bytes: number };
}
