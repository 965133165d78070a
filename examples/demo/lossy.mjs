/* global setImmediate */
/** A UDP socket that loses a share of what it sends and of what it hears, for a driver's option `createSocket`. */
import { createSocket } from 'node:dgram';

/** @param loss {{ share: number }} 0 to 1; it may be changed while the socket is open */
export function lossySocket(loss) {
  return (options) => {
    const socket = createSocket(options);
    const isLost = () => Math.random() < loss.share;
    const send = socket.send.bind(socket);
    const emit = socket.emit.bind(socket);
    socket.send = (...all) => {
      const sent = all.at(-1);
      if (!isLost()) send(...all);
      else if (typeof sent === 'function') setImmediate(sent, null);
    };
    socket.emit = (...all) => (all[0] === 'message' && isLost()) || emit(...all);
    return socket;
  };
}
