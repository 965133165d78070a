/** Machines put on the rig: those of `core/machine.ts`, and those with the poll contract of `Rtc` and `Endpoint`. */
import type { Bytes } from '../../src/core/bytes.ts';
import type { Machine } from '../../src/core/machine.ts';
import { jsCrypto, selfSignedCertificate, SeededRandom } from '../../src/index.ts';
import type { Certificate } from '../../src/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import type { Said, Subject } from './rig.ts';

/** One for all fixtures: the same ends are made again and again. */
export const crypto = memoizedCrypto(jsCrypto());

export const certificates: readonly [Certificate, Certificate] = [
  selfSignedCertificate({ random: new SeededRandom(1), crypto }),
  selfSignedCertificate({ random: new SeededRandom(2), crypto }),
];

/** How bytes might be shown: in hexadecimal, in base 64, as a list of numbers. */
export function forms(bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes);
  return [buffer.toString('hex'), buffer.toString('base64'), bytes.join(',')];
}

/** What is to be said of a layer besides that it is a machine. */
export interface LayerParts {
  readonly machine: Machine<unknown>;
  handlePacket(packet: Bytes, now: number): void;
  pollPacket(now: number): Bytes | undefined;
  /** Told before the machine is: the owner of its clock. */
  advance?(now: number): number;
  /** The drain is over: the owner's clock is stale. */
  endDrain?(): void;
  readonly calls?: readonly (() => void)[];
  secrets?(): readonly (string | number)[];
}

/** A layer with the contract of `core/machine.ts`. */
export function layer(parts: LayerParts): Subject {
  const { machine } = parts;
  const thaws = recordThaws(machine);
  const advance = (now: number): number => parts.advance?.(now) ?? now;
  return {
    handlePacket: (packet, now) => {
      parts.handlePacket(packet, advance(now));
    },
    handleTimeout: (now) => {
      machine.handleTimeout(advance(now));
    },
    poll: (now) => {
      const event = machine.pollEvent();
      if (event !== undefined) return { event };
      const packet = parts.pollPacket(now);
      if (packet !== undefined) return { packet };
      // What sending has brought about.
      const later = machine.pollEvent();
      if (later !== undefined) return { event: later };
      parts.endDrain?.();
      return undefined;
    },
    nextTimeout: () => machine.nextTimeout(),
    timeoutReason: () => machine.timeoutReason(),
    queuedEvents: () => machine.queuedEvents,
    thaws,
    close: (reason, now) => {
      machine.close(reason, advance(now));
    },
    inspect: () => machine.inspect(),
    invariantViolation: () => machine.invariantViolation(),
    calls: parts.calls ?? [],
    secrets: () => parts.secrets?.() ?? [],
  };
}

/** Its clock tells the machine itself, so the method is what can be listened to. */
function recordThaws(machine: Machine<unknown>): { before: number; after: number }[] {
  const thaws: { before: number; after: number }[] = [];
  const thaw = machine.thaw.bind(machine);
  machine.thaw = (missed) => {
    const before = machine.nextTimeout();
    thaw(missed);
    thaws.push({ before, after: machine.nextTimeout() });
  };
  return thaws;
}

/** What a machine of the poll contract answers. */
type PolledOutput<Event> =
  | { readonly type: 'transmit'; readonly data: Bytes }
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'request'; readonly request: object }
  | { readonly type: 'timeout'; readonly at: number; readonly reason?: string | undefined };

/** What is to be said of a machine of the poll contract. */
export interface PolledParts<Event> {
  readonly machine: {
    pollOutput(): PolledOutput<Event>;
    inspect(): object;
    invariantViolation(): string | undefined;
  };
  receive(packet: Bytes, now: number): void;
  tell(now: number): void;
  close(): void;
  onEvent?(event: Event): void;
  readonly calls?: readonly (() => void)[];
  secrets?(): readonly (string | number)[];
}

/** A machine with the poll contract: it says its deadline at the end of each drain. */
export function polled<Event>(parts: PolledParts<Event>): Subject {
  const { machine } = parts;
  let at = -Infinity;
  let reason: string | undefined;
  return {
    handlePacket: (packet, now) => {
      parts.receive(packet, now);
    },
    handleTimeout: (now) => {
      parts.tell(now);
    },
    poll: (): Said | undefined => {
      const output = machine.pollOutput();
      if (output.type === 'transmit') return { packet: output.data };
      if (output.type === 'request') return { event: output.request };
      if (output.type === 'event') {
        parts.onEvent?.(output.event);
        return { event: output.event };
      }
      ({ at } = output);
      reason = output.reason === 'idle' ? undefined : output.reason;
      return undefined;
    },
    nextTimeout: () => at,
    timeoutReason: () => reason,
    close: () => {
      parts.close();
    },
    inspect: () => machine.inspect(),
    invariantViolation: () => machine.invariantViolation(),
    calls: parts.calls ?? [],
    secrets: () => parts.secrets?.() ?? [],
  };
}
