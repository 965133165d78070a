/**
 * Random calls, events and times, in any order, also orders no association would produce. After every step: nothing is
 * thrown but misuse, no deadline lies in the past, and every channel's events tell a story that makes sense.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChannelEvent, DataChannel } from '../../src/channel/index.ts';
import type { SctpEvent } from '../../src/sctp/index.ts';
import { DataChannels, encodeAck, encodeOpen } from '../../src/channel/index.ts';
import { RtcError } from '../../src/core/errors.ts';
import { FakePort, closed, drain } from './fake-port.ts';

const OPEN = encodeOpen({ label: 'x', protocol: '', priority: 0, ordered: true });

const streamId = fc.nat(5);
const outcome = fc.constantFrom('performed' as const, 'denied' as const, 'timeout' as const);
const event: fc.Arbitrary<SctpEvent> = fc.oneof(
  fc.record({ type: fc.constant('streamdata' as const), streamId }),
  fc.record({ type: fc.constant('bufferedamountlow' as const), streamId }),
  fc.record({
    type: fc.constant('streamreset' as const),
    streamId,
    origin: fc.constantFrom('local' as const, 'remote' as const),
    outcome,
  }),
  fc.record({
    type: fc.constant('message' as const),
    streamId,
    ppid: fc.integer({ min: 50, max: 58 }),
    unordered: fc.boolean(),
    data: fc
      .oneof(fc.constant(OPEN), fc.constant(encodeAck()), fc.uint8Array({ maxLength: 5 }))
      .map((data) => Uint8Array.from(data)),
  }),
);

type Step =
  | { do: 'event'; event: SctpEvent }
  | { do: 'time'; by: number }
  | { do: 'create'; negotiated: number | null }
  | { do: 'send' | 'close'; pick: number }
  | { do: 'role' | 'connect' | 'full' | 'hold' | 'die' | 'end' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: event.map((event) => ({ do: 'event' as const, event })) },
  { weight: 3, arbitrary: fc.nat(40_000).map((by) => ({ do: 'time' as const, by })) },
  { weight: 3, arbitrary: fc.option(streamId).map((negotiated) => ({ do: 'create' as const, negotiated })) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('send' as const, 'close' as const), pick: fc.nat(9) }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('role' as const, 'connect' as const).map((what) => ({ do: what })),
  },
  { weight: 2, arbitrary: fc.constantFrom('full' as const, 'hold' as const).map((what) => ({ do: what })) },
  { weight: 1, arbitrary: fc.constantFrom('die' as const, 'end' as const).map((what) => ({ do: what })) },
);

/** Legal successors of each event of one channel; `message` and `bufferedamountlow` only while it is open. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  created: ['channelopen', 'channelerror', 'channelclose'],
  datachannel: ['message', 'bufferedamountlow', 'channelclosing', 'channelerror', 'channelclose'],
  channelopen: ['message', 'bufferedamountlow', 'channelclosing', 'channelerror', 'channelclose'],
  message: ['message', 'bufferedamountlow', 'channelclosing', 'channelerror', 'channelclose'],
  bufferedamountlow: ['message', 'bufferedamountlow', 'channelclosing', 'channelerror', 'channelclose'],
  channelclosing: ['channelclose'],
  channelerror: ['channelclose'],
  channelclose: [],
};

/** Runs steps on channels over a fake association and checks every event as it comes. */
class Run {
  readonly port = new FakePort();
  readonly channels = new DataChannels(this.port, { limits: { maxChannels: 4 } });
  readonly handles: DataChannel[] = [];
  readonly last = new Map<DataChannel, string>();
  now = 0;

  step(step: Step): void {
    const picked = 'pick' in step ? this.handles[step.pick % this.handles.length] : undefined;
    switch (step.do) {
      case 'event':
        this.channels.handleSctpEvent(step.event, this.now);
        break;
      case 'time':
        this.now += step.by;
        this.channels.handleTimeout(this.now);
        expect(this.channels.nextTimeout()).toBeGreaterThan(this.now);
        break;
      case 'create': {
        const options = step.negotiated === null ? {} : { negotiated: true, id: step.negotiated };
        this.#orMisuse(() => {
          const handle = this.channels.createChannel('x', options);
          // After the end of the association it is closed from the start, and no event follows.
          if (this.channels.inspect().association !== 'closed') this.#created(handle);
          else expect(handle.readyState).toBe('closed');
        });
        break;
      }
      case 'send':
        this.#orMisuse(() => picked?.send('data'));
        break;
      case 'close':
        picked?.close();
        break;
      case 'role':
        this.channels.setRole('client');
        break;
      case 'connect':
        this.channels.handleSctpEvent({ type: 'connected' }, this.now);
        break;
      case 'full':
        this.port.full = !this.port.full;
        break;
      case 'hold':
        this.port.holds = !this.port.holds;
        break;
      case 'die':
        this.port.state = 'closed';
        break;
      case 'end':
        this.port.state = 'closed';
        this.channels.handleSctpEvent(closed(), this.now);
        expect(this.channels.nextTimeout()).toBe(Infinity);
    }
    drain(this.channels).forEach((event) => this.#check(event));
  }

  /** Misuse is thrown before anything has changed. */
  #orMisuse(action: () => void): void {
    const before = this.channels.inspect();
    try {
      action();
    } catch (error) {
      if (!(error instanceof RtcError)) throw error;
      expect(this.channels.inspect()).toEqual(before);
    }
  }

  #created(handle: DataChannel): void {
    this.handles.push(handle);
    this.last.set(handle, 'created');
  }

  #check(event: ChannelEvent): void {
    if (event.type === 'datachannel') {
      this.#created(event.channel);
    } else {
      expect(NEXT[this.last.get(event.channel) ?? 'unheard of']).toContain(event.type);
    }
    this.last.set(event.channel, event.type);
  }
}

test('any schedule of calls, events and times keeps every promise, and ends with nothing held', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const run = new Run();
      for (const each of steps) run.step(each);
      expect(run.channels.inspect().channels.length).toBeLessThanOrEqual(4);
      run.step({ do: 'end' });
      for (const handle of run.handles) {
        expect(handle.readyState).toBe('closed');
        expect(run.last.get(handle)).toBe('channelclose');
      }
    }),
  );
});

test('left alone, every closing channel closes within its gates', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const run = new Run();
      for (const each of steps) run.step(each);
      for (const handle of run.handles) handle.close();
      run.port.full = false;
      run.step({ do: 'time', by: 0 });
      // Drain, then reset: 30 s and 10 s, and nobody answers.
      for (let second = 0; second < 40; second++) run.step({ do: 'time', by: 1000 });
      for (const handle of run.handles) expect(handle.readyState).toBe('closed');
    }),
  );
});
