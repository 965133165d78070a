/**
 * Packets of media from outside: whoever has no keys, be it on the path, beside it or far away, gets no answer, moves no deadline and
 * leaves nothing behind but a count. Two connections of one seed are run in step, one of them under fire: what they send and tell, and when,
 * is the same to the byte, and so is what they hold.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { writeU16, writeU32 } from '../../src/core/bytes.ts';
import { howMany } from '../how-many.ts';
import { freshSeed } from '../seed.ts';
import { Dice } from '../srtp/packets.ts';
import { HOSTILE, HostilePeer } from './hostile-peer.ts';

const STRANGER = { address: '203.0.113.9', port: 5000 };

/** Packets of one kind. */
const PLENTY = 2000;

interface Forgery {
  readonly name: string;
  readonly source: typeof HOSTILE;
  readonly make: (peer: HostilePeer, dice: Dice, index: number) => Bytes;
  /** What counts them: the half of them at the least. */
  readonly counter: string;
}

/** A packet with a tag at random, as good as none. */
function rtp(peer: HostilePeer, dice: Dice, ssrc: number, sequence: number): Bytes {
  return peer.rtp({ ssrc, sequence, payload: dice.bytes(40) });
}

function rtcp(dice: Dice, type: number, ssrc: number): Bytes {
  const packet = dice.bytes(64);
  packet[0] = 0x80 | (packet[0]! & 0x1f);
  packet[1] = type;
  writeU16(packet, 2, 15);
  writeU32(packet, 4, ssrc);
  return packet;
}

const FORGERIES: readonly Forgery[] = [
  {
    name: 'RTP of the sources that are heard',
    source: HOSTILE,
    counter: 'notAuthentic',
    make: (peer, dice, index) => rtp(peer, dice, peer.stream('video').ssrc, 30_000 + index),
  },
  {
    name: 'RTP of 65,535 sources',
    source: HOSTILE,
    counter: 'notAuthentic',
    make: (peer, dice, index) => rtp(peer, dice, index, index),
  },
  {
    name: 'NACK, PLI, FIR and estimates',
    source: HOSTILE,
    counter: 'notAuthentic',
    make: (_, dice, index) => rtcp(dice, 205 + (index & 1), index),
  },
  {
    name: 'reports, descriptions and goodbyes',
    source: HOSTILE,
    counter: 'notAuthentic',
    make: (peer, dice, index) => rtcp(dice, 200 + (index & 3), peer.stream('audio').ssrc),
  },
  {
    name: 'what is too short, or says it is longer than it is',
    source: HOSTILE,
    counter: 'malformed',
    make: (_, dice, index) => {
      const packet = dice.bytes(1 + (index % 30));
      packet[0] = 0xbf;
      return packet;
    },
  },
  {
    name: 'anything from another address',
    source: STRANGER,
    counter: 'droppedUnvalidatedPath',
    make: (peer, dice, index) => (index & 1 ? rtp(peer, dice, 1, index) : rtcp(dice, 206, 1)),
  },
];

/** What a connection does for a second and a half of media, with `attack` every few milliseconds. */
function course(peer: HostilePeer, attack: (tick: number) => void): readonly unknown[] {
  for (let tick = 0; tick < 15; tick++) {
    attack(tick);
    peer.talk(100);
  }
  // Pauses, and the end of streams: deadlines that nobody may put off.
  for (let tick = 15; tick < 60; tick++) {
    attack(tick);
    peer.wait(1000);
  }
  const { victim } = peer;
  const events = victim.events.map((event) => `${event.at} ${event.type}`);
  return [peer.datagrams, events, victim.peer.deadline, victim.peer.reason, stateOf(peer)];
}

/** All that is held, without what counts datagrams. */
function stateOf(peer: HostilePeer): string {
  return peer.held().replace(/"(packetsReceived|bytesReceived|lastReceivedAt)":[0-9.]+/g, '');
}

describe('media without keys', () => {
  for (const { name, source, make, counter } of FORGERIES) {
    test(`${name}: not answered, and nothing is put off`, () => {
      const calm = course(new HostilePeer(3), () => undefined);
      const dice = new Dice(11);
      const peer = new HostilePeer(3);
      const each = Math.ceil(PLENTY / 60);
      const stormy = course(peer, (tick) => {
        for (let index = 0; index < each; index++) peer.arrive(make(peer, dice, each * tick + index), source);
      });
      expect(stormy).toEqual(calm);
      expect(peer.counted()[counter]).toBeGreaterThan(PLENTY / 2);
    });
  }

  test('what was heard, said again by anyone: counted as replayed', () => {
    const recorded: Bytes[] = [];
    const calm = course(new HostilePeer(4), () => undefined);
    const peer = new HostilePeer(4);
    peer.pair.offerer.tap.carries = (data) => {
      if (data[0]! >> 6 === 2) recorded.push(new Uint8Array(data));
      return true;
    };
    const stormy = course(peer, () => {
      for (const datagram of recorded.slice(-40)) peer.arrive(datagram);
    });
    expect(stormy).toEqual(calm);
    expect(peer.counted()['replayed']).toBeGreaterThan(500);
  });

  test('what was heard with a bit turned, cut or made longer: whatever it says, nothing comes of it', () => {
    const seed = freshSeed('forged media');
    const calm = course(new HostilePeer(5), () => undefined);
    const change = fc.record({
      of: fc.nat(1000),
      flips: fc.array(fc.nat(4000), { minLength: 1, maxLength: 4 }),
      cut: fc.oneof(fc.constant(0), fc.nat(60)),
      more: fc.oneof(fc.constant(0), fc.nat(20)),
      at: fc.nat(59),
      source: fc.constantFrom(HOSTILE, HOSTILE, STRANGER),
    });
    const property = fc.property(fc.array(change, { minLength: 1, maxLength: 60 }), (changes) => {
      const recorded: Bytes[] = [];
      const peer = new HostilePeer(5);
      peer.pair.offerer.tap.carries = (data) => {
        if (data[0]! >> 6 === 2) recorded.push(new Uint8Array(data));
        return true;
      };
      const stormy = course(peer, (tick) => {
        for (const { of, flips, cut, more, at, source } of changes) {
          const original = recorded[of % Math.max(1, recorded.length)];
          if (at !== tick || original === undefined) continue;
          const bytes = new Uint8Array(Math.max(1, original.length - cut) + more);
          bytes.set(original.subarray(0, bytes.length));
          for (const flip of new Set(flips)) bytes[(flip >> 3) % bytes.length]! ^= 1 << (flip & 7);
          bytes[0] = 0x80 | (bytes[0]! & 0x3f);
          peer.arrive(bytes, source);
        }
      });
      expect(stormy).toEqual(calm);
    });
    fc.assert(property, { seed, numRuns: howMany(10, 300) });
  });

  test('after the end: nothing is said any more', () => {
    const peer = new HostilePeer(6);
    const dice = new Dice(12);
    const packets = [rtp(peer, dice, 1, 1), rtcp(dice, 205, 1), peer.seal('rtp', peer.rtp({ sequence: 9 }))];
    peer.victim.rtc.close();
    peer.wait(10_000);
    const sent = peer.datagrams.length;
    for (let index = 0; index < 100; index++) {
      for (const packet of packets) peer.arrive(packet);
      peer.wait(10);
    }
    expect(peer.datagrams).toHaveLength(sent);
    expect(peer.victim.rtc.isEmpty).toBe(true);
  });
});
