/**
 * AlertExchange: the alerts of an association (RFC 5246 §7.2, RFC 8446 §6).
 *
 *   in:   record → does it count? → a warning that changes nothing, the peer's close_notify, or why it has ended
 *   out:  said → waits → a record when polled: close_notify or a fatal alert at the end, a few no_renegotiation before
 *
 * It changes no state: what an alert leads to is the association's to say.
 */
import type { Bytes } from '../core/bytes.ts';
import type { DecodeFailure } from '../core/decode.ts';
import { isFailure } from '../core/decode.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { Alert } from './alerts.ts';
import { ALERT_LENGTH, AlertDescription, AlertLevel, alertName, decodeAlert, encodeAlert } from './alerts.ts';
import type { DtlsCounters } from './counting.ts';
import type { Diagnosis } from './diagnosis.ts';
import { bothActive } from './diagnosis.ts';
import type { HandshakeDriver } from './handshake-driver.ts';
import type { Handshake } from './handshake.ts';
import type { DtlsConfiguration, DtlsSetups, DtlsVersions } from './options.ts';
import type { Problem } from './problem.ts';
import { illegalParameter, malformed } from './problem.ts';
import { hasAuthenticated } from './record/epochs.ts';
import type { RecordReader } from './record/reader.ts';
import { ContentType } from './record/record.ts';
import { sealCopy } from './record/write-epoch.ts';

/** How often an association answers attempts to renegotiate, so that nobody can make it chatter. */
const MAX_RENEGOTIATION_REFUSALS = 4;

/** What an alert of the peer's means; a diagnosis says why the association has ended, a problem what to answer as well. */
export type AlertMeaning = 'warning' | 'close-notify' | Diagnosis | Problem;

const CLOSED_IN_HANDSHAKE: Diagnosis = {
  code: 'closed-in-handshake',
  message: 'The peer closed the connection during the handshake.',
};

/** The alerts of one association, in both directions. */
export class AlertExchange {
  readonly #driver: HandshakeDriver;
  readonly #handshake: Handshake;
  readonly #setups: DtlsSetups;
  readonly #versions: DtlsVersions;
  readonly #counters: DtlsCounters;
  readonly #queue = new BoundedQueue<Alert>(MAX_RENEGOTIATION_REFUSALS + 1);

  constructor(
    driver: HandshakeDriver,
    handshake: Handshake,
    { setups, versions }: DtlsConfiguration,
    counters: DtlsCounters,
  ) {
    this.#driver = driver;
    this.#handshake = handshake;
    this.#setups = setups;
    this.#versions = versions;
    this.#counters = counters;
  }

  /** How many wait to be polled. */
  get size(): number {
    return this.#queue.size;
  }

  /**
   * What the alert in `record` means; `undefined` if it does not count. Warnings other than close_notify change nothing. A
   * protected record that is no alert ends the association, in plaintext it may be anybody's.
   */
  interpret(record: RecordReader): AlertMeaning | undefined {
    const alert = this.#decode(record.body);
    if (isFailure(alert) && record.epoch > 0) return badAlert(record.body.length);
    if (isFailure(alert) || !this.#heeds(record)) {
      this.#counters.add('alertsIgnored');
      return undefined;
    }
    if (alert.description === AlertDescription.closeNotify) {
      return this.#driver.complete ? 'close-notify' : CLOSED_IN_HANDSHAKE;
    }
    if (this.#isMereWarning(alert)) {
      this.#counters.add('alertsIgnored');
      return 'warning';
    }
    if (alert.description === AlertDescription.protocolVersion && this.#offers13Alone()) {
      return {
        code: 'version-unsupported',
        message: 'The peer does not speak DTLS 1.3, and we speak nothing else.',
      };
    }
    if (this.#driver.suspectsConflict && alert.description === AlertDescription.unexpectedMessage) {
      // The other client has seen our ClientHello twice before we saw its second one.
      return bothActive(this.#setups);
    }
    return {
      code: 'alert-received',
      message: `The peer ended the connection with the alert ${alertName(alert.description)}.`,
    };
  }

  sayFatal(description: AlertDescription): void {
    this.#queue.push({ level: AlertLevel.fatal, description });
  }

  sayCloseNotify(): void {
    this.#queue.push({ level: AlertLevel.warning, description: AlertDescription.closeNotify });
  }

  /** The peer has just tried, and has been counted. */
  refuseRenegotiation(): void {
    if (this.#counters.get('renegotiationsRefused') > MAX_RENEGOTIATION_REFUSALS) return;
    this.#queue.push({ level: AlertLevel.warning, description: AlertDescription.noRenegotiation });
  }

  /** The next alert's record, protected as soon as there are keys. */
  pollTransmit(): Bytes | undefined {
    const alert = this.#queue.shift();
    if (alert === undefined) return undefined;
    const { epochs } = this.#handshake;
    return sealCopy(epochs.write ?? epochs.plaintext, ContentType.alert, encodeAlert(alert));
  }

  clear(): void {
    this.#queue.clear();
  }

  /** A plaintext alert counts only while the peer may have no keys: until the first record it has protected. */
  #heeds(record: RecordReader): boolean {
    return record.epoch > 0 || !hasAuthenticated(this.#handshake.epochs);
  }

  /** The hello has offered DTLS 1.3 and nothing else, and no server has taken it. */
  #offers13Alone(): boolean {
    return this.#versions.min === '1.3' && this.#handshake.version === undefined;
  }

  #isDtls13(): boolean {
    return this.#handshake.version === '1.3';
  }

  /** RFC 8446 §6: there the level says nothing, so that an odd one does no harm. */
  #decode(body: Uint8Array): Alert | DecodeFailure {
    const [, description] = body;
    const hasLevel = !this.#isDtls13() || body.length !== ALERT_LENGTH || description === undefined;
    return hasLevel ? decodeAlert(body) : { level: AlertLevel.fatal, description };
  }

  /** RFC 8446 §6: all but two descriptions are fatal, whatever the level. */
  #isMereWarning(alert: Alert): boolean {
    return this.#isDtls13()
      ? alert.description === AlertDescription.userCanceled
      : alert.level === AlertLevel.warning;
  }
}

/** RFC 8446 §5.1: a record has exactly one alert. DTLS 1.2, which cannot put an alert together either, knows two levels. */
function badAlert(length: number): Problem {
  return length === ALERT_LENGTH
    ? illegalParameter('The peer sent an alert of a level that does not exist.')
    : malformed('alert-malformed');
}
