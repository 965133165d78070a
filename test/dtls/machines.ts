/** The state machines of client and server alone: messages go from one to the other without records or loss. */
import { SeededRandom } from '../../src/core/random.ts';
import type { Group } from '../../src/crypto/index.ts';
import { Client } from '../../src/dtls/client.ts';
import type { HelloMachine } from '../../src/dtls/handshake-machine.ts';
import { Handshake } from '../../src/dtls/handshake.ts';
import type { Certificate, DtlsRole, DtlsVersions, SrtpProfile } from '../../src/dtls/index.ts';
import type { HandshakeMessage } from '../../src/dtls/messages/handshake.ts';
import { configure } from '../../src/dtls/options.ts';
import { Peer } from '../../src/dtls/certificate/peer.ts';
import type { Problem } from '../../src/dtls/problem.ts';
import { Server } from '../../src/dtls/server.ts';
import { certificates, crypto } from './pair.ts';

export interface Machine {
  readonly machine: HelloMachine;
  readonly handshake: Handshake;
  /** Every message it has said, in order. */
  readonly said: HandshakeMessage[];
}

export interface MachineOptions {
  readonly certificate?: Certificate;
  readonly seed?: number;
  readonly versions?: Partial<DtlsVersions> | undefined;
  readonly groups?: readonly Group[] | undefined;
  readonly srtpProfiles?: readonly SrtpProfile[] | undefined;
}

export function machineOf(role: DtlsRole, options: MachineOptions = {}): Machine {
  const { seed = 1, certificate = certificates[role], ...others } = options;
  const random = new SeededRandom(seed).split(role);
  const other = role === 'client' ? certificates.server : certificates.client;
  const peer = new Peer(crypto, [other.fingerprint]);
  const handshake = new Handshake(
    configure({ versions: { max: '1.2' }, ...others, role, crypto, random, certificate }),
    peer,
  );
  const said: HandshakeMessage[] = [];
  const add = handshake.flight.add.bind(handshake.flight);
  handshake.flight.add = (...message): HandshakeMessage => {
    const whole = add(...message);
    said.push(whole);
    return whole;
  };
  const machine = role === 'client' ? new Client(handshake) : new Server(handshake);
  machine.start();
  return { machine, handshake, said };
}

/** A message has been handed over; what came of it. */
export interface Step {
  readonly problem: Problem | undefined;
}

/** A message as a peer's reassembly would hand it over: bytes of its own. */
export function copyOf(message: HandshakeMessage): HandshakeMessage {
  return { ...message, body: message.body.slice() };
}

/** Hands every message said so far, but not yet heard, to the other side, until nobody has more to say. */
export class Conversation {
  readonly client: Machine;
  readonly server: Machine;
  /** The messages each side has been handed. */
  readonly heard: Record<DtlsRole, HandshakeMessage[]> = { client: [], server: [] };

  constructor(client: MachineOptions = {}, server: MachineOptions = {}) {
    this.client = machineOf('client', client);
    this.server = machineOf('server', server);
  }

  side(role: DtlsRole): Machine {
    return role === 'client' ? this.client : this.server;
  }

  /** Hands `role` its next message, changed by `change`; `undefined` when the other side has no more to say. */
  next(role: DtlsRole, change = (message: HandshakeMessage): HandshakeMessage => message): Step | undefined {
    const other = role === 'client' ? 'server' : 'client';
    while (this.#peek(role) === undefined && this.#hand(other) !== undefined);
    return this.#hand(role, change);
  }

  /** Goes on until `role` is in `state`, or nothing is left to say; answers the first problem. */
  until(role?: DtlsRole, state?: string): Problem | undefined {
    for (;;) {
      let moved = false;
      for (const side of ['server', 'client'] as const) {
        if (role !== undefined && this.side(role).machine.state === state) return undefined;
        const step = this.#hand(side);
        if (step?.problem !== undefined) return step.problem;
        moved ||= step !== undefined;
      }
      if (!moved) return undefined;
    }
  }

  #hand(role: DtlsRole, change = (message: HandshakeMessage): HandshakeMessage => message): Step | undefined {
    const message = this.#peek(role);
    if (message === undefined) return undefined;
    this.heard[role].push(message);
    return { problem: this.side(role).machine.handle(change(copyOf(message))) };
  }

  #peek(role: DtlsRole): HandshakeMessage | undefined {
    return this.side(role === 'client' ? 'server' : 'client').said[this.heard[role].length];
  }
}
