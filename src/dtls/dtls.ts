/**
 * Dtls: one association of DTLS 1.2 (RFC 6347) or 1.3 (RFC 9147) between two peers that identify each other by fingerprint
 * (RFC 8827 §6.5).
 *
 * Feed it with `handlePacket` and `handleTimeout`, drain `pollTransmit`, `pollEvent` and `pollData`, come back at
 * `nextTimeout()`. Nothing happens between calls.
 *
 *     new ─start→ connecting ─handshake complete and fingerprint matched→ connected
 *                     │                                                      │
 *                     ├──────────── problem, fatal alert, gate ──────────────┼──→ failed
 *                     └──────────── close, close_notify ─────────────────────┴──→ closed
 *
 * In:  datagram → records (inbound.ts) → handshake (handshake-driver.ts), alerts, or application data → `pollData`
 * Out: flights and alerts become records when polled; `seal` makes application records in place.
 *
 * Until the handshake is complete every packet may be forged. From then on plaintext is counted and nothing else: it
 * never ends, resets or reaches into an association that is established.
 */
import type { Bytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import { BoundedQueue } from '../core/queue.ts';
import { TimerTable } from '../core/timers.ts';
import type { Alert } from './alerts.ts';
import { ALERT_LENGTH, AlertDescription, AlertLevel, alertName, decodeAlert, encodeAlert } from './alerts.ts';
import type { DtlsCounter } from './counting.ts';
import { dtlsCounters } from './counting.ts';
import type { Diagnosis } from './diagnosis.ts';
import { bothActive } from './diagnosis.ts';
import type { DtlsCipherSuite, DtlsVersion } from './cipher-suites.ts';
import type { Epochs } from './epoch.ts';
import { hasAuthenticated } from './epoch.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { DtlsTimer, HandshakeInspection, HandshakeOutcome } from './handshake-driver.ts';
import { HandshakeDriver } from './handshake-driver.ts';
import { RecordReader } from './inbound.ts';
import type { DtlsConfiguration, DtlsOptions, DtlsRole } from './options.ts';
import { MAX_RETRANSMIT_TIMEOUT, configure } from './options.ts';
import { Peer } from './peer.ts';
import { ContentType, DTLS_HEADROOM, DTLS_TAILROOM, MAX_PLAINTEXT_LENGTH } from './record.ts';
import type { SrtpProfile } from './srtp.ts';

export type DtlsState = 'new' | 'connecting' | 'connected' | 'closed' | 'failed';

export type DtlsEvent =
  /** The handshake is complete and the peer is who signalling says: application data may flow. */
  | { readonly type: 'connected' }
  /** The handshake goes on, but somebody should look. */
  | { readonly type: 'warning'; readonly failure: Failure }
  /** Over, and not by our `close`. Without a failure: the peer said close_notify. */
  | { readonly type: 'closed'; readonly failure?: Failure };

/** In the order in which timers due at the same time fire. */
const TIMERS: readonly DtlsTimer[] = ['dtlsAck', 'dtlsRetransmit', 'dtlsHint', 'dtlsHandshake'];

/** A gate found this many ms late was slept through: the machine was frozen, not the peer silent (F5b). */
const FROZEN_AFTER = 1000;

/** How often an association answers attempts to renegotiate, so that nobody can make it chatter. */
const MAX_RENEGOTIATION_REFUSALS = 4;

export class Dtls {
  readonly role: DtlsRole;
  readonly #configuration: DtlsConfiguration;
  readonly #peer: Peer;
  readonly #driver: HandshakeDriver;
  readonly #epochs: Epochs;
  readonly #records: RecordReader;
  readonly #counters = dtlsCounters();
  readonly #timers = new TimerTable<DtlsTimer>(TIMERS);
  readonly #events = new BoundedQueue<DtlsEvent>(Infinity); // a handful in a lifetime: each kind comes once or twice
  readonly #alerts = new BoundedQueue<Alert>(MAX_RENEGOTIATION_REFUSALS + 1);
  readonly #data: BoundedQueue<Bytes>;
  #earlyDataBytes = 0;
  #state: DtlsState = 'new';
  #now = -Infinity;
  #startedAt = 0;
  #deadline = Infinity;
  #graceGiven = false;
  #lastHeardAt = 0;

  /** Throws `ERR_BAD_ARGUMENT` for options out of range. */
  constructor(options: DtlsOptions) {
    this.#configuration = configure(options);
    const { role, crypto, limits } = this.#configuration;
    this.role = role;
    this.#peer = new Peer(crypto, options.remoteFingerprints);
    this.#driver = new HandshakeDriver(this.#configuration, this.#peer, this.#timers, this.#counters);
    this.#epochs = this.#driver.epochs;
    this.#records = new RecordReader(this.#epochs, limits, this.#counters);
    this.#data = new BoundedQueue(limits.receiveQueue);
  }

  get state(): DtlsState {
    return this.#state;
  }

  /** Negotiated, or `undefined` so far. */
  get version(): DtlsVersion | undefined {
    return this.#driver.suite?.version;
  }

  /** Bytes `seal` needs free before the plaintext, `DTLS_HEADROOM` at most; they do not change once connected. */
  get headroom(): number {
    return this.#state === 'connected' ? (this.#epochs.write?.headroom ?? DTLS_HEADROOM) : DTLS_HEADROOM;
  }

  /** The peer's certificate, DER, once it has come; only `connected` says that it is the right one. */
  get remoteCertificate(): Bytes | undefined {
    return this.#peer.certificate;
  }

  // --- the application's calls ---

  /** A path to the peer is valid: the client sends its ClientHello, and the `dtlsHandshake` gate is armed. */
  start(now: number): void {
    if (this.#state !== 'new') return;
    const at = this.#advanceClock(now);
    this.#state = 'connecting';
    this.#startedAt = at;
    this.#lastHeardAt = at;
    this.#deadline = at + this.#configuration.handshakeTimeout;
    this.#timers.arm('dtlsHandshake', this.#deadline);
    this.#timers.arm('dtlsHint', at + this.#configuration.hintTimeout);
    this.#driver.start(at);
  }

  /**
   * The fingerprints from the peer's description; they replace earlier ones, and the peer's certificate must match them
   * even when it has matched before.
   */
  setRemoteFingerprints(fingerprints: readonly Fingerprint[], now: number): void {
    this.#advanceClock(now);
    if (this.#state === 'closed' || this.#state === 'failed') return;
    const mismatch = this.#peer.expect([...fingerprints]);
    if (mismatch !== undefined) this.#fail(mismatch, mismatch.alert);
    else this.#connectIfVerified();
  }

  /**
   * Makes an application record, in place, of `length` bytes at `offset`. The record begins at `offset - headroom`, and at
   * most `DTLS_TAILROOM` bytes behind the plaintext are written.
   * @returns the record's length, -1 when not connected.
   * Throws `ERR_BAD_ARGUMENT` when `buffer` leaves no room around the plaintext, `ERR_TOO_LARGE` beyond 16384 bytes.
   */
  seal(buffer: Bytes, offset: number, length: number): number {
    if (length > MAX_PLAINTEXT_LENGTH) {
      throw new RtcError('ERR_TOO_LARGE', `a record carries ${MAX_PLAINTEXT_LENGTH} bytes, got ${length}`);
    }
    if (offset < this.headroom || length < 0 || offset + length + DTLS_TAILROOM > buffer.length) {
      throw badArgument('offset', `${this.headroom} bytes before and ${DTLS_TAILROOM} behind`, offset);
    }
    const write = this.#epochs.write;
    if (this.#state !== 'connected' || write === undefined) return -1;
    const { recordsPerKey, recordsPerUpdate } = this.#configuration.limits;
    const isDtls13 = this.#driver.suite?.version === '1.3';
    if (write.sequence >= (isDtls13 ? Math.min(recordsPerKey, 2 * recordsPerUpdate) : recordsPerKey)) {
      this.#fail({ code: 'record-limit', message: 'One key has protected all the records it may.' });
      return -1;
    }
    if (isDtls13 && write.sequence >= recordsPerUpdate) this.updateKeys(this.#now);
    return write.seal(ContentType.applicationData, buffer, offset, length);
  }

  /**
   * DTLS 1.3: changes the keys we write with, and asks the peer to do the same if `requestPeer`. It happens by itself
   * after `limits.recordsPerUpdate` records. Without effect unless connected, and in DTLS 1.2.
   */
  updateKeys(now: number, requestPeer = false): void {
    const at = this.#advanceClock(now);
    if (this.#state !== 'connected') return;
    this.#driver.updateKeys(requestPeer, at);
    this.#guardFlight(at);
  }

  /**
   * Keying material that both ends can compute and nobody else (RFC 5705, RFC 8446 §7.5), without a context; the bytes are
   * the caller's. `undefined` unless connected: before that the peer might be anybody.
   */
  exportKeyingMaterial(label: string, length: number): Bytes | undefined {
    return this.#state === 'connected' ? this.#driver.exporter?.(label, length) : undefined;
  }

  /** Ends the association: close_notify if there is one, no event; everything queued is dropped. */
  close(now: number): void {
    this.#advanceClock(now);
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#end('closed');
    this.#events.clear();
    this.#data.clear();
    // RFC 5246 §7.2.1. Before the handshake is complete there is nothing to close.
    if (this.#driver.complete) this.#say(AlertLevel.warning, AlertDescription.closeNotify);
  }

  // --- what the world did ---

  /** A datagram from a path that ICE has validated. It is neither written to nor kept. */
  handlePacket(data: Uint8Array, now: number): void {
    const at = this.#advanceClock(now);
    if (this.#state !== 'connecting' && this.#state !== 'connected') {
      this.#counters.add('datagramsIgnored');
      return;
    }
    // Records held for want of keys are tried again as soon as keys have come, which they may do twice in a datagram.
    const before = this.#epochs.read13;
    this.#handleDatagram(data, at);
    if (this.#epochs.read13 !== before || this.#epochs.read12 !== undefined) this.#handleHeld(at);
  }

  handleTimeout(now: number): void {
    const at = this.#advanceClock(now);
    for (let timer = this.#timers.takeDue(at); timer !== undefined; timer = this.#timers.takeDue(at)) {
      switch (timer) {
        case 'dtlsAck':
          this.#driver.acknowledge();
          break;
        case 'dtlsRetransmit':
          this.#driver.retransmit(at);
          break;
        case 'dtlsHint':
          this.#warn(this.#driver.hint(at - this.#startedAt));
          break;
        case 'dtlsHandshake':
          this.#handleDeadline(at);
          break;
      }
    }
  }

  // --- what to do next ---

  /** The next datagram of handshake or alerts; application records come from `seal`. */
  pollTransmit(): Bytes | undefined {
    const datagram = this.#driver.pollTransmit();
    if (datagram !== undefined) return datagram;
    const alert = this.#alerts.shift();
    if (alert === undefined) return undefined;
    const write = this.#epochs.write ?? this.#epochs.plaintext;
    const record = new Uint8Array(write.headroom + ALERT_LENGTH + write.tailroom);
    record.set(encodeAlert(alert), write.headroom);
    write.seal(ContentType.alert, record, write.headroom, ALERT_LENGTH);
    return record;
  }

  pollEvent(): DtlsEvent | undefined {
    return this.#events.shift();
  }

  /** The next application record's plaintext, the caller's own; none before `connected`. */
  pollData(): Bytes | undefined {
    return this.#state === 'connecting' ? undefined : this.#data.shift();
  }

  nextTimeout(): number {
    return this.#timers.next();
  }

  timeoutReason(): string | undefined {
    return this.#timers.nextName();
  }

  inspect(): DtlsInspection {
    const { certificate, setups } = this.#configuration;
    const { suite } = this.#driver;
    return {
      role: this.role,
      state: this.#state,
      setups: { local: setups.local ?? null, remote: setups.remote ?? null },
      tlsVersion: suite === undefined ? null : suite.version === '1.3' ? 'FEFC' : 'FEFD',
      dtlsCipher: suite?.name ?? null,
      srtpCipher: this.#driver.srtpProfile ?? null,
      localFingerprint: certificate.fingerprint,
      remoteFingerprint: this.#peer.fingerprint ?? null,
      remoteFingerprintVerified: this.#peer.verified,
      handshake: this.#driver.inspect(),
      queued: {
        events: this.#events.size,
        alerts: this.#alerts.size,
        data: this.#data.size,
        heldRecords: this.#records.held,
      },
      timers: this.#timers.armed(),
      counters: this.#counters.snapshot(),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    const timers = this.#timers;
    const isStuck = this.#driver.awaitsAnswer && !timers.isArmed('dtlsRetransmit');
    switch (this.#state) {
      case 'connecting':
        if (!timers.isArmed('dtlsHandshake')) return 'DTLS is connecting, no dtlsHandshake';
        return isStuck ? 'a flight waits for its answer, no dtlsRetransmit' : undefined;
      case 'connected':
        if (!this.#driver.awaitsAnswer) {
          return timers.next() === Infinity ? undefined : 'DTLS is connected, and a timer is armed';
        }
        return isStuck || !timers.isArmed('dtlsHandshake')
          ? 'a flight is not acknowledged, no timer'
          : undefined;
      case 'new':
      case 'closed':
      case 'failed':
        return timers.next() === Infinity ? undefined : `DTLS is ${this.#state}, and a timer is armed`;
    }
  }

  // --- records ---

  #handleHeld(now: number): void {
    for (let keys: unknown = undefined; this.#records.held > 0 && keys !== this.#epochs.read13;) {
      keys = this.#epochs.read13;
      for (const record of this.#records.takeHeld()) this.#handleDatagram(record, now);
    }
  }

  #handleDatagram(datagram: Uint8Array, now: number): void {
    const records = this.#records;
    records.load(datagram);
    while (records.next()) {
      switch (records.type) {
        case ContentType.applicationData:
          this.#handleData(records, now);
          break;
        case ContentType.handshake:
          this.#handleHandshake(records, now);
          break;
        case ContentType.alert:
          this.#handleAlert(records, now);
          break;
        case ContentType.ack:
          this.#handleAck(records, now);
          break;
        case ContentType.changeCipherSpec:
          break; // the epoch of the records behind it says the same (handshake.ts)
      }
      if (this.#state === 'closed' || this.#state === 'failed') break;
    }
    records.finish();
  }

  #handleData(record: RecordReader, now: number): void {
    if (record.epoch === 0) {
      this.#counters.add('plaintextIgnored');
      return;
    }
    this.#lastHeardAt = now;
    this.#driver.confirmPeer();
    if (this.#state === 'connecting' && !this.#admitsEarlyData(record.opened.length)) {
      this.#counters.add('dataDropped');
    } else if (!this.#data.push(record.opened)) {
      this.#counters.add('dataDropped');
    }
  }

  /** Before `connected` data is authentic, but not yet from the right peer: little of it is kept. */
  #admitsEarlyData(length: number): boolean {
    const { earlyRecords, earlyBytes } = this.#configuration.limits;
    if (this.#data.size >= earlyRecords || this.#earlyDataBytes + length > earlyBytes) return false;
    this.#earlyDataBytes += length;
    return true;
  }

  #handleHandshake(record: RecordReader, now: number): void {
    const outcome = this.#driver.handleRecord(record, now);
    if (this.#driver.heard && (record.epoch > 0 || this.#state === 'connecting')) this.#lastHeardAt = now;
    if (outcome !== undefined) this.#handleOutcome(outcome, now);
    else if (this.#state === 'connected') this.#guardFlight(now);
  }

  #handleAck(record: RecordReader, now: number): void {
    const outcome = this.#driver.handleAck(record, now);
    if (record.epoch > 0) this.#lastHeardAt = now;
    if (outcome !== undefined) this.#handleOutcome(outcome, now);
  }

  #handleOutcome(outcome: HandshakeOutcome, now: number): void {
    switch (outcome.type) {
      case 'complete':
        this.#connectIfVerified();
        break;
      case 'acknowledged':
        if (this.#state === 'connected') this.#guardFlight(now);
        break;
      case 'problem':
        this.#fail(outcome.problem, outcome.problem.alert);
        break;
      case 'warning':
        this.#warn(outcome.diagnosis);
        break;
      case 'renegotiation':
        if (this.#counters.get('renegotiationsRefused') <= MAX_RENEGOTIATION_REFUSALS) {
          this.#say(AlertLevel.warning, AlertDescription.noRenegotiation);
        }
        break;
    }
  }

  /** Connected, `dtlsHandshake` runs as long as a flight of DTLS 1.3 is not acknowledged. */
  #guardFlight(now: number): void {
    if (!this.#driver.awaitsAnswer) this.#timers.disarm('dtlsHandshake');
    else if (!this.#timers.isArmed('dtlsHandshake')) {
      this.#deadline = now + this.#configuration.handshakeTimeout;
      this.#timers.arm('dtlsHandshake', this.#deadline);
    }
  }

  /** RFC 5246 §7.2. Warnings other than close_notify change nothing. */
  #handleAlert(record: RecordReader, now: number): void {
    const alert = decodeAlert(record.body);
    if (isFailure(alert) || !this.#heeds(record)) {
      this.#counters.add('alertsIgnored');
      return;
    }
    this.#lastHeardAt = now;
    if (alert.description === AlertDescription.closeNotify) {
      this.#handleCloseNotify();
    } else if (this.#isMereWarning(alert)) {
      this.#counters.add('alertsIgnored');
    } else if (this.#driver.suspectsConflict && alert.description === AlertDescription.unexpectedMessage) {
      // The other client has seen our ClientHello twice before we saw its second one.
      this.#fail(bothActive(this.#configuration.setups));
    } else {
      this.#fail({
        code: 'alert-received',
        message: `The peer ended the connection with the alert ${alertName(alert.description)}.`,
      });
    }
  }

  /** RFC 8446 §6: there the level says nothing, and all but two descriptions are fatal. */
  #isMereWarning(alert: Alert): boolean {
    return this.version === '1.3'
      ? alert.description === AlertDescription.userCanceled
      : alert.level === AlertLevel.warning;
  }

  /** A plaintext alert counts only while the peer may have no keys: until the first record it has protected. */
  #heeds(record: RecordReader): boolean {
    return record.epoch > 0 || !hasAuthenticated(this.#epochs);
  }

  /** Answered in kind (RFC 5246 §7.2.1). What came before it may still be polled. */
  #handleCloseNotify(): void {
    if (!this.#driver.complete) {
      this.#fail({
        code: 'closed-in-handshake',
        message: 'The peer closed the connection during the handshake.',
      });
      return;
    }
    if (this.#state !== 'connected') this.#data.clear();
    this.#end('closed');
    this.#say(AlertLevel.warning, AlertDescription.closeNotify);
    this.#events.push({ type: 'closed' });
  }

  // --- state ---

  #connectIfVerified(): void {
    if (this.#state !== 'connecting' || !this.#driver.complete || !this.#peer.verified) return;
    this.#state = 'connected';
    this.#timers.disarm('dtlsHint');
    if (!this.#driver.awaitsAnswer) this.#timers.disarm('dtlsHandshake');
    this.#events.push({ type: 'connected' });
  }

  #handleDeadline(now: number): void {
    // After a freeze the peer's packets wait in the socket, and ours have just gone out: one more round is due.
    if (!this.#graceGiven && now - this.#deadline >= FROZEN_AFTER) {
      this.#graceGiven = true;
      this.#deadline = now + MAX_RETRANSMIT_TIMEOUT;
      this.#timers.arm('dtlsHandshake', this.#deadline);
      return;
    }
    if (this.#state === 'connected' && this.#driver.peerConfirmed) {
      this.#driver.giveUp();
      return;
    }
    const diagnosis = this.#driver.diagnose(now - this.#startedAt);
    const failure = this.#failure(diagnosis, 'dtlsHandshake');
    this.#failWith(failure, this.#driver.heard ? AlertDescription.handshakeFailure : undefined);
  }

  #fail(diagnosis: Diagnosis, alert?: AlertDescription): void {
    this.#failWith(this.#failure(diagnosis), alert);
  }

  /** The end by a failure: the peer is told once, everything else queued is dropped. */
  #failWith(failure: Failure, alert: AlertDescription | undefined): void {
    this.#end('failed');
    this.#data.clear();
    if (alert !== undefined) this.#say(AlertLevel.fatal, alert);
    this.#events.push({ type: 'closed', failure });
  }

  #end(state: 'closed' | 'failed'): void {
    this.#state = state;
    this.#timers.disarmAll();
    this.#driver.abandon();
    this.#records.takeHeld();
    this.#alerts.clear();
  }

  #warn(diagnosis: Diagnosis): void {
    this.#events.push({ type: 'warning', failure: this.#failure(diagnosis) });
  }

  #failure(diagnosis: Diagnosis, gate?: string): Failure {
    return {
      layer: 'dtls',
      code: diagnosis.code,
      message: diagnosis.message,
      gate,
      elapsed: gate === undefined ? undefined : this.#now - this.#startedAt,
      peerSilentFor: this.#now - this.#lastHeardAt,
    };
  }

  #say(level: AlertLevel, description: AlertDescription): void {
    this.#alerts.push({ level, description });
  }

  #advanceClock(now: number): number {
    if (now > this.#now) this.#now = now;
    return this.#now;
  }
}

/** Everything there is to see of an association; no secrets. */
export interface DtlsInspection {
  readonly role: DtlsRole;
  readonly state: DtlsState;
  readonly setups: { readonly local: string | null; readonly remote: string | null };
  /** As in RTCTransportStats: `FEFD` for DTLS 1.2, `FEFC` for 1.3, null before it is negotiated. */
  readonly tlsVersion: string | null;
  /** As in RTCTransportStats: the IANA name. */
  readonly dtlsCipher: DtlsCipherSuite | null;
  /** As in RTCTransportStats: the IANA name of the profile for media; null when none has been agreed on. */
  readonly srtpCipher: SrtpProfile | null;
  readonly localFingerprint: Fingerprint;
  readonly remoteFingerprint: Fingerprint | null;
  readonly remoteFingerprintVerified: boolean;
  readonly handshake: HandshakeInspection;
  readonly queued: {
    readonly events: number;
    readonly alerts: number;
    readonly data: number;
    readonly heldRecords: number;
  };
  /** Armed timers and their deadlines in ms. */
  readonly timers: Partial<Record<DtlsTimer, number>>;
  readonly counters: Record<DtlsCounter, number>;
}
