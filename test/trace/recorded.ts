/** Two recorded connections on a simulated network, signalled by hand. */
import type { DataChannel, Output, RtcEvent } from '../../src/index.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import { Network } from '../../src/sim/index.ts';
import type { RecordOptions, Recording, Trace } from '../../src/trace/index.ts';
import { recordRtc } from '../../src/trace/index.ts';

export interface RecordedEnd extends Recording {
  readonly events: RtcEvent[];
  /** Whole messages, in order. */
  readonly messages: (string | Uint8Array)[];
  readonly trace: Trace;
}

export interface RecordedPair {
  readonly net: Network;
  readonly offerer: RecordedEnd;
  readonly answerer: RecordedEnd;
  readonly chat: DataChannel;
}

/** The offerer has created a channel `chat`; nothing has travelled yet. */
export function recordedPair(
  seed: number,
  conditions: LinkConditions = {},
  options: RecordOptions = {},
): RecordedPair {
  const net = new Network({ seed, defaults: conditions, record: { bytes: true } });
  const offerer = recordedEnd(net, '192.0.2.1', { ...options, seed: seed * 2 });
  const answerer = recordedEnd(net, '192.0.2.2', { ...options, seed: seed * 2 + 1 });
  const draft = offerer.rtc.negotiation();
  const chat = draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
  return { net, offerer, answerer, chat };
}

/** A whole session: it connects, `talk` both ways, closes; over a link that may lose. */
export function recordedSession(seed: number, conditions: LinkConditions = {}): RecordedPair {
  const pair = recordedPair(seed, conditions);
  const { net, offerer, answerer, chat } = pair;
  net.run({ until: () => chat.readyState === 'open', limit: 60_000 });
  chat.send('hello');
  chat.send(new Uint8Array(5000).fill(7));
  net.run({ until: () => answerer.messages.length === 2, limit: 60_000 });
  for (const event of answerer.events) if (event.type === 'datachannel') event.channel.send('world');
  net.run({ until: () => offerer.messages.length === 1, limit: 60_000 });
  chat.close();
  net.advance(500);
  offerer.rtc.close();
  net.advance(5000);
  return pair;
}

/** One end behind port 5000 of a host of its own. */
export function recordedEnd(net: Network, address: string, options: RecordOptions): RecordedEnd {
  // DTLS 1.2: an observer can read its handshake.
  const recording = recordRtc({ ...options, dtls: { ...options.dtls, versions: { max: '1.2' } } });
  const { rtc, recorder } = recording;
  const events: RtcEvent[] = [];
  const messages: (string | Uint8Array)[] = [];
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
  net.host(address).attach<Output>(rtc, {
    name: address,
    port: 5000,
    onEvent: ({ event }) => {
      events.push(event);
      if (event.type === 'message') messages.push(event.data);
    },
  });
  return { ...recording, events, messages, trace: recorder.trace };
}
