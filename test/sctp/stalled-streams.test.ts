/** B8: what will never be whole, or never has its turn, though every TSN is here, ends its stream; the association lives. */
import { describe, expect, it } from 'vitest';
import { CHUNK } from '../../src/sctp/constants.ts';
import { encodeForwardTsn, encodeIForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeOutgoingReset } from '../../src/sctp/packet/reconfig.ts';
import { inspect, messages } from './pair.ts';
import { INTERLEAVING_EXTENSIONS, Puppet } from './puppet.ts';

const FIRST = 2;
const LAST = 1;
const UNORDERED = 4;

function interleaving(): Puppet {
  return new Puppet({ interleaving: true }, { extensions: INTERLEAVING_EXTENSIONS });
}

/** Streams given up within 80 s; the association must live, and other streams go on. */
function stalled(puppet: Puppet): number[] {
  const goesOn = (): void => {
    const isInterleaved = inspect(puppet.a).interleaving;
    puppet.say(
      isInterleaved ? puppet.iData({ streamId: 9, flags: 7 }) : puppet.data({ streamId: 9, flags: 7 }),
    );
  };
  puppet.run(80_000, { period: 10_000, does: goesOn });
  expect(puppet.a.state).toBe('established');
  expect(messages(puppet.events).filter(({ streamId }) => streamId === 9).length).toBeGreaterThan(5);
  expect(inspect(puppet.a).receive).toMatchObject({ fragments: 0, usedBytes: 0, ignoredStreams: 1 });
  return puppet.events.flatMap((event) => {
    if (event.type !== 'streamstalled') return [];
    expect(event.failure).toMatchObject({ gate: 'reassembly', elapsed: 60_000, code: 'reassembly-timeout' });
    return [event.streamId];
  });
}

describe('B8: a stream that stalls', () => {
  it('B8: an SSN that never comes: the peer counted an empty message and sent no chunk', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, ssn: 0 }), puppet.data({ streamId: 1, ssn: 2 }));
    expect(stalled(puppet)).toEqual([1]);
    expect(puppet.count('stalled-streams')).toBe(1);
  });

  it('B8: a MID that never comes', () => {
    const puppet = interleaving();
    puppet.say(puppet.iData({ streamId: 1, mid: 1 }));
    expect(stalled(puppet)).toEqual([1]);
  });

  it.each([
    ['ordered', 0],
    ['unordered', UNORDERED],
  ])('B8: an FSN that never comes, %s', (_, flags) => {
    const puppet = interleaving();
    puppet.say(puppet.iData({ streamId: 1, flags: flags | FIRST }));
    puppet.say(puppet.iData({ streamId: 1, flags: flags | LAST, ppidOrFsn: 2 }));
    expect(stalled(puppet)).toEqual([1]);
  });

  it('B8: the end of a message that never comes', () => {
    const puppet = new Puppet();
    puppet.say(
      puppet.data({ streamId: 1, flags: FIRST }),
      puppet.data({ streamId: 1, flags: FIRST, ssn: 1 }),
    );
    expect(stalled(puppet)).toEqual([1]);
  });

  it.each([false, true])('B8: a FORWARD TSN that leaves a stream out (interleaving %s)', (isInterleaved) => {
    const puppet = isInterleaved ? interleaving() : new Puppet();
    const missing = puppet.takeTsn();
    puppet.say(isInterleaved ? puppet.iData({ streamId: 1, mid: 1 }) : puppet.data({ streamId: 1, ssn: 1 }));
    const forward = { newCumulativeTsn: missing, streams: [] };
    puppet.say(isInterleaved ? encodeIForwardTsn(forward) : encodeForwardTsn(forward));
    expect(stalled(puppet)).toEqual([1]);
  });

  it('B8: what the peer still sends there is dropped until it resets the stream, which then begins anew', () => {
    const puppet = new Puppet();
    puppet.say(puppet.data({ streamId: 1, ssn: 1 }));
    puppet.run(70_000);
    puppet.say(puppet.data({ streamId: 1, ssn: 2 }));
    expect(puppet.count('ignored-chunk')).toBe(1);
    const lastTsn = puppet.takeTsn();
    puppet.say(puppet.data({ streamId: 2, tsn: lastTsn }));
    puppet.say(encodeOutgoingReset({ sequence: 5000, responseSequence: 0, lastTsn, streams: [1] }));
    puppet.say(puppet.data({ streamId: 1, ssn: 0, payload: Uint8Array.of(7) }));
    puppet.drain();
    expect(messages(puppet.events).map(({ streamId }) => streamId)).toEqual([2, 1]);
  });

  it('a TSN that is missing holds up everything, and ends the association as before', () => {
    const puppet = new Puppet();
    puppet.takeTsn();
    puppet.say(puppet.data({ streamId: 1, ssn: 1 }));
    puppet.run(70_000);
    expect(puppet.closing().failure).toMatchObject({ gate: 'reassembly' });
    expect(puppet.heardOf(CHUNK.abort)).toHaveLength(1);
  });
});
