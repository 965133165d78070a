/** Everything without SDP: what descriptions do, by plain methods alone, recorded and replayed like any other call. */
import { describe, expect, test } from 'vitest';
import type { IceParameters, Output, RtcEvent, RtcOptions } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { Network } from '../../src/sim/index.ts';
import type { Recording } from '../../src/trace/index.ts';
import { formatTrace, recordRtc, replay } from '../../src/trace/index.ts';
import { audioPlan } from '../negotiation/media-plans.ts';
import { certificates } from './pair.ts';

interface PlainEnd extends Recording {
  readonly events: RtcEvent[];
}

function makeEnd(net: Network, index: 0 | 1): PlainEnd {
  const recording = recordRtc({ seed: 40 + index });
  const { rtc } = recording;
  const address = `192.0.2.${index + 1}`;
  const events: RtcEvent[] = [];
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 5000 });
  const onEvent = ({ event }: { readonly event: RtcEvent }): void => void events.push(event);
  net.host(address).attach<Output>(rtc, { port: 5000, onEvent });
  return { ...recording, events };
}

const AUDIO = audioPlan('a', 'sendrecv');

test('two ends connect, restart ICE, add and remove data and set media, and all of it replays', () => {
  const net = new Network({ seed: 4, defaults: { latency: 15, jitter: 5, loss: 0.02 } });
  const [a, b] = [makeEnd(net, 0), makeEnd(net, 1)];
  const both = [a, b];
  const until = (condition: () => boolean): void => {
    expect(net.run({ until: condition, limit: 20_000 }).reason).toBe('condition');
  };
  const [ofA, ofB] = [a.rtc.localParameters, b.rtc.localParameters];
  a.rtc.start({ ...ofB, iceRole: 'controlling', dtlsRole: 'server', data: false });
  b.rtc.start({ ...ofA, iceRole: 'controlled', dtlsRole: 'client', data: false });
  for (const candidate of b.rtc.localCandidates) a.rtc.addRemoteCandidate(candidate);
  for (const candidate of a.rtc.localCandidates) b.rtc.addRemoteCandidate(candidate);
  until(() => both.every(({ rtc }) => rtc.connectionState === 'connected'));

  for (const { rtc } of both) {
    rtc.setMedia([AUDIO]);
    rtc.openData({ sctpPort: 5000, maxMessageSize: 100_000 });
  }
  const first = a.rtc.createChannel('first');
  until(() => first.readyState === 'open');
  expect(first.maxMessageSize).toBe(100_000);
  a.rtc.setRemoteMaxMessageSize(Infinity);
  net.advance(10);
  expect(first.maxMessageSize).toBeGreaterThan(100_000);

  a.rtc.restartIce();
  b.rtc.setRemoteIceParameters(a.rtc.localParameters.ice);
  a.rtc.setRemoteIceParameters(b.rtc.localParameters.ice);
  for (const candidate of b.rtc.localCandidates) a.rtc.addRemoteCandidate(candidate);
  for (const candidate of a.rtc.localCandidates) b.rtc.addRemoteCandidate(candidate);
  first.send('meanwhile');
  const hasArrived = (): boolean =>
    b.events.some((event) => event.type === 'message' && event.data === 'meanwhile');
  until(() => hasArrived() && both.every(({ rtc }) => rtc.usernameFragments.length === 1));

  for (const { rtc } of both) rtc.closeData();
  net.advance(500);
  expect(first.readyState).toBe('closed');
  const second = b.rtc.createChannel('second');
  for (const { rtc } of both) {
    rtc.setMedia([]);
    rtc.openData();
  }
  until(() => second.readyState === 'open');
  a.rtc.shutdown();
  until(() => both.every(({ rtc }) => rtc.isEmpty));

  for (const { rtc, recorder } of both) {
    const text = formatTrace(recorder.trace);
    const again = replay(text);
    expect(again).toMatchObject({ identical: true });
    expect(again.rtc.inspect()).toEqual(rtc.inspect());
    for (const method of ['openData', 'closeData', 'setMedia']) expect(text).toContain(`"${method}"`);
    expect(text).not.toContain('a=ice-ufrag');
  }
});

/**
 * The shape of libp2p's webrtc-direct: who listens is known by an address and a fingerprint, and knows nothing of who comes.
 * The one who dials makes up one word, which is username fragment and password of both ends; the first check carries it.
 */
describe('one side knows an address and a fingerprint, the other one nothing', () => {
  const SERVER = { address: '198.51.100.1', port: 4001 };

  function listen(net: Network, options: Partial<RtcOptions> = {}): { endpoint: Endpoint; rtcs: Rtc[] } {
    const rtcs: Rtc[] = [];
    const endpoint: Endpoint = new Endpoint({
      onUnknown: ({ usernameFragment }) => {
        if (usernameFragment?.startsWith('libp2p+webrtc+v1/') !== true) return;
        const ice: IceParameters = { usernameFragment, password: usernameFragment };
        const rtc = new Rtc({
          certificate: certificates[1],
          random: new SeededRandom(100 + rtcs.length),
          iceLite: true,
          ice: { usernameFragment, password: usernameFragment },
          dtls: { dangerouslyAcceptAnyFingerprint: true },
          ...options,
        });
        rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...SERVER });
        rtc.start({ ice, iceRole: 'controlled', dtlsRole: 'server', fingerprints: [] });
        rtcs.push(rtc);
        endpoint.add(rtc);
      },
    });
    net.host(SERVER.address).attach(endpoint, { port: SERVER.port });
    return { endpoint, rtcs };
  }

  function dial(net: Network, index: number, fingerprint = certificates[1].fingerprint): Rtc {
    const word = `libp2p+webrtc+v1/${String(index).repeat(32)}`;
    const ice = { usernameFragment: word, password: word };
    const random = new SeededRandom(200 + index);
    const rtc = new Rtc({ certificate: certificates[0], random, ice });
    const address = `203.0.113.${index}`;
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address, port: 7000 });
    // The listener of webrtc-direct is lite, and its candidate is what the multiaddress says.
    rtc.start({
      ice: { ...ice, lite: true },
      iceRole: 'controlling',
      dtlsRole: 'client',
      fingerprints: [fingerprint],
    });
    const candidate = `candidate:1 1 udp 2130706431 ${SERVER.address} ${SERVER.port} typ host`;
    rtc.addRemoteCandidate(candidate);
    rtc.addRemoteCandidate(null);
    net.host(address).attach<Output>(rtc, { port: 7000 });
    return rtc;
  }

  test('they connect, and a negotiated channel is open', () => {
    const net = new Network({ seed: 5, defaults: { latency: 20 } });
    const { rtcs } = listen(net);
    const clients = [1, 2, 3].map((index) => dial(net, index));
    const noise = clients.map((rtc) => rtc.createChannel('', { negotiated: true, id: 0 }));
    net.advance(1000);
    const answers = rtcs.map((rtc) => rtc.createChannel('', { negotiated: true, id: 0 }));
    net.advance(2000);
    expect(rtcs).toHaveLength(3);
    for (const rtc of [...clients, ...rtcs]) expect(rtc.connectionState).toBe('connected');
    for (const channel of [...noise, ...answers]) expect(channel.readyState).toBe('open');
    for (const rtc of rtcs) {
      expect(rtc.remoteFingerprint).toEqual(certificates[0].fingerprint);
      expect(rtc.inspect().dtls?.remoteFingerprintVerified).toBe(false);
    }
    for (const rtc of clients) expect(rtc.inspect().dtls?.remoteFingerprintVerified).toBe(true);
  });

  test('somebody else at the address is not talked to', () => {
    const net = new Network({ seed: 6, defaults: { latency: 20 } });
    listen(net);
    const client = dial(net, 4, certificates[0].fingerprint);
    net.advance(3000);
    expect(client.inspect().closed).toMatchObject({ layer: 'dtls', code: 'fingerprint-mismatch' });
  });
});
