/** A peer made by hand: one agent under test, one address on each side, and messages of any shape. */
import type { Bytes } from '../../src/core/bytes.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { RandomSource } from '../../src/core/random.ts';
import { SeededRandom, randomBytes } from '../../src/core/random.ts';
import { jsCrypto } from '../../src/crypto/index.ts';
import type { IceEvent, IceOptions, IceParameters, IceRole } from '../../src/ice/index.ts';
import { IceAgent } from '../../src/ice/index.ts';
import type { StunMessage } from '../../src/stun/index.ts';
import {
  StunAttributeType as Type,
  StunMethod,
  StunWriter,
  decodeStun,
  shortTermKey,
  transactionIdOf,
} from '../../src/stun/index.ts';

export const HERE = { address: '192.0.2.1', port: 1000 };
export const THERE = { address: '192.0.2.2', port: 2000 };

export interface RequestShape {
  readonly username?: string;
  readonly password?: string;
  readonly role?: IceRole;
  readonly tieBreaker?: Uint8Array;
  readonly priority?: number;
  readonly useCandidate?: boolean;
  /** The value of a NOMINATION. */
  readonly nomination?: number;
  /** An attribute to add. */
  readonly extra?: number;
  readonly source?: typeof THERE;
}

export class HandMadePeer {
  readonly crypto = jsCrypto();
  readonly random: RandomSource = new SeededRandom(77);
  readonly agent: IceAgent;
  readonly parameters: IceParameters = { usernameFragment: 'peer', password: 'p'.repeat(22) };
  readonly events: IceEvent[] = [];
  now = 0;

  constructor(options: Partial<IceOptions> = {}) {
    this.agent = new IceAgent({
      crypto: this.crypto,
      random: new SeededRandom(5),
      role: 'controlled',
      usernameFragment: 'agent',
      password: 'a'.repeat(22),
      ...options,
    });
    this.agent.addLocalCandidate({ type: 'host', protocol: 'udp', ...HERE }, 0);
  }

  /** The agent learns about us: credentials, and our one candidate unless `bare`. */
  introduce(parameters: Partial<IceParameters> = {}, bare = false): this {
    this.agent.setRemoteParameters({ ...this.parameters, ...parameters }, this.now);
    if (!bare) {
      this.agent.addRemoteCandidate(
        { type: 'host', protocol: 'udp', ...THERE, foundation: '1', component: 1, priority: 2_130_706_431 },
        this.now,
      );
    }
    return this;
  }

  request(shape: RequestShape = {}): Bytes {
    const { role = 'controlling', tieBreaker = new Uint8Array(8), priority = 1_845_494_271 } = shape;
    const writer = new StunWriter('request', StunMethod.binding, randomBytes(this.random, 12))
      .text(Type.username, shape.username ?? 'agent:peer')
      .attribute(role === 'controlling' ? Type.iceControlling : Type.iceControlled, tieBreaker);
    if (shape.useCandidate === true) writer.flag(Type.useCandidate);
    if (shape.nomination !== undefined) writer.u32(Type.nomination, shape.nomination);
    if (shape.extra !== undefined) writer.u32(shape.extra, 1);
    writer.u32(Type.priority, priority);
    return writer
      .integrity(shortTermKey(this.crypto, shape.password ?? this.agent.localParameters.password))
      .fingerprint()
      .finish();
  }

  /** Sends a check; what the agent says to it is in `sent()`. */
  check(shape: RequestShape = {}): void {
    this.deliver(this.request(shape), shape.source);
  }

  /** The success answer to one of the agent's checks. */
  success(check: StunMessage, password = this.parameters.password, mapped = HERE): Bytes {
    return new StunWriter('success', StunMethod.binding, transactionIdOf(check))
      .xorAddress(Type.xorMappedAddress, mapped)
      .integrity(shortTermKey(this.crypto, password))
      .fingerprint()
      .finish();
  }

  error(check: StunMessage, code: number, password: string | undefined = this.parameters.password): Bytes {
    const writer = new StunWriter('error', StunMethod.binding, transactionIdOf(check)).errorCode(code);
    if (password !== '') writer.integrity(shortTermKey(this.crypto, password));
    return writer.fingerprint().finish();
  }

  deliver(data: Uint8Array, source = THERE, destination = HERE): void {
    this.agent.handlePacket(data, { protocol: 'udp', source, destination }, this.now);
  }

  /** Everything the agent has sent since the last call. */
  sent(): StunMessage[] {
    const messages: StunMessage[] = [];
    for (let out = this.agent.pollTransmit(); out !== undefined; out = this.agent.pollTransmit()) {
      const message = decodeStun(out.data);
      if (isFailure(message)) throw new TypeError(message.reason);
      messages.push(message);
    }
    for (let event = this.agent.pollEvent(); event !== undefined; event = this.agent.pollEvent()) {
      this.events.push(event);
    }
    return messages;
  }

  /** A datagram as the message it is. */
  decoded(data: Uint8Array): StunMessage[] {
    const message = decodeStun(data);
    return isFailure(message) ? [] : [message];
  }

  /** The agent's checks since the last call. */
  checks(): StunMessage[] {
    return this.sent().filter((message) => message.class === 'request');
  }

  /** Lets time pass: every timer fires at its time. */
  advance(duration: number): void {
    const end = this.now + duration;
    while (this.agent.nextTimeout() <= end) {
      this.now = Math.max(this.now, this.agent.nextTimeout());
      this.agent.handleTimeout(this.now);
    }
    this.now = end;
  }

  /** Answers every check of the agent for `duration` milliseconds, after `delay` each. */
  answerFor(duration: number): void {
    const end = this.now + duration;
    for (;;) {
      for (const check of this.checks()) this.deliver(this.success(check));
      if (this.agent.nextTimeout() > end) break;
      this.advance(this.agent.nextTimeout() - this.now);
    }
    this.now = end;
  }

  count(name: keyof ReturnType<IceAgent['inspect']>['counters']): number {
    return this.agent.inspect().counters[name];
  }
}
