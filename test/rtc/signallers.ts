/** Connections without a network, for tests of signalling alone. */
import type { ReceivedOffer, RtcEvent, RtcOptions } from '../../src/index.ts';
import { Rtc, SeededRandom } from '../../src/index.ts';
import { certificates } from './pair.ts';
import { expectMirror } from '../negotiation/mirror.ts';

/** One end with one address. */
export function makeSignaller(options: Partial<RtcOptions> = {}, seed = 1): Rtc {
  const rtc = new Rtc({
    certificate: certificates[seed % 2 === 1 ? 0 : 1],
    random: new SeededRandom(seed),
    ...options,
  });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: `192.0.2.${seed}`, port: 5000 });
  return rtc;
}

/** Two ends that know nothing of each other. */
export function makeSignallers(
  options: Partial<RtcOptions> = {},
  peerOptions: Partial<RtcOptions> = {},
): { readonly a: Rtc; readonly b: Rtc } {
  return { a: makeSignaller(options, 1), b: makeSignaller(peerOptions, 2) };
}

/** What this end tells until it waits, at a time that does not move. */
export function events(rtc: Rtc): RtcEvent[] {
  const told: RtcEvent[] = [];
  for (;;) {
    const output = rtc.pollOutput();
    if (output.type === 'event') told.push(output.event);
    if (output.type === 'timeout') return told;
  }
}

/** The names of what this end tells of signalling and media. */
export function told(rtc: Rtc): string[] {
  const names = ['negotiationneeded', 'mediaadded', 'mediachanged'];
  return events(rtc).flatMap(({ type }) => (names.includes(type) ? [type] : []));
}

/** `offerer` offers what it wishes, `answerer` answers it. */
export function exchange(
  offerer: Rtc,
  answerer: Rtc,
  draft = offerer.negotiation(),
  choose: (received: ReceivedOffer) => void = () => undefined,
): { readonly offer: string; readonly answer: string } {
  const pending = draft.offer();
  const received = answerer.receiveOffer(pending.sdp);
  choose(received);
  const answer = received.answer();
  expectMirror(pending.sdp, answer);
  pending.accept(answer);
  return { offer: pending.sdp, answer };
}

/** Takes whatever is offered, both ways. */
export function takeAll(received: ReceivedOffer): void {
  for (const section of received.media) section.direction = 'sendrecv';
}

/** Everything that signalling shows of itself, but the version of the next description. */
export function shown(rtc: Rtc): string {
  const { negotiation, ...others } = rtc.inspect();
  return JSON.stringify({ ...others, negotiation: { ...negotiation, nextVersion: 0 } });
}

/** What the next offer says, but its version. */
export function nextOffer(rtc: Rtc): string {
  return rtc
    .negotiation()
    .write()
    .sdp.replace(/^(o=\S+ \S+) \d+/m, '$1 *');
}
