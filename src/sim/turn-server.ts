/**
 * SimTurnServer: a STUN and TURN server for the simulated network (RFC 8489, RFC 8656). A machine that a host is given:
 *
 *     const relay = net.host(['203.0.113.9', '2001:db8::9']);
 *     relay.attach(new SimTurnServer({ address: '203.0.113.9', relays: ['203.0.113.9', '2001:db8::9'], users: { alice: 'secret' } }));
 *
 * Small on purpose: it answers what a client may ask, as the RFCs say, and refuses what it is told to refuse. Nothing protects it
 * from a flood, nothing expires but at use, and it has one thread of everything: no model for a server of yours.
 */
import { addressFamily, canonicalAddress, formatAddress, sameAddress } from '../core/address.ts';
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import { badArgument } from '../core/errors.ts';
import type { HmacKey } from '../crypto/provider.ts';
import { encodeUtf8, toBase64 } from '../core/text.ts';
import { jsCrypto } from '../crypto/index.ts';
import type { PasswordAlgorithm, StunMessage } from '../stun/index.ts';
import {
  StunErrorCode as Code,
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  attributeText,
  attributeU32,
  attributeValue,
  attributeXorAddress,
  decodePasswordAlgorithms,
  decodeStun,
  encodePasswordAlgorithms,
  hasAttribute,
  longTermKey,
  nonceCookie,
  transactionIdOf,
  unknownAttributes,
  userhash,
  verifyIntegrity,
  verifyIntegritySha256,
  xorAddressOf,
} from '../stun/index.ts';
import { StreamDeframer, channelDataOf, channelOf, encodeChannelData, isChannelData } from '../turn/index.ts';
import { FIRST_CHANNEL, LAST_CHANNEL } from '../turn/index.ts';
import type { SimInput, SimMachine, SimRequest, SimTimeout, SimTransmit } from './machine.ts';

/** What a server is like. Times in milliseconds. All of it may be changed while it runs. */
export interface SimTurnServerOptions {
  /** One of its host's addresses, where clients find it. */
  readonly address: string;
  /** 3478. */
  readonly port?: number | undefined;
  /** Addresses of its host that relayed addresses are made of, one of a family; by default `address` alone. */
  readonly relays?: readonly string[] | undefined;
  /** Passwords by username. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** Time-limited credentials: a username of anybody's, its password the Base64 of HMAC-SHA1(secret, username). */
  readonly secret?: string | undefined;
  /** False: nobody has to say who he is. Default true. */
  readonly authenticates?: boolean | undefined;
  readonly realm?: string | undefined;
  /** Offered by PASSWORD-ALGORITHMS; then clients sign by SHA-256. Default: none, MD5 and SHA-1 as of RFC 5389. */
  readonly passwordAlgorithms?: readonly PasswordAlgorithm[] | undefined;
  /** Clients say USERHASH. Default false. */
  readonly hidesUsernames?: boolean | undefined;
  /** How long a nonce is good: 3,600,000. */
  readonly nonceLifetime?: number | undefined;
  /** What an allocation gets at the most, 3,600,000, and without asking, 600,000. */
  readonly maxLifetime?: number | undefined;
  readonly lifetime?: number | undefined;
  /** Allocations of one user, beyond which 486; and in all, beyond which 508. */
  readonly quota?: number | undefined;
  readonly capacity?: number | undefined;
  /** To whom Allocate is redirected (300). */
  readonly redirect?: TransportAddress | undefined;
  readonly redirectDomain?: string | undefined;
  /** True for an address that nobody gets a permission for (403). */
  readonly deniesPeer?: ((address: string) => boolean) | undefined;
  /** First port of relayed addresses: 49,152. */
  readonly firstRelayPort?: number | undefined;
}

/** Who asks: by what he is reached. */
interface Client {
  /** Over UDP his address, over a stream its number. */
  readonly key: string;
  readonly address: TransportAddress;
  readonly stream: number | undefined;
}

interface Allocation {
  readonly client: Client;
  readonly username: string;
  readonly transactionId: Bytes;
  readonly relayed: readonly TransportAddress[];
  expiresAt: number;
  /** When each IP address ceases to be let through. */
  readonly permissions: Map<string, number>;
  readonly channels: Map<number, { readonly peer: TransportAddress; expiresAt: number }>;
}

/** Who signed a request, and how its response is signed. */
interface Signer {
  readonly username: string;
  sign(writer: StunWriter): StunWriter;
}

const PERMISSION_LIFETIME = 300_000;
const CHANNEL_LIFETIME = 600_000;
const UDP = 17;

const UNDERSTOOD: ReadonlySet<number> = new Set<number>([
  Type.username,
  Type.channelNumber,
  Type.lifetime,
  Type.xorPeerAddress,
  Type.data,
  Type.realm,
  Type.nonce,
  Type.requestedAddressFamily,
  Type.requestedTransport,
  Type.passwordAlgorithm,
  Type.userhash,
]);

/** What a client of a stream's sends and is sent. */
interface Stream {
  readonly client: Client;
  readonly deframer: StreamDeframer;
}

/** A server as a machine of the simulated network. */
export class SimTurnServer implements SimMachine {
  options: SimTurnServerOptions;
  /** True: it hears and says nothing, as if it were switched off. */
  isDown = false;
  readonly #address: TransportAddress;
  readonly #crypto = jsCrypto();
  readonly #allocations = new Map<string, Allocation>();
  readonly #byRelayed = new Map<string, Allocation>();
  readonly #streams = new Map<number, Stream>();
  readonly #outputs: (SimTransmit | SimRequest)[] = [];
  readonly #keys = new Map<string, HmacKey>();
  #nextRelayPort: number;
  /** Nonces of an earlier life are stale. */
  #life = 1;
  #now = 0;

  /** Throws `ERR_BAD_ARGUMENT` when `address` is no IP address. */
  constructor(options: SimTurnServerOptions) {
    const address = canonicalAddress(options.address);
    if (address === undefined) throw badArgument('address', 'an IP address', options.address);
    this.options = options;
    this.#address = { address, port: options.port ?? 3478 };
    this.#nextRelayPort = options.firstRelayPort ?? 49_152;
  }

  /** Where clients find it. */
  get address(): TransportAddress {
    return this.#address;
  }

  /** Allocations that have not expired. */
  get allocations(): number {
    return [...this.#allocations.values()].filter(({ expiresAt }) => expiresAt > this.#now).length;
  }

  /** Every allocation is gone, and every nonce stale: what a process that was started anew knows. */
  restart(): void {
    this.#life++;
    this.#allocations.clear();
    this.#byRelayed.clear();
    for (const stream of this.#streams.keys())
      this.#outputs.push({ type: 'request', request: { type: 'closestream', stream } });
    this.#streams.clear();
  }

  handleInput(input: SimInput): void {
    this.#now = Math.max(this.#now, input.now);
    if (this.isDown) return;
    switch (input.type) {
      case 'receive': {
        const { source, destination, data } = input;
        if (!sameAddress(destination, this.#address)) this.#fromPeer(source, destination, data);
        else this.#handle({ key: formatAddress(source), address: source, stream: undefined }, data);
        return;
      }
      case 'streamaccepted': {
        const { stream, source } = input;
        const client = { key: `stream ${stream}`, address: source, stream };
        this.#streams.set(stream, { client, deframer: new StreamDeframer() });
        return;
      }
      case 'streamdata': {
        const { client, deframer } = this.#streams.get(input.stream) ?? {};
        if (client === undefined || deframer === undefined) return;
        deframer.push(input.data);
        for (let message = deframer.next(); message !== undefined; message = deframer.next())
          this.#handle(client, message);
        return;
      }
      case 'streamclosed':
        // The allocation of a stream ends with it (RFC 8656 §3.1).
        this.#free(`stream ${input.stream}`);
        this.#streams.delete(input.stream);
        return;
      default:
    }
  }

  pollOutput(): SimTransmit | SimRequest | SimTimeout {
    return this.#outputs.shift() ?? { type: 'timeout', at: Infinity };
  }

  // --- from clients ---

  #handle(client: Client, data: Uint8Array): void {
    if (isChannelData(data)) {
      const channel = this.#allocationOf(client)?.channels.get(channelOf(data));
      const payload = channelDataOf(data, false);
      if (channel !== undefined && channel.expiresAt > this.#now && payload !== undefined)
        this.#toPeer(client, channel.peer, payload);
      return;
    }
    const message = decodeStun(data);
    if (isFailure(message)) return;
    if (message.class === 'indication') this.#takeIndication(client, message);
    if (message.class === 'request') this.#takeRequest(client, message);
  }

  #takeIndication(client: Client, message: StunMessage): void {
    const peer = attributeXorAddress(message, Type.xorPeerAddress);
    const data = attributeValue(message, Type.data);
    if (message.method === StunMethod.send && peer !== undefined && data !== undefined)
      this.#toPeer(client, peer, copyBytes(data));
  }

  #takeRequest(client: Client, message: StunMessage): void {
    if (message.method === StunMethod.binding) {
      this.#answer(
        client,
        this.#success(message).xorAddress(Type.xorMappedAddress, client.address),
        undefined,
      );
      return;
    }
    const signer = this.#authenticate(message);
    if (typeof signer === 'number') {
      this.#challenge(client, message, signer);
      return;
    }
    const unknown = unknownAttributes(message, UNDERSTOOD);
    if (unknown.length > 0) {
      const refusal = this.#error(message, Code.unknownAttribute).unknownAttributes(unknown);
      this.#answer(client, refusal, signer);
      return;
    }
    const response = this.#perform(client, message, signer.username);
    this.#answer(client, typeof response === 'number' ? this.#error(message, response) : response, signer);
  }

  /** @returns a code of an error, or the success */
  #perform(client: Client, message: StunMessage, username: string): number | StunWriter {
    if (message.method === StunMethod.allocate) return this.#allocate(client, message, username);
    const allocation = this.#allocationOf(client);
    if (allocation === undefined) return Code.allocationMismatch;
    if (allocation.username !== username) return Code.wrongCredentials;
    switch (message.method) {
      case StunMethod.refresh:
        return this.#refresh(allocation, message);
      case StunMethod.createPermission:
        return this.#createPermission(allocation, message);
      case StunMethod.channelBind:
        return this.#channelBind(allocation, message);
      default:
        return Code.badRequest;
    }
  }

  #allocate(client: Client, message: StunMessage, username: string): number | StunWriter {
    const { redirect, redirectDomain, quota = Infinity, capacity = Infinity, relays } = this.options;
    const known = this.#allocationOf(client);
    if (known !== undefined) {
      // The same request once more: its answer was lost (RFC 8656 §7.2).
      const isRepeated = equalBytes(known.transactionId, transactionIdOf(message));
      return isRepeated ? this.#allocated(message, known) : Code.allocationMismatch;
    }
    const transport = attributeU32(message, Type.requestedTransport);
    if (transport === undefined) return Code.badRequest;
    if (transport >>> 24 !== UDP) return Code.unsupportedTransport;
    if (redirect !== undefined) {
      const writer = this.#error(message, Code.tryAlternate).address(Type.alternateServer, redirect);
      return redirectDomain === undefined ? writer : writer.text(Type.alternateDomain, redirectDomain);
    }
    const wanted = familyCode(attributeU32(message, Type.requestedAddressFamily)) ?? 4;
    const isDual = hasAttribute(message, Type.additionalAddressFamily);
    if (isDual && hasAttribute(message, Type.requestedAddressFamily)) return Code.badRequest;
    const hosts = relays ?? [this.options.address];
    const first = hosts.find((address) => addressFamily(address) === wanted);
    if (first === undefined) return Code.addressFamilyNotSupported;
    const second = isDual ? hosts.find((address) => addressFamily(address) === 6) : undefined;
    const live = [...this.#allocations.values()].filter(({ expiresAt }) => expiresAt > this.#now);
    if (live.filter((one) => one.username === username).length >= quota) return Code.allocationQuotaReached;
    if (live.length >= capacity) return Code.insufficientCapacity;
    const port = this.#nextRelayPort++;
    const relayed = [first, ...(second === undefined ? [] : [second])].map((address) => ({
      address: canonicalAddress(address) ?? address,
      port,
    }));
    const allocation: Allocation = {
      client,
      username,
      transactionId: copyBytes(transactionIdOf(message)),
      relayed,
      expiresAt: this.#now + this.#lifetimeFor(message),
      permissions: new Map(),
      channels: new Map(),
    };
    this.#allocations.set(client.key, allocation);
    for (const address of relayed) this.#byRelayed.set(formatAddress(address), allocation);
    return this.#allocated(message, allocation);
  }

  #allocated(message: StunMessage, { client, relayed, expiresAt }: Allocation): StunWriter {
    const writer = this.#success(message);
    for (const address of relayed) writer.xorAddress(Type.xorRelayedAddress, address);
    if (hasAttribute(message, Type.additionalAddressFamily) && relayed.length < 2) {
      writer.attribute(Type.addressErrorCode, Uint8Array.of(2, 0, 4, 40));
    }
    return writer
      .u32(Type.lifetime, Math.floor((expiresAt - this.#now) / 1000))
      .xorAddress(Type.xorMappedAddress, client.address);
  }

  #lifetimeFor(message: StunMessage): number {
    const { lifetime = 600_000, maxLifetime = 3_600_000 } = this.options;
    const asked = attributeU32(message, Type.lifetime);
    return Math.min(maxLifetime, Math.max(asked === undefined ? 0 : asked * 1000, lifetime));
  }

  #refresh(allocation: Allocation, message: StunMessage): StunWriter {
    if (attributeU32(message, Type.lifetime) === 0) {
      this.#free(allocation.client.key);
      return this.#success(message).u32(Type.lifetime, 0);
    }
    const lifetime = this.#lifetimeFor(message);
    allocation.expiresAt = this.#now + lifetime;
    return this.#success(message).u32(Type.lifetime, Math.floor(lifetime / 1000));
  }

  #createPermission(allocation: Allocation, message: StunMessage): number | StunWriter {
    const peers = message.attributes
      .filter(({ type }) => type === Type.xorPeerAddress)
      .map((attribute) => xorAddressOf(message, attribute));
    if (peers.length === 0) return Code.badRequest;
    for (const peer of peers) {
      const refusal = this.#refusesPeer(allocation, peer);
      if (refusal !== undefined) return refusal;
    }
    for (const { address } of peers) allocation.permissions.set(address, this.#now + PERMISSION_LIFETIME);
    return this.#success(message);
  }

  #channelBind(allocation: Allocation, message: StunMessage): number | StunWriter {
    const peer = attributeXorAddress(message, Type.xorPeerAddress);
    const number = (attributeU32(message, Type.channelNumber) ?? 0) >>> 16;
    if (peer === undefined || number < FIRST_CHANNEL || number > LAST_CHANNEL) return Code.badRequest;
    for (const [other, channel] of allocation.channels) {
      const isTaken = (other === number) !== sameAddress(channel.peer, peer);
      if (isTaken && channel.expiresAt > this.#now) return Code.badRequest;
    }
    const refusal = this.#refusesPeer(allocation, peer);
    if (refusal !== undefined) return refusal;
    allocation.channels.set(number, { peer, expiresAt: this.#now + CHANNEL_LIFETIME });
    allocation.permissions.set(peer.address, this.#now + PERMISSION_LIFETIME);
    return this.#success(message);
  }

  #refusesPeer({ relayed }: Allocation, { address }: TransportAddress): number | undefined {
    const family = addressFamily(address);
    if (!relayed.some((own) => addressFamily(own.address) === family)) return Code.peerAddressFamilyMismatch;
    return this.options.deniesPeer?.(address) === true ? Code.forbidden : undefined;
  }

  // --- authentication (RFC 8489 §9.2.4) ---

  /** @returns the code by which the client is challenged, or who he is */
  #authenticate(message: StunMessage): number | Signer {
    const {
      authenticates = true,
      realm = 'sim',
      passwordAlgorithms,
      nonceLifetime = 3_600_000,
    } = this.options;
    if (!authenticates) return { username: '', sign: (writer) => writer };
    const isSha256 = passwordAlgorithms !== undefined;
    if ((isSha256 ? message.integritySha256Offset : message.integrityOffset) < 0) return Code.unauthenticated;
    const nonce = attributeText(message, Type.nonce);
    const username = this.#usernameOf(message, realm);
    if (nonce === undefined || attributeText(message, Type.realm) === undefined) return Code.badRequest;
    const algorithm = this.#algorithmOf(message);
    if (algorithm === undefined) return Code.badRequest;
    const password = username === undefined ? undefined : this.#passwordOf(username);
    if (username === undefined || password === undefined) return Code.unauthenticated;
    const key = this.#key(isSha256, algorithm, username, realm, password);
    const isGenuine = isSha256 ? verifyIntegritySha256(message, key) : verifyIntegrity(message, key);
    if (!isGenuine) return Code.unauthenticated;
    const [, life, madeAt] = /^(?:obMatJos2....)?n-(\d+)-(\d+)$/.exec(nonce) ?? [];
    if (Number(life) !== this.#life || this.#now - Number(madeAt) > nonceLifetime) return Code.staleNonce;
    return {
      username,
      sign: (writer) => (isSha256 ? writer.integritySha256(key) : writer.integrity(key)),
    };
  }

  #usernameOf(message: StunMessage, realm: string): string | undefined {
    const hash = attributeValue(message, Type.userhash);
    if (hash === undefined) return attributeText(message, Type.username);
    const names = Object.keys(this.options.users ?? {});
    return names.find((name) => equalBytes(userhash(this.#crypto, name, realm), hash));
  }

  #algorithmOf(message: StunMessage): PasswordAlgorithm | undefined {
    const offered = this.options.passwordAlgorithms;
    if (offered === undefined) return 'md5';
    const repeated = decodePasswordAlgorithms(
      attributeValue(message, Type.passwordAlgorithms) ?? new Uint8Array(),
    );
    const [chosen] = decodePasswordAlgorithms(
      attributeValue(message, Type.passwordAlgorithm) ?? new Uint8Array(),
    );
    const isRepeated = repeated.join() === offered.join();
    return isRepeated && chosen !== undefined && offered.includes(chosen) ? chosen : undefined;
  }

  #passwordOf(username: string): string | undefined {
    const { users = {}, secret } = this.options;
    if (Object.hasOwn(users, username)) return users[username];
    if (secret === undefined) return undefined;
    return toBase64(this.#crypto.hmac('sha-1', encodeUtf8(secret)).mac(encodeUtf8(username)));
  }

  #key(
    isSha256: boolean,
    algorithm: PasswordAlgorithm,
    username: string,
    realm: string,
    password: string,
  ): HmacKey {
    const name = JSON.stringify([isSha256, algorithm, username, realm, password]);
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const bytes = longTermKey(this.#crypto, algorithm, { username, realm, password });
    const key = this.#crypto.hmac(isSha256 ? 'sha-256' : 'sha-1', bytes);
    this.#keys.set(name, key);
    return key;
  }

  #challenge(client: Client, message: StunMessage, code: number): void {
    const { realm = 'sim', passwordAlgorithms, hidesUsernames = false } = this.options;
    const writer = this.#error(message, code);
    if (code === Code.unauthenticated || code === Code.staleNonce) {
      const features = {
        passwordAlgorithms: passwordAlgorithms !== undefined,
        usernameAnonymity: hidesUsernames,
      };
      const isPlain = !features.passwordAlgorithms && !hidesUsernames;
      const nonce = `${isPlain ? '' : nonceCookie(features)}n-${this.#life}-${Math.floor(this.#now)}`;
      writer.text(Type.realm, realm).text(Type.nonce, nonce);
      if (passwordAlgorithms !== undefined)
        writer.attribute(Type.passwordAlgorithms, encodePasswordAlgorithms(passwordAlgorithms));
    }
    this.#answer(client, writer, undefined);
  }

  // --- data ---

  #toPeer(client: Client, peer: TransportAddress, data: Bytes): void {
    const allocation = this.#allocationOf(client);
    const family = addressFamily(peer.address);
    const source = allocation?.relayed.find(({ address }) => addressFamily(address) === family);
    if (allocation === undefined || source === undefined || !this.#isPermitted(allocation, peer.address))
      return;
    this.#outputs.push({ type: 'transmit', protocol: 'udp', source, destination: peer, data });
  }

  #fromPeer(peer: TransportAddress, relayed: TransportAddress, data: Uint8Array): void {
    const allocation = this.#byRelayed.get(formatAddress(relayed));
    if (allocation === undefined || allocation.expiresAt <= this.#now) return;
    if (!this.#isPermitted(allocation, peer.address)) return;
    const { client, channels } = allocation;
    for (const [number, channel] of channels) {
      if (channel.expiresAt <= this.#now || !sameAddress(channel.peer, peer)) continue;
      this.#send(client, encodeChannelData(number, data, client.stream !== undefined));
      return;
    }
    const indication = new StunWriter('indication', StunMethod.data, new Uint8Array(12));
    this.#send(client, indication.xorAddress(Type.xorPeerAddress, peer).attribute(Type.data, data).finish());
  }

  #isPermitted({ permissions }: Allocation, address: string): boolean {
    return (permissions.get(address) ?? -Infinity) > this.#now;
  }

  #allocationOf({ key }: Client): Allocation | undefined {
    const allocation = this.#allocations.get(key);
    if (allocation === undefined || allocation.expiresAt > this.#now) return allocation;
    this.#free(key);
    return undefined;
  }

  #free(key: string): void {
    for (const address of this.#allocations.get(key)?.relayed ?? [])
      this.#byRelayed.delete(formatAddress(address));
    this.#allocations.delete(key);
  }

  // --- answers ---

  #success(message: StunMessage): StunWriter {
    return new StunWriter('success', message.method, transactionIdOf(message));
  }

  #error(message: StunMessage, code: number): StunWriter {
    return new StunWriter('error', message.method, transactionIdOf(message)).errorCode(code);
  }

  #answer(client: Client, writer: StunWriter, signer: Signer | undefined): void {
    this.#send(client, (signer?.sign(writer) ?? writer).finish());
  }

  #send({ address, stream }: Client, data: Bytes): void {
    if (stream === undefined) {
      const source = this.#address;
      this.#outputs.push({ type: 'transmit', protocol: 'udp', source, destination: address, data });
    } else {
      this.#outputs.push({ type: 'request', request: { type: 'writestream', stream, data } });
    }
  }
}

function familyCode(value: number | undefined): 4 | 6 | undefined {
  if (value === undefined) return undefined;
  return value >>> 24 === 2 ? 6 : 4;
}
