/** StunProbe: one UDP socket that asks STUN servers how it is seen from outside, and what the answers say about a NAT. */
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { lookup } from 'node:dns/promises';
import { formatAddress, type TransportAddress } from '../core/address.ts';
import { isFailure } from '../core/decode.ts';
import {
  decodeStun,
  StunAttributeType,
  StunMethod,
  StunWriter,
  transactionIdOf,
  TRANSACTION_ID_LENGTH,
  attributeXorAddress,
} from '../stun/index.ts';

/** When a request goes out again, ms after the first (RFC 8489 §6.2.1 with its first five), and when it is given up. */
const REPEAT_AT = [500, 1500, 3500];
const GIVE_UP_AFTER = 5000;
const DEFAULT_PORT = 3478;

/** How one server sees the socket, or why it is not known. */
export type StunAnswer =
  | {
      readonly server: string;
      readonly mapped: TransportAddress;
      readonly ms: number;
      readonly asked: string;
    }
  | { readonly server: string; readonly error: string };

/** A socket whose outside is asked for. */
export class StunProbe {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Binds any free port of all IPv4 interfaces. */
  static async open(): Promise<StunProbe> {
    const socket = createSocket('udp4');
    socket.on('error', () => undefined); // a request that fails is repeated, then given up
    socket.bind(0);
    await once(socket, 'listening');
    return new StunProbe(socket);
  }

  /** Where the socket is bound. */
  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    this.#socket.close();
  }

  /** Asks one server; it takes five seconds at the most. */
  async ask({
    host,
    port = DEFAULT_PORT,
  }: {
    readonly host: string;
    readonly port: number | undefined;
  }): Promise<StunAnswer> {
    const server = formatAddress({ address: host, port });
    let address: string;
    try {
      ({ address } = await lookup(host, { family: 4 }));
    } catch (error) {
      return {
        server,
        error: `the name does not resolve to an IPv4 address (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      };
    }
    const id = randomBytes(TRANSACTION_ID_LENGTH);
    const request = new StunWriter('request', StunMethod.binding, id).fingerprint().finish();
    const started = performance.now();
    const timers: NodeJS.Timeout[] = [];
    let listener: ((data: Buffer) => void) | undefined;
    try {
      return await new Promise<StunAnswer>((resolve) => {
        const send = (): void => this.#socket.send(request, port, address, () => undefined);
        listener = (data) => {
          const message = decodeStun(data);
          if (isFailure(message) || !id.equals(transactionIdOf(message))) return;
          const ms = performance.now() - started;
          const mapped =
            message.class === 'success'
              ? attributeXorAddress(message, StunAttributeType.xorMappedAddress)
              : undefined;
          if (mapped !== undefined) resolve({ server, mapped, ms, asked: address });
          else
            resolve({
              server,
              error: 'the answer has no address (XOR-MAPPED-ADDRESS): not a STUN server of RFC 5389 or later',
            });
        };
        this.#socket.on('message', listener);
        timers.push(...REPEAT_AT.map((at) => setTimeout(send, at)));
        const silent =
          'no answer within 5 s: wrong address, a firewall that drops UDP, or the server is down';
        timers.push(setTimeout(() => resolve({ server, error: silent }), GIVE_UP_AFTER));
        send();
      });
    } finally {
      for (const timer of timers) clearTimeout(timer);
      if (listener !== undefined) this.#socket.off('message', listener);
    }
  }
}

/** What several answers to one socket say. */
export interface NatGuess {
  readonly kind: 'none' | 'unknown' | 'endpoint-independent' | 'endpoint-dependent';
  readonly text: string;
}

/**
 * Guesses from the addresses that servers have seen (RFC 4787 §4.1).
 * @param local the addresses of this host.
 */
export function guessNat(
  answers: readonly { readonly mapped: TransportAddress; readonly asked: string }[],
  local: readonly string[],
): NatGuess {
  const [first] = answers;
  if (first === undefined) return { kind: 'unknown', text: 'no server has answered' };
  const addresses = new Set(answers.map(({ mapped }) => mapped.address));
  const mappings = new Set(answers.map(({ mapped }) => formatAddress(mapped)));
  const servers = new Set(answers.map(({ asked }) => asked));
  if (mappings.size > 1) {
    const what = addresses.size > 1 ? 'address' : 'port';
    return {
      kind: 'endpoint-dependent',
      text: `the NAT gives each destination another ${what} (endpoint-dependent mapping, "symmetric"): peers behind a NAT of the same kind need a TURN server`,
    };
  }
  if (local.includes(first.mapped.address))
    return { kind: 'none', text: 'no NAT: the servers see an address of this host' };
  if (servers.size < 2)
    return {
      kind: 'unknown',
      text: 'there is a NAT; name a second server at another address (--stun again) to learn its kind',
    };
  return {
    kind: 'endpoint-independent',
    text: 'the NAT keeps one address for all destinations (endpoint-independent mapping): most peers can be reached directly',
  };
}
