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
 * In:  datagram → records (record/reader.ts) → handshake (handshake-driver.ts), alerts (alert-exchange.ts), or application data
 *      → `pollData`
 * Out: flights and alerts become records when polled; `seal` makes application records in place.
 * Time: how long the peer may take, and be silent (gate.ts); what the host has slept through is no silence (core/clock.ts).
 *
 * Until the handshake is complete every packet may be forged. From then on plaintext is counted and nothing else: it
 * never ends, resets or reaches into an association that is established.
 */
import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import { RtcError, badArgument } from '../core/errors.ts';
import type { Machine } from '../core/machine.ts';
import { listOf } from '../core/options.ts';
import { BoundedQueue } from '../core/queue.ts';
import { TimerTable } from '../core/timers.ts';
import { AlertExchange } from './alert-exchange.ts';
import { AlertDescription } from './alerts.ts';
import type { Fingerprint } from './certificate/fingerprint.ts';
import { fingerprintRule } from './certificate/fingerprint.ts';
import { Peer } from './certificate/peer.ts';
import type { CipherSuite, DtlsVersion } from './cipher-suites.ts';
import type { ConnectionIds } from './connection-id.ts';
import { dtlsCounters } from './counting.ts';
import type { Diagnosis } from './diagnosis.ts';
import { HandshakeGate } from './gate.ts';
import type { HandshakeOutcome } from './handshake-driver.ts';
import { HandshakeDriver } from './handshake-driver.ts';
import { Handshake } from './handshake.ts';
import type { DtlsInspection } from './inspection.ts';
import type { DtlsConfiguration, DtlsOptions } from './options.ts';
import { configure } from './options.ts';
import { isProblem } from './problem.ts';
import { ReceivedData } from './received-data.ts';
import type { Epochs } from './record/epochs.ts';
import { FORGERY_LIMIT, RECORD_LIMIT, judgeReading, judgeWriting } from './record/key-limits.ts';
import { RecordReader } from './record/reader.ts';
import { ContentType, DTLS_HEADROOM, DTLS_TAILROOM, MAX_PLAINTEXT_LENGTH } from './record/record.ts';
import { judgeRecord } from './record/rules.ts';
import type { SrtpProfile } from '../core/srtp-keys.ts';
import type { SrtpKeys } from './srtp.ts';
import { SRTP_EXPORTER_LABEL, splitSrtpKeys, srtpKeyingMaterialLength } from './srtp.ts';
import type { DtlsRole, DtlsState, DtlsTimer } from './states.ts';
import { DTLS_TIMERS } from './states.ts';

/** What an association tells. */
export type DtlsEvent =
  /** The handshake is complete and the peer is who signalling says: application data may flow. */
  | {
      readonly type: 'connected';
      /** Where both ends have offered SRTP (RFC 5764): `srtpKeys` has the keys for it. */
      readonly srtpProfile?: SrtpProfile;
    }
  /** The handshake goes on, but somebody should look. */
  | { readonly type: 'warning'; readonly failure: Failure }
  /** Over, and not by our `close`. Without a failure: the peer said close_notify. */
  | { readonly type: 'closed'; readonly failure?: Failure };

/**
 * One association. Its methods come in families:
 *
 * - the application's calls: `start`, `setRemoteFingerprints`, `seal`, `updateKeys`, `exportKeyingMaterial`, `srtpKeys`, `close`
 * - what the world did: `handlePacket`, `handleTimeout`, `thaw`
 * - what to do next: `pollTransmit`, `pollEvent`, `pollData`, `nextTimeout`, `timeoutReason`
 * - how it is: `state`, `version`, `headroom`, `overhead`, `remoteCertificate`, `remoteFingerprint`, `inspect`
 *
 * ```ts
 * const dtls = new Dtls({ role: 'client', certificate, crypto, random, remoteFingerprints });
 * dtls.start(now);
 * dtls.handlePacket(datagram, now);
 * for (let data = dtls.pollTransmit(); data !== undefined; data = dtls.pollTransmit()) send(data);
 * for (let event = dtls.pollEvent(); event !== undefined; event = dtls.pollEvent()) react(event);
 * schedule(dtls.nextTimeout());
 * ```
 */
export class Dtls implements Machine<DtlsEvent> {
  readonly role: DtlsRole;
  readonly #configuration: DtlsConfiguration;
  readonly #clock: Clock;
  readonly #peer: Peer;
  readonly #handshake: Handshake;
  readonly #driver: HandshakeDriver;
  readonly #epochs: Epochs;
  readonly #records: RecordReader;
  readonly #counters = dtlsCounters();
  readonly #timers = new TimerTable<DtlsTimer>(DTLS_TIMERS);
  readonly #gate: HandshakeGate;
  readonly #events = new BoundedQueue<DtlsEvent>(Infinity); // a handful in a lifetime: each kind comes once or twice
  readonly #alerts: AlertExchange;
  readonly #data: ReceivedData;
  #state: DtlsState = 'new';
  /** False once `pollTransmit` has found nothing, until something happens that may give it a datagram. */
  #mayTransmit = false;
  /** So many records a key may seal before it has to be judged. */
  readonly #carefreeRecords: number;
  /** Why it is over; `undefined` for the peer's close_notify. */
  #reason: Failure | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options out of range. */
  constructor(options: DtlsOptions) {
    this.#configuration = configure(options);
    const { role, crypto, limits } = this.#configuration;
    this.role = role;
    this.#clock = this.#configuration.clock;
    this.#peer = new Peer(
      crypto,
      options.remoteFingerprints,
      this.#configuration.dangerouslyAcceptAnyFingerprint,
    );
    this.#handshake = new Handshake(this.#configuration, this.#peer);
    this.#driver = new HandshakeDriver(this.#configuration, this.#handshake, this.#timers, this.#counters);
    this.#gate = new HandshakeGate(this.#configuration, this.#driver, this.#timers);
    this.#epochs = this.#handshake.epochs;
    this.#records = new RecordReader(this.#epochs, limits, this.#counters);
    this.#alerts = new AlertExchange(this.#driver, this.#handshake, this.#configuration, this.#counters);
    this.#data = new ReceivedData(limits);
    this.#carefreeRecords = Math.min(limits.recordsPerKey, limits.recordsPerUpdate);
  }

  get state(): DtlsState {
    return this.#state;
  }

  /** Negotiated, or `undefined` so far. */
  get version(): DtlsVersion | undefined {
    return this.#handshake.version;
  }

  /** What was agreed on, once the handshake is complete. */
  get cipherSuite(): CipherSuite | undefined {
    return this.#driver.complete ? this.#handshake.suite : undefined;
  }

  /** The connection id that we ask for; `undefined` where we want none. The bytes are not to be changed. */
  get localConnectionId(): Bytes | undefined {
    const { connectionId } = this.#handshake;
    return connectionId === undefined || connectionId.length === 0 ? undefined : connectionId;
  }

  /**
   * Connection ids, once both ends have agreed on them: what the peer's protected records have, and what ours have. An empty one
   * stands for none in that direction; the bytes are not to be changed.
   */
  get connectionIds(): ConnectionIds | undefined {
    return this.#handshake.connectionIds;
  }

  /**
   * Bytes `seal` needs free before the plaintext, `DTLS_HEADROOM` and a connection id at most. Once connected they change with
   * the length of the peer's connection id alone, which it may replace in DTLS 1.3.
   */
  get headroom(): number {
    return this.#state === 'connected' ? (this.#epochs.write?.headroom ?? DTLS_HEADROOM) : DTLS_HEADROOM;
  }

  /** Bytes a record is longer than its plaintext. */
  get overhead(): number {
    const tailroom = this.#state === 'connected' ? this.#epochs.write?.tailroom : undefined;
    return this.headroom + (tailroom ?? DTLS_TAILROOM);
  }

  /** The peer's certificate, DER, once it has come; only `connected` says that it is the right one. */
  get remoteCertificate(): Bytes | undefined {
    return this.#peer.certificate;
  }

  /** SHA-256 of `remoteCertificate`: whom `dangerouslyAcceptAnyFingerprint` has let in, to be judged afterwards. */
  get remoteFingerprint(): Fingerprint | undefined {
    return this.#peer.fingerprint;
  }

  // --- the application's calls ---

  /** A path to the peer is valid: the client sends its ClientHello, and the `dtlsHandshake` gate is armed. */
  start(now: number): void {
    if (this.#state !== 'new') return;
    const at = this.#observe(now);
    this.#state = 'connecting';
    this.#gate.start();
    this.#mayTransmit = true;
    this.#driver.start(at);
  }

  /**
   * The fingerprints from the peer's description; they replace earlier ones, and the peer's certificate must match them
   * even when it has matched before. Throws `ERR_BAD_ARGUMENT` for something that is no list of them.
   */
  setRemoteFingerprints(fingerprints: readonly Fingerprint[], now: number): void {
    listOf(fingerprintRule)(fingerprints, 'fingerprints');
    this.#observe(now);
    if (this.#state === 'closed' || this.#state === 'failed') return;
    const mismatch = this.#peer.expect([...fingerprints]);
    if (mismatch !== undefined) this.#fail(mismatch, mismatch.alert);
    else this.#connectIfVerified();
  }

  /**
   * Makes an application record, in place, of `length` bytes at `offset`. The record begins at `offset - headroom`, and at
   * most `DTLS_TAILROOM` bytes after the plaintext are written.
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
    if (write.sequence >= this.#carefreeRecords) {
      const verdict = judgeWriting(write, this.version === '1.3', this.#configuration.limits);
      if (verdict === 'worn') {
        this.#fail(RECORD_LIMIT);
        return -1;
      }
      if (verdict === 'replace') this.#updateKeys(false);
    }
    return write.seal(ContentType.applicationData, buffer, offset, length);
  }

  /**
   * DTLS 1.3: changes the keys we write with, and asks the peer to do the same if `requestPeer`. It happens by itself
   * after `limits.recordsPerUpdate` records. Without effect unless connected, and in DTLS 1.2.
   */
  updateKeys(now: number, requestPeer = false): void {
    this.#observe(now);
    if (this.#state === 'connected') this.#updateKeys(requestPeer);
  }

  /**
   * Keying material that both ends can compute and nobody else (RFC 5705, RFC 8446 §7.5), without a context; the bytes are
   * the caller's. `undefined` unless connected: before that the peer might be anybody.
   */
  exportKeyingMaterial(label: string, length: number): Bytes | undefined {
    return this.#state === 'connected' ? this.#handshake.exporter?.export(label, length) : undefined;
  }

  /**
   * Master keys and salts for SRTP under the profile agreed on (RFC 5764 §4.2); the bytes are the caller's. `undefined`
   * unless connected, and where no profile has been agreed on.
   */
  srtpKeys(): SrtpKeys | undefined {
    const { srtpProfile } = this.#handshake;
    if (srtpProfile === undefined) return undefined;
    const material = this.exportKeyingMaterial(SRTP_EXPORTER_LABEL, srtpKeyingMaterialLength(srtpProfile));
    return material && splitSrtpKeys(srtpProfile, material);
  }

  /**
   * Ends the association, whatever the `reason`: a close_notify remains to be polled if the handshake is complete, and no
   * event follows; everything queued is dropped.
   */
  close(reason: Failure, now: number): void {
    this.#observe(now);
    if (this.#state === 'closed' || this.#state === 'failed') return;
    this.#end('closed', reason);
    this.#events.clear();
    this.#data.clear();
    // RFC 5246 §7.2.1. Before the handshake is complete there is nothing to close.
    if (this.#driver.complete) this.#alerts.sayCloseNotify();
  }

  // --- what the world did ---

  /**
   * A datagram from a path that ICE has validated. It is neither written to nor kept, unless it is `owned`: then its records are
   * opened where they lie, and what they hold is a view of it.
   */
  handlePacket(data: Uint8Array, now: number, owned = false): void {
    const at = this.#observe(now);
    if (this.#state !== 'connecting' && this.#state !== 'connected') {
      this.#counters.add('datagramsIgnored');
      return;
    }
    // Records held for want of keys are tried again as soon as keys have come, which they may do twice in a datagram.
    const before = this.#epochs.read13;
    this.#handleDatagram(data, at, owned);
    if (this.#epochs.read13 !== before || this.#epochs.read12 !== undefined) this.#handleHeld(at);
    if (this.#records.hasForgeries) this.#guardReading();
  }

  handleTimeout(now: number): void {
    const at = this.#observe(now);
    for (let timer = this.#timers.takeDue(at); timer !== undefined; timer = this.#timers.takeDue(at)) {
      this.#mayTransmit = true;
      switch (timer) {
        case 'dtlsAck':
          this.#driver.acknowledge();
          break;
        case 'dtlsRetransmit':
          this.#driver.retransmit(at);
          break;
        case 'dtlsHint':
          this.#warn(this.#driver.hint(this.#gate.waited));
          break;
        case 'dtlsHandshake':
          this.#handleDeadline();
          break;
      }
    }
  }

  thaw(missed: number): void {
    this.#gate.thaw(missed);
  }

  // --- what to do next ---

  /** The next datagram of handshake or alerts; application records come from `seal`. */
  pollTransmit(): Bytes | undefined {
    if (!this.#mayTransmit) return undefined;
    const datagram = this.#driver.pollTransmit() ?? this.#alerts.pollTransmit();
    this.#mayTransmit = datagram !== undefined;
    return datagram;
  }

  /** How many events and records of data `pollEvent` and `pollData` have. */
  get queuedEvents(): number {
    return this.#events.size + (this.#state === 'connecting' ? 0 : this.#data.size);
  }

  pollEvent(): DtlsEvent | undefined {
    return this.#events.shift();
  }

  /**
   * The next application record's plaintext; none before `connected`. The bytes are the caller's own, their `buffer` may be
   * shared with those of other records: copy what is kept for long.
   */
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
    const { suite, srtpProfile, connectionIds } = this.#handshake;
    return {
      role: this.role,
      state: this.#state,
      setups: { local: setups.local ?? null, remote: setups.remote ?? null },
      tlsVersion: suite === undefined ? null : suite.version === '1.3' ? 'FEFC' : 'FEFD',
      dtlsCipher: suite?.name ?? null,
      srtpCipher: srtpProfile ?? null,
      connectionIds: connectionIds
        ? { local: connectionIds.local.length, remote: connectionIds.remote.length }
        : null,
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
      ...(this.#reason === undefined ? {} : { end: this.#reason }),
    };
  }

  /** What must hold after every call and does not, as a sentence; `undefined` while all is well. For simulations. */
  invariantViolation(): string | undefined {
    const isWaiting = this.#driver.hasDatagrams || this.#alerts.size > 0;
    if (isWaiting && !this.#mayTransmit) return 'DTLS has a datagram that nobody would ask for';
    return this.#gate.violation(this.#state);
  }

  // --- records ---

  #handleHeld(now: number): void {
    for (let keys: unknown = undefined; this.#records.held > 0 && keys !== this.#epochs.read13;) {
      keys = this.#epochs.read13;
      for (const record of this.#records.takeHeld()) this.#handleDatagram(record, now, true);
    }
  }

  #handleDatagram(datagram: Uint8Array, now: number, owned: boolean): void {
    const records = this.#records;
    records.load(datagram, owned);
    while (records.next()) {
      this.#handleRecord(records, now);
      if (this.#state === 'closed' || this.#state === 'failed') break;
    }
    records.finish();
  }

  #handleRecord(record: RecordReader, now: number): void {
    const problem = record.epoch > 0 ? judgeRecord(record) : undefined;
    if (problem !== undefined) {
      this.#fail(problem, problem.alert);
      return;
    }
    if (record.type === ContentType.applicationData) {
      this.#handleData(record);
      return;
    }
    this.#mayTransmit = true;
    switch (record.type) {
      case ContentType.handshake:
        this.#handleHandshake(record, now);
        break;
      case ContentType.alert:
        this.#handleAlert(record);
        break;
      case ContentType.ack:
        this.#handleAck(record, now);
        break;
      default:
        break; // ChangeCipherSpec in plaintext: the epoch of the records after it says the same (handshake.ts)
    }
  }

  #guardReading(): void {
    if (this.#state === 'closed' || this.#state === 'failed') return;
    const [newest] = this.#epochs.read13;
    const verdict = judgeReading(this.#epochs, this.#configuration.limits);
    if (verdict === 'worn') {
      this.#fail(FORGERY_LIMIT, AlertDescription.badRecordMac);
    } else if (verdict === 'replace' && this.#state === 'connected' && newest !== undefined) {
      newest.successorAsked = true;
      this.#updateKeys(true);
    }
  }

  #handleData(record: RecordReader): void {
    if (record.epoch === 0) {
      this.#counters.add('plaintextIgnored');
      return;
    }
    this.#hear(record.epoch);
    if (!this.#driver.peerConfirmed) this.#driver.confirmPeer();
    if (!this.#data.push(record.opened, this.#state === 'connected')) this.#counters.add('dataDropped');
  }

  #handleHandshake(record: RecordReader, now: number): void {
    const outcome = this.#driver.handleRecord(record, now);
    if (this.#driver.heard && (record.epoch > 0 || this.#state === 'connecting')) this.#hear(record.epoch);
    if (outcome !== undefined) this.#handleOutcome(outcome);
    else if (this.#state === 'connected') this.#gate.guardFlight();
  }

  #handleAck(record: RecordReader, now: number): void {
    const outcome = this.#driver.handleAck(record, now);
    if (record.epoch > 0) this.#hear(record.epoch);
    if (outcome !== undefined) this.#handleOutcome(outcome);
  }

  #handleOutcome(outcome: HandshakeOutcome): void {
    switch (outcome.type) {
      case 'complete':
        this.#connectIfVerified();
        break;
      case 'acknowledged':
        if (this.#state === 'connected') this.#gate.guardFlight();
        break;
      case 'problem':
        this.#fail(outcome.problem, outcome.problem.alert);
        break;
      case 'warning':
        this.#warn(outcome.diagnosis);
        break;
      case 'renegotiation':
        this.#alerts.refuseRenegotiation();
        break;
    }
  }

  #handleAlert(record: RecordReader): void {
    const meaning = this.#alerts.interpret(record);
    if (meaning === undefined) return;
    this.#hear(record.epoch);
    if (meaning === 'close-notify') this.#handleCloseNotify();
    else if (meaning !== 'warning') this.#fail(meaning, isProblem(meaning) ? meaning.alert : undefined);
  }

  /** Answered in kind (RFC 5246 §7.2.1). What came before it may still be polled. */
  #handleCloseNotify(): void {
    if (this.#state !== 'connected') this.#data.clear();
    this.#end('closed');
    this.#alerts.sayCloseNotify();
    this.#events.push({ type: 'closed' });
  }

  // --- time and state ---

  /** Tells the clock `now`, if it is ours, and answers its time. */
  #observe(now: number): number {
    this.#clock.observe(now, this);
    return this.#clock.now;
  }

  /** The peer has said something in `epoch`: protected it is its word, in plaintext (epoch 0) it may be anybody's. */
  #hear(epoch: number): void {
    this.#gate.lastHeardAt = this.#clock.now;
    if (epoch > 0) this.#clock.hear();
  }

  #updateKeys(requestPeer: boolean): void {
    this.#mayTransmit = true;
    this.#driver.updateKeys(requestPeer, this.#clock.now);
    this.#gate.guardFlight();
  }

  #connectIfVerified(): void {
    if (this.#state !== 'connecting' || !this.#driver.complete || !this.#peer.accepted) return;
    this.#state = 'connected';
    this.#timers.disarm('dtlsHint');
    this.#gate.guardFlight();
    const { srtpProfile } = this.#handshake;
    this.#events.push(srtpProfile === undefined ? { type: 'connected' } : { type: 'connected', srtpProfile });
  }

  #handleDeadline(): void {
    if (this.#state === 'connected' && this.#driver.peerConfirmed) {
      this.#driver.giveUp();
      return;
    }
    const diagnosis = this.#driver.diagnose(this.#gate.waited);
    const failure = this.#gate.failure(diagnosis, 'dtlsHandshake');
    this.#failWith(failure, this.#driver.heard ? AlertDescription.handshakeFailure : undefined);
  }

  #fail(diagnosis: Diagnosis, alert?: AlertDescription): void {
    this.#failWith(this.#gate.failure(diagnosis), alert);
  }

  /** The end by a failure: the peer is told once, everything else queued is dropped. */
  #failWith(failure: Failure, alert: AlertDescription | undefined): void {
    this.#end('failed', failure);
    this.#data.clear();
    if (alert !== undefined) this.#alerts.sayFatal(alert);
    this.#events.push({ type: 'closed', failure });
  }

  #end(state: 'closed' | 'failed', reason?: Failure): void {
    this.#state = state;
    this.#reason = reason;
    this.#mayTransmit = true;
    this.#timers.disarmAll();
    this.#driver.abandon();
    this.#records.takeHeld();
    this.#alerts.clear();
  }

  #warn(diagnosis: Diagnosis): void {
    this.#events.push({ type: 'warning', failure: this.#gate.failure(diagnosis) });
  }
}
