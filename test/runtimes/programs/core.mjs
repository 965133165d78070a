/**
 * The core, checked where it is to run: whole connections over a lossy simulated network, on a virtual clock, from one seed.
 * It uses nothing but the package and the language, so it runs in a browser's worker as in Node.
 *
 * What is sent is the same to the byte in every runtime: `digest` is the hash of all of it.
 */
import { Rtc, SeededRandom, jsCrypto, selfSignedCertificate } from 'sansrtc';
import { SourceSwitch, rtpMedia } from 'sansrtc/media';
import { Network } from 'sansrtc/sim';
import { formatTrace, recordRtc, replay } from 'sansrtc/trace';

const SEED = 20_260;
const LINK = { latency: 25, jitter: 10, loss: 0.1, duplicate: 0.02, rate: 1_000_000 };

/** @typedef {{ name: string, milliseconds: number, error?: string }} Check */

/** All checks of the core. @returns {Promise<{ checks: Check[], digest: string }>} */
export async function checkCore() {
  const digests = [];
  const checks = await runAll({
    'data over DTLS 1.2': () => digests.push(converse({ version: '1.2' })),
    'data over DTLS 1.3': () => digests.push(converse({ version: '1.3' })),
    'trace and replay': () => digests.push(recordAndReplay()),
    'media forwarded': () => digests.push(forwardMedia()),
    'randomness of the platform': connectAtRandom,
  });
  return { checks, digest: sha256(digests.join('\n')) };
}

/** Runs each function; what it throws is its error. @returns {Promise<Check[]>} */
export async function runAll(functions) {
  const checks = [];
  for (const [name, run] of Object.entries(functions)) {
    const start = Date.now();
    const check = { name, milliseconds: 0 };
    try {
      await run();
    } catch (error) {
      check.error = String(error?.stack ?? error);
    }
    check.milliseconds = Date.now() - start;
    checks.push(check);
  }
  return checks;
}

/** Throws, with words, unless `holds`. */
export function assert(holds, words) {
  if (!holds) throw new Error(words);
}

/**
 * Two peers, a link that loses every tenth datagram, one channel that is reliable and one that is not; then one end closes.
 * @returns {string} the network's digest
 */
export function converse({ version, crypto = [jsCrypto(), jsCrypto()] }) {
  const versions = { min: version, max: version };
  const make = (index) =>
    new Rtc({
      certificate: selfSignedCertificate({ random: new SeededRandom(SEED + index), crypto: crypto[index] }),
      crypto: crypto[index],
      random: new SeededRandom(SEED + 2 + index),
      dtls: { versions },
    });
  return talk(make(0), make(1), version);
}

/** @returns {string} the network's digest */
function talk(alice, bob, version, size = 100_000) {
  const net = new Network({ seed: SEED, defaults: LINK });
  const events = { alice: [], bob: [] };
  attach(net, '192.0.2.1', alice, (event) => events.alice.push(event));
  attach(net, '192.0.2.2', bob, (event) => {
    events.bob.push(event);
    if (event.type === 'message' && event.channel.label === 'reliable') event.channel.send(event.data);
  });

  const draft = alice.negotiation();
  const reliable = draft.addChannel('reliable');
  const lossy = draft.addChannel('lossy', { ordered: false, maxRetransmits: 0 });
  const offer = draft.offer();
  offer.accept(bob.receiveOffer(offer.sdp).answer());

  const isOpen = () => reliable.readyState === 'open' && lossy.readyState === 'open';
  run(net, 'both channels are open', isOpen);
  const { ice, dtls } = alice.inspect();
  assert(ice.selectedPair !== undefined, 'ICE has no selected pair');
  const spoken = { FEFD: '1.2', FEFC: '1.3' }[dtls.tlsVersion];
  assert(spoken === version, `DTLS expected ${version}, got ${spoken}`);

  // Each way once: text, bytes of many packets; and numbered bytes that may be lost.
  const texts = Array.from({ length: 50 }, (_, number) => `ünïcode ${number} 🎈`);
  const bulk = Uint8Array.from({ length: size }, (_, at) => (at * 31) & 0xff);
  const numbers = Array.from({ length: 100 }, (_, number) => number);
  for (const text of texts) assert(reliable.send(text), `"${text}" was not taken`);
  assert(reliable.send(bulk), `${size} bytes were not taken`);
  for (const number of numbers) {
    net.after(20 * number, () => assert(lossy.send(Uint8Array.of(number)), `number ${number} was not taken`));
  }
  const heard = (list, label) =>
    list.flatMap((event) => (event.type === 'message' && event.channel.label === label ? [event.data] : []));
  const wanted = texts.length + 1;
  run(net, 'all has come back', () => net.now > 4000 && heard(events.alice, 'reliable').length === wanted);

  for (const [end, list] of Object.entries(events)) {
    const [last, ...rest] = heard(list, 'reliable').reverse();
    assert(rest.reverse().join() === texts.join(), `${end} has heard other texts, or in another order`);
    assert(sameBytes(last, bulk), `${end} has heard other bytes`);
  }
  const arrived = heard(events.bob, 'lossy').map(([number]) => number);
  assert(new Set(arrived).size === arrived.length, 'an unreliable message has come twice');
  assert(
    arrived.length > 70 && arrived.length < 100,
    `of 100 unreliable messages over a lossy link ${arrived.length} have come`,
  );

  // What closes, says so.
  alice.close();
  run(net, 'both ends are closed', () =>
    Object.values(events).every((list) => list.some(({ type }) => type === 'closed')),
  );
  const closed = events.bob.find(({ type }) => type === 'closed');
  assert(
    closed.reason.code === 'remote-close',
    `the end expected "remote-close", got "${closed.reason.code}"`,
  );
  return net.digest();
}

/** Recorded at both ends; both replay to the same bytes. @returns {string} the hash of both traces */
function recordAndReplay() {
  const ends = [SEED, SEED + 1].map((seed) => recordRtc({ seed }));
  talk(ends[0].rtc, ends[1].rtc, '1.3', 20_000);
  const texts = ends.map(({ recorder }) => formatTrace(recorder.trace));
  for (const text of texts) {
    const outcome = replay(text);
    assert(outcome.identical, `the replay departs: ${outcome.divergence?.message}`);
    assert(outcome.outputs > 500, `a replay of ${outcome.outputs} outputs is no replay of all that`);
  }
  return sha256(texts.join(''));
}

/** Audio and video to a peer that forwards them back. @returns {string} the network's digest */
function forwardMedia() {
  const net = new Network({ seed: SEED, defaults: { ...LINK, loss: 0.05, duplicate: 0 } });
  const make = (index) =>
    new Rtc({
      certificate: selfSignedCertificate({ random: new SeededRandom(SEED + index) }),
      random: new SeededRandom(SEED + 2 + index),
      media: rtpMedia(),
    });
  const [alice, bob] = [make(0), make(1)];
  const heard = { audio: [], video: [] };
  const switches = new Map();
  attach(net, '192.0.2.1', alice, (event) => {
    if (event.type === 'rtp') heard[event.stream.kind].push(event.packet.payload);
  });
  attach(net, '192.0.2.2', bob, (event) => {
    if (event.type === 'rtpstreamstart') {
      const forwarded = new SourceSwitch();
      forwarded.select(event.stream);
      switches.set(event.stream.mediaId, forwarded);
    } else if (event.type === 'rtp') {
      const { mediaId } = event.stream;
      const packet = switches.get(mediaId).forward(event);
      if (packet !== undefined) bob.sender(mediaId)?.write(packet);
    }
  });
  const draft = alice.negotiation();
  const audio = draft.addMedia('audio', { direction: 'sendrecv' });
  const video = draft.addMedia('video', { direction: 'sendrecv' });
  const offer = draft.offer();
  const received = bob.receiveOffer(offer.sdp);
  for (const media of received.media) media.direction = 'sendrecv';
  offer.accept(received.answer());
  run(
    net,
    'the peers are connected',
    () => alice.connectionState === 'connected' && bob.connectionState === 'connected',
  );

  const count = 100;
  for (let number = 0; number < count; number++) {
    net.after(20 * number, () => {
      audio.sender().write({ payload: Uint8Array.of(0x78, number, 1), timestamp: number * 960 });
      // A whole frame of VP8 in one packet: S, and a keyframe (RFC 7741 §4.2, §4.3).
      const payload = new Uint8Array(600).fill(number);
      payload[0] = 0x10;
      payload[1] = 0;
      video.sender().write({ payload, timestamp: number * 1800, marker: true });
    });
  }
  run(net, 'all media have had their time', () => net.now > 10_000);
  for (const [kind, at] of [
    ['audio', 1],
    ['video', 2],
  ]) {
    const numbers = new Set(heard[kind].map((payload) => payload[at]));
    // Video is asked for again, audio is not: two ways with 5 % of loss each.
    const least = kind === 'video' ? count - 2 : 80;
    assert(numbers.size >= least, `of ${count} packets of ${kind} ${numbers.size} have come back`);
  }
  return net.digest();
}

/** Without a seed: keys of the runtime's own generator, which differ from one connection to the next. */
function connectAtRandom() {
  const prints = [1, 2].map(() => selfSignedCertificate().fingerprint.value);
  assert(prints[0] !== prints[1], 'two certificates are the same');
  const net = new Network({ seed: SEED });
  const certificate = selfSignedCertificate();
  const [alice, bob] = [new Rtc({ certificate }), new Rtc({ certificate })];
  attach(net, '192.0.2.1', alice, () => undefined);
  attach(net, '192.0.2.2', bob, () => undefined);
  const draft = alice.negotiation();
  const channel = draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(bob.receiveOffer(offer.sdp).answer());
  run(net, 'the channel is open', () => channel.readyState === 'open');
}

function attach(net, address, rtc, onEvent) {
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
  net.host(address).attach(rtc, { port: 5000, onEvent: ({ event }) => onEvent(event) });
}

function run(net, what, until) {
  const { reason, elapsed } = net.run({ until, limit: 60_000 });
  assert(reason === 'condition', `${what}: not after ${Math.round(elapsed)} ms of virtual time (${reason})`);
}

function sameBytes(one, other) {
  return (
    one instanceof Uint8Array && one.length === other.length && one.every((byte, at) => byte === other[at])
  );
}

/** Of text of ASCII, as hexadecimal digits. */
function sha256(text) {
  const hash = jsCrypto().hash('sha-256');
  hash.update(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  return [...hash.digest()].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
