/**
 * Forwarding servers of sansrtc and of werift, each a process of its own with its sockets: CPU of the process for a packet that goes out,
 * with everything that it does besides. Publisher and subscribers are sansrtc's, in this process, and the same ones for both. The
 * second part of `npm run bench:media`.
 */
import { fork } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { rtpMedia } from 'sansrtc/media';
import { UdpDriver } from 'sansrtc/node';
import { installed } from '../peers/installations.mjs';
import { PACKAGES } from '../peers/stacks/packages.mjs';

const SUBSCRIBERS = 10;
/** Packets of the publisher's, every TICK milliseconds: so few that the slower one has time to spare. */
const PER_TICK = Number(process.env['PER_TICK'] ?? 10);
const TICK = 10;
const WARM_UP = 3000;
const MEASURED = Number(process.env['MEASURED'] ?? 6000);
const CONNECT_PATIENCE = 10_000;
/** Subscribers get at least this share of what is said to have been forwarded. */
const LEAST_RECEIVED = 0.98;
const SIZES = { video: 1100, audio: 160 };

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });

/** A server's process, and questions to it. */
class Server {
  #process;
  #answers = new Map();
  #count = 0;
  onCandidate = () => undefined;

  async start(file) {
    this.#process = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await new Promise((resolve, reject) => {
      this.#process.once('exit', (code) => reject(new Error(`${file} has ended: ${code}`)));
      this.#process.on('message', (message) => {
        if (message.ready) resolve();
        else if (message.candidate !== undefined) this.onCandidate(message.id, message.candidate);
        else this.#answers.get(message.id)?.(message);
      });
    });
  }

  /** @returns the id of the question, and its answer */
  ask(question) {
    const id = this.#count++;
    const answer = new Promise((resolve) => this.#answers.set(id, resolve));
    this.#process.send({ id, ...question });
    return { id, answer };
  }

  stop() {
    this.#process.removeAllListeners('exit').kill();
  }
}

/** One end of ours, with a socket of its own: what it does with events is the caller's. */
async function connect(server, role, kind, onEvent) {
  const driver = await UdpDriver.listen({ address: '127.0.0.1' });
  const rtc = new Rtc({ certificate, crypto, media: rtpMedia() });
  let connected;
  const whenConnected = new Promise((resolve) => (connected = resolve));
  driver.add(rtc, (event) => {
    if (event.type === 'connectionstatechange' && event.state === 'connected') connected();
    onEvent(event);
  });
  const draft = rtc.negotiation();
  draft.addMedia(kind, { direction: role === 'publisher' ? 'sendonly' : 'recvonly' });
  const offer = draft.offer();
  const { id, answer } = server.ask({ role, kind, sdp: offer.sdp });
  const early = [];
  server.onCandidate = (of, candidate) => {
    if (of !== id) return;
    if (early.isOver) rtc.addRemoteCandidate(candidate);
    else early.push(candidate);
  };
  offer.accept((await answer).answer);
  early.isOver = true;
  for (const candidate of early) rtc.addRemoteCandidate(candidate);
  const late = delay(CONNECT_PATIENCE, undefined, { ref: false }).then(() => {
    throw new Error(`${role} is not connected: ${JSON.stringify(rtc.inspect().gates)}`);
  });
  await Promise.race([whenConnected, late]);
  return { rtc, driver };
}

/** @returns CPU microseconds of the server's for each packet that it forwarded */
async function measure(file, kind) {
  const server = new Server();
  await server.start(file);
  const ends = [];
  let received = 0;
  const onEvent = ({ type }) => {
    if (type === 'rtp') received++;
  };
  try {
    for (let i = 0; i <= SUBSCRIBERS; i++)
      ends.push(await connect(server, i === 0 ? 'publisher' : 'subscriber', kind, onEvent));
    const sender = ends[0].rtc.media[0].sender();
    let count = 0;
    const timer = setInterval(() => {
      for (let i = 0; i < PER_TICK; i++) {
        const payload = new Uint8Array(SIZES[kind]);
        const number = count++;
        if (kind === 'video') payload.set([0x90, 0x80, 0x80 | ((number >> 8) & 0x7f), number & 0xff, 0x01]);
        sender.write({ payload, timestamp: 3000 * number, marker: true });
      }
    }, TICK);
    await delay(WARM_UP);
    const before = await server.ask({ measure: true }).answer;
    const receivedBefore = received;
    await delay(MEASURED);
    const after = await server.ask({ measure: true }).answer;
    clearInterval(timer);
    const forwarded = after.forwarded - before.forwarded;
    if (received - receivedBefore < LEAST_RECEIVED * forwarded || forwarded === 0) {
      throw new Error(`of ${forwarded} packets ${received - receivedBefore} have come`);
    }
    return (after.cpu - before.cpu) / forwarded;
  } finally {
    for (const { driver } of ends) await driver.close();
    server.stop();
  }
}

const here = (name) => fileURLToPath(new URL(`./servers/${name}`, import.meta.url));
const werift = await installed(PACKAGES.find(({ name }) => name === 'werift'));
for (const name of ['werift.mjs', 'messages.mjs']) {
  copyFileSync(here(name), join(werift.folder, name === 'werift.mjs' ? 'media-server.mjs' : name));
}
console.log(`\nCPU microseconds of a server's process for a packet forwarded, to ${SUBSCRIBERS} subscribers`);
console.log(`| case | sansrtc | werift ${werift.version} | times |`);
console.log('| --- | --- | --- | --- |');
for (const kind of ['video', 'audio']) {
  const ours = await measure(here('sansrtc.mjs'), kind);
  const theirs = await measure(join(werift.folder, 'media-server.mjs'), kind);
  const cells = [`${kind}, ${SIZES[kind]} B`, ours.toFixed(1), theirs.toFixed(1), (theirs / ours).toFixed(1)];
  console.log(`| ${cells.join(' | ')} |`);
}
