/** One worker: a UDP port, a certificate, an echo. Calls come from pool.mjs. */
import { parentPort, workerData } from 'node:worker_threads';
import { Endpoint, Rtc, selfSignedCertificate, shardOf, shardUsernameFragment } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const { shard, address } = workerData;
const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const endpoint = new Endpoint({
  idleTimerSlack: 100,
  onUnknown: ({ data }) => {
    const stray = shardOf(data);
    if (stray !== undefined && stray !== shard) parentPort.postMessage({ stray });
  },
});
const driver = await UdpDriver.listen({ address, endpoint, onError: (error) => console.error(error) });

const methods = {
  answer(offer) {
    const usernameFragment = shardUsernameFragment(shard);
    const rtc = new Rtc({ certificate, crypto, ice: { usernameFragment } });
    driver.add(rtc, (event) => {
      if (event.type === 'message') event.channel.send(event.data);
    });
    try {
      return rtc.receiveOffer(offer).answer();
    } catch (error) {
      rtc.close();
      throw error;
    }
  },

  measure({ collect = false } = {}) {
    if (collect) for (let i = 0; i < 3; i++) globalThis.gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return { heap: heapUsed + arrayBuffers, endpoint: endpoint.inspect(), udp: driver.stats() };
  },

  close: () => driver.close(),
};

parentPort.on('message', async ({ id, method, argument }) => {
  try {
    parentPort.postMessage({ id, result: await methods[method](argument) });
  } catch (error) {
    parentPort.postMessage({ id, error: error.message });
  }
});
parentPort.postMessage('ready');
