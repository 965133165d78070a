import type { Bytes } from '../../src/core/bytes.ts';
import { Clock } from '../../src/core/clock.ts';
import type { PacketKind, PacketSource } from '../../src/core/machine.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { SrtpSupport } from '../../src/srtp/index.ts';
import { srtpSupport } from '../../src/srtp/index.ts';
import { DTLS_OVERHEAD, Transport } from '../../src/transport/index.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { certificates, crypto, forms, layer } from './subjects.ts';

const ADDRESSES = [
  { address: '192.0.2.1', port: 1000 },
  { address: '192.0.2.2', port: 2000 },
] as const;

interface End {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Keys of the key log, and the password. */
  readonly secrets: string[];
}

/** SRTP whose master keys are told before they are wiped. */
function support(secrets: string[]): SrtpSupport {
  const inner = srtpSupport({ maxSources: 2, replayWindow: 64 });
  return {
    profiles: inner.profiles,
    create: (init) => {
      for (const { key, salt } of [init.local, init.remote]) secrets.push(...forms(key), ...forms(salt));
      return inner.create(init);
    },
  };
}

/** Packets to send of one kind. */
class Queue implements PacketSource {
  readonly kind: PacketKind;
  readonly urgency = 'paced';
  readonly largestPacket = 1200;
  readonly #packets: Bytes[] = [];

  constructor(kind: PacketKind) {
    this.kind = kind;
  }

  push(packet: Bytes): void {
    this.#packets.push(packet);
  }

  pollPacket(into: Bytes, offset: number): number {
    const packet = this.#packets.shift();
    if (packet !== undefined) into.set(packet, offset);
    return packet?.length ?? 0;
  }
}

/** RTP with the next sequence number of one of three sources; RTCP of a sender. */
function rtpPacket(sequence: number): Bytes {
  const packet = new Uint8Array(60 + (sequence % 100));
  packet.set([0x80, 96, sequence >> 8, sequence, 0, 0, 0, 1, 0, 0, 0, 1 + (sequence % 3)]);
  return packet;
}
const SENDER_REPORT = Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 1);

function makeEnd(seed: number, index: 0 | 1): End {
  const clock = new Clock(true, 0);
  const secrets: string[] = [];
  const transport = new Transport({
    certificate: certificates[index],
    crypto,
    random: new SeededRandom(2 * seed + index),
    clock,
    iceLite: false,
    mtu: 1200,
    largestDatagram: { 4: 1472, 6: 1452 },
    srtp: support(secrets),
    dtls: { keyLog: (_label, _clientRandom, secret) => secrets.push(...forms(secret)) },
  });
  clock.advance(0, transport);
  transport.addLocalCandidate({ type: 'host', protocol: 'udp', ...ADDRESSES[index] }, 0);
  secrets.push(transport.iceParameters.password);
  return { clock, transport, secrets };
}

function start(ends: readonly [End, End], index: 0 | 1): Subject {
  const { clock, transport } = ends[index];
  const other = index === 0 ? 1 : 0;
  transport.start(
    {
      ice: ends[other].transport.iceParameters,
      iceRole: index === 0 ? 'controlling' : 'controlled',
      dtlsRole: index === 0 ? 'client' : 'server',
      fingerprints: [certificates[other].fingerprint],
    },
    0,
  );
  for (const candidate of ends[other].transport.localCandidates) transport.addRemoteCandidate(candidate, 0);
  transport.endOfRemoteCandidates(0);
  const path = { protocol: 'udp', source: ADDRESSES[other], destination: ADDRESSES[index] } as const;
  const [rtcp, rtp, sctp] = [new Queue('rtcp'), new Queue('rtp'), new Queue('sctp')];
  let sequence = 65_000;
  const seal = (): Bytes | undefined => {
    for (const source of [rtcp, rtp, sctp]) {
      const sealed = transport.seal(source, clock.now);
      if (sealed !== undefined) return sealed.data;
    }
    return undefined;
  };
  const receiver = { handlePacket: (): void => undefined };
  return layer({
    machine: transport,
    advance: (now) => {
      clock.advance(now, transport);
      return clock.now;
    },
    handlePacket: (packet, now) => {
      transport.receive(path, packet, now);
      transport.deliver(receiver, now);
    },
    pollPacket: () => transport.pollTransmit()?.data ?? seal(),
    endDrain: () => {
      clock.endDrain();
    },
    calls: [
      () => {
        sctp.push(new Uint8Array(100).fill(1));
      },
      () => {
        sctp.push(new Uint8Array(1200 - DTLS_OVERHEAD).fill(2));
      },
      () => {
        rtp.push(rtpPacket(sequence++ & 0xffff));
      },
      () => {
        rtcp.push(SENDER_REPORT);
      },
      // What is no RTP is refused, and what comes after it goes.
      () => {
        rtp.push(new Uint8Array(5));
      },
    ],
    secrets: () => ends.flatMap(({ secrets }) => secrets),
  });
}

const fixture: Fixture = {
  name: 'Transport',
  setUp: 3000,
  connected: '"dtlsstatechange","state":"connected"',
  make: (seed) => {
    const ends = [makeEnd(seed, 0), makeEnd(seed, 1)] as const;
    return { subject: start(ends, 0), peer: start(ends, 1) };
  },
};

describeMachine(fixture);
