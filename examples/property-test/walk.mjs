/** One walk in the simulator: two connections, the protocol on top, and faults as a property gives them. */
import { Rtc, SeededRandom, selfSignedCertificate } from 'sansrtc';
import { jsCrypto } from 'sansrtc/crypto';
import { applyFaults, memoizedCrypto, Network } from 'sansrtc/sim';
import { Walker } from './moves.mjs';

// The same keys for every walk, and what is worked out from them remembered: a walk then takes a few milliseconds.
const crypto = memoizedCrypto(jsCrypto());
const certificate = selfSignedCertificate({ crypto, random: new SeededRandom(1) });

export const STEPS = 8;
const STEP_TIME = 50;

/**
 * Walks eight steps forward and stops. Virtual time, so that minutes of waiting cost nothing.
 * @returns every place at which `watcher` has seen the figure, until everything under way has arrived; `undefined` when
 * the connection did not last.
 */
export function walk(watcher, faults) {
  const net = new Network({ seed: 3, defaults: { latency: 20 } });
  const random = new SeededRandom(2);
  const home = net.host('192.0.2.1');
  const away = net.host('192.0.2.2');

  const alice = new Rtc({ certificate, crypto, random: random.split('alice') });
  const bob = new Rtc({ certificate, crypto, random: random.split('bob') });
  alice.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 5000 });
  bob.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.2', port: 5000 });

  let ready = 0;
  let rests = 0;
  const seen = [];
  home.attach(alice, { port: 5000, onEvent: ({ event }) => (ready += event.type === 'channelopen' ? 1 : 0) });
  away.attach(bob, {
    port: 5000,
    onEvent({ event }) {
      if (event.type === 'datachannel') ready++;
      if (event.type !== 'message') return;
      watcher.receive(event.data);
      seen.push(watcher.place);
      if (event.channel.label === 'rests') rests++;
    },
  });

  const draft = alice.negotiation();
  const walker = new Walker(
    draft.addChannel('moves', { ordered: false, maxRetransmits: 0 }),
    draft.addChannel('rests'),
  );
  const offer = draft.offer();
  offer.accept(bob.receiveOffer(offer.sdp).answer());
  if (net.run({ until: () => ready === 4, limit: 60_000 }).reason !== 'condition') return undefined;

  applyFaults(net, [home, away], faults);
  for (let i = 1; i <= STEPS; i++) net.after(i * STEP_TIME, () => walker.walkTo(i));
  net.after((STEPS + 1) * STEP_TIME, () => walker.stop());
  if (net.run({ until: () => rests === 1, limit: 60_000 }).reason !== 'condition') return undefined;
  net.advance(5_000);
  return seen;
}
