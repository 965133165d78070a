import { SeededRandom } from '../../src/core/random.ts';
import { Gatherer } from '../../src/gather/index.ts';
import { SimTurnServer } from '../../src/sim/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { crypto, layer } from './subjects.ts';

const SOCKET = { protocol: 'udp', address: '10.0.0.2', port: 4000 } as const;
const FURTHER = { ...SOCKET, port: 4001 };
const SERVER = { address: '192.0.2.1', port: 3478 };
const PATH = { protocol: 'udp', source: SERVER, destination: SOCKET } as const;
const PASSWORD = 'open sesame';
const TURN = { urls: 'turn:192.0.2.1', username: 'ann', credential: PASSWORD };
const STREAM = { ...TURN, urls: 'turn:192.0.2.1?transport=tcp' };

/** A gatherer of one socket; streams and names are asked for and come to nothing. */
function gathererOf(seed: number): Subject {
  const gatherer = new Gatherer({ crypto, random: new SeededRandom(seed) });
  gatherer.addSocket(SOCKET);
  const gather = (urls: object[], continual = false): number =>
    gatherer.gather({ iceServers: urls as never, continual });
  const first = gather([{ urls: 'stun:192.0.2.1' }, TURN]);
  gatherer.handleTimeout(0);
  const relayed = { address: SERVER.address, port: 49_152 };
  const peer = { address: '203.0.113.5', port: 9 };
  let last = first;
  /** The latest time at which it was drained: a connection sends in drains. */
  let told = 0;
  return layer({
    machine: gatherer,
    handlePacket: (packet, now) => {
      gatherer.handlePacket(packet, PATH, false, now);
    },
    pollPacket: (now) => {
      while (gatherer.pollRequest() !== undefined);
      while (gatherer.pollDatagram() !== undefined);
      told = now;
      return gatherer.pollTransmit()?.data;
    },
    calls: [
      () => (last = gather([TURN], true)),
      () => (last = gather([{ urls: 'stun:stun.example.org' }, STREAM])),
      () => (last = gather([])),
      () => {
        gatherer.restart(first);
      },
      () => {
        gatherer.release(last);
      },
      () => {
        gatherer.addSocket(FURTHER);
      },
      () => {
        gatherer.removeSocket(FURTHER);
      },
      () => {
        gatherer.renewCredentials(first, [TURN]);
      },
      () => {
        gatherer.sendFromRelay({ source: relayed, destination: peer, data: new Uint8Array(9) }, told);
      },
    ],
    secrets: () => [PASSWORD],
  });
}

function serverOf(): Subject {
  const server = new SimTurnServer({ address: SERVER.address, users: { ann: PASSWORD } });
  return {
    handlePacket: (data, now) => {
      server.handleInput({
        type: 'receive',
        now,
        protocol: 'udp',
        source: SOCKET,
        destination: SERVER,
        data,
      });
    },
    handleTimeout: (now) => {
      server.handleInput({ type: 'timeout', now });
    },
    poll: () => {
      const output = server.pollOutput();
      return output.type === 'transmit' ? { packet: output.data } : undefined;
    },
    nextTimeout: () => Infinity,
    timeoutReason: () => undefined,
    close: () => undefined,
    inspect: () => ({}),
    invariantViolation: () => undefined,
    calls: [],
    secrets: () => [],
  };
}

const fixture: Fixture = {
  name: 'Gatherer',
  setUp: 2000,
  connected: '"complete"',
  make: (seed) => ({ subject: gathererOf(seed), peer: serverOf() }),
};

describeMachine(fixture);
