/**
 * The self-check's second process: offers over the page's HTTP signalling, from a UDP socket of its own, and measures.
 * Started by self-check.mjs with the page's URL; reports one object over the process channel, `{ error }` if it failed.
 */
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';
import { BulkReceiver, BulkSender } from './transfers.mjs';

const ROUND_TRIPS = 2000;
const ROUND_TRIP_BYTES = 64;
const TRANSFER_BYTES = 10 * 1024 * 1024;
/** Deadlines of the steps, ms. */
const CONNECT_WITHIN = 15_000;
const ROUND_TRIPS_WITHIN = 20_000;
const TRANSFER_WITHIN = 30_000;

async function measure(url) {
  const { hostname } = new URL(url);
  const driver = await UdpDriver.listen({ address: hostname.replace(/^\[|\]$/g, '') });
  try {
    const peer = new Peer(driver);
    const { id, ...connect } = await peer.connect(url);
    const roundTrips = await peer.roundTrips();
    const upload = await peer.upload();
    const download = await peer.download();
    const server = await (await fetch(new URL(`inspect?id=${id}`, url))).json();
    const client = peer.rtc.inspect();
    return { connect, roundTrips, upload, download, server, client, udp: driver.stats() };
  } finally {
    await driver.close();
  }
}

/** One connection with an "echo" and a "bulk" channel, whose events can be waited for. */
class Peer {
  rtc;
  #echo;
  #bulk;
  /** When each state was reached, by `event type:state`, ms of performance.now(). */
  #reached = new Map();
  #onEvent = () => undefined;

  constructor(driver) {
    const crypto = nodeCrypto();
    this.rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto });
    driver.add(this.rtc, (event) => {
      const key = 'state' in event ? `${event.type}:${event.state}` : event.type;
      if (!this.#reached.has(key)) this.#reached.set(key, performance.now());
      this.#onEvent(event);
    });
  }

  /** Connects; the time from the answer's arrival until both channels are open, split by layer, in ms. */
  async connect(url) {
    const draft = this.rtc.negotiation();
    this.#echo = draft.addChannel('echo');
    this.#bulk = draft.addChannel('bulk');
    const offer = draft.offer();
    const response = await fetch(new URL('offer', url), { method: 'POST', body: offer.sdp });
    if (!response.ok) throw new Error(`the server refused the offer: ${(await response.text()).trim()}`);
    const { id, sdp } = await response.json();
    const opening = new Set([this.#echo, this.#bulk]);
    const start = performance.now();
    await this.#during('connecting', CONNECT_WITHIN, (done) => {
      offer.accept(sdp);
      return (event) => {
        if (event.type !== 'channelopen') return;
        opening.delete(event.channel);
        if (opening.size === 0) done();
      };
    });
    const ice = this.#reached.get('iceconnectionstatechange:connected');
    const dtls = this.#reached.get('dtlsstatechange:connected');
    const open = performance.now();
    return { id, total: open - start, ice: ice - start, dtls: dtls - ice, sctp: open - dtls };
  }

  /** One message at a time, there and back. */
  async roundTrips() {
    const times = [];
    let payload = '';
    let sentAt = 0;
    const next = () => {
      payload = String(times.length).padEnd(ROUND_TRIP_BYTES, '.');
      sentAt = performance.now();
      this.#echo.send(payload);
    };
    const start = performance.now();
    await this.#during('echoing', ROUND_TRIPS_WITHIN, (done, fail) => {
      next();
      return (event) => {
        if (event.type !== 'message' || event.channel !== this.#echo) return;
        if (event.data !== payload) fail(new Error(`echo ${times.length} came back changed`));
        times.push(performance.now() - sentAt);
        if (times.length === ROUND_TRIPS) done();
        else next();
      };
    });
    const seconds = (performance.now() - start) / 1000;
    times.sort((a, b) => a - b);
    return {
      count: ROUND_TRIPS,
      bytes: ROUND_TRIP_BYTES,
      perSecond: ROUND_TRIPS / seconds,
      median: times[ROUND_TRIPS >> 1],
      worst: times.at(-1),
    };
  }

  /** Sends 10 MiB; the server says what it has received and how long it took. */
  async upload() {
    let sent;
    const result = await this.#during('uploading', TRANSFER_WITHIN, (done) => {
      const sender = new BulkSender(this.#bulk, TRANSFER_BYTES, (sha256) => (sent = sha256));
      this.#bulk.send(JSON.stringify({ type: 'put', bytes: TRANSFER_BYTES }));
      sender.pump();
      return (event) => {
        if (event.type === 'bufferedamountlow' && event.channel === this.#bulk) sender.pump();
        if (event.type === 'message' && event.channel === this.#bulk) done(JSON.parse(event.data));
      };
    });
    if (result.sha256 !== sent)
      throw new Error(`upload: sent SHA-256 ${sent}, the server received ${result.sha256}`);
    return { bytes: TRANSFER_BYTES, milliseconds: result.milliseconds };
  }

  /** Receives 10 MiB; the server says afterwards what it has sent. */
  async download() {
    let received;
    const result = await this.#during('downloading', TRANSFER_WITHIN, (done) => {
      const receiver = new BulkReceiver(
        TRANSFER_BYTES,
        (sha256, milliseconds) => (received = { sha256, milliseconds }),
      );
      this.#bulk.send(JSON.stringify({ type: 'get', bytes: TRANSFER_BYTES }));
      return (event) => {
        if (event.type !== 'message' || event.channel !== this.#bulk) return;
        if (typeof event.data === 'string') done(JSON.parse(event.data));
        else receiver.push(event.data);
      };
    });
    if (received?.sha256 !== result.sha256) {
      throw new Error(`download: the server sent SHA-256 ${result.sha256}, received ${received?.sha256}`);
    }
    return { bytes: TRANSFER_BYTES, milliseconds: received.milliseconds };
  }

  /** Runs one step: `begin(done, fail)` starts it and answers its event listener. Ends with it, a failure or the deadline. */
  async #during(step, within, begin) {
    let deadline;
    try {
      return await new Promise((resolve, reject) => {
        deadline = setTimeout(() => reject(new Error(`${step} took longer than ${within / 1000} s`)), within);
        const onEvent = begin(resolve, reject);
        this.#onEvent = (event) => {
          if (event.type === 'closed') reject(new Error(`closed while ${step}: ${event.reason.message}`));
          else if (event.type === 'channelclose') reject(new Error(`a channel closed while ${step}`));
          else {
            try {
              onEvent(event);
            } catch (error) {
              reject(error); // the server has sent what is no answer
            }
          }
        };
      });
    } finally {
      clearTimeout(deadline);
      this.#onEvent = () => undefined;
    }
  }
}

try {
  process.send(await measure(process.argv[2]));
} catch (error) {
  process.send({ error: error.message });
}
process.disconnect();
