/**
 * The server of the load run, in a process of its own so that its CPU and memory are its own: one UDP port, one
 * certificate, everything echoed; with a number as its argument, so many workers of ../workers, a port each. Driven over
 * the process channel: a request `{ id, method, argument }` is answered by `{ id, result }` or `{ id, error }`.
 */
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';
import { Pool } from '../workers/pool.mjs';

const workers = Number(process.argv[2] ?? 0);
const service = workers > 0 ? await Pool.start(workers) : await alone();

const methods = {
  answer: (offer) => service.answer(offer),

  /** CPU in ms since the process began, memory in bytes, what is left of the connections. */
  async measure(argument) {
    const reports = await service.measure(argument);
    const { user, system } = process.cpuUsage();
    return {
      cpu: (user + system) / 1000,
      rss: process.memoryUsage.rss(),
      heap: sum(reports, ({ heap }) => heap),
      endpoint: {
        connections: sum(reports, ({ endpoint }) => endpoint.connections),
        routes: sum(reports, ({ endpoint }) => endpoint.routes),
        armed: sum(reports, ({ endpoint }) => endpoint.armed),
      },
      udp: {
        datagramsReceived: sum(reports, ({ udp }) => udp.datagramsReceived),
        datagramsSent: sum(reports, ({ udp }) => udp.datagramsSent),
        kernelDrops: sum(reports, ({ udp }) => udp.kernelDrops ?? 0),
        wakeups: sum(reports, ({ udp }) => udp.wakeups),
      },
    };
  },
};

/** What a pool of workers offers, in this thread. */
async function alone() {
  const crypto = nodeCrypto();
  const certificate = selfSignedCertificate({ crypto });
  const driver = await UdpDriver.listen({ onError: (error) => console.error(error) });
  return {
    answer(offer) {
      const rtc = new Rtc({ certificate, crypto });
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
      return [{ heap: heapUsed + arrayBuffers, endpoint: driver.endpoint.inspect(), udp: driver.stats() }];
    },
    close: () => driver.close(),
  };
}

function sum(items, pick) {
  return items.reduce((total, item) => total + pick(item), 0);
}

process.on('message', async ({ id, method, argument }) => {
  try {
    process.send({ id, result: await methods[method](argument) });
  } catch (error) {
    process.send({ id, error: error.message });
  }
});
process.on('disconnect', () => service.close());
process.send('ready');
