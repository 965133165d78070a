/**
 * The browser's half of the tests: a thin, promise-shaped handle on a native RTCPeerConnection.
 *
 * `installPagePeer` is sent to the page as source, so it refers to nothing outside itself. Every wait is bounded: a
 * test that would hang says what it was waiting for instead.
 */

/** A message as JSON carries it between the page and Node; of `binary`, each character is a byte. */
export type WireMessage = { readonly text: string } | { readonly binary: string };

export interface PageChannelOptions {
  readonly label: string;
  readonly ordered?: boolean;
  readonly maxRetransmits?: number;
  readonly maxPacketLifeTime?: number;
  readonly protocol?: string;
  readonly negotiated?: boolean;
  readonly id?: number;
}

/** A channel as its own end describes it. */
export interface ChannelDescription {
  readonly id: number | null;
  readonly ordered: boolean;
  readonly maxRetransmits: number | null;
  readonly maxPacketLifeTime: number | null;
  readonly protocol: string;
  readonly negotiated: boolean;
}

/** The two ends of a candidate pair, in the page's words: `relay` over `tls`, say. */
export interface PagePair {
  readonly local: { readonly type: string; readonly protocol: string; readonly relayProtocol?: string };
  readonly remote: { readonly type: string; readonly protocol: string };
}

/** What a test may ask of the peer called `name` in its page; a name is made on first use. */
export interface PagePeers {
  /** The connection itself, for what else is installed in the page: it cannot be carried out of it. */
  connection(name: string): RTCPeerConnection;
  /** Makes the connection of this name, with this configuration. */
  configure(name: string, configuration: RTCConfiguration): void;
  /** Creates the channels and answers the offer, before any candidate has been gathered. */
  offer(name: string, channels: readonly PageChannelOptions[]): Promise<string>;
  /** The same from a connection with this bundle policy, which offers media of these kinds before its channels. */
  offerMedia(
    name: string,
    policy: RTCBundlePolicy,
    kinds: readonly ('audio' | 'video')[],
    channels: readonly PageChannelOptions[],
  ): Promise<string>;
  /** The description made here once gathering has ended, with every candidate in it. */
  completeDescription(name: string): Promise<string>;
  acceptAnswer(name: string, sdp: string): Promise<void>;
  /** Creates channels on a connection that is there. */
  create(name: string, channels: readonly PageChannelOptions[]): void;
  /** Takes an offer; the answer is without candidates. */
  answer(name: string, sdp: string): Promise<string>;
  /** Every `candidate:…` line, once gathering has ended. */
  candidates(name: string): Promise<string[]>;
  addCandidate(name: string, candidate: string): Promise<void>;
  openChannel(name: string, options: PageChannelOptions): void;
  /** Waits for a channel, made here or by the other side, to open. */
  opened(name: string, label: string): Promise<void>;
  /** Waits for a channel to close; the events it fired since it opened. */
  closed(name: string, label: string): Promise<string[]>;
  describe(name: string, label: string): Promise<ChannelDescription>;
  send(name: string, label: string, message: WireMessage): Promise<void>;
  /** The next message not asked for before. */
  receive(name: string, label: string): Promise<WireMessage>;
  /** All messages not asked for before; does not wait. */
  drain(name: string, label: string): Promise<WireMessage[]>;
  /** Sends `bytes` random bytes, never with more than a mebibyte buffered; their SHA-256 and how often it had to wait. */
  sendBulk(name: string, label: string, bytes: number): Promise<{ sha256: string; waits: number }>;
  /** SHA-256 of the next `bytes` bytes of binary messages. */
  receiveBulk(name: string, label: string, bytes: number): Promise<string>;
  closeChannel(name: string, label: string): Promise<void>;
  /** Lets go of channels that have closed, so that others may have their labels. */
  forget(name: string, labels: readonly string[]): void;
  /** What DTLS has negotiated, from `getStats()`. */
  transport(name: string): Promise<{
    tlsVersion: string | undefined;
    dtlsCipher: string | undefined;
    dtlsRole: string | undefined;
  }>;
  /** The pair in use. */
  selectedPair(name: string): Promise<PagePair>;
  /** The next offer of this connection has new ICE credentials. */
  restartIce(name: string): void;
  /** `getStats()`, as a list. */
  stats(name: string): Promise<Record<string, unknown>[]>;
  close(name: string): void;
}

declare global {
  var peers: PagePeers;
}

export function installPagePeer(): void {
  const PATIENCE = 20_000;
  const HIGH_WATER = 1024 * 1024;
  const LOW_WATER = 256 * 1024;
  const CHUNK = 64 * 1024;

  /**
   * For how long a channel is left alone once it is known here, ms. Chromium joins one that the other side has opened to its sender
   * in tasks of its own; what a page sent into it right away was lost twice: `send` said nothing, and no packet left.
   */
  const SETTLING = 100;

  interface Line {
    readonly channel: RTCDataChannel;
    /** When it became known here. */
    readonly since: number;
    readonly inbox: (string | ArrayBuffer)[];
    readonly log: string[];
  }
  interface Peer {
    readonly connection: RTCPeerConnection;
    readonly lines: Map<string, Line>;
    readonly candidates: string[];
    gathered: boolean;
  }
  /** What is read of an entry of `getStats()`. */
  interface Stats {
    readonly id: string;
    readonly type: string;
    readonly selected?: boolean;
    readonly selectedCandidatePairId?: string;
    readonly localCandidateId?: string;
    readonly remoteCandidateId?: string;
    readonly candidateType?: string;
    readonly protocol?: string;
    readonly relayProtocol?: string;
  }
  const all = new Map<string, Peer>();

  /** Polls, because one way to wait that is always right beats a listener for each of ten kinds of event. */
  async function until<T>(what: string, look: () => T | undefined, patience = PATIENCE): Promise<T> {
    const start = performance.now();
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() - start > patience)
        throw new Error(`page waited ${String(patience)} ms for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  }

  function peerOf(name: string, configuration: RTCConfiguration = {}): Peer {
    let peer = all.get(name);
    if (peer === undefined) {
      const made: Peer = {
        connection: new RTCPeerConnection(configuration),
        lines: new Map(),
        candidates: [],
        gathered: false,
      };
      made.connection.ondatachannel = ({ channel }) => watch(made, channel);
      made.connection.onicecandidate = ({ candidate }) => {
        if (candidate === null) made.gathered = true;
        else if (candidate.candidate !== '') made.candidates.push(candidate.candidate);
      };
      peer = made;
      all.set(name, peer);
    }
    return peer;
  }

  function watch(peer: Peer, channel: RTCDataChannel): void {
    const line: Line = { channel, since: performance.now(), inbox: [], log: [] };
    channel.binaryType = 'arraybuffer';
    channel.onmessage = (event: MessageEvent<string | ArrayBuffer>) => line.inbox.push(event.data);
    channel.onclosing = () => line.log.push('closing');
    channel.onerror = () => line.log.push('error');
    channel.onclose = () => line.log.push('close');
    peer.lines.set(channel.label, line);
  }

  function createChannels(peer: Peer, channels: readonly PageChannelOptions[]): void {
    for (const { label, ...options } of channels)
      watch(peer, peer.connection.createDataChannel(label, options));
  }

  function lineOf(name: string, label: string): Promise<Line> {
    return until(`the channel "${label}"`, () => peerOf(name).lines.get(label));
  }

  async function openLineOf(name: string, label: string): Promise<Line> {
    const line = await lineOf(name, label);
    try {
      await until(
        `the channel "${label}" to open`,
        () => line.channel.readyState !== 'connecting' || undefined,
      );
    } catch (error) {
      throw new Error(`${String(error)}: ${String(line.inbox.length)} messages have come on it`, {
        cause: error,
      });
    }
    const settling = line.since + SETTLING - performance.now();
    if (settling > 0) await new Promise((resolve) => setTimeout(resolve, settling));
    return line;
  }

  function wire(data: string | ArrayBuffer): WireMessage {
    if (typeof data === 'string') return { text: data };
    return { binary: Array.from(new Uint8Array(data), (byte) => String.fromCharCode(byte)).join('') };
  }

  async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  globalThis.peers = {
    connection(name) {
      return peerOf(name).connection;
    },

    configure(name, configuration) {
      peerOf(name, configuration);
    },

    async offer(name, channels) {
      const peer = peerOf(name);
      createChannels(peer, channels);
      const offer = await peer.connection.createOffer();
      await peer.connection.setLocalDescription(offer);
      return offer.sdp ?? '';
    },

    offerMedia(name, bundlePolicy, kinds, channels) {
      const { connection } = peerOf(name, { bundlePolicy });
      for (const kind of kinds) connection.addTransceiver(kind);
      return this.offer(name, channels);
    },

    async completeDescription(name) {
      const peer = peerOf(name);
      await until('the end of gathering', () => peer.gathered || undefined);
      return peer.connection.localDescription?.sdp ?? '';
    },

    create(name, channels) {
      createChannels(peerOf(name), channels);
    },

    async acceptAnswer(name, sdp) {
      await peerOf(name).connection.setRemoteDescription({ type: 'answer', sdp });
    },

    async answer(name, sdp) {
      const { connection } = peerOf(name);
      await connection.setRemoteDescription({ type: 'offer', sdp });
      const answer = await connection.createAnswer();
      await connection.setLocalDescription(answer);
      return answer.sdp ?? '';
    },

    async candidates(name) {
      const peer = peerOf(name);
      return until('the end of gathering', () => (peer.gathered ? peer.candidates : undefined));
    },

    async addCandidate(name, candidate) {
      await peerOf(name).connection.addIceCandidate({ candidate, sdpMLineIndex: 0 });
    },

    openChannel(name, { label, ...options }) {
      const peer = peerOf(name);
      watch(peer, peer.connection.createDataChannel(label, options));
    },

    async opened(name, label) {
      const { channel } = await openLineOf(name, label);
      if (channel.readyState !== 'open')
        throw new Error(`the channel "${label}" is ${channel.readyState}, not open`);
    },

    async closed(name, label) {
      const { channel, log } = await lineOf(name, label);
      return until(`the channel "${label}" to close`, () => {
        return channel.readyState === 'closed' && log.includes('close') ? log : undefined;
      });
    },

    async describe(name, label) {
      const { channel } = await openLineOf(name, label);
      const { id, ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated } = channel;
      return { id, ordered, maxRetransmits, maxPacketLifeTime, protocol, negotiated };
    },

    async send(name, label, message) {
      const { channel } = await openLineOf(name, label);
      if ('text' in message) channel.send(message.text);
      else channel.send(Uint8Array.from(message.binary, (character) => character.charCodeAt(0)));
    },

    // Whatever its state: of a channel that the other side has opened, Chromium may go on to say `connecting` under load
    // (it posts the change to "open", made meanwhile by its network thread, ahead of the state that it had read before).
    async receive(name, label) {
      const { inbox } = await lineOf(name, label);
      return wire(await until(`a message on "${label}"`, () => inbox.shift()));
    },

    async drain(name, label) {
      const { inbox } = await lineOf(name, label);
      return inbox.splice(0).map(wire);
    },

    async sendBulk(name, label, bytes) {
      const { channel } = await openLineOf(name, label);
      const data = new Uint8Array(bytes);
      let waits = 0;
      channel.bufferedAmountLowThreshold = LOW_WATER;
      for (let at = 0; at < bytes; at += CHUNK) {
        const chunk = crypto.getRandomValues(data.subarray(at, Math.min(at + CHUNK, bytes)));
        if (channel.bufferedAmount + chunk.length > HIGH_WATER) {
          waits++;
          await until(`room in "${label}"`, () => (channel.bufferedAmount <= LOW_WATER ? true : undefined));
        }
        channel.send(chunk);
      }
      return { sha256: await sha256(data), waits };
    },

    async receiveBulk(name, label, bytes) {
      const { inbox } = await lineOf(name, label);
      const data = new Uint8Array(bytes);
      for (let at = 0; at < bytes;) {
        const part = await until(`byte ${String(at)} of ${String(bytes)} on "${label}"`, () => inbox.shift());
        if (typeof part === 'string') throw new Error('a string amid the bytes');
        data.set(new Uint8Array(part), at);
        at += part.byteLength;
      }
      return sha256(data);
    },

    async closeChannel(name, label) {
      (await openLineOf(name, label)).channel.close();
    },

    forget(name, labels) {
      for (const label of labels) peerOf(name).lines.delete(label);
    },

    async stats(name) {
      const report = (await peerOf(name).connection.getStats()) as ReadonlyMap<
        string,
        Record<string, unknown>
      >;
      return [...report.values()];
    },

    async transport(name) {
      const report = (await peerOf(name).connection.getStats()) as ReadonlyMap<string, RTCTransportStats>;
      const stats = [...report.values()].find(({ type }) => type === 'transport');
      if (stats === undefined) throw new Error('no transport in getStats()');
      const { tlsVersion, dtlsCipher, dtlsRole } = stats;
      return { tlsVersion, dtlsCipher, dtlsRole };
    },

    async selectedPair(name) {
      const report = (await peerOf(name).connection.getStats()) as ReadonlyMap<string, Stats>;
      const all = [...report.values()];
      const { selectedCandidatePairId } = all.find(({ type }) => type === 'transport') ?? {};
      // Firefox has no transport in its report; it marks the pair instead.
      const pair = all.find(({ id, selected }) => id === selectedCandidatePairId || selected === true);
      const local = report.get(pair?.localCandidateId ?? '');
      const remote = report.get(pair?.remoteCandidateId ?? '');
      if (local === undefined || remote === undefined) throw new Error('no pair is selected');
      const { relayProtocol } = local;
      return {
        local: {
          type: local.candidateType ?? '',
          protocol: local.protocol ?? '',
          ...(relayProtocol === undefined ? {} : { relayProtocol }),
        },
        remote: { type: remote.candidateType ?? '', protocol: remote.protocol ?? '' },
      };
    },

    restartIce(name) {
      const peer = peerOf(name);
      peer.candidates.length = 0;
      peer.gathered = false;
      peer.connection.restartIce();
    },

    close(name) {
      peerOf(name).connection.close();
    },
  };
}
