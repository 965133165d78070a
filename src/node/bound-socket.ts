/**
 * Bound sockets: dgram sockets with typed errors that say what to do, and kernel buffers asked for and read back (F3b: the
 * kernel clamps in silence, and a buffer that is too small loses packets in silence).
 */
import { createSocket, type Socket, type SocketOptions } from 'node:dgram';
import { addressFamily, formatAddress, type TransportAddress } from '../core/address.ts';
import { RtcError } from '../core/errors.ts';
import { isDeno } from './deno.ts';
import { isWildcard } from './local-addresses.ts';

/** Where to bind; `createSocket` stands in for dgram in tests. */
export interface BindOptions {
  readonly address: string;
  readonly port: number;
  readonly createSocket?: ((options: SocketOptions) => Socket) | undefined;
}

/** Binds. Rejects with `ERR_SOCKET`, whose `cause` is the system's error, when the address or port cannot be had. */
export async function bindSocket(options: BindOptions): Promise<Socket> {
  const family = addressFamily(options.address) === 6 ? 6 : 4;
  const make = options.createSocket ?? createSocket;
  let socket: Socket;
  try {
    socket = make({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6 && !isWildcard(options.address),
      // Addresses are literals already: without this every send would go through dns.lookup.
      lookup: (hostname, _options, callback) => callback(null, hostname, family),
    });
  } catch (error) {
    throw bindError(options, error instanceof Error ? error : new Error(String(error)));
  }
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(options, error));
    });
    socket.bind({ address: options.address, port: options.port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function bindError(wanted: TransportAddress, error: NodeJS.ErrnoException): RtcError {
  const failure = new RtcError('ERR_SOCKET', bindErrorMessage(wanted, error));
  failure.cause = error;
  return failure;
}

function bindErrorMessage(wanted: TransportAddress, error: NodeJS.ErrnoException): string {
  const where = formatAddress(wanted);
  switch (error.code) {
    case 'EADDRINUSE':
      return `UDP ${where} is already in use: choose another port, or 0 for any free one`;
    case 'EADDRNOTAVAIL':
      return `UDP ${where}: this host has no such address`;
    case 'EACCES':
      return `UDP ${where}: this process may not use that port`;
    default:
      return `UDP ${where} cannot be bound: ${error.message}`;
  }
}

/**
 * Asks for a kernel buffer. @returns the bytes granted, without Linux's doubling; 0 where nobody can ask: Deno (2.9) tells the
 * kernel nothing, reports what was wanted as granted, and allocates as much for every datagram that it receives.
 */
export function requestBuffer(
  socket: Socket,
  direction: 'Recv' | 'Send',
  wanted: number,
  cannotAsk: boolean = isDeno(),
): number {
  if (cannotAsk) return 0;
  try {
    socket[`set${direction}BufferSize`](wanted);
  } catch {
    // Some systems refuse instead of clamping; what there is gets read back all the same.
  }
  const size = bufferSize(socket, direction);
  // Linux doubles what was asked for, to pay for its bookkeeping (man 7 socket), and reports the double.
  return process.platform === 'linux' ? size / 2 : size;
}

/** 0 for a socket that has died in this very turn, which its owner finds out soon. */
function bufferSize(socket: Socket, direction: 'Recv' | 'Send'): number {
  try {
    return socket[`get${direction}BufferSize`]();
  } catch {
    return 0;
  }
}

/** What to tell an operator who got `granted` bytes; 0: nobody knows how many. */
export function smallBufferMessage(which: 'receive' | 'send', wanted: number, granted: number): string {
  if (granted === 0) {
    const sysctl = which === 'receive' ? 'net.core.rmem_default' : 'net.core.wmem_default';
    return `the UDP ${which} buffer is the system's default, for this runtime cannot ask for another: if bursts lose packets, raise it, on Linux: sysctl -w ${sysctl}=${wanted}`;
  }
  const sysctl = which === 'receive' ? 'net.core.rmem_max' : 'net.core.wmem_max';
  const remedy =
    process.platform === 'linux' ? `raise it: sysctl -w ${sysctl}=${wanted}` : `raise the system's limit`;
  return `asked for a UDP ${which} buffer of ${wanted} bytes, the kernel granted ${granted}: bursts will lose packets; ${remedy}`;
}
