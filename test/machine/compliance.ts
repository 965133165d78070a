/**
 * The compliance suite: what `core/machine.ts` promises, as properties over random schedules. Every machine passes it, each in a
 * test of its own beside this file; `compliance.test.ts` shows for each property a machine that fails it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FREEZE } from '../../src/core/clock.ts';
import { howMany } from '../how-many.ts';
import type { Fixture, RigOptions, Schedule } from './rig.ts';
import { MiscountedEvents, REASON, Rig, arbitrarySchedule } from './rig.ts';

/** Plays one schedule, and throws if the property does not hold. */
type Property = (fixture: Fixture, schedule: Schedule) => void;

/** What tells the time, or how often it went wrong: a machine that is told the time may show it. */
const CLOCKS: ReadonlySet<string> = new Set(['now', 'clockWentBackwards', 'wentBackwards', 'freezes']);

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function played(fixture: Fixture, { seed, steps }: Schedule, options: RigOptions = {}): Rig {
  return new Rig(fixture, seed, options).play(steps);
}

/** Every promise by its name. */
export const PROPERTIES = {
  'no input makes it throw': (fixture, schedule) => {
    try {
      played(fixture, schedule);
    } catch (error) {
      if (!(error instanceof MiscountedEvents)) throw error;
    }
  },

  'a drain ends, and leaves nothing due': (fixture, schedule) => {
    played(fixture, schedule, {
      onDrained: ({ subject, now }) => {
        const at = subject.nextTimeout();
        require(at > now, `a deadline of ${at} after a drain at ${now}`);
      },
    });
  },

  'a deadline that has come moves or goes': (fixture, schedule) => {
    const rig = played(fixture, schedule);
    for (let i = 0; i < 20; i++) {
      const at = rig.subject.nextTimeout();
      if (at === Infinity) return;
      rig.tell(at);
      rig.drain();
      require(rig.subject.nextTimeout() > at, `it was told ${at}, its deadline, and has it still`);
    }
  },

  'before its deadline the time alone changes nothing': (fixture, schedule) => {
    const rig = played(fixture, schedule);
    // What a call began while the time was not known is dated now.
    rig.tell(rig.now);
    rig.drain();
    const { subject } = rig;
    const before = shown(subject.inspect());
    const length = rig.log.length;
    const deadline = subject.nextTimeout();
    rig.tell(deadline === Infinity ? rig.now + 1000 : (rig.now + deadline) / 2);
    require(subject.nextTimeout() === deadline, 'the deadline moved before it came');
    rig.drain();
    require(rig.log.length === length, 'it has said something before its deadline');
    require(shown(subject.inspect()) === before, 'inspect() shows something else before the deadline');
  },

  'a timer has a name exactly while one is armed': (fixture, schedule) => {
    played(fixture, schedule, {
      onDrained: ({ subject }) => {
        const isArmed = subject.nextTimeout() !== Infinity;
        const reason = subject.timeoutReason();
        require((reason !== undefined) === isArmed, `${String(reason)} for ${subject.nextTimeout()}`);
      },
    });
  },

  'an earlier time counts as the last one': (fixture, schedule) => {
    requireSame(
      played(fixture, schedule),
      played(fixture, schedule, { clampsTime: true }),
      'a time that went back',
    );
  },

  'queuedEvents is never less than what is polled': (fixture, schedule) => {
    played(fixture, schedule);
  },

  'inspect() is plain data that JSON keeps': (fixture, schedule) => {
    played(fixture, schedule, {
      onDrained: ({ subject }) => {
        requirePlain(subject.inspect(), 'inspect()');
      },
    });
  },

  'inspect() holds no secret': (fixture, schedule) => {
    played(fixture, schedule, {
      onDrained: ({ subject }) => {
        const text = JSON.stringify(subject.inspect());
        const words = new Set(text.split(/[^\w+/.-]+/));
        for (const secret of subject.secrets()) {
          const isShown = typeof secret === 'string' ? text.includes(secret) : words.has(String(secret));
          require(!isShown, `inspect() shows ${String(secret)}`);
        }
      },
    });
  },

  'inspect() changes nothing': (fixture, schedule) => {
    requireSame(
      played(fixture, schedule),
      played(fixture, schedule, { inspects: true }),
      'having been inspected',
    );
  },

  'thaw() brings no deadline forward': (fixture, schedule) => {
    const rig = played(fixture, schedule);
    rig.play([{ do: 'deadline', late: FREEZE }]);
    for (const { before, after } of rig.subject.thaws ?? [])
      require(after >= before, `thaw() moved a deadline from ${before} to ${after}`);
  },

  'after close() it says farewell and is silent for ever': (fixture, schedule) => {
    const rig = played(fixture, schedule);
    if (!rig.isClosed) {
      rig.close();
      rig.drain();
    }
    const { subject } = rig;
    const requireSilence = (when: string): void => {
      require(subject.poll(rig.now) === undefined, `it speaks ${when}`);
      require(subject.nextTimeout() === Infinity, `it waits for something ${when}`);
      require(subject.timeoutReason() === undefined, `it has a timer ${when}`);
    };
    requireSilence('after its farewells');
    subject.close(REASON, rig.now);
    requireSilence('after a second close');
    // Old packets, damaged ones, calls, time.
    const { saidSinceClose } = rig;
    rig.play([{ do: 'run', share: 1 }, ...schedule.steps, { do: 'time', after: 600_000 }]);
    require(rig.saidSinceClose === saidSinceClose, 'it speaks after its end');
    requireSilence('after its end');
  },

  'given bytes are neither written to nor kept': (fixture, schedule) => {
    if (fixture.ownsPackets === true) return;
    requireSame(
      played(fixture, schedule),
      played(fixture, schedule, { scribbles: true }),
      'packets overwritten after the call',
    );
  },

  'two that are fed the same are the same': (fixture, schedule) => {
    requireSame(played(fixture, schedule), played(fixture, schedule), 'nothing at all');
  },

  'its own invariants hold': (fixture, schedule) => {
    played(fixture, schedule, {
      onDrained: ({ subject }) => {
        const violation = subject.invariantViolation();
        require(violation === undefined, String(violation));
      },
    });
  },
} satisfies Readonly<Record<string, Property>>;

export type PropertyName = keyof typeof PROPERTIES;

export const PROPERTY_NAMES = Object.keys(PROPERTIES) as readonly PropertyName[];

/** fast-check's verdict: throws with the shrunk schedule if one breaks the property. */
export function assertProperty(name: PropertyName, fixture: Fixture, numRuns: number): void {
  fc.assert(
    fc.property(arbitrarySchedule, (schedule) => {
      PROPERTIES[name](fixture, schedule);
    }),
    { numRuns },
  );
}

/** Declares the suite for one kind of machine. */
export function describeMachine(fixture: Fixture, part = 12): void {
  describe(fixture.name, () => {
    test('the rig connects it', () => {
      const { log } = new Rig(fixture, 1).play([{ do: 'run', share: 1 }]);
      expect(log.join('\n')).toMatch(new RegExp(fixture.connected));
    });

    test.each(PROPERTY_NAMES)('%s', (name) => {
      assertProperty(name, fixture, howMany(part, 20 * part));
    });
  });
}

/** What `inspect` shows, as text, without the clocks. */
function shown(inspection: object): string {
  return JSON.stringify(inspection, (key, value: unknown) => (CLOCKS.has(key) ? undefined : value));
}

function requireSame(one: Rig, other: Rig, difference: string): void {
  const at = one.log.findIndex((line, i) => line !== other.log[i]);
  require(at < 0, `${difference} makes a difference: ${String(one.log[at])} is ${String(other.log[at])}`);
  require(one.log.length === other.log.length, `${difference} makes it say more`);
  const [a, b] = [shown(one.subject.inspect()), shown(other.subject.inspect())];
  require(a === b, `${difference} makes a difference to inspect(): ${firstDifference(a, b)}`);
}

function firstDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 60);
  return `${a.slice(from, at + 40)} is ${b.slice(from, at + 40)}`;
}

/** Throws for what JSON would lose or change. */
function requirePlain(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    require(Number.isFinite(value) && !Object.is(value, -0), `${path} is ${value}`);
    return;
  }
  require(typeof value === 'object', `${path} is ${typeof value}`);
  const prototype = Object.getPrototypeOf(value) as unknown;
  require(Array.isArray(value) || prototype === Object.prototype, `${path} is no plain object`);
  for (const [key, member] of Object.entries(value as object)) requirePlain(member, `${path}.${key}`);
}
