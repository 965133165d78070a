/**
 * `sansrtc/sim/fast-check`: arbitraries for networks and faults, for properties over whole conversations.
 *
 *   const property = fc.property(arbitraryNetwork(), arbitraryFaults(), (plan, faults) => {
 *     const net = new Network({ seed: plan.seed })
 *     …
 *     net.link(a, b, plan)
 *     applyFaults(net, [a, b], faults)
 *     …
 *   })
 *   fc.assert(property, { reporter: reportInOneLine })
 *
 * Everything generated is plain data and shrinks towards a clean network with few faults, early and mild. What the one
 * line says, `examples: [[…]]`, goes into the parameters of `fc.assert` as it is, and is the first case then.
 *
 * @module
 */
import fc from 'fast-check';
import type { LinkConditions } from '../conditions.ts';
import type { PlannedFault } from '../fault-plan.ts';
import type { Fault } from '../faults.ts';

/** A network's seed, and the conditions of both directions; `net.link(a, b, plan)` takes it. */
export interface NetworkPlan {
  readonly seed: number;
  readonly up: LinkConditions;
  readonly down: LinkConditions;
}

/** How bad a network may be. */
export interface NetworkConstraints {
  /** Largest probability of loss, one datagram at a time. Default 0.2. */
  readonly maxLoss?: number | undefined;
  /** Largest latency in milliseconds. Default 300. */
  readonly maxLatency?: number | undefined;
  /** Largest probability of a flipped bit. Default 0.05. */
  readonly maxCorruption?: number | undefined;
}

/** How many faults, where, and how long. */
export interface FaultConstraints {
  /** Most faults at once. Default 8. */
  readonly maxFaults?: number | undefined;
  /** Datagram faults hit one of the first so many of a direction. Default 60. */
  readonly datagrams?: number | undefined;
  /** Other faults begin within so many milliseconds. Default 20,000. */
  readonly within?: number | undefined;
  /** Longest cut, partition or freeze that ends, in milliseconds. Default 10,000. */
  readonly maxDuration?: number | undefined;
  /** Whether a cut or a partition may be for good. Default true. */
  readonly endless?: boolean | undefined;
}

/** Networks from a clean one to one that loses, reorders, duplicates, corrupts and queues. */
export function arbitraryNetwork(constraints: NetworkConstraints = {}): fc.Arbitrary<NetworkPlan> {
  const conditions = arbitraryConditions(constraints);
  // Another seed is other luck, not a simpler case.
  return plain({ seed: fc.noShrink(fc.nat()), up: conditions, down: conditions });
}

/** Lists of faults for `applyFaults`. */
export function arbitraryFaults(constraints: FaultConstraints = {}): fc.Arbitrary<PlannedFault[]> {
  const {
    maxFaults = 8,
    datagrams = 60,
    within = 20_000,
    maxDuration = 10_000,
    endless = true,
  } = constraints;
  const way = fc.constantFrom('up' as const, 'down' as const);
  const at = fc.nat(within);
  const duration = fc.integer({ min: 1, max: maxDuration });
  const ends: fc.Arbitrary<{ duration?: number }> = endless
    ? fc.oneof({ arbitrary: plain({ duration }), weight: 3 }, { arbitrary: fc.constant({}), weight: 1 })
    : plain({ duration });
  const datagram = plain({
    type: fc.constant('datagram' as const),
    way,
    index: fc.nat(Math.max(0, datagrams - 1)),
    fault: arbitraryFault(endless),
  });
  const cut = join(plain({ type: fc.constant('cut' as const), way, at }), ends);
  const partition = join(plain({ type: fc.constant('partition' as const), at }), ends);
  const freeze = plain({
    type: fc.constant('freeze' as const),
    end: fc.constantFrom('first' as const, 'second' as const),
    at,
    duration,
  });
  const fault = fc.oneof(
    { arbitrary: datagram, weight: 12 },
    { arbitrary: cut, weight: 2 },
    { arbitrary: partition, weight: 2 },
    { arbitrary: freeze, weight: 2 },
  );
  return fc.array(fault, { maxLength: maxFaults });
}

/** A property that does not hold. The message is one line; `cause` is what the property threw. */
export class PropertyFailure extends Error {
  /** What the property was given, shrunk; `undefined` when it was interrupted without a counterexample. */
  readonly counterexample: unknown;

  constructor(message: string, counterexample: unknown, cause: unknown) {
    super(message, { cause });
    this.name = 'PropertyFailure';
    this.counterexample = counterexample;
  }
}

/** A `reporter` for `fc.assert`: what was wrong and how to bring it back, in one line. Throws `PropertyFailure`. */
export function reportInOneLine<Values>(run: fc.RunDetails<Values>): void {
  if (!run.failed) return;
  if (run.counterexample === null) {
    throw new PropertyFailure(
      `interrupted after ${run.numRuns} runs, seed ${run.seed}`,
      undefined,
      undefined,
    );
  }
  const { errorInstance: error, counterexample } = run;
  const what = String(error instanceof Error ? error.message : error).replaceAll(/\s*\n\s*/g, ' ');
  const examples = `examples: [${fc.stringify(counterexample)}]`;
  throw new PropertyFailure(`${what} (${examples}, seed ${run.seed})`, counterexample, error);
}

function arbitraryConditions({
  maxLoss = 0.2,
  maxLatency = 300,
  maxCorruption = 0.05,
}: NetworkConstraints): fc.Arbitrary<LinkConditions> {
  const dials = plain({
    latency: dial(maxLatency),
    jitter: dial(100),
    loss: dial(1000 * maxLoss),
    bursts: dial(50),
    burstLength: fc.integer({ min: 1, max: 4 }),
    reorder: dial(300),
    reorderDelay: fc.integer({ min: 1, max: 200 }),
    duplicate: dial(300),
    duplicateDelay: dial(200),
    corrupt: dial(1000 * maxCorruption),
    slowness: dial(4),
    shortness: dial(192_000),
  });
  return dials.map((at) => ({
    ...(at.latency > 0 && { latency: at.latency }),
    ...(at.jitter > 0 && { jitter: at.jitter }),
    ...(at.loss > 0 && { loss: at.loss / 1000 }),
    ...(at.bursts > 0 && { burst: { toBad: at.bursts / 1000, toGood: 1 / at.burstLength } }),
    ...(at.reorder > 0 && { reorder: at.reorder / 1000, reorderDelay: at.reorderDelay }),
    ...(at.duplicate > 0 && { duplicate: at.duplicate / 1000, duplicateDelay: at.duplicateDelay }),
    ...(at.corrupt > 0 && { corrupt: at.corrupt / 1000 }),
    ...(at.slowness > 0 && { rate: FASTEST / 8 ** at.slowness, queueLimit: 200_000 - at.shortness }),
  }));
}

/** Bits per second; the slowest of four steps down is about 240 kbit/s. */
const FASTEST = 1e9;

/** A number from 0, which means that nothing is wrong and is where it shrinks to, up to `max`. */
function dial(max: number): fc.Arbitrary<number> {
  return fc.oneof(fc.constant(0), fc.nat(Math.round(max)));
}

function arbitraryFault(endless: boolean): fc.Arbitrary<Fault> {
  const delay = fc.nat(3_000);
  const faults: fc.Arbitrary<Fault>[] = [
    plain({ type: fc.constant('drop' as const) }),
    plain({ type: fc.constant('duplicate' as const), delay }),
    plain({ type: fc.constant('delay' as const), by: delay }),
    plain({ type: fc.constant('swap' as const) }),
    plain({
      type: fc.constant('corrupt' as const),
      offset: fc.nat(1_200),
      mask: fc.integer({ min: 1, max: 255 }),
    }),
  ];
  if (endless) faults.push(plain({ type: fc.constant('cut' as const) }));
  return fc.oneof(...faults);
}

/** A record with every key, without a null prototype: it prints as what one would write. */
function plain<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

function join<A extends object, B extends object>(
  a: fc.Arbitrary<A>,
  b: fc.Arbitrary<B>,
): fc.Arbitrary<A & B> {
  return fc.tuple(a, b).map(([left, right]) => ({ ...left, ...right }));
}
