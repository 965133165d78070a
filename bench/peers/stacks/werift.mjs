/** werift: TypeScript throughout, by its W3C classes, a socket for each peer, on loopback. */
import { RTCPeerConnection } from 'werift';

/** Its default is 64 KiB. */
const MAX_MESSAGE_SIZE = 256 * 1024;

/** @type {import('./stack.d.ts').open} */
export async function open({ settings }) {
  return { peer: async (listener) => new Peer(listener, settings) };
}

class Peer {
  #connection;
  #listener;

  constructor(listener, settings) {
    this.#listener = listener;
    this.#connection = new RTCPeerConnection({
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
      maxMessageSize: MAX_MESSAGE_SIZE,
      ...settings,
    });
    this.#connection.onIceCandidate.subscribe((candidate) => {
      if (candidate === undefined) return;
      listener.onCandidate({ candidate: candidate.candidate, sdpMid: candidate.sdpMid });
    });
    this.#connection.onDataChannel.subscribe((channel) => this.#whenOpen(channel));
  }

  #whenOpen(channel) {
    const open = () => this.#listener.onChannel(new Channel(channel));
    if (channel.readyState === 'open') open();
    else channel.onopen = open;
  }

  async offer() {
    this.#whenOpen(this.#connection.createDataChannel('bench'));
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    return this.#connection.localDescription.sdp;
  }

  async answer(sdp) {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp });
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    return this.#connection.localDescription.sdp;
  }

  async accept(sdp) {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
  }

  async addCandidate(candidate) {
    await this.#connection.addIceCandidate(candidate);
  }

  async close() {
    await this.#connection.close();
  }
}

class Channel {
  onMessage;
  #channel;
  #onLow = () => {};

  constructor(channel) {
    this.#channel = channel;
    channel.onMessage.subscribe((data) => this.onMessage(data));
    channel.bufferedAmountLow.subscribe(() => this.#onLow());
  }

  // It takes no bytes but a Buffer's.
  send(data) {
    this.#channel.send(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }

  get bufferedAmount() {
    return this.#channel.bufferedAmount;
  }

  async drained(bytes) {
    this.#channel.bufferedAmountLowThreshold = bytes;
    if (this.bufferedAmount > bytes) await new Promise((resolve) => (this.#onLow = resolve));
  }
}
