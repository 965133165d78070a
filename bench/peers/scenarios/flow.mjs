/** Messages from client to server without end, and what they cost in a window of time once all is compiled and in flow. */
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 10_000;
const KIBIBYTE = 1024;

/** What waits at the sender: no more than a user would let wait, who looks at `bufferedAmount`. */
function backlog(bytes) {
  return bytes < 16 * KIBIBYTE ? 64 * KIBIBYTE : 1024 * KIBIBYTE;
}

export const FLOW_MEASURES = {
  rate: 'MB/s',
  cpu: 'CPU-s per GB, both ends',
  receiverCpu: 'CPU-s per GB, receiver',
  senderCpu: 'CPU-s per GB, sender',
  startCpu: 'CPU-s per GB, both ends, while it starts',
};

/**
 * @param warmUp how long it starts before the window, ms @param window ms @param onOpen called once the connection is open
 * @returns the FLOW_MEASURES
 */
export async function flow(pair, { bytes, warmUp, window, onOpen }) {
  await pair.client.call('connectCrowd', { count: 1, patience: PATIENCE });
  await onOpen?.();
  const start = await pair.during(async () => {
    await pair.client.call('flow', { id: 0, bytes, backlog: backlog(bytes) });
    await sleep(warmUp);
  });
  const flowing = await pair.during(() => sleep(window));
  const { receivedBytes, time } = flowing.server;
  if (!(receivedBytes > 0)) throw new Error('it stalls');
  const { receiverCpu, senderCpu } = cpuPerGigabyte(flowing);
  const starting = cpuPerGigabyte(start);
  return {
    rate: receivedBytes / time / 1000,
    cpu: receiverCpu + senderCpu,
    receiverCpu,
    senderCpu,
    startCpu: starting.receiverCpu + starting.senderCpu,
  };
}

/** Each end's by what it has carried between its own samples. CPU ms per byte are CPU-s per GB, times 10⁶. */
function cpuPerGigabyte({ client, server }) {
  return {
    receiverCpu: (server.cpu / server.receivedBytes) * 1e6,
    senderCpu: (client.cpu / client.sentBytes) * 1e6,
  };
}
