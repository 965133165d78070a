/** Streams that nobody reads any more: what comes of them is acknowledged and dropped, until the peer resets them. */
import { describe, expect, test } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeOutgoingReset } from '../../src/sctp/packet/reconfig.ts';
import { inspect, messages } from './pair.ts';
import { Puppet } from './puppet.ts';

function reset(sequence: number, lastTsn: number, ...streams: number[]): Uint8Array {
  return encodeOutgoingReset({ sequence, responseSequence: 0, lastTsn, streams });
}

describe('ignore', () => {
  test('drops what has come of a message and all that still comes; other streams do not notice', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, flags: 2 }));
    puppet.a.ignore(1);
    expect(inspect(puppet.a).receive).toMatchObject({ fragments: 0, usedBytes: 0, ignoredStreams: 1 });
    puppet.say(
      puppet.data({ streamId: 1, flags: 1 }),
      puppet.data({ streamId: 1, ssn: 1 }),
      puppet.data({ streamId: 2 }),
    );
    puppet.drain();
    expect(messages(puppet.events).map(({ streamId }) => streamId)).toEqual([2]);
    expect(puppet.count('ignored-chunk')).toBe(2);
    expect(puppet.heardOf(CHUNK.sack).length).toBeGreaterThan(0);
    expect(inspect(puppet.a).timers).not.toHaveProperty('reassembly');
  });

  test('ends with the peer’s reset, performed at once or later; what waits behind it is not dropped', () => {
    const puppet = new Puppet();
    puppet.a.ignore(1);
    const missing = puppet.takeTsn();
    puppet.say(reset(5000, missing, 1));
    puppet.say(puppet.data({ streamId: 1, ssn: 0, payload: Uint8Array.of(7) }));
    puppet.say(puppet.data({ tsn: missing, streamId: 1, ssn: 4 }));
    puppet.drain();
    expect(messages(puppet.events).map(({ data }) => data[0])).toEqual([7]);
    expect(inspect(puppet.a).receive).toMatchObject({ ignoredStreams: 0, usedBytes: 0 });
  });

  test('said too late, when the peer has reset the stream and begun anew, it is nothing', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1 }));
    puppet.say(reset(5000, 5000, 1));
    puppet.say(puppet.data({ streamId: 1, flags: 2 }));
    //  The owner takes the first message, does not want the stream, and has not heard of the reset yet.
    expect(puppet.a.pollEvent()).toMatchObject({ type: 'message' });
    puppet.a.ignore(1);
    expect(inspect(puppet.a).receive).toMatchObject({ ignoredStreams: 0, fragments: 1 });
    expect(puppet.a.pollEvent()).toMatchObject({ type: 'streamreset' });
    puppet.a.ignore(1);
    expect(inspect(puppet.a).receive).toMatchObject({ ignoredStreams: 1, fragments: 0 });
  });

  test('a FORWARD TSN passes over it, and after the end of the association it is nothing', () => {
    const puppet = new Puppet();
    puppet.a.ignore(1);
    puppet.say(
      encodeForwardTsn({ newCumulativeTsn: 5000, streams: [{ streamId: 1, unordered: false, sequence: 0 }] }),
    );
    expect(inspect(puppet.a).receive).toMatchObject({ usedBytes: 0, gaps: 0 });
    puppet.a.abort('done', puppet.now);
    puppet.a.ignore(1);
    expect(inspect(puppet.a).receive).toMatchObject({ ignoredStreams: 0 });
  });
});
