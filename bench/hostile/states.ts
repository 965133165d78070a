/** What a peer can make an association hold, and how much of it: the states in which each chunk is tried. */
import { encodeForwardTsn, encodeIForwardTsn } from '../../src/sctp/packet/forward-tsn.ts';
import { dataChunk } from './chunks.ts';
import { FIRST_TSN, Victim } from './victim.ts';

export interface State {
  readonly name: string;
  readonly interleaving: boolean;
  /** A victim that holds `size` of it; `tsn` is the first TSN that has not been used. */
  make(size: number): { readonly victim: Victim; readonly tsn: number };
}

const FIRST = 2;
const UNORDERED = 4;
const WHOLE = 3;

/** Says chunks, fifty in a packet. */
function sayAll(victim: Victim, size: number, chunkOf: (i: number) => Uint8Array): void {
  for (let from = 0; from < size; from += 50) {
    victim.say(...Array.from({ length: Math.min(50, size - from) }, (_, i) => chunkOf(from + i)));
  }
}

function filled(
  name: string,
  interleaving: boolean,
  chunkOf: (i: number, tsn: number) => Uint8Array,
  step = 1,
): State {
  return {
    name,
    interleaving,
    make(size) {
      const victim = new Victim(interleaving);
      sayAll(victim, size, (i) => chunkOf(i, FIRST_TSN + step * i + (step - 1)));
      return { victim, tsn: FIRST_TSN + size * step };
    },
  };
}

function skippedStreams(interleaving: boolean): State {
  return {
    name: 'streams',
    interleaving,
    make(size) {
      const victim = new Victim(interleaving);
      for (let from = 0; from < size; from += 1000) {
        const count = Math.min(1000, size - from);
        const streams = Array.from({ length: count }, (_, i) => ({
          streamId: from + i,
          unordered: false,
          sequence: 3,
        }));
        const forward = { newCumulativeTsn: FIRST_TSN + from / 1000, streams };
        victim.say(interleaving ? encodeIForwardTsn(forward) : encodeForwardTsn(forward));
      }
      return { victim, tsn: FIRST_TSN + Math.ceil(size / 1000) };
    },
  };
}

/** What it has sent and nobody acknowledges, on channels that are open. */
function outstanding(interleaving: boolean): State {
  return {
    name: 'outstanding',
    interleaving,
    make(size) {
      const victim = new Victim(interleaving);
      for (let i = 0; i < size; i++) {
        victim.association.send(i % 64, { ppid: 53, data: new Uint8Array(8), unordered: i % 2 === 0 });
        victim.drain();
      }
      return { victim, tsn: FIRST_TSN };
    },
  };
}

const both = [false, true];

export const STATES: readonly State[] = both.flatMap((interleaving) => {
  const data = (given: Parameters<typeof dataChunk>[1]): Uint8Array => dataChunk(interleaving, given);
  return [
    filled('nothing', interleaving, (_, tsn) => data({ tsn, flags: WHOLE | UNORDERED })),
    filled('held', interleaving, (i, tsn) => data({ tsn, streamId: 1, sequence: 100 + i, flags: WHOLE })),
    filled('held far ahead', interleaving, (i, tsn) =>
      data({ tsn, streamId: 1, sequence: (interleaving ? 2 ** 30 : 25_000) + i, flags: WHOLE }),
    ),
    filled('begun, many streams', interleaving, (i, tsn) =>
      data({ tsn, streamId: 10 + i, sequence: 1, flags: FIRST }),
    ),
    filled('open', interleaving, (i, tsn) =>
      data({ tsn, streamId: 1, sequence: 1 + i, flags: FIRST | (i % 2 === 0 ? UNORDERED : 0) }),
    ),
    filled('fragments', interleaving, (i, tsn) =>
      data({ tsn, streamId: 1, sequence: 1, flags: i === 0 ? FIRST : 0, fsn: i }),
    ),
    filled('gaps', interleaving, (_, tsn) => data({ tsn, flags: WHOLE | UNORDERED }), 2),
    skippedStreams(interleaving),
    outstanding(interleaving),
  ];
});
