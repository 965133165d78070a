/** A UDP socket that loses a part of what it sends and of what it hears, by a seed: the way to make a peer recover. */
import { createSocket } from 'node:dgram';
import type { Socket, SocketOptions } from 'node:dgram';
import { randomUnit, SeededRandom } from '../../src/core/random.ts';

/** @param loss the part that is lost each way, 0 … 1, while `isLossy` answers true. */
export function lossySocket(loss: number, isLossy: () => boolean): (options: SocketOptions) => Socket {
  return (options) => {
    const random = new SeededRandom(1);
    const isLost = (): boolean => isLossy() && randomUnit(random) < loss;
    const socket = createSocket(options);
    const send = socket.send.bind(socket) as (...args: unknown[]) => void;
    const emit = socket.emit.bind(socket) as (...args: unknown[]) => boolean;
    socket.send = (...args: unknown[]): void => {
      const sent = args.at(-1);
      if (!isLost()) send(...args);
      else if (typeof sent === 'function') setImmediate(sent as (error: null) => void, null);
    };
    socket.emit = (...args: unknown[]): boolean => (args[0] === 'message' && isLost()) || emit(...args);
    return socket;
  };
}
