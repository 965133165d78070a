/** node-datachannel: libdatachannel (usrsctp, libjuice, OpenSSL) by its own interface, a socket for each peer, on loopback. */
import { PeerConnection } from 'node-datachannel';

/** @type {import('./stack.d.ts').open} */
export async function open({ settings }) {
  return { peer: async (listener) => new Peer(listener, settings) };
}

class Peer {
  #connection;
  #listener;
  #description;

  constructor(listener, settings) {
    this.#connection = new PeerConnection('bench', { iceServers: [], bindAddress: '127.0.0.1', ...settings });
    this.#listener = listener;
    this.#description = new Promise((resolve) => this.#connection.onLocalDescription(resolve));
    this.#connection.onLocalCandidate((candidate, sdpMid) => listener.onCandidate({ candidate, sdpMid }));
    this.#connection.onDataChannel((channel) => this.#whenOpen(channel));
  }

  #whenOpen(channel) {
    const open = () => this.#listener.onChannel(new Channel(channel));
    if (channel.isOpen()) open();
    else channel.onOpen(open);
  }

  offer() {
    this.#whenOpen(this.#connection.createDataChannel('bench'));
    return this.#description;
  }

  answer(offer) {
    this.#connection.setRemoteDescription(offer, 'offer');
    return this.#description;
  }

  async accept(answer) {
    this.#connection.setRemoteDescription(answer, 'answer');
  }

  async addCandidate({ candidate, sdpMid }) {
    this.#connection.addRemoteCandidate(candidate, sdpMid);
  }

  async close() {
    this.#connection.close();
  }
}

class Channel {
  onMessage;
  #channel;
  #onLow = () => {};

  constructor(channel) {
    this.#channel = channel;
    channel.onMessage((data) => this.onMessage(data));
    channel.onBufferedAmountLow(() => this.#onLow());
  }

  send(data) {
    this.#channel.sendMessageBinary(data); // false: it waits, and counts as buffered
  }

  get bufferedAmount() {
    return this.#channel.bufferedAmount();
  }

  async drained(bytes) {
    const low = new Promise((resolve) => (this.#onLow = resolve));
    this.#channel.setBufferedAmountLowThreshold(bytes);
    if (this.bufferedAmount > bytes) await low;
  }
}
