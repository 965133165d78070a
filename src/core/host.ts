/**
 * Host requests: what a machine asks of its host besides sending datagrams, and the replies. A name is resolved, a stream to a
 * server is opened, written and closed by the host; machines know nothing of resolvers and sockets.
 *
 *     resolve ──▶ resolved (no address: the name does not resolve)
 *     openstream ──▶ streamopened, streamdata … ──▶ streamclosed        writestream, closestream at any time after openstream
 *
 * A stream is named by a number that its machine draws, never twice. After `closestream` nothing of it is told any more, and
 * what is told all the same is ignored; a request about a stream that is closed already means nothing.
 */
import type { TransportAddress } from './address.ts';
import type { Bytes } from './bytes.ts';

/** What carries a stream to a server. */
export type StreamProtocol = 'tcp' | 'tls';

/** What the host is asked to do. */
export type HostRequest =
  /** Ask for the IPv4 and IPv6 addresses of a name; one that ends in `.local` is of multicast DNS (RFC 6762). */
  | { readonly type: 'resolve'; readonly name: string }
  | {
      readonly type: 'openstream';
      readonly stream: number;
      readonly protocol: StreamProtocol;
      readonly destination: TransportAddress;
      /** Our address to connect from, any port; absent: any. */
      readonly sourceAddress?: string | undefined;
      /** For TLS: the name that the server's certificate must be for; an IP address where the URL has one. */
      readonly serverName?: string | undefined;
    }
  /** Bytes to write after all that were written before; they belong to the host. */
  | { readonly type: 'writestream'; readonly stream: number; readonly data: Bytes }
  | { readonly type: 'closestream'; readonly stream: number };

/** What the host replies, as an input. `now` is that of every input. */
export type HostReply =
  | {
      readonly type: 'resolved';
      readonly now: number;
      readonly name: string;
      /** IP addresses in text, best first; none: the name does not resolve. */
      readonly addresses: readonly string[];
    }
  /** Connected, and for TLS the server's certificate has been verified. `source` is our own address. */
  | {
      readonly type: 'streamopened';
      readonly now: number;
      readonly stream: number;
      readonly source: TransportAddress;
    }
  /** Bytes that came, in any portions. Never mutated, never kept after the call. */
  | {
      readonly type: 'streamdata';
      readonly now: number;
      readonly stream: number;
      readonly data: Uint8Array;
    }
  /** It is over, or could not be opened; `reason` is for people. */
  | {
      readonly type: 'streamclosed';
      readonly now: number;
      readonly stream: number;
      readonly reason?: string | undefined;
    };
