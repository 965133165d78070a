/**
 * Reflexive: the address that a STUN server sees one of our sockets at (RFC 8445 §5.1.1.2), and the NAT's mapping kept.
 *
 *     Binding request ──▶ again after 500 ms, 1 s, 2 s … seven times in 39.5 s (RFC 8489 §6.2.1) ──▶ failed
 *            └──▶ success: known ──15 to 25 s, while somebody uses it──▶ asked again: another address is another candidate
 *
 * Answers carry no proof but the transaction id, and a server may say what it likes. So what it says is judged: an address of
 * the socket's family, unicast, and no more private than the server's own is. It changes so many times, and not again.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress, sameAddress } from '../core/address.ts';
import { equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { randomBytes, randomUnit } from '../core/random.ts';
import type { LocalCandidateInit } from '../ice/index.ts';
import type { StunMessage } from '../stun/index.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  TRANSACTION_ID_LENGTH,
  attributeXorAddress,
  decodeStun,
  errorCodeOf,
  errorReasonOf,
  isStun,
  unknownAttributes,
} from '../stun/index.ts';
import type { GatherHost } from './host.ts';
import type { ServerTransport } from './ice-server.ts';
import { isCredible, isSameFamily } from './judgement.ts';
import type { GatherTimer, LocalSocket, Source, SourceFailure, SourceStatus, SourceUser } from './source.ts';
import { UNREACHABLE } from './source.ts';

/** Rc and Rm of RFC 8489 §6.2.1: how often a request is sent, and how many first waits the last one is given. */
const MAX_TRANSMISSIONS = 7;
const LAST_WAIT = 16;

/** However many are under way, ms: a gathering does not wait for long. */
const MAX_FIRST_WAIT = 2000;

/** Of a request that only keeps a mapping: the next one comes soon enough. */
const MAX_KEEP_ALIVE_TRANSMISSIONS = 3;

/** What a keep-alive's interval is lengthened by at the most: not all sockets of a host ask at one time. */
const KEEP_ALIVE_SPREAD = 2 / 3;

/** What is known of a response; SOURCE-ADDRESS (4) and CHANGED-ADDRESS (5) are RFC 3489's, and servers still send them. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  Type.mappedAddress,
  Type.xorMappedAddress,
  Type.errorCode,
  Type.unknownAttributes,
  4,
  5,
]);

/** A request that waits for its answer. Times in milliseconds. */
interface Transaction {
  readonly id: Uint8Array;
  transmissions: number;
  readonly maxTransmissions: number;
  readonly firstWait: number;
  deadline: number;
}

/** The server-reflexive address of one socket, as one server sees it. */
export class Reflexive implements Source {
  readonly key: string;
  readonly socket: LocalSocket;
  readonly server: TransportAddress;
  readonly transport: ServerTransport = 'udp';
  readonly timer: GatherTimer = 'binding';
  readonly users: Set<SourceUser> = new Set();
  unusedSince: number = Infinity;
  status: SourceStatus = 'idle';
  failure: SourceFailure | undefined;
  candidates: readonly LocalCandidateInit[] = [];
  readonly #host: GatherHost;
  /** Of whoever came first. */
  readonly #url: string;
  #mapped: TransportAddress | undefined;
  #transaction: Transaction | undefined;
  #keepAliveAt = Infinity;
  #mappingChanges = 0;

  constructor(host: GatherHost, key: string, socket: LocalSocket, server: TransportAddress, url: string) {
    this.#host = host;
    this.#url = url;
    this.key = key;
    this.socket = socket;
    this.server = server;
  }

  renew(): void {
    if (this.status === 'idle' || this.status === 'failed') {
      this.status = 'waiting';
      this.failure = undefined;
      this.#host.changed.add(this);
      this.#host.starting.add(this);
    } else if (this.status === 'known' && this.#transaction === undefined) {
      this.#host.starting.add(this);
    }
  }

  start(): void {
    if (this.#transaction !== undefined) return;
    if (this.status === 'waiting') this.status = 'asking';
    this.#ask(MAX_TRANSMISSIONS);
  }

  noteUsers(): void {
    if (this.users.size === 0) this.#keepAliveAt = Infinity;
    else if (this.status === 'known' && this.#keepAliveAt === Infinity) this.#keepAlive();
    this.#arm();
  }

  handlePacket(data: Uint8Array): boolean {
    const transaction = this.#transaction;
    if (transaction === undefined || !isStun(data)) return false;
    if (!equalBytes(data.subarray(8, 8 + TRANSACTION_ID_LENGTH), transaction.id)) return false;
    const message = decodeStun(data);
    // What is damaged may come again whole.
    if (isFailure(message) || message.method !== StunMethod.binding) return true;
    if (message.class !== 'success' && message.class !== 'error') return true;
    this.#transaction = undefined;
    this.#host.counters.add('bindingsAnswered');
    this.#answered(message);
    this.#arm();
    return true;
  }

  handleTimeout(): void {
    const { now } = this.#host;
    const transaction = this.#transaction;
    if (transaction !== undefined && transaction.deadline <= now) {
      if (transaction.transmissions < transaction.maxTransmissions) {
        this.#transmit(transaction);
      } else {
        this.#transaction = undefined;
        this.#failed({ code: UNREACHABLE, text: 'the STUN server did not answer' });
      }
    } else if (transaction === undefined && this.#keepAliveAt <= now) {
      this.#ask(MAX_KEEP_ALIVE_TRANSMISSIONS);
    }
    this.#arm();
  }

  leave(): boolean {
    this.close();
    return true;
  }

  close(): void {
    this.#transaction = undefined;
    this.#keepAliveAt = Infinity;
    this.candidates = [];
    this.status = 'idle';
    this.#arm();
  }

  inspect(): object {
    const { status, failure, users } = this;
    return {
      type: 'srflx',
      socket: formatAddress(this.socket),
      server: formatAddress(this.server),
      status,
      users: users.size,
      ...(this.#mapped === undefined ? {} : { mapped: formatAddress(this.#mapped) }),
      mappingChanges: this.#mappingChanges,
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** RFC 8445 §14.3: with many transactions under way the first wait is as long as they take to send. */
  #ask(maxTransmissions: number): void {
    const { retransmitTimeout, startInterval, random } = this.#host.settings;
    const transaction = {
      id: randomBytes(random, TRANSACTION_ID_LENGTH),
      transmissions: 0,
      maxTransmissions,
      firstWait: Math.max(
        retransmitTimeout,
        Math.min(startInterval * this.#host.starting.size, MAX_FIRST_WAIT),
      ),
      deadline: 0,
    };
    this.#transaction = transaction;
    this.#keepAliveAt = Infinity;
    this.#transmit(transaction);
    this.#arm();
  }

  #transmit(transaction: Transaction): void {
    const { firstWait, maxTransmissions } = transaction;
    const isLast = ++transaction.transmissions === maxTransmissions;
    const wait = isLast
      ? Math.min(LAST_WAIT, 2 ** (maxTransmissions - 1))
      : 2 ** (transaction.transmissions - 1);
    transaction.deadline = this.#host.now + firstWait * wait;
    this.#host.counters.add('bindingsSent');
    const request = new StunWriter('request', StunMethod.binding, transaction.id).fingerprint().finish();
    this.#host.transmit(this.socket, this.server, request);
  }

  #answered(message: StunMessage): void {
    if (unknownAttributes(message, UNDERSTOOD).length > 0) {
      this.#failed({ code: UNREACHABLE, text: 'the STUN server asks for what we do not know' });
    } else if (message.class === 'error') {
      this.#failed({ code: errorCodeOf(message) ?? UNREACHABLE, text: errorReasonOf(message).slice(0, 200) });
    } else {
      const mapped = attributeXorAddress(message, Type.xorMappedAddress);
      if (mapped !== undefined && this.#mayBe(mapped)) {
        this.#learn(mapped);
      } else {
        this.#host.counters.add('mappedAddressesRefused');
        this.#failed({ code: UNREACHABLE, text: 'the STUN server tells an address that cannot be ours' });
      }
    }
  }

  #mayBe(mapped: TransportAddress): boolean {
    if (sameAddress(mapped, this.socket)) return true;
    return isSameFamily(mapped, this.socket) && isCredible(mapped, this.server);
  }

  #learn(mapped: TransportAddress): void {
    const { counters, changed, settings } = this.#host;
    const isChange = this.#mapped !== undefined && !sameAddress(this.#mapped, mapped);
    const isIgnored = isChange && this.#mappingChanges >= settings.maxMappingChanges;
    if (isIgnored) {
      counters.add('mappingChangesIgnored');
    } else {
      if (isChange) {
        this.#mappingChanges++;
        counters.add('mappingsChanged');
      }
      this.#mapped = mapped;
    }
    // Most answers say what was known: nobody needs to hear of them.
    if (this.status !== 'known' || (isChange && !isIgnored)) changed.add(this);
    this.#known();
  }

  /** A socket that the server sees as it is has no NAT before it, and its host candidate says all (RFC 8445 §5.1.3). */
  #known(): void {
    const mapped = this.#mapped;
    this.status = 'known';
    this.failure = undefined;
    if (mapped === undefined || sameAddress(mapped, this.socket)) {
      this.candidates = [];
    } else {
      const base = { address: this.socket.address, port: this.socket.port };
      this.candidates = [{ type: 'srflx', protocol: 'udp', ...mapped, base, url: this.#url }];
    }
    this.#keepAlive();
  }

  /** What was known stays: the mapping may live on without its server. It is looked after as ever. */
  #failed(failure: SourceFailure): void {
    if (this.status === 'known') {
      this.#keepAlive();
      return;
    }
    this.status = 'failed';
    this.failure = failure;
    this.#host.counters.add('serversFailed');
    this.#host.changed.add(this);
  }

  #keepAlive(): void {
    const { keepAliveInterval, random } = this.#host.settings;
    if (this.users.size === 0) return;
    this.#keepAliveAt = this.#host.now + keepAliveInterval * (1 + KEEP_ALIVE_SPREAD * randomUnit(random));
  }

  #arm(): void {
    this.#host.deadlines.set(this, this.#transaction?.deadline ?? this.#keepAliveAt);
  }
}
