/**
 * The contract of a TURN client (RFC 8656): what it is made of, what it tells, what it hands out.
 *
 *     allocate(now)                 asks for relayed addresses
 *     handlePacket(message, now)    one whole message of the server's: STUN or ChannelData (a stream: through `StreamDeframer`)
 *     send(peer, data, now)         data for a peer, by way of the relay
 *     pollTransmit()                bytes for the server: over UDP one datagram, over a stream to be written as they are
 *     pollReceived()                data of peers
 *     pollEvent(), nextTimeout(), handleTimeout(now)     as every machine
 *
 * A client speaks over one 5-tuple at a time: its owner's UDP socket, or a stream to the server. It does not see addresses of
 * the transport: whoever feeds it has looked that a message came from the server, over that 5-tuple.
 */
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { Clock } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import type { StreamProtocol } from '../core/host.ts';
import type { RandomSource } from '../core/random.ts';
import type { CryptoProvider } from '../crypto/provider.ts';

/** What carries the messages between client and server; between the relay and peers it is UDP in any case. */
export type TurnTransport = 'udp' | StreamProtocol;

/** 4: IPv4, 6: IPv6. */
export type AddressFamily = 4 | 6;

/** Long-term credentials (RFC 8489 §9.2). */
export interface TurnCredentials {
  readonly username: string;
  readonly password: string;
  /**
   * When they stop being valid, milliseconds on the machine's clock, for time-limited ones. `credentialswanted` is told
   * `credentialsMargin` before.
   */
  readonly expiresAt?: number | undefined;
}

/** Every wait. Times in milliseconds. */
export interface TurnTiming {
  /** First retransmission of a request over UDP, doubling each time: 500 (RFC 8489 §6.2.1). */
  readonly retransmitTimeout: number;
  /** Gate `turnRequest`: a request without an answer for so long has failed: 39 500, over UDP and streams (RFC 8489 §6.2). */
  readonly requestTimeout: number;
  /** Gate `turnAllocate`: from `allocate` to `allocated`; challenges, redirects and new 5-tuples included: 60 000. */
  readonly allocateTimeout: number;
  /** Gate `turnFarewell`: how long `shutdown` waits for the server to confirm that the allocation is gone: 1000. */
  readonly farewellTimeout: number;
  /** LIFETIME asked for, 600 000 (RFC 8656 §7.1); the server decides. Gate `relayRefresh` ends when it is over. */
  readonly lifetime: number;
  /** A lifetime shorter than this is treated as an error, 30 000: such an allocation is lost before it is of use. */
  readonly minLifetime: number;
  /** The longest an allocation is taken to live, 3 600 000, whatever the server says. */
  readonly maxLifetime: number;
  /** How long a peer that the server refuses (403), or a request for it that came to nothing, is left alone: 30 000. */
  readonly refusalTimeout: number;
  /**
   * Something was sent and nothing comes from the server for so long: a Refresh finds out whether it still has the allocation,
   * and again until something comes: 5000. So a server that was started anew is noticed. `Infinity`: never.
   */
  readonly probeInterval: number;
  /** Over UDP: how long nothing may go to the server until a Binding indication keeps the NAT's mapping, 25 000; `Infinity`: never. */
  readonly keepAliveInterval: number;
  /** How long before their end credentials are asked for anew: 60 000. */
  readonly credentialsMargin: number;
}

/** How much is kept and tried. */
export interface TurnLimits {
  /** Datagrams that wait for an allocation or a permission, 100 in all; the oldest makes room. */
  readonly maxWaiting: number;
  /** Peers' IP addresses with a permission, or on the way to one: 256. Those not used for longest make room. */
  readonly maxPermissions: number;
  /** Channels, 256. Peers beyond are sent to by Send indications. */
  readonly maxChannels: number;
  /** New nonces taken within one request's life, 8 (438). */
  readonly maxStaleNonces: number;
  /** New 5-tuples asked for, 2 (437). */
  readonly maxMismatches: number;
  /** Redirects followed, 1 (300). */
  readonly maxRedirects: number;
  /** Messages waiting for `pollTransmit`, 256; further ones are dropped, as the network might. */
  readonly maxQueuedTransmits: number;
  /** Datagrams waiting for `pollReceived`, 1024; further ones are dropped. */
  readonly maxQueuedReceived: number;
}

/** What a client is made of; whatever is left out has its default. */
export interface TurnClientOptions extends Partial<TurnTiming>, Partial<TurnLimits> {
  readonly crypto: CryptoProvider;
  readonly random: RandomSource;
  /** The clock of the owner; without one the client has its own. */
  readonly clock?: Clock | undefined;
  readonly transport: TurnTransport;
  /** Where the server is, for redirects: another one of the same family, and none of before (RFC 8489 §10). */
  readonly server: TransportAddress;
  readonly credentials: TurnCredentials;
  /**
   * Families of the relayed addresses wanted, both by default: one Allocate asks for both (RFC 8656 §7.1), and what the server
   * does not have is left out.
   */
  readonly families?: readonly AddressFamily[] | undefined;
}

/** The states of a client. */
export type TurnClientState =
  /** Before `allocate`, and while the owner is to find another 5-tuple or server. */
  | 'new'
  | 'allocating'
  | 'allocated'
  /** `shutdown` waits for the confirmation. */
  | 'releasing'
  /** Never allocated, or no more: `failed`, `lost`. */
  | 'failed'
  | 'closed';

/** What a client tells its owner. */
export type TurnClientEvent =
  | {
      readonly type: 'allocated';
      /** One relayed address of each family that the server gave. */
      readonly relayed: readonly TransportAddress[];
      /** Our address as the server sees it: server-reflexive, where the transport is UDP. */
      readonly mapped: TransportAddress;
      /** Milliseconds; the client refreshes before. */
      readonly lifetime: number;
    }
  /**
   * There is no allocation, and there will be none: the fields of W3C's RTCPeerConnectionIceErrorEvent. The last event.
   * `errorCode`: that of the server (300–699), or 701 where it did not answer, or not as it should.
   */
  | {
      readonly type: 'failed';
      readonly errorCode: number;
      readonly errorText: string;
      readonly failure: Failure;
    }
  /**
   * The server knows the 5-tuple already (437): from another port, or over another stream, call `allocate` again. Where none
   * is to be had, `close`.
   */
  | { readonly type: 'newtuplewanted' }
  /**
   * Go to another server (300): point the 5-tuple at `server` and call `allocate` again. Where the transport is TLS, `domain` is
   * the name that its certificate must be for, and without one that of before. Where that cannot be done, `close`.
   */
  | { readonly type: 'redirect'; readonly server: TransportAddress; readonly domain: string | undefined }
  /**
   * Call `setCredentials`: those in use are about to expire, or the server takes them no more. The allocation stands until its
   * lifetime ends. Told once until then.
   */
  | { readonly type: 'credentialswanted'; readonly reason: 'expiring' | 'refused' }
  /** The relayed addresses are gone: not refreshed in time, or refused by the server. The last event. */
  | { readonly type: 'lost'; readonly failure: Failure }
  /** After `shutdown`: the server has confirmed, or the gate is over. The last event. */
  | { readonly type: 'closed' };

/** A datagram of a peer's that came through the relay. */
export interface TurnReceived {
  /** Canonical text. Nobody vouches for it but the server. */
  readonly peer: TransportAddress;
  /** The relayed address that it came to, of the peer's family. */
  readonly relayed: TransportAddress;
  /** A copy, the owner's; where `handlePacket` was given `owned` bytes it lies in them. */
  readonly data: Bytes;
}
