/** The suite can fail: for each property a machine that is sound but for one thing. */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import type { Failure } from '../../src/core/errors.ts';
import type { Machine } from '../../src/core/machine.ts';
import type { PropertyName } from './compliance.ts';
import { PROPERTY_NAMES, assertProperty } from './compliance.ts';
import type { Fixture } from './rig.ts';
import { layer } from './subjects.ts';

const PERIOD = 1000;
const PASSWORD = 'open sesame';

/** Says something each second and repeats the bytes it is given; what is wrong with it, `fault` says. */
class Ticker implements Machine<string> {
  protected now = -Infinity;
  protected due = Infinity;
  protected events: string[] = [];
  protected packets: Bytes[] = [];
  protected ticks = 0;
  protected isOver = false;

  start(now: number): void {
    this.now = now;
    this.due = now + PERIOD;
  }

  handlePacket(packet: Bytes, now: number): void {
    this.handleTimeout(now);
    if (this.isOver) return;
    this.events.push(`heard ${packet.join(',')}`);
    if (packet.length === 1 && packet[0]! > 0) this.packets.push(Uint8Array.of(packet[0]! - 1));
  }

  handleTimeout(now: number): void {
    const before = this.now;
    this.now = Math.max(this.now, now);
    if (this.now - before >= 3000 && this.now - this.due >= 3000) this.thaw(this.now - this.due);
    if (this.isOver || this.due > this.now) return;
    this.ticks++;
    this.events.push(`tick at ${this.now}`);
    this.packets.push(Uint8Array.of(1));
    this.due = this.now + PERIOD;
  }

  nextTimeout(): number {
    return this.due;
  }

  timeoutReason(): string | undefined {
    return this.due === Infinity ? undefined : 'tick';
  }

  get queuedEvents(): number {
    return this.events.length;
  }

  pollEvent(): string | undefined {
    return this.events.shift();
  }

  pollPacket(): Bytes | undefined {
    return this.packets.shift();
  }

  thaw(missed: number): void {
    if (!this.isOver) this.due += missed;
  }

  close(reason: Failure, now: number): void {
    if (this.isOver) return;
    this.now = Math.max(this.now, now);
    this.isOver = true;
    this.due = Infinity;
    this.events = [`closed: ${reason.code}`];
    this.packets = [Uint8Array.of(0)];
  }

  inspect(): object {
    return { now: this.now, ticks: this.ticks, queued: this.events.length, isOver: this.isOver };
  }

  invariantViolation(): string | undefined {
    return !this.isOver && this.due === Infinity ? 'open, and waits for nothing' : undefined;
  }
}

/** Never two alike: the one thing that differs between machines that are fed the same. */
let made = 0;

/** Each breaks one promise; the methods that are broken say how. */
const BROKEN: Readonly<Record<PropertyName, new () => Ticker>> = {
  'no input makes it throw': class extends Ticker {
    override handlePacket(packet: Bytes, now: number): void {
      if (packet.length > 4) throw new RangeError('too long for me');
      super.handlePacket(packet, now);
    }
  },
  'a drain ends, and leaves nothing due': class extends Ticker {
    override handleTimeout(now: number): void {
      super.handleTimeout(now);
      // One period at a time, however late it is.
      if (!this.isOver && this.ticks > 0) this.due = PERIOD * (this.ticks + 1);
    }
  },
  'a deadline that has come moves or goes': class extends Ticker {
    override handleTimeout(now: number): void {
      if (this.ticks < 3 || now !== this.due) super.handleTimeout(now);
    }
  },
  'before its deadline the time alone changes nothing': class extends Ticker {
    override handleTimeout(now: number): void {
      super.handleTimeout(now);
      this.ticks++;
    }
  },
  'a timer has a name exactly while one is armed': class extends Ticker {
    override timeoutReason(): string {
      return 'tick';
    }
  },
  'an earlier time counts as the last one': class extends Ticker {
    override handleTimeout(now: number): void {
      super.handleTimeout(now);
      if (now < this.now && !this.isOver) this.due = now + PERIOD + 5000;
    }
  },
  'queuedEvents is never less than what is polled': class extends Ticker {
    override get queuedEvents(): number {
      return Math.min(1, this.events.length);
    }
  },
  'inspect() is plain data that JSON keeps': class extends Ticker {
    override inspect(): object {
      return { ...super.inspect(), due: this.due };
    }
  },
  'inspect() holds no secret': class extends Ticker {
    override inspect(): object {
      return { ...super.inspect(), password: PASSWORD };
    }
  },
  'inspect() changes nothing': class extends Ticker {
    override inspect(): object {
      return { ...super.inspect(), looks: this.ticks++ };
    }
  },
  'thaw() brings no deadline forward': class extends Ticker {
    override thaw(missed: number): void {
      if (!this.isOver) this.due -= missed;
    }
  },
  'after close() it says farewell and is silent for ever': class extends Ticker {
    override close(reason: Failure, now: number): void {
      this.isOver = false;
      super.close(reason, now);
    }
  },
  'given bytes are neither written to nor kept': class extends Ticker {
    #kept: Bytes | undefined;

    override handlePacket(packet: Bytes, now: number): void {
      super.handlePacket(this.#kept ?? packet, now);
      this.#kept = packet;
    }
  },
  'two that are fed the same are the same': class extends Ticker {
    readonly #number = made++;

    override inspect(): object {
      return { ...super.inspect(), number: this.#number };
    }
  },
  'its own invariants hold': class extends Ticker {
    override invariantViolation(): string | undefined {
      return this.ticks > 2 ? 'I cannot count any further' : undefined;
    }
  },
};

function fixtureOf(Kind: new () => Ticker): Fixture {
  const make = (Made: new () => Ticker) => {
    const machine = new Made();
    machine.start(0);
    return layer({
      machine,
      handlePacket: (packet, now) => {
        machine.handlePacket(packet, now);
      },
      pollPacket: () => machine.pollPacket(),
      secrets: () => [PASSWORD],
    });
  };
  return {
    name: 'Ticker',
    setUp: 5000,
    connected: 'heard 1',
    make: () => ({ subject: make(Kind), peer: make(Ticker) }),
  };
}

const RUNS = 300;

describe.each(PROPERTY_NAMES)('%s', (name) => {
  test('a sound machine passes', () => {
    assertProperty(name, fixtureOf(Ticker), 30);
  });

  test('a broken one does not', () => {
    expect(() => {
      assertProperty(name, fixtureOf(BROKEN[name]), RUNS);
    }).toThrow('Property failed');
  });
});

test('a drain that does not end is noticed', () => {
  class Endless extends Ticker {
    override pollPacket(): Bytes {
      return Uint8Array.of(1);
    }
  }
  expect(() => {
    assertProperty('a drain ends, and leaves nothing due', fixtureOf(Endless), 1);
  }).toThrow(/Property failed/);
});
