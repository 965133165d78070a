/** The driver, checked where there is UDP: two of them in one process, real sockets on loopback, the runtime's own cryptography. */
import { networkInterfaces } from 'node:os';
import { Rtc, jsCrypto, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver, hostAddresses } from 'sansrtc/node';
import { assert, converse, runAll } from './core.mjs';

/** How long one step may take on a machine that is busy with others, ms. */
const PATIENCE = 90_000;

/** `sansrtc/crypto/node`, at both ends and against the other provider. @returns {Promise<import('./core.mjs').Check[]>} */
export function checkNodeCrypto() {
  const [js, node] = [jsCrypto(), nodeCrypto()];
  return runAll({
    'DTLS 1.2 with Node’s cryptography': () => converse({ version: '1.2', crypto: [node, node] }),
    'DTLS 1.3 with Node’s cryptography': () => converse({ version: '1.3', crypto: [node, node] }),
    'either provider understands the other': () => {
      converse({ version: '1.2', crypto: [js, node] });
      converse({ version: '1.3', crypto: [node, js] });
    },
  });
}

/** @returns {Promise<import('./core.mjs').Check[]>} */
export function checkDriver() {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list.map(({ address }) => address));
  return runAll({
    'UDP on 127.0.0.1': () => echo({ address: '127.0.0.1' }, {}),
    // A container may have no IPv6, and nothing but loopback.
    ...(addresses.includes('::1') ? { 'UDP on ::1': () => echo({ address: '::1' }, {}) } : {}),
    ...(hostAddresses().length > 0
      ? { 'UDP on all interfaces': () => echo({ address: '0.0.0.0' }, {}) }
      : {}),
    'ICE over TCP': () =>
      echo({ address: '127.0.0.1', tcp: { passive: true } }, { tcp: { active: true } }, 'tcp'),
  });
}

/** A connection between two drivers: text and 250 KB there and back, then one closes and the other hears of it. */
async function echo(serverOptions, clientOptions, protocol = 'udp') {
  const crypto = nodeCrypto();
  const certificate = selfSignedCertificate({ crypto });
  const faults = [];
  const onError = (error) => faults.push(error);
  const server = await UdpDriver.listen({ ...serverOptions, onError });
  const client = await UdpDriver.listen({ address: serverOptions.address, ...clientOptions, onError });
  try {
    const [alice, bob] = [new Rtc({ certificate, crypto }), new Rtc({ certificate, crypto })];
    const events = { alice: [], bob: [] };
    let look = () => undefined;
    client.add(alice, (event) => {
      events.alice.push(event);
      look();
    });
    server.add(bob, (event) => {
      events.bob.push(event);
      if (event.type === 'message') assert(event.channel.send(event.data), 'the echo was not taken');
      look();
    });
    const until = (what, holds) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE} ms`)), PATIENCE);
        look = () => {
          if (!holds()) return;
          clearTimeout(timer);
          resolve();
        };
        look();
      });

    const draft = alice.negotiation();
    const channel = draft.addChannel('echo');
    const offer = draft.offer();
    // A server that is to be reached by TCP alone tells of nothing else.
    const theirs = (sdp) =>
      protocol === 'tcp' ? sdp.replaceAll(/^a=candidate:\S+ \d+ udp .*\r\n/gim, '') : sdp;
    offer.accept(theirs(bob.receiveOffer(theirs(offer.sdp)).answer()));
    await until('the channel is open', () => channel.readyState === 'open');
    const { local } = alice.inspect().ice.selectedPair;
    assert(local.protocol === protocol, `the path expected ${protocol}, got ${local.protocol}`);

    const bulk = Uint8Array.from({ length: 250_000 }, (_, at) => (at * 31) & 0xff);
    for (const data of ['anybody there?', bulk]) {
      assert(channel.send(data), 'a message was not taken');
    }
    const heard = () => events.alice.filter(({ type }) => type === 'message').map(({ data }) => data);
    await until('all has come back', () => heard().length === 2);
    assert(heard()[0] === 'anybody there?', `"anybody there?" has come back as "${heard()[0]}"`);
    for (const data of heard().slice(1)) {
      assert(
        data.length === bulk.length && data.every((byte, at) => byte === bulk[at]),
        'other bytes have come back',
      );
    }
    alice.close();
    await until('the other end is closed', () => events.bob.some(({ type }) => type === 'closed'));
  } finally {
    await Promise.all([client.close(), server.close()]);
  }
  assert(faults.length === 0, `the driver has reported ${faults.join()}`);
}
