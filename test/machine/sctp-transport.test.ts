import { SctpTransport } from '../../src/channel/index.ts';
import { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { layer } from './subjects.ts';

const MTU = 1160;

function end(seed: number, index: 0 | 1): Subject {
  const clock = new Clock(true, 0);
  const transport = new SctpTransport(
    { clock, random: new SeededRandom(2 * seed + index), remoteMaxMessageSize: 100_000, mtu: MTU },
    { clock },
  );
  clock.advance(0, transport);
  const start = {
    role: index === 0 ? 'client' : 'server',
    remotePort: 5000,
    remoteMaxMessageSize: 100_000,
  } as const;
  transport.open(start, 0);
  const chat = transport.createChannel('chat', {});
  const facts = { writable: true, largestDatagram: 1200, overhead: 37, roundTripTime: 20, generation: 1 };
  transport.handlePath(facts, 0);
  const workspace = new Uint8Array(2000);
  return layer({
    machine: transport,
    advance: (now) => {
      clock.advance(now, transport);
      return clock.now;
    },
    handlePacket: (packet, now) => {
      transport.handlePacket('sctp', packet, now);
    },
    pollPacket: () => {
      for (const source of transport.sources) {
        const length = source.pollPacket(workspace, 20, clock.now);
        if (length > 0) return workspace.slice(20, 20 + length);
      }
      return undefined;
    },
    endDrain: () => {
      clock.endDrain();
    },
    calls: [
      () => chat.send('a word'),
      () => chat.send(new Uint8Array(5000)),
      () => {
        chat.pauseReading();
      },
      () => {
        chat.resumeReading();
      },
      () => transport.createChannel('another', { maxPacketLifeTime: 100 }),
      () => {
        transport.handlePath({ ...facts, writable: false }, clock.now);
      },
      () => {
        transport.handlePath({ ...facts, generation: 2 }, clock.now);
      },
      () => {
        chat.close();
      },
      () => {
        transport.closeData(clock.now);
      },
      () => {
        transport.open(start, clock.now);
      },
    ],
  });
}

const fixture: Fixture = {
  name: 'SctpTransport',
  setUp: 400,
  connected: '"channelopen"',
  ownsPackets: true,
  make: (seed) => ({ subject: end(seed, 0), peer: end(seed, 1) }),
};

describeMachine(fixture);
