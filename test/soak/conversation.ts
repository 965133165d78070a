/**
 * A conversation that faults are thrown at: two connections, a reliable channel with messages both ways, an unreliable
 * one with small ones, one channel closed, ICE restarted by each end, at last the connection. Whatever happens on the way:
 *
 * - what arrives is what was sent, in order and once (reliable), or some of it, none twice (unreliable);
 * - within `PATIENCE` everything has arrived, or both ends have ended by themselves: nothing hangs;
 * - neither end has said anything that the other one must drop;
 * - after a close both ends are closed and the network is quiet.
 *
 * The network asserts the rest after every step: the contract, and each layer's invariants.
 */
import type { DataChannel, RtcEvent } from '../../src/index.ts';
import { Rtc, SeededRandom } from '../../src/index.ts';
import type { Host, PlannedFault } from '../../src/sim/index.ts';
import { applyFaults, Network } from '../../src/sim/index.ts';
import type { NetworkPlan } from '../../src/sim/fast-check/index.ts';
import { nonsenseHeard } from '../cut/blame.ts';
import type { Materials } from '../cut/stage.ts';

/** Virtual milliseconds. */
const PATIENCE = 300_000;
const CLOSING_PATIENCE = 120_000;

/** Bytes of the reliable messages, each way. */
const SIZES = [1, 4000, 100, 20_000, 1, 0, 12_000, 1200, 1100, 2500];
const DATAGRAMS = 12;

/**
 * When ICE is restarted, by one end and the other in turn, virtual milliseconds: in the middle of the conversation, and once
 * faults may have left the connection without a path for long.
 */
const RESTARTS = [700, 4000, 45_000];

/** How long signalling takes, one way. It loses nothing. */
const SIGNALLING = 40;

/** Bytes; all of `SIZES` fits once, and no more than a little besides. */
const SEND_BUFFER = 49_152;

/** Different keys for so many different seeds: the curves are worked out once for each. */
const KEY_SETS = 4;

interface End {
  readonly rtc: Rtc;
  readonly host: Host;
  readonly reliable: number[];
  readonly unreliable: number[];
  /** Channels heard of, by label. */
  readonly channels: Map<string, 'open' | 'closed'>;
  last: RtcEvent | undefined;
}

/** Throws an `Error` about the first thing that is wrong. */
export function converse(materials: Materials, plan: NetworkPlan, faults: readonly PlannedFault[]): void {
  const net = new Network({ seed: plan.seed, record: { datagrams: false, events: false } });
  const ends = [makeEnd(net, materials, plan.seed, 0), makeEnd(net, materials, plan.seed, 1)] as const;
  const [offerer, answerer] = ends;
  net.link(offerer.host, answerer.host, plan);
  const draft = offerer.rtc.negotiation();
  draft.addChannel('reliable');
  const offer = draft.offer();
  offerer.rtc.createChannel('unreliable', { ordered: false, maxRetransmits: 0 });
  offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
  RESTARTS.forEach((at, i) => {
    const [restarting, other] = i % 2 === 0 ? [offerer, answerer] : [answerer, offerer];
    net.after(at, () => restart(net, restarting.rtc, other.rtc));
  });
  applyFaults(net, [offerer.host, answerer.host], faults);

  const run = net.run({ until: () => isSettled(offerer, answerer), limit: PATIENCE });
  if (!isSettled(offerer, answerer)) {
    const states = ends.map(({ rtc, reliable }) => `${rtc.connectionState}, ${reliable.length} messages`);
    throw new Error(`it hangs after ${run.elapsed} ms (${run.reason}): ${states.join(' and ')}`);
  }
  for (const end of ends) checkReceived(end);

  offerer.rtc.close();
  net.run({ until: () => ends.every(hasClosed), limit: CLOSING_PATIENCE });
  if (!ends.every(hasClosed)) throw new Error(`not closed ${CLOSING_PATIENCE} ms after close()`);
  const rest = net.run({ limit: CLOSING_PATIENCE });
  if (rest.reason !== 'quiescent') throw new Error(`not quiet after both ends have closed: ${rest.reason}`);
}

/** An end that is over takes no part in it. */
function restart(net: Network, restarting: Rtc, other: Rtc): void {
  if (restarting.signalingState !== 'stable') return;
  restarting.restartIce();
  const offer = restarting.negotiation().offer();
  net.after(SIGNALLING, () => {
    if (other.signalingState !== 'stable') return;
    const answer = other.receiveOffer(offer.sdp).answer();
    net.after(SIGNALLING, () => {
      if (restarting.signalingState === 'have-local-offer') offer.accept(answer);
    });
  });
}

function makeEnd(net: Network, materials: Materials, seed: number, index: 0 | 1): End {
  const address = `192.0.2.${index + 1}`;
  const rtc = new Rtc({
    certificate: materials.certificates[index],
    crypto: materials.provider,
    random: new SeededRandom(seed % KEY_SETS).split(address),
    sctp: { sendBuffer: SEND_BUFFER },
  });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
  const host = net.host(address, { name: index === 0 ? 'first' : 'second' });
  const end: End = { rtc, host, reliable: [], unreliable: [], channels: new Map(), last: undefined };
  const peer = host.attach(rtc, { port: 5000, onEvent: ({ event }) => note(end, event, talk) });
  const talk = (channel: DataChannel): void => {
    if (channel.label === 'reliable') {
      SIZES.forEach((size, i) => channel.send(new Uint8Array(size + 1).fill(i)));
      if (channel.send(new Uint8Array(20_000))) throw new Error('more was taken than the send buffer holds');
    } else if (channel.origin === 'local') {
      for (let i = 0; i < DATAGRAMS; i++) {
        peer.after(i * 100, () => {
          if (channel.readyState === 'open') channel.send(Uint8Array.of(i));
        });
      }
      peer.after(DATAGRAMS * 100, () => channel.close());
    }
  };
  return end;
}

function note(end: End, event: RtcEvent, talk: (channel: DataChannel) => void): void {
  end.last = event;
  switch (event.type) {
    case 'channelopen':
    case 'datachannel':
      end.channels.set(event.channel.label, 'open');
      // The peer's reset may have come with its OPEN.
      if (event.channel.readyState === 'open') talk(event.channel);
      break;
    case 'message': {
      const { data, channel } = event;
      if (typeof data === 'string') throw new Error('text arrived, bytes were sent');
      const list = channel.label === 'reliable' ? end.reliable : end.unreliable;
      const number = data[0] ?? -1;
      list.push(number);
      const expected = channel.label === 'reliable' ? (SIZES[number] ?? -1) + 1 : 1;
      if (data.length !== expected || data.some((byte) => byte !== number))
        throw new Error('a message was garbled');
      break;
    }
    case 'channelclose':
      end.channels.set(event.channel.label, 'closed');
      break;
    default:
      break;
  }
}

/** Each channel has done what it was for, or has ended: by `openAck`, when its OPEN was lost for too long. */
function isSettled(offerer: End, answerer: End): boolean {
  if (hasClosed(offerer) || hasClosed(answerer)) return hasClosed(offerer) && hasClosed(answerer);
  const hasEnded = (label: string): boolean =>
    offerer.channels.get(label) === 'closed' && answerer.channels.get(label) !== 'open';
  const isComplete = [offerer, answerer].every(({ reliable }) => reliable.length >= SIZES.length);
  return (isComplete || hasEnded('reliable')) && hasEnded('unreliable');
}

function hasClosed(end: End): boolean {
  return end.last?.type === 'closed';
}

function checkReceived({ rtc, reliable, unreliable }: End): void {
  const nonsense = nonsenseHeard(rtc);
  if (nonsense !== undefined) throw new Error(nonsense);
  const ordered = reliable.every((number, i) => number === i) && reliable.length <= SIZES.length;
  if (!ordered) throw new Error(`reliable messages arrived as ${reliable.join(' ')}`);
  if (new Set(unreliable).size < unreliable.length) {
    throw new Error(`an unreliable message arrived twice: ${unreliable.join(' ')}`);
  }
}
