import type { DataChannel } from '../../src/index.ts';
import { Endpoint, Rtc, SeededRandom } from '../../src/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { certificates, crypto, polled } from './subjects.ts';

const ADDRESSES = [
  { address: '192.0.2.1', port: 1000 },
  { address: '192.0.2.2', port: 2000 },
] as const;

interface Ends {
  readonly rtcs: readonly [Rtc, Rtc];
  readonly chat: DataChannel;
}

/** The first offers, with a channel `chat`. */
function signalled(seed: number): Ends {
  const rtcs = [0, 1].map((index) => {
    const certificate = certificates[index === 0 ? 0 : 1];
    const rtc = new Rtc({ certificate, crypto, random: new SeededRandom(2 * seed + index) });
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', ...ADDRESSES[index === 0 ? 0 : 1] });
    return rtc;
  }) as [Rtc, Rtc];
  const draft = rtcs[0].negotiation();
  const chat = draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(rtcs[1].receiveOffer(offer.sdp).answer());
  return { rtcs, chat };
}

function secretsOf({ rtcs }: Ends): string[] {
  return rtcs.map(({ localParameters }) => localParameters.ice.password);
}

/** What a host may do at any time, each once or again. */
function callsOn(rtc: Rtc, channel: () => DataChannel | undefined): (() => void)[] {
  return [
    () => channel()?.send('a word'),
    () => channel()?.send(new Uint8Array(5000)),
    () => channel()?.pauseReading(),
    () => channel()?.resumeReading(),
    () => rtc.createChannel('another', { ordered: false }),
    () => {
      rtc.addRemoteCandidate('candidate:1 1 udp 2130706431 192.0.2.99 99 typ host');
    },
    () => {
      rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.50', port: 50 });
    },
    () => {
      rtc.negotiation().offer().rollback();
    },
    () => {
      rtc.closeData();
    },
    () => {
      rtc.openData();
    },
    () => channel()?.close(),
  ];
}

function end(ends: Ends, index: 0 | 1): Subject {
  const rtc = ends.rtcs[index];
  let channel = index === 0 ? ends.chat : undefined;
  rtc.handleInput({ type: 'timeout', now: 0 });
  const path = {
    type: 'receive',
    protocol: 'udp',
    source: ADDRESSES[index === 0 ? 1 : 0],
    destination: ADDRESSES[index],
  } as const;
  return polled({
    machine: rtc,
    receive: (data, now) => {
      rtc.handleInput({ ...path, now, data });
    },
    tell: (now) => {
      rtc.handleInput({ type: 'timeout', now });
    },
    close: () => {
      rtc.close();
    },
    onEvent: (event) => {
      if (event.type === 'datachannel') channel ??= event.channel;
    },
    calls: callsOn(rtc, () => channel),
    secrets: () => secretsOf(ends),
  });
}

function rtcFixture(name: string, index: 0 | 1): Fixture {
  return {
    name,
    setUp: 3000,
    connected: '"channelopen"|"datachannel"',
    make: (seed) => {
      const ends = signalled(seed);
      return { subject: end(ends, index), peer: end(ends, index === 0 ? 1 : 0) };
    },
  };
}

/** An endpoint with the first of two connections; the end of an endpoint is that of all of its connections. */
function endpointEnd(ends: Ends): Subject {
  const rtc = ends.rtcs[0];
  const endpoint = new Endpoint();
  endpoint.add(rtc);
  endpoint.handleInput({ type: 'timeout', now: 0 });
  const path = {
    type: 'receive',
    protocol: 'udp',
    source: ADDRESSES[1],
    destination: ADDRESSES[0],
  } as const;
  return polled({
    machine: endpoint,
    receive: (data, now) => {
      endpoint.handleInput({ ...path, now, data });
    },
    tell: (now) => {
      endpoint.handleInput({ type: 'timeout', now });
    },
    close: () => {
      rtc.close();
    },
    calls: callsOn(rtc, () => ends.chat),
    secrets: () => secretsOf(ends),
  });
}

const endpoint: Fixture = {
  name: 'Endpoint',
  setUp: 3000,
  connected: '"channelopen"',
  make: (seed) => {
    const ends = signalled(seed);
    return { subject: endpointEnd(ends), peer: end(ends, 1) };
  },
};

describeMachine(rtcFixture('Rtc, offering', 0));
describeMachine(rtcFixture('Rtc, answering', 1));
describeMachine(endpoint);
