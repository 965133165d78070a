/** The library behind the verbs of `contract.ts`: connections of one driver, each under a name. */
import type { Connection, Host } from '../browser/host.ts';
import type { PagePair } from '../browser/page-peer.ts';
import type { IceServer } from '../../src/gather/index.ts';
import type {
  RTCIceCandidatePairStats,
  RTCIceCandidateStats,
  RTCTransportStats,
  RtcOptions,
} from '../../src/rtc.ts';
import { peerOver, type ForeignPeer } from './contract.ts';

interface Peer {
  readonly connection: Connection;
  readonly servers: readonly IceServer[];
  /** Its latest description, with every candidate that it had. */
  description: string;
  accept: ((answer: string) => void) | undefined;
}

export class SansrtcPeers {
  readonly #host: Host;
  readonly #options: Partial<RtcOptions>;
  readonly #peers = new Map<string, Peer>();

  /** @param options of every connection. */
  constructor(host: Host, options: Partial<RtcOptions> = {}) {
    this.#host = host;
    this.#options = options;
  }

  /** The verbs. */
  get peer(): ForeignPeer {
    const verbs = this.#verbs();
    return peerOver(async (verb, args) => {
      const answer = verbs[verb] as ((...all: never[]) => unknown) | undefined;
      if (answer === undefined) throw new Error(`the library's peers have no "${verb}"`);
      return await answer(...(args as never[]));
    });
  }

  connection(name: string): Connection {
    return this.#peer(name).connection;
  }

  #peer(name: string): Peer {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new Error(`"${name}" has not been configured`);
    return peer;
  }

  async #configure(name: string, configuration: RTCConfiguration): Promise<void> {
    const { iceServers = [], iceTransportPolicy: transportPolicy } = configuration;
    const ice = { ...this.#options.ice, transportPolicy };
    const connection = this.#host.connection({ ...this.#options, ice });
    const servers = iceServers.map(({ urls, username, credential }) => ({ urls, username, credential }));
    this.#peers.set(name, { connection, servers, description: '', accept: undefined });
    await this.#gather(name);
  }

  /** With every server's answer, so that descriptions have all candidates in them. */
  async #gather(name: string): Promise<void> {
    const { connection, servers } = this.#peer(name);
    if (servers.length > 0) await this.#host.driver.gather(connection.rtc, { iceServers: servers });
  }

  #verbs(): Partial<{ [V in keyof ForeignPeer]: (...args: Parameters<ForeignPeer[V]>) => unknown }> {
    const connection = (name: string): Connection => this.connection(name);
    return {
      configure: (name, configuration) => this.#configure(name, configuration),
      offer: (name, channels) => {
        const peer = this.#peer(name);
        const draft = peer.connection.rtc.negotiation();
        for (const { label, ...options } of channels) draft.addChannel(label, options);
        const offer = draft.offer();
        peer.description = offer.sdp;
        peer.accept = (answer) => {
          offer.accept(answer);
        };
        return offer.sdp;
      },
      answer: (name, sdp) => {
        const peer = this.#peer(name);
        return (peer.description = peer.connection.rtc.receiveOffer(sdp).answer());
      },
      completeDescription: (name) => this.#peer(name).description,
      acceptAnswer: (name, sdp) => this.#peer(name).accept?.(sdp),
      addCandidate: (name, candidate) => {
        connection(name).rtc.addRemoteCandidate(candidate);
      },
      openChannel: (name, { label, ...options }) => void connection(name).rtc.createChannel(label, options),
      opened: async (name, label) => {
        await connection(name).opened(label);
      },
      closed: (name, label) => connection(name).channelClosed(label),
      send: (name, label, message) => connection(name).send(label, message),
      receive: (name, label) => connection(name).receive(label),
      drain: (name, label) => connection(name).drain(label),
      sendBulk: (name, label, bytes) => connection(name).sendBulk(label, bytes),
      receiveBulk: (name, label, bytes) => connection(name).receiveBulk(label, bytes),
      restartIce: (name) => {
        connection(name).rtc.restartIce();
      },
      selectedPair: (name) => selectedPair(connection(name)),
      close: (name) => connection(name).rtc.close(),
    };
  }
}

/** As a page's peer reads it of its own `getStats()`. */
function selectedPair({ rtc }: Connection): PagePair {
  const report = rtc.getStats();
  const transport = [...report.values()].find(({ type }) => type === 'transport') as RTCTransportStats;
  const pair = report.get(transport.selectedCandidatePairId ?? '') as RTCIceCandidatePairStats | undefined;
  const [local, remote] = [pair?.localCandidateId, pair?.remoteCandidateId].map(
    (id) => report.get(id ?? '') as RTCIceCandidateStats | undefined,
  );
  if (local === undefined || remote === undefined) throw new Error('no pair is selected');
  const { relayProtocol } = local;
  return {
    local: {
      type: local.candidateType,
      protocol: local.protocol,
      ...(relayProtocol === undefined ? {} : { relayProtocol }),
    },
    remote: { type: remote.candidateType, protocol: remote.protocol },
  };
}
