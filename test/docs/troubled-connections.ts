/**
 * Connections that do not open, one for each symptom of docs/guides/debugging.md: two recorded ends in a simulated network, one thing
 * wrong. What the guide shows is what `sansrtc trace why` says of them.
 */
import { Network, type Host } from '../../src/sim/index.ts';
import type { Output } from '../../src/index.ts';
import { recordRtc, type Trace } from '../../src/trace/index.ts';

/** What goes wrong. */
export interface Trouble {
  /** What signalling makes of the offer, and of the answer; `undefined` loses it. */
  readonly offer?: (sdp: string) => string;
  readonly answer?: (sdp: string) => string | undefined;
  /** What happens to the network before anything is sent. */
  readonly before?: (net: Network, offerer: Host, answerer: Host) => void;
  /** What happens to it once the channel is open. */
  readonly after?: (net: Network, offerer: Host, answerer: Host) => void;
}

/** The traces of both ends, from the first call to the last event. */
export interface TroubledTraces {
  readonly offerer: Trace;
  readonly answerer: Trace;
}

/** Minutes of virtual time in which everything has ended, by whatever deadline. */
const LONG_ENOUGH = 5 * 60_000;

/** Runs one connection until both ends are closed. */
export function troubled(trouble: Trouble): TroubledTraces {
  const net = new Network({ seed: 7, start: 1, defaults: { latency: 20 } });
  const ends = ['192.0.2.1', '198.51.100.2'].map((address, i) => {
    const { rtc, recorder } = recordRtc({ seed: i + 1 });
    const host = net.host(address);
    const end = { rtc, recorder, host, isOpen: false, isClosed: false };
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
    host.attach<Output>(rtc, {
      port: 5000,
      onEvent: ({ event }) => {
        if (event.type === 'channelopen' || event.type === 'datachannel') {
          end.isOpen = true;
          event.channel.send('hello');
        }
        if (event.type === 'closed') end.isClosed = true;
      },
    });
    return end;
  });
  const [offerer, answerer] = ends;
  if (offerer === undefined || answerer === undefined) throw new Error('there are two');
  trouble.before?.(net, offerer.host, answerer.host);
  const draft = offerer.rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  const answer = answerer.rtc.receiveOffer((trouble.offer ?? same)(offer.sdp)).answer();
  const arrived = (trouble.answer ?? same)(answer);
  if (arrived !== undefined) offer.accept(arrived);
  if (trouble.after !== undefined) {
    net.run({ until: () => ends.every(({ isOpen }) => isOpen), limit: LONG_ENOUGH });
    net.advance(1000);
    trouble.after(net, offerer.host, answerer.host);
  }
  net.run({ until: () => ends.every(({ isClosed }) => isClosed), limit: LONG_ENOUGH });
  return { offerer: offerer.recorder.trace, answerer: answerer.recorder.trace };
}

function same(sdp: string): string {
  return sdp;
}

/** The symptoms of the guide, by the name that it gives them. */
export const TROUBLES = {
  'UDP blocked': { before: (net, a, b) => net.partition([a], [b]) },
  'UDP blocked one way': { before: (net, a, b) => net.cut(b, a) },
  'wrong address': {
    answer: (sdp) => sdp.replace(/198\.51\.100\.2 5000 typ/, '203.0.113.9 5000 typ'),
    offer: (sdp) => sdp.replace(/192\.0\.2\.1 5000 typ/, '10.0.0.1 5000 typ'),
  },
  'no addresses': {
    answer: (sdp) => sdp.replace(/a=candidate:.*\r\n/g, ''),
    offer: (sdp) => sdp.replace(/a=candidate:.*\r\n/g, ''),
  },
  'answer lost': { answer: () => undefined },
  'descriptions mixed up': {
    answer: (sdp) =>
      sdp
        .replace(/a=ice-ufrag:.*/, 'a=ice-ufrag:other')
        .replace(/a=ice-pwd:.*/, `a=ice-pwd:${'p'.repeat(24)}`),
  },
  'wrong DTLS role': { answer: (sdp) => sdp.replace('a=setup:active', 'a=setup:passive') },
  'wrong fingerprint': { offer: (sdp) => sdp.replace(/(a=fingerprint:sha-256 )../, '$1FF') },
  'large datagrams dropped': { before: (net, a, b) => net.link(a, b, { latency: 20, mtu: 200 }) },
  'peer gone': { after: (net, a, b) => net.partition([a], [b]) },
} satisfies Record<string, Trouble>;
