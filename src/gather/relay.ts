/**
 * Relay: the allocation of a TURN server for one of our sockets (RFC 8656). To a connection it is one more local address; what
 * is sent from there is wrapped for the server, and what the server brings is unwrapped.
 *
 *     idle ──▶ waiting ──Ta──▶ asking ──allocated──▶ known ──lost──▶ waiting, while somebody wants it
 *                 ▲              │ failed              │ nobody uses it, for so long
 *                 └──500 ms … 4 s┘                     ▼
 *                                              releasing: Refresh(0) ──▶ gone
 *
 * Over UDP it is the socket's 5-tuple that has an allocation, whoever's credentials it was made with: who gathers with others joins
 * it, and they are used when it is made anew. A stream is a 5-tuple of its own, so there each user has one.
 *
 * A server that is killed says nothing. The client finds that out by itself (`probeInterval`): one that has come back says that
 * there is no allocation, and a new one is made at once.
 */
import type { TransportAddress } from '../core/address.ts';
import { addressFamily, formatAddress, sameAddress } from '../core/address.ts';
import type { LocalCandidateInit } from '../ice/index.ts';
import { isStun } from '../stun/index.ts';
import { readU16 } from '../core/bytes.ts';
import type { TurnClientEvent, TurnCredentials } from '../turn/index.ts';
import { StreamDeframer, TurnClient, isChannelData } from '../turn/index.ts';
import type { GatherHost } from './host.ts';
import type { ServerTransport, ServerUrl } from './ice-server.ts';
import { isCredible, isSameFamily } from './judgement.ts';
import type {
  GatherTimer,
  LocalSocket,
  RelaySource,
  SourceFailure,
  SourceStatus,
  SourceUser,
  StreamReply,
} from './source.ts';
import { UNREACHABLE } from './source.ts';

/** Bytes that an indication adds to a peer's datagram at the most, by the peer's family (RFC 8656 §11.1). */
const OVERHEAD = { 4: 36, 6: 48 } as const;

/** First wait before a server that failed is tried again, ms. */
const FIRST_RETRY = 500;

/** The same for one that answered, and said no. */
const FIRST_REFUSAL_RETRY = 30_000;
const MAX_REFUSAL_RETRY = 300_000;

/** RFC 8656 §7.4 (437): the 5-tuple has an allocation already. */
const ALLOCATION_MISMATCH = 437;

/**
 * How long what is sent may bring nothing back until the client finds out whether the allocation is still there, ms: a server that
 * was started anew is to be noticed while ICE still has patience.
 */
const PROBE_INTERVAL = 2000;

/** Rc and Rm of RFC 8489 §6.2.1, and Ti of §6.2.2, ms: no request waits longer. */
const MAX_REQUEST_TIMEOUT = 39_500;

/** Users of one relay whose credentials are kept. */
const MAX_CREDENTIALS = 8;

/** A stream to the server, under way or open. */
interface Stream {
  readonly id: number;
  readonly deframer: StreamDeframer;
}

/** The allocation of one socket, at one server. */
export class Relay implements RelaySource {
  key: string;
  readonly socket: LocalSocket;
  readonly transport: ServerTransport;
  readonly timer: GatherTimer = 'relay';
  readonly users: Set<SourceUser> = new Set();
  unusedSince: number = Infinity;
  server: TransportAddress;
  status: SourceStatus = 'idle';
  failure: SourceFailure | undefined;
  candidates: readonly LocalCandidateInit[] = [];
  relayed: readonly TransportAddress[] = [];
  readonly #host: GatherHost;
  readonly #url: ServerUrl;
  /** Passwords by user name, the latest last. */
  readonly #credentials = new Map<string, string>();
  #client: TurnClient | undefined;
  #stream: Stream | undefined;
  /** The name that the certificate of a TLS server must be for. */
  #serverName: string;
  #isReleasing = false;
  #wasKnown = false;
  /** Whose credentials were used last, and until when there is no use in them after a refusal. */
  #username = '';
  #refusedUntil = 0;
  #openBy = Infinity;
  #retryAt = Infinity;
  #retryInterval = FIRST_RETRY;

  constructor(host: GatherHost, key: string, socket: LocalSocket, server: TransportAddress, url: ServerUrl) {
    this.#host = host;
    this.key = key;
    this.socket = socket;
    this.server = server;
    this.transport = url.transport;
    this.#url = url;
    this.#serverName = url.host;
  }

  /** Credentials of one who uses it; the latest are those that it is made with. */
  offer({ username, credential }: ServerUrl): void {
    if (this.#credentials.get(username) === credential) return;
    this.#credentials.delete(username);
    this.#credentials.set(username, credential);
    if (this.#credentials.size > MAX_CREDENTIALS) {
      const [oldest] = this.#credentials.keys();
      if (oldest !== undefined) this.#credentials.delete(oldest);
    }
  }

  /** Those of an allocation that stands are replaced: theirs expire. */
  renewCredentials(server: ServerUrl): void {
    this.offer(server);
    this.#client?.setCredentials(this.#latestCredentials(), this.#host.now);
    this.#carry();
  }

  renew(): void {
    if (this.status === 'failed' && this.#isRefused()) {
      this.#host.changed.add(this);
    } else if (this.status === 'idle' || this.status === 'failed') {
      this.status = 'waiting';
      this.failure = undefined;
      this.#retryAt = Infinity;
      this.#retryInterval = FIRST_RETRY;
      this.#host.changed.add(this);
      // The allocation that is being let go must be gone before there can be another one.
      if (!this.#isReleasing) this.#host.starting.add(this);
      this.#arm();
    }
  }

  /** It has just said no to these credentials, and would again. */
  #isRefused(): boolean {
    const isRefusal = this.failure !== undefined && this.failure.code !== UNREACHABLE;
    return (
      isRefusal &&
      this.#host.now < this.#refusedUntil &&
      this.#latestCredentials().username === this.#username
    );
  }

  start(): void {
    if (this.#isReleasing || this.#client !== undefined) return;
    this.status = 'asking';
    this.#client = this.#makeClient();
    if (this.transport === 'udp') this.#allocate();
    else this.#openStream();
    this.#arm();
  }

  noteUsers(): void {
    this.#arm();
  }

  handlePacket(data: Uint8Array, owned: boolean): boolean {
    const client = this.#client;
    if (client === undefined || !isTurn(data)) return false;
    client.handlePacket(data, this.#host.now, owned);
    this.#carry();
    return true;
  }

  send(peer: TransportAddress, data: Uint8Array): void {
    this.#client?.send(peer, data, this.#host.now);
    this.#carry();
  }

  handleStream(reply: StreamReply): void {
    const stream = this.#stream;
    if (stream === undefined || stream.id !== reply.stream) return;
    switch (reply.type) {
      case 'streamopened':
        this.#openBy = Infinity;
        this.#allocate();
        break;
      case 'streamdata':
        this.#readStream(stream, reply.data);
        break;
      case 'streamclosed':
        this.#forgetStream();
        this.#broken(reply.reason ?? 'the server has closed the stream');
    }
    this.#arm();
  }

  handleTimeout(): void {
    const { now } = this.#host;
    if (this.#openBy <= now) {
      this.#broken('the stream to the server was not opened in time');
    } else if (this.#retryAt <= now) {
      this.#retryAt = Infinity;
      if (this.users.size > 0) this.#host.starting.add(this);
    } else {
      this.#client?.handleTimeout(now);
      this.#carry();
    }
    this.#arm();
  }

  leave(): boolean {
    const client = this.#client;
    if (client === undefined || this.status !== 'known') {
      this.close();
      return true;
    }
    this.#isReleasing = true;
    this.#withdraw();
    this.status = 'idle';
    client.shutdown(this.#host.now);
    this.#carry();
    return !this.#isReleasing;
  }

  close(): void {
    this.#isReleasing = false;
    this.#end();
    this.status = 'idle';
    this.#host.deadlines.delete(this);
  }

  inspect(): object {
    const { status, failure, users, transport } = this;
    return {
      type: 'relay',
      socket: formatAddress(this.socket),
      server: formatAddress(this.server),
      transport,
      status: this.#isReleasing ? 'releasing' : status,
      users: users.size,
      relayed: this.relayed.map(formatAddress),
      ...(failure === undefined ? {} : { failure }),
      ...(this.#client === undefined ? {} : { client: this.#client.inspect() }),
    };
  }

  #makeClient(): TurnClient {
    const { crypto, random, gatherTimeout, gatherStreamTimeout } = this.#host.settings;
    // Who is waited for to come back is asked anew before his requests have become too rare.
    const isPatient = this.transport !== 'udp' && !this.#wasKnown;
    const credentials = this.#latestCredentials();
    this.#username = credentials.username;
    return new TurnClient({
      crypto,
      random,
      transport: this.transport,
      server: this.server,
      credentials,
      probeInterval: PROBE_INTERVAL,
      requestTimeout: Math.min(isPatient ? gatherStreamTimeout : gatherTimeout, MAX_REQUEST_TIMEOUT),
    });
  }

  #latestCredentials(): TurnCredentials {
    const [username = '', password = ''] = [...this.#credentials].at(-1) ?? [];
    return { username, password };
  }

  #allocate(): void {
    this.#client?.allocate(this.#host.now);
    this.#carry();
  }

  // --- streams ---

  #openStream(): void {
    const { requests, streams, settings, now } = this.#host;
    const id = ++this.#host.lastStream;
    this.#stream = { id, deframer: new StreamDeframer() };
    this.#openBy = now + settings.gatherStreamTimeout;
    streams.set(id, this);
    requests.push({
      type: 'openstream',
      stream: id,
      protocol: this.transport === 'tls' ? 'tls' : 'tcp',
      destination: this.server,
      sourceAddress: this.socket.address,
      ...(this.transport === 'tls' ? { serverName: this.#serverName } : {}),
    });
  }

  #readStream({ deframer }: Stream, data: Uint8Array): void {
    deframer.push(data);
    for (let message = deframer.next(); message !== undefined; message = deframer.next()) {
      this.#client?.handlePacket(message, this.#host.now);
      this.#carry();
    }
    if (deframer.isBroken) {
      this.#closeStream();
      this.#broken('what the server sends is no TURN');
    }
  }

  #closeStream(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#forgetStream();
    this.#host.requests.push({ type: 'closestream', stream: stream.id });
  }

  #forgetStream(): void {
    if (this.#stream !== undefined) this.#host.streams.delete(this.#stream.id);
    this.#stream = undefined;
    this.#openBy = Infinity;
  }

  /** The stream is gone, and whatever was made over it. */
  #broken(text: string): void {
    if (this.#isReleasing) this.#released();
    else if (this.status === 'known') this.#lost();
    else this.#failed({ code: UNREACHABLE, text });
  }

  // --- between the client and the world ---

  /** Carries what the client has to say to where it belongs. */
  #carry(): void {
    const client = this.#client;
    if (client === undefined) return;
    for (let event = client.pollEvent(); event !== undefined; event = client.pollEvent())
      this.#react(event, client);
    for (let next = client.pollReceived(); next !== undefined; next = client.pollReceived()) {
      const { peer, relayed, data } = next;
      const isTaken = this.#host.datagrams.push({ source: peer, destination: relayed, data, owned: true });
      if (!isTaken) this.#host.counters.add('datagramsDropped');
    }
    this.#flush(client);
    this.#arm();
  }

  #flush(client: TurnClient): void {
    const { requests } = this.#host;
    const hasSocket = this.#host.isSocket(this.socket);
    for (let bytes = client.pollTransmit(); bytes !== undefined; bytes = client.pollTransmit()) {
      if (this.transport === 'udp' && hasSocket) this.#host.transmit(this.socket, this.server, bytes);
      else if (this.transport !== 'udp' && this.#stream !== undefined)
        requests.push({ type: 'writestream', stream: this.#stream.id, data: bytes });
    }
  }

  #react(event: TurnClientEvent, client: TurnClient): void {
    switch (event.type) {
      case 'allocated':
        this.#allocated(event.relayed, event.mapped);
        return;
      case 'failed':
        this.#failed({ code: event.errorCode, text: event.errorText });
        return;
      case 'newtuplewanted':
        this.#changeTuple();
        return;
      case 'redirect':
        this.#redirect(event.server, event.domain);
        return;
      case 'credentialswanted':
        // Others may have come with newer ones.
        client.setCredentials(this.#latestCredentials(), this.#host.now);
        for (const user of this.users)
          user.warn(this.#url, 401, 'the server takes these credentials no more');
        return;
      case 'lost':
        this.#lost();
        return;
      case 'closed':
        this.#released();
    }
  }

  #allocated(relayed: readonly TransportAddress[], mapped: TransportAddress): void {
    const { links, counters, changed } = this.#host;
    this.relayed = relayed.filter((address) => {
      const isOurs = this.#host.isSocket(address) || links.relayAt(address) !== undefined;
      const mayBe = isCredible(address, this.server) && !isOurs;
      if (!mayBe) counters.add('relayedAddressesRefused');
      return mayBe;
    });
    if (this.relayed.length === 0) {
      this.#failed({ code: UNREACHABLE, text: 'the TURN server tells addresses that cannot be ours' });
      return;
    }
    links.addRelayed(this);
    this.candidates = [
      ...this.#reflexive(mapped),
      ...this.relayed.map((own) => this.#candidate(own, mapped)),
    ];
    this.status = 'known';
    this.#wasKnown = true;
    this.failure = undefined;
    this.#retryInterval = FIRST_RETRY;
    counters.add('relaysAllocated');
    changed.add(this);
  }

  /** What the server sees of the socket is a server-reflexive address like any other (RFC 8445 §5.1.1.2). */
  #reflexive(mapped: TransportAddress): LocalCandidateInit[] {
    const { socket, transport } = this;
    const isOther = isSameFamily(mapped, socket) && !sameAddress(mapped, socket);
    if (transport !== 'udp' || !isOther || !isCredible(mapped, this.server)) return [];
    const base = { address: socket.address, port: socket.port };
    return [{ type: 'srflx', protocol: 'udp', ...mapped, base, url: this.#url.url }];
  }

  #candidate(own: TransportAddress, mapped: TransportAddress): LocalCandidateInit {
    const family = addressFamily(own.address) ?? 4;
    const isRelated = sameAddress(mapped, this.socket) || isCredible(mapped, this.server);
    return {
      type: 'relay',
      protocol: 'udp',
      address: own.address,
      port: own.port,
      relayProtocol: this.transport,
      url: this.#url.url,
      ...(isRelated ? { relatedAddress: mapped.address, relatedPort: mapped.port } : {}),
      // A stream cuts its bytes as it likes.
      overhead: this.transport === 'udp' ? OVERHEAD[family] : 0,
    };
  }

  /** A stream is opened from another port; a socket has one alone. */
  #changeTuple(): void {
    if (this.transport === 'udp') {
      this.#failed({
        code: ALLOCATION_MISMATCH,
        text: 'the server has an allocation for this socket already',
      });
    } else {
      this.#closeStream();
      this.#openStream();
    }
  }

  /** RFC 8656 §7.4: another server of the same family, which the client has looked at, and which is no door to our own network. */
  #redirect(server: TransportAddress, domain: string | undefined): void {
    const { links } = this.#host;
    if (!isCredible(server, this.server)) {
      this.#failed({ code: UNREACHABLE, text: 'the server names another one that we do not go to' });
      return;
    }
    links.delete(this);
    this.server = server;
    links.add(this);
    this.#serverName = domain ?? this.#serverName;
    if (this.transport === 'udp') {
      this.#client?.allocate(this.#host.now);
    } else {
      this.#closeStream();
      this.#openStream();
    }
  }

  // --- the end of an allocation ---

  #failed(failure: SourceFailure): void {
    const { counters, changed, now, settings } = this.#host;
    this.#end();
    this.status = 'failed';
    this.failure = failure;
    counters.add('serversFailed');
    changed.add(this);
    // A server that says no is not asked again so soon.
    const [first, most] =
      failure.code === UNREACHABLE
        ? [FIRST_RETRY, settings.maxRetryInterval]
        : [FIRST_REFUSAL_RETRY, MAX_REFUSAL_RETRY];
    const interval = Math.min(Math.max(this.#retryInterval, first), most);
    this.#retryInterval = interval * 2;
    this.#refusedUntil = now + interval;
    if (this.users.size > 0) this.#retryAt = now + interval;
  }

  /** The relayed addresses are gone; a new allocation is made at once for whoever is there. */
  #lost(): void {
    const { counters, changed, starting } = this.#host;
    this.#end();
    counters.add('relaysLost');
    this.status = 'waiting';
    changed.add(this);
    if (this.users.size > 0) starting.add(this);
    else this.status = 'idle';
  }

  /** Refresh(0) has been confirmed, or nobody has answered it. */
  #released(): void {
    const { finished, starting } = this.#host;
    this.#isReleasing = false;
    this.#end();
    if (this.users.size > 0) starting.add(this);
    else finished.add(this);
  }

  #end(): void {
    this.#withdraw();
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) {
      // It may have a last word.
      client.close({ layer: 'turn', code: 'local-close', message: 'not used any more' }, this.#host.now);
      this.#flush(client);
    }
    this.#closeStream();
    this.#retryAt = Infinity;
  }

  #withdraw(): void {
    this.#host.links.deleteRelayed(this);
    this.relayed = [];
    if (this.candidates.length > 0) this.#host.changed.add(this);
    this.candidates = [];
  }

  #arm(): void {
    const client = this.#client?.nextTimeout() ?? Infinity;
    this.#host.deadlines.set(this, Math.min(client, this.#retryAt, this.#openBy));
  }
}

/** Of a STUN message's type, without those of its class (RFC 8489 §5); Binding is method 1. */
const METHOD_BITS = 0x3eef;
const BINDING = 1;

/** STUN of TURN's methods, or ChannelData (RFC 7983 §7). Bindings are of others: STUN's, and checks of a peer's. */
function isTurn(data: Uint8Array): boolean {
  return isChannelData(data) || (isStun(data) && (readU16(data, 0) & METHOD_BITS) !== BINDING);
}
