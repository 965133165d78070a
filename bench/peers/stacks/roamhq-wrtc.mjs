/** @roamhq/wrtc: libwebrtc behind its W3C classes, a socket for each peer, on the interfaces it finds (loopback is none of them). */
import { setTimeout as sleep } from 'node:timers/promises';
import wrtc from '@roamhq/wrtc';

/** Its channels have no `bufferedamountlow`: how often they are asked, ms. */
const POLL = 1;

/** @type {import('./stack.d.ts').open} */
export async function open({ settings }) {
  return { peer: async (listener) => new Peer(listener, settings) };
}

class Peer {
  #connection;
  #listener;

  constructor(listener, settings) {
    this.#listener = listener;
    this.#connection = new wrtc.RTCPeerConnection({ iceServers: [], ...settings });
    this.#connection.onicecandidate = ({ candidate }) => {
      if (!candidate) return;
      listener.onCandidate({ candidate: candidate.candidate, sdpMid: candidate.sdpMid });
    };
    this.#connection.ondatachannel = ({ channel }) => this.#whenOpen(channel);
  }

  #whenOpen(channel) {
    const open = () => this.#listener.onChannel(new Channel(channel));
    if (channel.readyState === 'open') open();
    else channel.onopen = open;
  }

  async offer() {
    this.#whenOpen(this.#connection.createDataChannel('bench'));
    const offer = await this.#connection.createOffer();
    await this.#connection.setLocalDescription(offer);
    return offer.sdp;
  }

  async answer(sdp) {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp });
    const answer = await this.#connection.createAnswer();
    await this.#connection.setLocalDescription(answer);
    return answer.sdp;
  }

  async accept(sdp) {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
  }

  async addCandidate(candidate) {
    await this.#connection.addIceCandidate(candidate);
  }

  async close() {
    this.#connection.close();
  }
}

class Channel {
  onMessage;
  #channel;

  constructor(channel) {
    this.#channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => this.onMessage(data);
  }

  send(data) {
    this.#channel.send(data);
  }

  get bufferedAmount() {
    return this.#channel.bufferedAmount;
  }

  async drained(bytes) {
    while (this.bufferedAmount > bytes) await sleep(POLL);
  }
}
