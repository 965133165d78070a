/**
 * Two connections on a network, the way users have them: an `Rtc` of its own, and one behind an `Endpoint`. Each event
 * is kept, and everything that must hold at the end can be asked.
 */
import type { Certificate, CryptoProvider, DataChannel, RtcEvent } from '../../src/index.ts';
import { Endpoint, jsCrypto, Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import type { Host } from '../../src/sim/index.ts';
import { memoizedCrypto, Network } from '../../src/sim/index.ts';

/** One end of a stage. */
export interface StageEnd {
  readonly rtc: Rtc;
  readonly host: Host;
  readonly events: RtcEvent[];
  /** By label: channels that have been open. */
  readonly channels: Map<string, DataChannel>;
  /** Labels of channels on which it says `hello` as soon as they are open. */
  readonly greets: Set<string>;
  /** By label: whole messages, in the order of arrival. */
  readonly messages: Map<string, (string | Uint8Array)[]>;
}

const KINDS = ['audio', 'video'] as const;

export interface Stage {
  readonly net: Network;
  readonly ends: readonly [Host, Host];
  readonly offerer: StageEnd;
  readonly answerer: StageEnd;
}

export interface Cast {
  readonly crypto: Materials;
  /** Which of the two makes the offer. */
  readonly offerer: 'rtc' | 'endpoint';
  /** Which sends the ClientHello. */
  readonly dtlsClient: 'offerer' | 'answerer';
  /** Audio and video are agreed on beside data, both ways. */
  readonly hasMedia?: boolean;
}

/** A crypto provider with two certificates of its making, shared by every stage. */
export interface Materials {
  readonly name: string;
  readonly provider: CryptoProvider;
  readonly certificates: readonly [Certificate, Certificate];
}

export const materials: Readonly<Record<'js' | 'node', () => Materials>> = {
  js: () => prepare('js', jsCrypto()),
  node: () => prepare('node', nodeCrypto()),
};

function prepare(name: string, pure: CryptoProvider): Materials {
  const provider = memoizedCrypto(pure);
  const certificate = (seed: number): Certificate =>
    selfSignedCertificate({ random: new SeededRandom(seed), crypto: provider });
  return { name, provider, certificates: [certificate(1), certificate(2)] };
}

/** Both ends have exchanged offer and answer; the offerer has created a channel `chat`. */
export function setStage(seed: number, { crypto, offerer, dtlsClient, hasMedia = false }: Cast): Stage {
  const net = new Network({ seed, defaults: { latency: 10 }, record: { datagrams: false, events: false } });
  const makeEnd = (index: 0 | 1, offers: boolean): StageEnd => {
    const address = `192.0.2.${index + 1}`;
    const rtc = new Rtc({
      certificate: crypto.certificates[index],
      crypto: crypto.provider,
      random: new SeededRandom(seed).split(address),
      media: hasMedia ? rtpMedia() : undefined,
      // The answerer decides: RFC 8842 §5.3 has it answer `active` to `actpass` unless it is told otherwise.
      setup: !offers && dtlsClient === 'offerer' ? 'passive' : 'auto',
    });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
    const host = net.host(address, { name: index === 0 ? 'rtc' : 'endpoint' });
    return { rtc, host, events: [], channels: new Map(), greets: new Set(), messages: new Map() };
  };
  const bare = makeEnd(0, offerer === 'rtc');
  const behind = makeEnd(1, offerer === 'endpoint');
  const endpoint = new Endpoint();
  endpoint.add(behind.rtc);
  bare.host.attach(bare.rtc, { port: 5000, onEvent: ({ event }) => note(bare, event) });
  behind.host.attach(endpoint, { port: 5000, onEvent: ({ event }) => note(behind, event) });
  const [offering, answering] = offerer === 'rtc' ? [bare, behind] : [behind, bare];
  const draft = offering.rtc.negotiation();
  draft.addChannel('chat');
  if (hasMedia) for (const kind of KINDS) draft.addMedia(kind, { direction: 'sendrecv' });
  const offer = draft.offer();
  const received = answering.rtc.receiveOffer(offer.sdp);
  for (const one of received.media) one.direction = 'sendrecv';
  offer.accept(received.answer());
  return { net, ends: [bare.host, behind.host], offerer: offering, answerer: answering };
}

/** As `setStage`, and the channel `chat` is open at both ends. */
export function setOpenStage(seed: number, cast: Cast): Stage {
  const stage = setStage(seed, cast);
  const run = stage.net.run({ until: () => isOpen(stage, 'chat'), limit: 10_000 });
  if (run.reason !== 'condition') throw new Error(`the channel did not open: ${run.reason}`);
  return stage;
}

export function isOpen(stage: Stage, label: string): boolean {
  return stage.offerer.channels.has(label) && stage.answerer.channels.has(label);
}

export function hasClosed(end: StageEnd): boolean {
  return end.events.at(-1)?.type === 'closed';
}

/** Why an end closed: the failure's code, `undefined` while it lives. */
export function closedBy(end: StageEnd): Extract<RtcEvent, { type: 'closed' }>['reason'] | undefined {
  const last = end.events.at(-1);
  return last?.type === 'closed' ? last.reason : undefined;
}

function note(end: StageEnd, event: RtcEvent): void {
  end.events.push(event);
  if (event.type === 'datachannel' || event.type === 'channelopen') {
    end.channels.set(event.channel.label, event.channel);
    if (end.greets.has(event.channel.label)) event.channel.send('hello');
  } else if (event.type === 'message') {
    const { label } = event.channel;
    const list = end.messages.get(label);
    if (list === undefined) end.messages.set(label, [event.data]);
    else list.push(event.data);
  }
}
