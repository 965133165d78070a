/** sansrtc at its defaults with Node's cryptography: a server on one port, a socket for each client. */
import { Rtc, selfSignedCertificate, warmUp } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

/** Held, so that the engine keeps the code. */
export let warm;

/** @type {import('./stack.d.ts').prepare} */
export async function prepare({ settings }) {
  if (settings.warmUp) warm = warmUp({ crypto: nodeCrypto() });
}

/** @type {import('./stack.d.ts').open} */
export async function open({ role, settings: { pathMtu } }) {
  const crypto = nodeCrypto();
  const certificate = selfSignedCertificate({ crypto });
  const shared = role === 'server' ? await UdpDriver.listen() : undefined;
  return {
    async peer(listener) {
      const driver = shared ?? (await UdpDriver.listen());
      const rtc = new Rtc({ certificate, crypto, pathMtu });
      return new Peer(rtc, driver, listener, shared === undefined);
    },
  };
}

class Peer {
  #rtc;
  #driver;
  #ownsDriver;
  #offer;

  constructor(rtc, driver, listener, ownsDriver) {
    this.#rtc = rtc;
    this.#driver = driver;
    this.#ownsDriver = ownsDriver;
    let channel;
    driver.add(rtc, (event) => {
      switch (event.type) {
        case 'message':
          channel.onMessage(event.data);
          break;
        case 'bufferedamountlow':
          channel.onLow();
          break;
        case 'channelopen':
        case 'datachannel':
          channel = new Channel(event.channel);
          listener.onChannel(channel);
      }
    });
  }

  // Descriptions carry the candidates: the driver has them from the start.
  async offer() {
    const draft = this.#rtc.negotiation();
    draft.addChannel('bench');
    this.#offer = draft.offer();
    return this.#offer.sdp;
  }

  async answer(offer) {
    return this.#rtc.receiveOffer(offer).answer();
  }

  async accept(answer) {
    this.#offer.accept(answer);
  }

  async addCandidate(candidate) {
    this.#rtc.addRemoteCandidate(candidate);
  }

  async close() {
    if (this.#ownsDriver) await this.#driver.close();
    else this.#rtc.close();
  }
}

class Channel {
  onMessage;
  onLow = () => {};
  #channel;

  constructor(channel) {
    this.#channel = channel;
  }

  send(data) {
    if (!this.#channel.send(data)) throw new Error('send answered false');
  }

  get bufferedAmount() {
    return this.#channel.bufferedAmount;
  }

  async drained(bytes) {
    this.#channel.bufferedAmountLowThreshold = bytes;
    if (this.bufferedAmount > bytes) await new Promise((resolve) => (this.onLow = resolve));
  }
}
