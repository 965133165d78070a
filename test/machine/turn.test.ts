import { SeededRandom } from '../../src/core/random.ts';
import { SimTurnServer } from '../../src/sim/turn-server.ts';
import { TurnClient } from '../../src/turn/index.ts';
import type { TurnTransport } from '../../src/turn/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { crypto, layer } from './subjects.ts';

const CLIENT = { address: '192.0.2.1', port: 5000 };
const SERVER = { address: '203.0.113.1', port: 3478 };
const PEER = { address: '198.51.100.7', port: 7000 };
const PASSWORD = 'open sesame';

/** The server as the other end: what it relays comes back as if the peer had echoed it. */
function serverEnd(server: SimTurnServer): Subject {
  const receive = (
    source: typeof CLIENT,
    destination: typeof CLIENT,
    data: Uint8Array<ArrayBuffer>,
    now: number,
  ): void => {
    server.handleInput({ type: 'receive', now, protocol: 'udp', source, destination, data });
  };
  return {
    handlePacket: (packet, now) => {
      receive(CLIENT, SERVER, packet, now);
    },
    handleTimeout: () => undefined,
    poll: (now) => {
      for (;;) {
        const output = server.pollOutput();
        if (output.type !== 'transmit') return undefined;
        if (output.source.port === SERVER.port) return { packet: output.data };
        receive(output.destination, output.source, output.data, now);
      }
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

function clientEnd(seed: number, transport: TurnTransport): Subject {
  let now = 0;
  const client = new TurnClient({
    crypto,
    random: new SeededRandom(seed),
    transport,
    server: SERVER,
    credentials: { username: 'alice', password: PASSWORD, expiresAt: 90_000 },
  });
  client.allocate(0);
  const send = (bytes: Uint8Array) => (): void => {
    client.send(PEER, bytes, now);
  };
  return layer({
    machine: client,
    handlePacket: (packet, at) => {
      now = Math.max(now, at);
      client.handlePacket(packet, at);
    },
    advance: (at) => {
      now = Math.max(now, at);
      return at;
    },
    pollPacket: () => {
      while (client.pollReceived() !== undefined);
      return client.pollTransmit();
    },
    calls: [
      send(Uint8Array.of(1, 2, 3)),
      send(Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
      () => {
        client.setCredentials({ username: 'alice', password: PASSWORD }, now);
      },
      () => {
        client.allocate(now);
      },
      () => {
        client.shutdown(now);
      },
    ],
    secrets: () => [PASSWORD],
  });
}

function turnFixture(transport: TurnTransport): Fixture {
  return {
    name: `TurnClient over ${transport}`,
    setUp: 1500,
    connected: '"allocated"',
    make: (seed) => ({
      subject: clientEnd(seed, transport),
      peer: serverEnd(
        new SimTurnServer({
          ...SERVER,
          users: { alice: PASSWORD },
          nonceLifetime: 20_000,
          authenticates: true,
        }),
      ),
    }),
  };
}

describeMachine(turnFixture('udp'));
describeMachine(turnFixture('tcp'));
