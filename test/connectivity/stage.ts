/**
 * Two agents, each behind what stands between it and the internet, and a STUN and TURN server in the open: the stage of the table
 * of who connects with whom. Signalling takes no time and no packets; candidates are trickled as they are found.
 */
import type { DataChannel, RtcEvent, RtcOptions } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom, jsCrypto } from '../../src/index.ts';
import type { IceCandidate } from '../../src/ice/index.ts';
import type { Host, Nat, NatOptions } from '../../src/sim/index.ts';
import { NAT_KINDS, Network, SimTurnServer, memoizedCrypto } from '../../src/sim/index.ts';
import { certificates } from '../rtc/pair.ts';

export type Family = 4 | 6;
export type NatKind = 'none' | 'full cone' | 'port restricted' | 'symmetric';

/** What an agent finds out about itself, and what is between it and the internet. */
export interface AgentSetting {
  readonly nat: NatKind;
  readonly lite: boolean;
  /** `host`: its own addresses alone; `srflx`: a STUN server, too; `relay`: a TURN server, too. */
  readonly finds: 'host' | 'srflx' | 'relay';
  /** Its NAT lets no UDP out. */
  readonly udpBlocked?: boolean;
  /** It listens on TCP, or connects by it. */
  readonly tcp?: 'passive' | 'active' | 'so';
  /** It is told the addresses that its peer's checks came from, and nothing else: its peer tells no candidates. */
  readonly silent?: boolean;
  /** Its own address becomes known later: `revealHost`. */
  readonly hostLater?: boolean;
  readonly options?: Partial<RtcOptions>;
}

export interface Setting {
  readonly seed: number;
  readonly family: Family;
  readonly offerer: AgentSetting;
  readonly answerer: AgentSetting;
}

/** One agent, as the table looks at it. */
export interface Agent {
  readonly rtc: Rtc;
  readonly endpoint: Endpoint;
  readonly host: Host;
  readonly nat: Nat | undefined;
  readonly events: { readonly at: number; readonly event: RtcEvent }[];
  readonly channels: Map<string, DataChannel>;
  readonly messages: (string | Uint8Array)[];
  onCandidate: ((candidate: IceCandidate) => void) | undefined;
}

export interface Stage {
  readonly net: Network;
  readonly turn: SimTurnServer;
  readonly turnHost: Host;
  readonly offerer: Agent;
  readonly answerer: Agent;
  /** When the last description was taken, virtual milliseconds. */
  readonly describedAt: number;
}

/** One way, milliseconds: every link has the same. */
export const LATENCY = 20;
export const ROUND_TRIP = 2 * LATENCY;
export const PORT = 5000;
export const USER = { username: 'user', credential: 'secret' } as const;

const ADDRESSES = {
  4: {
    offerer: { own: '10.0.1.2', open: '192.0.2.1', nat: '198.51.100.1' },
    answerer: { own: '10.0.2.2', open: '192.0.2.2', nat: '198.51.100.2' },
    turn: '203.0.113.9',
  },
  6: {
    offerer: { own: 'fd00:1::2', open: '2001:db8::1', nat: '2001:db8:1::1' },
    answerer: { own: 'fd00:2::2', open: '2001:db8::2', nat: '2001:db8:2::1' },
    turn: '2001:db8:9::9',
  },
} as const;

const NATS: Readonly<Record<Exclude<NatKind, 'none'>, NatOptions>> = {
  'full cone': NAT_KINDS.fullCone,
  'port restricted': NAT_KINDS.portRestrictedCone,
  symmetric: NAT_KINDS.symmetric,
};

const crypto = memoizedCrypto(jsCrypto());

/** Sets the stage, signals, and lets nothing run yet. */
export function setStage(setting: Setting): Stage {
  const { seed, family } = setting;
  const net = new Network({ seed, defaults: { latency: LATENCY }, record: { datagrams: false } });
  const turnAddress = ADDRESSES[family].turn;
  const turnHost = net.host(turnAddress, { name: 'turn' });
  const turn = new SimTurnServer({ address: turnAddress, users: { [USER.username]: USER.credential } });
  turnHost.attach(turn);
  net.name('turn.example', [turnAddress]);
  const offerer = makeAgent(net, setting, 'offerer');
  const answerer = makeAgent(net, setting, 'answerer');
  trickle(offerer, setting.offerer, answerer);
  trickle(answerer, setting.answerer, offerer);

  gather(offerer, setting.offerer);
  gather(answerer, setting.answerer);
  const draft = offerer.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  const answer = answerer.rtc.receiveOffer(told(offer.sdp, setting.offerer)).answer();
  offer.accept(told(answer, setting.answerer));
  return { net, turn, turnHost, offerer, answerer, describedAt: net.now };
}

/** The peer is told of candidates as they are found, unless this end keeps them to itself. */
function trickle(from: Agent, { silent }: AgentSetting, to: Agent): void {
  if (silent === true) return;
  from.onCandidate = (candidate) => {
    to.rtc.addRemoteCandidate(candidate);
  };
}

/** A description as it is told: without candidates where the agent keeps them to itself. */
function told(sdp: string, { silent }: AgentSetting): string {
  return silent === true ? sdp.replaceAll(/^a=(candidate|end-of-candidates).*\r\n/gm, '') : sdp;
}

function gather(agent: Agent, setting: AgentSetting): void {
  agent.endpoint.gather(agent.rtc, { iceServers: iceServers(setting) });
}

/** The agent's own address comes up, and its peer is told. */
export function revealHost({ rtc, host }: Agent, to: Agent): void {
  to.rtc.addRemoteCandidate(
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: host.address, port: PORT }),
  );
}

/** Servers in the shape that applications give them. */
export function iceServers({
  finds,
  udpBlocked,
}: AgentSetting): { urls: string; username?: string; credential?: string }[] {
  if (finds === 'host') return [];
  if (finds === 'srflx') return [{ urls: 'stun:turn.example' }];
  const transport = udpBlocked === true ? 'tcp' : 'udp';
  return [{ urls: `turn:turn.example?transport=${transport}`, ...USER }];
}

function makeAgent(net: Network, { seed, family, ...setting }: Setting, name: 'offerer' | 'answerer'): Agent {
  const { nat: kind, lite, tcp, udpBlocked, hostLater, options } = setting[name];
  const addresses = ADDRESSES[family][name];
  const nat =
    kind === 'none'
      ? undefined
      : net.nat(addresses.nat, { name: `${name}'s NAT`, ...NATS[kind], udp: udpBlocked !== true });
  const address = nat === undefined ? addresses.open : addresses.own;
  const host = net.host(address, { name, behind: nat });
  const index = name === 'offerer' ? 0 : 1;
  const rtc = new Rtc({
    certificate: certificates[index],
    crypto,
    random: new SeededRandom(seed * 2 + index),
    iceLite: lite,
    ...options,
  });
  const endpoint = new Endpoint();
  endpoint.add(rtc);
  endpoint.addSocket({ protocol: 'udp', address, port: PORT });
  if (hostLater !== true) rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: PORT });
  if (tcp !== undefined) {
    const base = { address, port: PORT };
    rtc.addLocalCandidate({ type: 'host', protocol: 'tcp', tcpType: tcp, ...base, base });
  }
  const agent: Agent = {
    rtc,
    endpoint,
    host,
    nat,
    events: [],
    channels: new Map(),
    messages: [],
    onCandidate: undefined,
  };
  host.attach(endpoint, {
    port: PORT,
    onEvent: ({ at, event }) => {
      agent.events.push({ at, event });
      if (event.type === 'datachannel' || event.type === 'channelopen')
        agent.channels.set(event.channel.label, event.channel);
      else if (event.type === 'message') agent.messages.push(event.data);
      else if (event.type === 'icecandidate') agent.onCandidate?.(event.candidate);
    },
  });
  return agent;
}
