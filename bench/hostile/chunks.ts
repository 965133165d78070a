/** What a peer may say: every chunk type, in the form that costs most. */
import type { Bytes } from '../../src/core/bytes.ts';
import { Writer } from '../../src/core/bytes.ts';
import { CAUSE, CHUNK, PARAMETER } from '../../src/sctp/constants.ts';
import { encodeCause } from '../../src/sctp/packet/causes.ts';
import { encodeForwardTsn, encodeIForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { encodeInit } from '../../src/sctp/packet/init.ts';
import { encodeOutgoingReset, encodeResponse } from '../../src/sctp/packet/reconfig.ts';
import { encodeChunk, encodeHeartbeat } from '../../src/sctp/packet/simple.ts';
import { encodeOpen } from '../../src/channel/dcep.ts';
import { FIRST_TSN } from './victim.ts';
import type { Victim } from './victim.ts';

export interface Saying {
  readonly victim: Victim;
  /** The first TSN that the state has not used. */
  readonly tsn: number;
}

export interface Attack {
  readonly name: string;
  /** Chunks of the `round`-th packet. */
  say(saying: Saying, round: number): readonly Uint8Array[];
}

export function dataChunk(
  interleaving: boolean,
  given: {
    tsn: number;
    flags: number;
    streamId?: number;
    sequence?: number;
    fsn?: number;
    ppid?: number;
    payload?: Uint8Array;
  },
): Bytes {
  const { tsn, flags, streamId = 2, sequence = 0, fsn = 0, ppid = 53, payload = Uint8Array.of(1) } = given;
  const writer = new Writer(64).u32(tsn >>> 0).u16(streamId);
  if (interleaving)
    writer
      .u16(0)
      .u32(sequence >>> 0)
      .u32((flags & 2) !== 0 ? ppid : fsn);
  else writer.u16(sequence & 0xffff).u32(ppid);
  return encodeChunk(interleaving ? CHUNK.iData : CHUNK.data, flags, writer.raw(payload).view());
}

function sack(cumulativeTsn: number, blocks: readonly number[], duplicates = 0): Bytes {
  const writer = new Writer(64).u32(cumulativeTsn >>> 0).u32(2 ** 30);
  writer.u16(blocks.length / 2).u16(duplicates);
  for (const edge of blocks) writer.u16(edge);
  for (let i = 0; i < duplicates; i++) writer.u32(i);
  return encodeChunk(CHUNK.sack, 0, writer.view());
}

function many<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** DATA or I-DATA chunks that go on behind the state's TSNs, thirty in a packet. */
function data(
  name: string,
  given: (n: number) => { flags: number; streamId?: number; sequence?: number; fsn?: number; step?: number },
): Attack {
  return {
    name,
    say: ({ victim, tsn }, round) =>
      many(30, (i) => {
        const n = round * 30 + i;
        const { step = 1, ...rest } = given(n);
        return dataChunk(victim.interleaving, { tsn: tsn + n * step, ...rest });
      }),
  };
}

function forward(
  name: string,
  of: (n: number) => { streamId: number; unordered: boolean; sequence: number },
): Attack {
  return {
    name,
    say({ victim, tsn }, round) {
      const streams = many(victim.interleaving ? 100 : 200, (i) => of(round * 200 + i));
      const chunk = { newCumulativeTsn: (tsn + round) >>> 0, streams };
      return [victim.interleaving ? encodeIForwardTsn(chunk) : encodeForwardTsn(chunk)];
    },
  };
}

/** Requests follow one another; each must have the next number. */
function reset(
  name: string,
  perPacket: number,
  streamsOf: (n: number) => readonly number[],
  ahead = 0,
): Attack {
  return {
    name,
    say: ({ tsn }, round) =>
      many(perPacket, (i) =>
        encodeOutgoingReset({
          sequence: (FIRST_TSN + round * perPacket + i) >>> 0,
          responseSequence: 0,
          lastTsn: (tsn - 1 + ahead) >>> 0,
          streams: streamsOf(round * perPacket + i),
        }),
      ),
  };
}

function plain(name: string, count: number, chunk: () => Uint8Array): Attack {
  return { name, say: () => many(count, chunk) };
}

const UNORDERED = 4;

export const ATTACKS: readonly Attack[] = [
  data('DATA whole', (n) => ({ flags: 3, sequence: n })),
  data('DATA unordered', (n) => ({ flags: 7, sequence: n })),
  data('DATA out of turn', (n) => ({ flags: 3, sequence: 40 + n })),
  data('DATA fragment', (n) => ({ flags: 0, streamId: 3, sequence: 7, fsn: n })),
  data('DATA begun', (n) => ({ flags: 2, streamId: n % 60_000, sequence: n })),
  data('DATA over gaps', () => ({ flags: 7, step: 2 })),
  data('DATA colliding', (n) => ({ flags: 2 | UNORDERED, streamId: 4, sequence: (n * 2 ** 20) >>> 0 })),
  {
    name: 'DATA again',
    say: ({ victim }) => many(30, () => dataChunk(victim.interleaving, { tsn: FIRST_TSN, flags: 7 })),
  },
  {
    name: 'DCEP OPEN',
    say: ({ victim, tsn }, round) =>
      many(12, (i) => {
        const n = round * 12 + i;
        const payload = encodeOpen({ label: 'x', protocol: '', priority: 256, ordered: true });
        const streamId = (2000 + 2 * n) % 65_000;
        return dataChunk(victim.interleaving, { tsn: tsn + n, flags: 3, streamId, ppid: 50, payload });
      }),
  },
  forward('FORWARD one stream', (n) => ({ streamId: 1, unordered: false, sequence: n })),
  forward('FORWARD far', (n) => ({ streamId: 1, unordered: false, sequence: (n * 100_003) >>> 0 })),
  forward('FORWARD unordered', () => ({ streamId: 1, unordered: true, sequence: 0 })),
  forward('FORWARD streams', (n) => ({ streamId: 100 + (n % 60_000), unordered: false, sequence: 1 })),
  {
    name: 'FORWARD step',
    say: ({ victim }, round) =>
      many(30, (i) => {
        const chunk = { newCumulativeTsn: FIRST_TSN + round * 30 + i, streams: [] };
        return victim.interleaving ? encodeIForwardTsn(chunk) : encodeForwardTsn(chunk);
      }),
  },
  {
    name: 'SACK nothing',
    say: ({ victim }) => many(40, () => sack(victim.base, [])),
  },
  {
    name: 'SACK reneging',
    say: ({ victim }, round) => many(30, (i) => sack(victim.base, (round + i) % 2 === 0 ? [2, 30_000] : [])),
  },
  {
    name: 'SACK blocks',
    say: ({ victim }, round) => [
      sack(
        victim.base,
        many(500, (i) => 2 + 2 * i + (round % 2)).flatMap((at) => [at, at]),
      ),
    ],
  },
  { name: 'SACK duplicates', say: ({ victim }) => [sack(victim.base, [], 250)] },
  {
    name: 'SACK one by one',
    say: ({ victim }, round) => many(30, (i) => sack(victim.base + Math.min(round * 30 + i, 90), [])),
  },
  reset('RE-CONFIG one stream', 30, (n) => [100 + (n % 60_000)]),
  reset('RE-CONFIG streams', 1, (n) => many(500, (i) => 100 + ((n * 500 + i) % 60_000))),
  reset('RE-CONFIG all', 30, () => []),
  reset('RE-CONFIG ahead', 30, () => [1], 50_000),
  {
    name: 'RE-CONFIG again',
    say: () =>
      many(30, () =>
        encodeOutgoingReset({ sequence: FIRST_TSN - 1, responseSequence: 0, lastTsn: 0, streams: [1] }),
      ),
  },
  plain('RE-CONFIG response', 40, () => encodeResponse(1, 6)),
  {
    name: 'RE-CONFIG incoming',
    say: (_, round) =>
      many(30, (i) => {
        const value = new Writer(16)
          .u16(PARAMETER.incomingReset)
          .u16(10)
          .u32(FIRST_TSN + round * 30 + i)
          .u16(1);
        return encodeChunk(CHUNK.reconfig, 0, value.view());
      }),
  },
  plain('HEARTBEAT', 1, () => encodeHeartbeat(new Uint8Array(1000))),
  plain('HEARTBEAT small', 80, () => encodeHeartbeat(new Uint8Array(4))),
  plain('HEARTBEAT ACK', 80, () => encodeChunk(CHUNK.heartbeatAck, 0, Uint8Array.of(0, 1, 0, 8, 1, 2, 3, 4))),
  plain('ERROR', 1, () => encodeCause(CHUNK.error, CAUSE.invalidStream, new Uint8Array(1000))),
  plain('ERROR causes', 1, () => encodeChunk(CHUNK.error, 0, causes(250))),
  plain('unknown, reported', 250, () => encodeChunk(0xc5, 0, new Uint8Array(0))),
  plain('unknown, skipped', 250, () => encodeChunk(0x85, 0, new Uint8Array(0))),
  plain('PAD', 250, () => encodeChunk(CHUNK.pad, 0, new Uint8Array(0))),
  plain('ECNE', 120, () => encodeChunk(CHUNK.ecne, 0, new Uint8Array(4))),
  plain('COOKIE ACK', 250, () => encodeChunk(CHUNK.cookieAck, 0, new Uint8Array(0))),
  plain('COOKIE ECHO', 40, () => encodeChunk(CHUNK.cookieEcho, 0, new Uint8Array(16))),
  plain('INIT', 1, () => parameters(CHUNK.init)),
  plain('INIT ACK', 1, () => parameters(CHUNK.initAck)),
  plain('SHUTDOWN ACK', 250, () => encodeChunk(CHUNK.shutdownAck, 0, new Uint8Array(0))),
  plain('SHUTDOWN COMPLETE', 250, () => encodeChunk(CHUNK.shutdownComplete, 0, new Uint8Array(0))),
];

function causes(count: number): Bytes {
  const writer = new Writer(count * 4);
  for (let i = 0; i < count; i++) writer.u16(9).u16(4);
  return writer.finish();
}

/** Set-up with more unknown parameters than anybody has. */
function parameters(type: typeof CHUNK.init | typeof CHUNK.initAck): Bytes {
  const init = encodeInit(type, {
    tag: 99,
    window: 2 ** 20,
    outboundStreams: 10,
    inboundStreams: 10,
    initialTsn: 1,
    forwardTsn: true,
    zeroChecksum: false,
    extensions: [],
    unrecognized: [],
  });
  const writer = new Writer(1100).raw(init);
  while (writer.length < 1000) writer.u16(0xc0ff).u16(4);
  return writer.patchU16(2, writer.length).finish();
}
