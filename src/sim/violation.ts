/**
 * ContractViolation: a machine broke the poll contract. The network asserts the contract at every step of every machine and throws this
 * out of `run()`; the message names the machine, the step, the virtual time and the seed that brings it back.
 */

/** The rules, by name. docs/architecture.md has the contract they come from. */
export type Rule =
  /** `handleInput` or `pollOutput` threw: bytes from the network and the passing of time must not. `cause` has it. */
  | 'threw'
  /** A drain ended with a deadline that is not in the future. */
  | 'deadline-in-past'
  /** A drain gave out more than `outputsPerDrain` outputs. */
  | 'endless-drain'
  /** After its closed event a machine sent, spoke, or asked to be woken. */
  | 'spoke-after-close'
  /** After its closed event a machine still held something: `isEmpty` was false. */
  | 'held-after-close'
  /** A datagram from an address or port that is not the machine's. */
  | 'foreign-source'
  /** A datagram that no network carries: no valid port, or over 65,507 bytes. */
  | 'bad-datagram'
  /** A channel closed twice, was heard of after it had closed, or was left open by the `closed` of its connection. */
  | 'channel-outcome'
  /** The machine's own `invariantViolation()`, or the rule given to `attach()`, says so. */
  | 'invariant';

/** The breach, with the place where it can be found again. */
export class ContractViolation extends Error {
  readonly code = 'ERR_CONTRACT';
  readonly rule: Rule;
  /** Name of the machine's peer. */
  readonly peer: string;
  /** Steps of the network so far. */
  readonly step: number;
  /** Virtual milliseconds. */
  readonly at: number;
  readonly seed: number;

  constructor(rule: Rule, where: ViolationPlace, what: string, cause?: unknown) {
    const { peer, step, at, seed } = where;
    super(`${peer} ${what} [${rule}, step ${step}, at ${at} ms, seed ${seed}]`, { cause });
    this.name = 'ContractViolation';
    this.rule = rule;
    this.peer = peer;
    this.step = step;
    this.at = at;
    this.seed = seed;
  }
}

/** Which machine, when, and in which run. */
export interface ViolationPlace {
  readonly peer: string;
  readonly step: number;
  readonly at: number;
  readonly seed: number;
}
