/**
 * Costs: what a connection, a mebibyte and a round trip take, in arrays, copies, datagrams, records and events, held against the table in
 * costs.json. A machine's speed plays no part. More than a tenth above it fails, so that no cost creeps in; more than a tenth below fails, too,
 * so that the table stays true: `UPDATE_DOCS=1 npx vitest run --project unit test/cost` writes it anew, to be committed with the reason.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RtcOptions } from '../../src/index.ts';
import { COUNTS, noCounts, type Counts } from './counting.ts';
import { Stage } from './stage.ts';

const file = new URL('costs.json', import.meta.url);
const TOLERANCE = 0.1;
/** Differences of so few are the length of a signature's. */
const SLACK = 4;

const MEBIBYTE = 1024 * 1024;

function open(options: Partial<RtcOptions> = {}): Stage {
  const stage = new Stage(options);
  stage.cost(
    () => stage.connect(),
    () => stage.isOpen(),
  );
  return stage;
}

/** Of a mebibyte in messages of `size` bytes, of the eighth that is sent: probing has found its size by then. */
function bulk(size: number, options: Partial<RtcOptions> = {}): Counts {
  const stage = open(options);
  const message = new Uint8Array(size);
  let counts = noCounts();
  for (let round = 0; round < 8; round++) {
    const wanted = stage.b.messages + MEBIBYTE / size;
    let left = MEBIBYTE / size;
    counts = stage.cost(
      () => {
        for (; left > 0; left--) if (stage.a.channel?.send(message) !== true) throw new Error('refused');
      },
      () => stage.b.messages >= wanted,
    );
  }
  return counts;
}

/** Of a hundred messages of 64 bytes there and back, one at a time. */
function roundTrips(): Counts {
  const stage = open();
  const message = new Uint8Array(64);
  stage.b.onMessage = ({ channel, data }) => void channel.send(data);
  stage.a.onMessage = ({ channel, data }) => void channel.send(data);
  const trips = (until: number): Counts =>
    stage.cost(
      () => undefined,
      () => stage.a.messages >= until,
    );
  stage.a.channel?.send(message);
  trips(20);
  return trips(120);
}

const works: Readonly<Record<string, () => Counts>> = {
  'a connection': () => {
    const stage = new Stage();
    return stage.cost(
      () => stage.connect(),
      () => stage.isOpen(),
    );
  },
  'a MiB in messages of 1 KiB': () => bulk(1024),
  'a MiB in messages of 64 KiB': () => bulk(65_536),
  'a MiB in messages of 256 KiB': () => bulk(262_144),
  'a MiB in messages of 64 KiB, datagrams of 16384 bytes': () => bulk(65_536, { pathMtu: { max: 16_384 } }),
  'a hundred round trips of 64 bytes': roundTrips,
};

const table: Record<string, Counts> = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Counts>;

// Records are sealed in a workspace that is as large as the largest of the process so far: here it is as large as it gets.
beforeAll(() => void bulk(65_536, { pathMtu: { max: 16_384 } }));

describe('costs', () => {
  test.each(Object.entries(works))('%s', (name, work) => {
    const counts = work();
    const known = table[name];
    if (process.env['UPDATE_DOCS'] !== undefined) table[name] = counts;
    else expect(counts, `costs.json has ${JSON.stringify(known)}`).toSatisfy(isClose(known));
  });

  test('the table has these works alone', () => {
    if (process.env['UPDATE_DOCS'] !== undefined)
      writeFileSync(file, `${JSON.stringify(table, undefined, 2)}\n`);
    expect(Object.keys(table)).toEqual(Object.keys(works));
  });

  test('a byte of a large message is copied ten or eleven times, both ends together', () => {
    const { 'bytes copied': copied } = bulk(65_536);
    // Into the message kept, into its packet, beside its key stream into the kernel and out, to the wire; the kernel again, and into
    // the message received. The eleventh is what chunks and records add.
    expect(copied / MEBIBYTE).toBeLessThan(11);
  });

  test('larger datagrams cost fewer views and records, in the same run', () => {
    const small = bulk(65_536);
    const large = bulk(65_536, { pathMtu: { max: 16_384 } });
    expect(large.views / small.views).toBeLessThan(0.45);
    expect(large['records sealed'] / small['records sealed']).toBeLessThan(0.15);
  });
});

function isClose(known: Counts | undefined): (counts: Counts) => boolean {
  return (counts) =>
    known !== undefined &&
    COUNTS.every((name) => Math.abs(counts[name] - known[name]) <= Math.max(SLACK, TOLERANCE * known[name]));
}
