/**
 * The server of the load run, in a process of its own so that its CPU and memory are its own: one UDP port, one
 * certificate, everything echoed. Driven over the process channel: a request `{ id, method, argument }` is answered by
 * `{ id, result }` or `{ id, error }`.
 */
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen();

const methods = {
  answer(offer) {
    const rtc = new Rtc({ certificate, crypto });
    driver.add(rtc, (event) => {
      if (event.type === 'message') event.channel.send(event.data);
    });
    return rtc.receiveOffer(offer).answer();
  },

  /** CPU in ms since the process began, memory in bytes, what is left of the connections. */
  measure({ collect = false } = {}) {
    if (collect) for (let i = 0; i < 3; i++) globalThis.gc();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return {
      cpu: (user + system) / 1000,
      rss,
      heap: heapUsed + arrayBuffers,
      endpoint: driver.endpoint.inspect(),
      udp: driver.stats(),
    };
  },
};

process.on('message', ({ id, method, argument }) => {
  try {
    process.send({ id, result: methods[method](argument) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on('disconnect', () => driver.close());
process.send('ready');
