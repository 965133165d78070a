/**
 * The page's audio and video: transceivers, and descriptions of every type, on the connections of `page-peer.ts`.
 *
 * `installPageMedia` is sent to the page as source, after `installPagePeer`, so it refers to nothing outside itself but that.
 */
/** What `addTransceiver` is told. */
export interface PageTransceiverInit {
  readonly direction?: RTCRtpTransceiverDirection;
  /** It sends what the fake camera or microphone gives. Default: it has no track, and sends nothing. */
  readonly track?: boolean;
  /** What the camera is to give. Default: as little as can be. */
  readonly picture?: PagePicture;
  /** It sends this many encodings at once, each half as large as the one after it. Default: one plain stream. */
  readonly rids?: readonly string[];
}

/** What a camera gives, as constraints. */
export interface PagePicture {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** A codec as `getCapabilities()` has it. */
export interface PageCapability {
  readonly mimeType: string;
  readonly clockRate: number;
  readonly channels?: number;
  readonly sdpFmtpLine?: string;
}

/** A codec as `getParameters()` has it. */
export interface PageCodec {
  readonly payloadType: number;
  readonly mimeType: string;
  readonly clockRate: number;
}

/** A transceiver as the page sees it. */
export interface PageTransceiver {
  readonly kind: 'audio' | 'video';
  readonly mid: string | null;
  readonly direction: RTCRtpTransceiverDirection;
  readonly currentDirection: RTCRtpTransceiverDirection | null;
  /** It is no more among `getTransceivers()`. */
  readonly isGone: boolean;
  readonly sends: readonly PageCodec[];
  /** `undefined` where the browser has no `getParameters` on receivers. */
  readonly receives: readonly PageCodec[] | undefined;
  /** Of what it sends; none for one plain stream. */
  readonly rids: readonly string[];
}

/** What is played of one source, as `getStats()` counts it; 0 for what it does not count. */
export interface PagePlayed {
  readonly mid: string;
  readonly kind: 'audio' | 'video';
  readonly mimeType: string;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly nackCount: number;
  readonly pliCount: number;
  readonly framesDecoded: number;
  readonly keyFramesDecoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly freezeCount: number;
  /** Seconds. */
  readonly totalFreezesDuration: number;
  readonly totalSamplesReceived: number;
  readonly concealedSamples: number;
  readonly totalAudioEnergy: number;
}

/** What one end tells the other while it negotiates by itself; candidates are in the descriptions. */
export interface PageSignal {
  readonly description: { readonly type: RTCSdpType; readonly sdp: string };
}

/** What a connection says of its states. */
export interface PageStates {
  readonly signaling: RTCSignalingState;
  readonly ice: RTCIceConnectionState;
  readonly connection: RTCPeerConnectionState;
}

/** What a test may ask of the media of the peer called `name`. A transceiver is known by its number: the first to be is 0. */
export interface PageMedia {
  /** Its number. */
  add(name: string, kind: 'audio' | 'video', init?: PageTransceiverInit): Promise<number>;
  /** What the peer has offered is given tracks to send. */
  sendTracks(name: string): Promise<void>;
  setDirection(name: string, number: number, direction: RTCRtpTransceiverDirection): void;
  stop(name: string, number: number): void;
  /** `setCodecPreferences` with what the browser can do of these, in this order. */
  setCodecs(name: string, number: number, mimeTypes: readonly string[]): void;
  /** What the browser can send. */
  capabilities(kind: 'audio' | 'video'): PageCapability[];
  /** `setCodecPreferences` with this codec, and what sends it again. */
  setCodec(name: string, number: number, codec: PageCapability): void;
  /** Whatever comes is played, from now on. */
  play(name: string): void;
  /** What has come, a row for each source. */
  played(name: string): Promise<PagePlayed[]>;
  /** All that have been, in the order in which they came to be. */
  transceivers(name: string): PageTransceiver[];
  states(name: string): PageStates;
  createOffer(name: string): Promise<string>;
  createAnswer(name: string): Promise<string>;
  /** `setLocalDescription`; what the local description is then. */
  setLocal(name: string, description?: RTCLocalSessionDescriptionInit): Promise<string>;
  setRemote(name: string, description: RTCSessionDescriptionInit): Promise<void>;
  /** From now on it negotiates by itself whenever it needs to, by W3C's "perfect negotiation". */
  negotiate(name: string, polite: boolean): void;
  /** What it has told since it was asked last. */
  takeSignals(name: string): PageSignal[];
  handleSignal(name: string, signal: PageSignal): Promise<void>;
}

const VERBS = [
  'add',
  'sendTracks',
  'setDirection',
  'stop',
  'setCodecs',
  'capabilities',
  'setCodec',
  'play',
  'played',
  'transceivers',
  'states',
  'createOffer',
  'createAnswer',
  'setLocal',
  'setRemote',
  'negotiate',
  'takeSignals',
  'handleSignal',
] as const satisfies readonly (keyof PageMedia)[];

type Verb = (typeof VERBS)[number];

/** The same, asked from outside the page. */
export type PageMediaPeer = {
  readonly [V in Verb]: (...args: Parameters<PageMedia[V]>) => Promise<Awaited<ReturnType<PageMedia[V]>>>;
};

/** The verbs, carried by whatever leads to the page. */
export function mediaOver(call: (verb: Verb, args: readonly unknown[]) => Promise<unknown>): PageMediaPeer {
  const verbs = VERBS.map((verb) => [verb, (...args: readonly unknown[]) => call(verb, args)] as const);
  return Object.fromEntries(verbs) as unknown as PageMediaPeer;
}

declare global {
  var pageMedia: PageMedia;
}

export function installPageMedia(): void {
  /** Small and slow: what is in the pictures is nobody's business here, and encoding them is work. */
  const PICTURE = { width: 160, height: 120, frameRate: 5 };

  /** What is read of an entry of `getStats()`, besides its numbers. */
  interface Stats extends Record<string, unknown> {
    readonly type: string;
    readonly codecId?: string;
    readonly mimeType?: string;
  }

  interface Negotiator {
    readonly polite: boolean;
    readonly signals: PageSignal[];
    makesOffer: boolean;
  }

  const known = new Map<string, RTCRtpTransceiver[]>();
  const negotiators = new Map<string, Negotiator>();
  /** What the devices give, by the picture that was asked for. */
  const streams = new Map<string, Promise<MediaStream>>();

  async function trackOf(kind: 'audio' | 'video', picture: PagePicture = PICTURE): Promise<MediaStreamTrack> {
    const key = JSON.stringify(picture);
    const stream = streams.get(key) ?? navigator.mediaDevices.getUserMedia({ audio: true, video: picture });
    streams.set(key, stream);
    const track = (await stream).getTracks().find((one) => one.kind === kind);
    if (track === undefined) throw new Error(`the fake devices give no ${kind}`);
    return track.clone();
  }

  /** All that have been: `getTransceivers()` leaves out those that have been stopped. */
  function transceiversOf(name: string): RTCRtpTransceiver[] {
    const all = known.get(name) ?? [];
    known.set(name, all);
    for (const one of peers.connection(name).getTransceivers()) if (!all.includes(one)) all.push(one);
    return all;
  }

  function transceiverOf(name: string, number: number): RTCRtpTransceiver {
    const found = transceiversOf(name)[number];
    if (found === undefined) throw new Error(`there is no transceiver ${String(number)}`);
    return found;
  }

  function codecs({ codecs: all }: RTCRtpParameters): PageCodec[] {
    return all.map(({ payloadType, mimeType, clockRate }) => ({ payloadType, mimeType, clockRate }));
  }

  function negotiatorOf(name: string): Negotiator {
    const found = negotiators.get(name);
    if (found === undefined) throw new Error(`${name} does not negotiate by itself`);
    return found;
  }

  function localDescription(name: string): PageSignal['description'] {
    const { localDescription: made } = peers.connection(name);
    return { type: made?.type ?? 'rollback', sdp: made?.sdp ?? '' };
  }

  globalThis.pageMedia = {
    async add(name, kind, { direction = 'sendrecv', track = false, picture, rids = [] } = {}) {
      const scaled = (at: number): number => 2 ** (rids.length - 1 - at);
      peers.connection(name).addTransceiver(track ? await trackOf(kind, picture) : kind, {
        direction,
        ...(rids.length === 0
          ? {}
          : { sendEncodings: rids.map((rid, at) => ({ rid, scaleResolutionDownBy: scaled(at) })) }),
      });
      return transceiversOf(name).length - 1;
    },

    async sendTracks(name) {
      const connection = peers.connection(name);
      for (const { receiver } of connection.getTransceivers())
        connection.addTrack(await trackOf(receiver.track.kind as 'audio' | 'video'));
    },

    setDirection(name, number, direction) {
      transceiverOf(name, number).direction = direction;
    },

    stop(name, number) {
      transceiverOf(name, number).stop();
    },

    setCodecs(name, number, mimeTypes) {
      const transceiver = transceiverOf(name, number);
      const all = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind)?.codecs ?? [];
      transceiver.setCodecPreferences(
        mimeTypes.flatMap((wanted) => all.filter(({ mimeType }) => mimeType === wanted)),
      );
    },

    capabilities(kind) {
      return (RTCRtpSender.getCapabilities(kind)?.codecs ?? []).map(
        ({ mimeType, clockRate, channels, sdpFmtpLine }) => ({
          mimeType,
          clockRate,
          ...(channels === undefined ? {} : { channels }),
          ...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
        }),
      );
    },

    setCodec(name, number, { mimeType, clockRate, sdpFmtpLine }) {
      const transceiver = transceiverOf(name, number);
      const all = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind)?.codecs ?? [];
      const wanted = all.filter(
        (one) => one.mimeType === mimeType && one.clockRate === clockRate && one.sdpFmtpLine === sdpFmtpLine,
      );
      const rtx = all.filter((one) => one.mimeType.toLowerCase() === 'video/rtx');
      transceiver.setCodecPreferences([...wanted, ...(wanted.length === 0 ? [] : rtx)]);
    },

    play(name) {
      const connection = peers.connection(name);
      const start = (track: MediaStreamTrack): void => {
        const element = document.createElement('video');
        element.srcObject = new MediaStream([track]);
        element.autoplay = true;
        // A page may be silent without having been clicked on.
        element.muted = track.kind === 'video';
        document.body.append(element);
        void element.play().catch(() => undefined);
        track.onended = () => element.remove();
      };
      for (const { receiver } of connection.getTransceivers()) start(receiver.track);
      connection.ontrack = ({ track }) => start(track);
    },

    async played(name) {
      const found: PagePlayed[] = [];
      for (const { mid, receiver } of peers.connection(name).getTransceivers()) {
        if (mid === null) continue;
        const report = (await receiver.getStats()) as ReadonlyMap<string, Stats>;
        for (const stats of report.values()) {
          if (stats.type !== 'inbound-rtp') continue;
          const count = (key: string): number => (typeof stats[key] === 'number' ? stats[key] : 0);
          const codec = report.get(stats.codecId ?? '');
          found.push({
            mid,
            kind: receiver.track.kind as 'audio' | 'video',
            mimeType: codec?.mimeType ?? '',
            packetsReceived: count('packetsReceived'),
            packetsLost: count('packetsLost'),
            nackCount: count('nackCount'),
            pliCount: count('pliCount'),
            framesDecoded: count('framesDecoded'),
            keyFramesDecoded: count('keyFramesDecoded'),
            frameWidth: count('frameWidth'),
            frameHeight: count('frameHeight'),
            freezeCount: count('freezeCount'),
            totalFreezesDuration: count('totalFreezesDuration'),
            totalSamplesReceived: count('totalSamplesReceived'),
            concealedSamples: count('concealedSamples'),
            totalAudioEnergy: count('totalAudioEnergy'),
          });
        }
      }
      return found;
    },

    transceivers(name) {
      const living = peers.connection(name).getTransceivers();
      return transceiversOf(name).map((one) => {
        const receiver: Partial<Pick<RTCRtpReceiver, 'getParameters'>> = one.receiver;
        const parameters = one.sender.getParameters();
        const received = receiver.getParameters === undefined ? undefined : one.receiver.getParameters();
        return {
          kind: one.receiver.track.kind as 'audio' | 'video',
          mid: one.mid,
          direction: one.direction,
          currentDirection: one.currentDirection,
          isGone: !living.includes(one),
          sends: codecs(parameters),
          receives: received === undefined ? undefined : codecs(received),
          rids: parameters.encodings.flatMap(({ rid }) => (rid === undefined ? [] : [rid])),
        };
      });
    },

    states(name) {
      const { signalingState, iceConnectionState, connectionState } = peers.connection(name);
      return { signaling: signalingState, ice: iceConnectionState, connection: connectionState };
    },

    async createOffer(name) {
      return (await peers.connection(name).createOffer()).sdp ?? '';
    },

    async createAnswer(name) {
      return (await peers.connection(name).createAnswer()).sdp ?? '';
    },

    async setLocal(name, description) {
      await peers.connection(name).setLocalDescription(description);
      return localDescription(name).sdp;
    },

    async setRemote(name, description) {
      await peers.connection(name).setRemoteDescription(description);
    },

    negotiate(name, polite) {
      const connection = peers.connection(name);
      const negotiator: Negotiator = { polite, signals: [], makesOffer: false };
      negotiators.set(name, negotiator);
      connection.onnegotiationneeded = async () => {
        negotiator.makesOffer = true;
        try {
          await connection.setLocalDescription();
          negotiator.signals.push({ description: localDescription(name) });
        } finally {
          negotiator.makesOffer = false;
        }
      };
    },

    takeSignals(name) {
      return negotiatorOf(name).signals.splice(0);
    },

    async handleSignal(name, { description }) {
      const connection = peers.connection(name);
      const negotiator = negotiatorOf(name);
      const collides =
        description.type === 'offer' && (negotiator.makesOffer || connection.signalingState !== 'stable');
      if (collides && !negotiator.polite) return;
      await connection.setRemoteDescription(description);
      if (description.type !== 'offer') return;
      await connection.setLocalDescription();
      negotiator.signals.push({ description: localDescription(name) });
    },
  };
}
