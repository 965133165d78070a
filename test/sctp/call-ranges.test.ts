/** Ranges of what the host may say: both ends of each are taken, and what lies beyond is refused before anything changes. */
import { describe, expect, test } from 'vitest';
import type { SctpAssociation, SctpMessage } from '../../src/sctp/index.ts';
import { Pair, association } from './pair.ts';

const bytes = new Uint8Array(1);

/** What a call throws, by its code; `taken` if nothing. */
function outcome(call: () => unknown): string {
  try {
    call();
    return 'taken';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

type Setter = [name: string, set: (a: SctpAssociation, value: number) => void];
const REMOTE_PORT: Setter = ['remotePort', (a, value) => (a.remotePort = value)];
const OVERHEAD: Setter = ['overhead', (a, value) => (a.overhead = value)];
const REMOTE_MAX: Setter = ['remoteMaxMessageSize', (a, value) => (a.remoteMaxMessageSize = value)];

describe.each<[Setter, readonly number[], readonly number[]]>([
  [REMOTE_PORT, [1, 5000, 65_535], [0, -1, 65_536, 1.5, NaN, Infinity]],
  [OVERHEAD, [0, 70, 200], [-1, 201, 0.5, NaN, Infinity]],
  [REMOTE_MAX, [1, 65_536, Infinity], [0, -1, NaN]],
])('%s', ([name, set], taken, refused) => {
  test.each(taken)(`${name} of %d is taken`, (value) => {
    expect(outcome(() => set(association(1), value))).toBe('taken');
  });

  test.each(refused)(`${name} of %d is refused`, (value) => {
    expect(outcome(() => set(association(1), value))).toBe('ERR_BAD_ARGUMENT');
  });
});

test('a port and an overhead that were refused change nothing', () => {
  const a = association(1);
  const before = [a.remotePort, a.overhead];
  outcome(() => (a.remotePort = 0));
  outcome(() => (a.overhead = 201));
  expect([a.remotePort, a.overhead]).toEqual(before);
  a.remotePort = 65_535;
  a.overhead = 0;
  expect([a.remotePort, a.overhead]).toEqual([65_535, 0]);
});

describe('send', () => {
  const told: SctpMessage = { ppid: 53, data: bytes };

  test.each<[string, number, Partial<SctpMessage>, string]>([
    ['the first stream', 0, {}, 'taken'],
    ['the last stream', 9, {}, 'taken'],
    ['one stream too many', 10, {}, 'ERR_BAD_ARGUMENT'],
    ['a stream below the first', -1, {}, 'ERR_BAD_ARGUMENT'],
    ['half a stream', 0.5, {}, 'ERR_BAD_ARGUMENT'],
    ['no bytes', 0, { data: new Uint8Array(0) }, 'ERR_BAD_ARGUMENT'],
    ['no retransmission', 0, { maxRetransmits: 0 }, 'taken'],
    ['less than no retransmission', 0, { maxRetransmits: -1 }, 'ERR_BAD_ARGUMENT'],
    ['retransmissions that are no number', 0, { maxRetransmits: NaN }, 'ERR_BAD_ARGUMENT'],
    ['no time', 0, { maxPacketLifeTime: 0 }, 'taken'],
    ['less than no time', 0, { maxPacketLifeTime: -0.5 }, 'ERR_BAD_ARGUMENT'],
    ['the smallest priority', 0, { priority: Number.MIN_VALUE }, 'taken'],
    ['a priority of 0', 0, { priority: 0 }, 'ERR_BAD_ARGUMENT'],
    ['a priority that is no number', 0, { priority: NaN }, 'ERR_BAD_ARGUMENT'],
  ])('%s', (_, streamId, more, expected) => {
    const a = association(1, { streams: 10 });
    expect(outcome(() => a.send(streamId, { ...told, ...more }))).toBe(expected);
  });

  test('the refusal of a stream names the range', () => {
    expect(() => association(1, { streams: 10 }).send(10, told)).toThrow(/from 0 to 9\b/);
  });

  test('the peer has fewer streams: its last one is taken, the next one answered with false', () => {
    const pair = new Pair({ a: { streams: 10 }, b: { streams: 4 } }).connect();
    expect([3, 4, 9].map((streamId) => pair.a.send(streamId, told))).toEqual([true, false, false]);
  });

  test('a message of the largest size is taken, one byte more is not', () => {
    const a = association(1);
    a.remoteMaxMessageSize = 1000;
    expect([1000, 1001].map((size) => a.send(0, { ppid: 53, data: new Uint8Array(size) }))).toEqual([
      true,
      false,
    ]);
  });
});

test('pollTransmitInto wants room for the largest packet, to the byte', () => {
  const a = association(1);
  const room = new Uint8Array(a.mtu + 7);
  expect(outcome(() => a.pollTransmitInto(room, 7, 0))).toBe('taken');
  expect(outcome(() => a.pollTransmitInto(room, 8, 0))).toBe('ERR_BAD_ARGUMENT');
});

test('an association that never heard its peer says that it was silent for 0 ms', () => {
  const a = association(1);
  a.connect(5000);
  expect(a.peerSilentFor).toBe(0);
});
