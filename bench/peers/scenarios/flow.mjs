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
};

/** @param warmUp, window in ms @returns the FLOW_MEASURES */
export async function flow(pair, { bytes, warmUp, window }) {
  await pair.client.call('connectCrowd', { count: 1, patience: PATIENCE });
  await pair.client.call('flow', { id: 0, bytes, backlog: backlog(bytes) });
  await sleep(warmUp);
  const { client, server } = await pair.during(() => sleep(window));
  if (!(server.receivedBytes > 0 && client.sentBytes > 0)) throw new Error('it stalls');
  // Each end's CPU by what it has carried between its own samples. CPU ms per byte are CPU-s per GB, times 10⁶.
  const receiverCpu = (server.cpu / server.receivedBytes) * 1e6;
  const senderCpu = (client.cpu / client.sentBytes) * 1e6;
  const rate = server.receivedBytes / server.time / 1000;
  return { rate, cpu: receiverCpu + senderCpu, receiverCpu, senderCpu };
}
