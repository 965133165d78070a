/** The pure parts of `npm run bench:peers`: options, medians, tables. The bench itself runs where a machine is quiet. */
import { expect, test } from 'vitest';

interface Place {
  readonly case: string;
  readonly column: string;
  readonly variant?: string;
}

interface Results {
  add(place: Place, figures: Readonly<Record<string, number>>): void;
  fail(place: Place, reason: string): void;
  hasFailed(place: Place): boolean;
  table(): string;
}

interface Parts {
  readonly median: (values: readonly number[]) => number | undefined;
  readonly quantile: (values: readonly number[], share: number) => number | undefined;
  readonly write: (value: number | undefined) => string;
  readonly readOptions: (
    args: readonly string[],
    scenarios: readonly string[],
    stacks: readonly string[],
  ) => object;
  readonly Results: new (scenario: object, columns: readonly string[]) => Results;
  readonly timesTheFloor: (bulk: Results, floor: Results) => string;
  readonly udpAddress: (line: string) => object | undefined;
}

async function part(file: string): Promise<Partial<Parts>> {
  return (await import(new URL(`../../bench/peers/${file}`, import.meta.url).href)) as Partial<Parts>;
}

const { median, quantile, write, readOptions, Results, timesTheFloor, udpAddress } = {
  ...(await part('figures.mjs')),
  ...(await part('options.mjs')),
  ...(await part('results.mjs')),
  ...(await part('candidate.mjs')),
} as Parts;

test('a median is the middle, or between the two in the middle', () => {
  expect(median([])).toBeUndefined();
  expect(median([3, 1, 20])).toBe(3);
  expect(median([4, 1, 3, 20])).toBe(3.5);
  expect([0, 0.25, 0.9, 1].map((share) => quantile([5, 4, 3, 2, 1], share))).toEqual([1, 2, 4.6, 5]);
  expect(median([7])).toBe(7);
});

test('figures have three digits, or all before the point', () => {
  expect([0.1234, 1.234, 12.34, 123.4, 1234.5, 26, undefined, NaN].map(write)).toEqual([
    '0.12',
    '1.23',
    '12.3',
    '123',
    '1,235',
    '26',
    '–',
    '–',
  ]);
});

test('options are checked against what there is', () => {
  const read = (...args: readonly string[]): object =>
    readOptions(args, ['connect', 'bulk'], ['ours', 'theirs']);
  expect(read()).toMatchObject({
    only: ['connect', 'bulk'],
    peers: ['ours', 'theirs'],
    rounds: 3,
    packages: [],
  });
  expect(read('--quick', '--only', 'bulk, connect', '--peers', 'theirs')).toMatchObject({
    only: ['connect', 'bulk'],
    peers: ['theirs'],
    rounds: 1,
  });
  expect(read('--package', 'a', '--package', 'b', '--rounds', '5')).toMatchObject({
    packages: ['a', 'b'],
    rounds: 5,
  });
  expect(() => read('--only', 'bulb')).toThrow('--only takes connect, bulk, and not "bulb"');
  expect(() => read('--rounds', '0')).toThrow('--rounds takes a whole number from 1 to 99');
  expect(() => read('--rounds', ' ')).toThrow('--rounds');
});

test('a table has medians, ratios to the first column, and why a stack has failed', () => {
  const results = new Results({ title: 'Bulk', cases: [{ name: '1 KiB' }], measures: { cpu: 'CPU' } }, [
    'ours',
    'theirs',
  ]);
  for (const cpu of [9, 3, 1]) results.add({ case: '1 KiB', column: 'ours' }, { cpu });
  results.add({ case: '1 KiB', column: 'ours', variant: 'large' }, { cpu: 1.5 });
  results.add({ case: '1 KiB', column: 'theirs' }, { cpu: 2 });
  results.fail({ case: '1 KiB', column: 'theirs' }, 'it stalls');
  expect(
    results
      .table()
      .split('\n')
      .map((line) => line.replaceAll(/ +/g, ' ')),
  ).toEqual([
    '### Bulk',
    '',
    '| | ours | theirs | ours : theirs |',
    expect.stringMatching(/^[| -]+$/),
    '| 1 KiB, CPU | 3 | 2 (1 of 2 fail) | 1.50 |',
    '| 1 KiB, CPU, large | 1.50 | 2 (1 of 2 fail) | 0.75 |',
    '',
    '- theirs, 1 KiB: it stalls',
    '',
  ]);
});

test('a stack that has done nothing but fail is not asked a third time', () => {
  const results = new Results({ title: '', cases: [{ name: '' }], measures: { cpu: 'CPU' } }, ['theirs']);
  const place = { case: '', column: 'theirs' };
  results.fail(place, 'it stalls');
  expect(results.hasFailed(place)).toBe(false);
  results.fail(place, 'it stalls');
  expect(results.hasFailed(place)).toBe(true);
  expect(results.table()).toMatch(/fails/);
  results.add(place, { cpu: 1 });
  expect(results.hasFailed(place)).toBe(false);
});

test('CPU in bulk stands beside that of the largest datagrams without a stack', () => {
  const measures = { cpu: 'CPU' };
  const bulk = new Results({ cases: [{ name: '1 KiB' }], measures }, ['ours']);
  bulk.add({ case: '1 KiB', column: 'ours' }, { cpu: 30 });
  const floor = new Results({ cases: [{ name: 'small' }, { name: 'large' }], measures }, ['dgram']);
  floor.add({ case: 'small', column: 'dgram' }, { cpu: 20 });
  floor.add({ case: 'large', column: 'dgram' }, { cpu: 12 });
  expect(timesTheFloor(bulk, floor)).toMatch(/1 KiB, times dgram \| +2\.50 \|/);
});

test('of candidates, those over UDP and IPv4 are addresses', () => {
  expect(udpAddress('a=candidate:1 1 UDP 2122317823 127.0.0.1 5000 typ host')).toEqual({
    address: '127.0.0.1',
    port: 5000,
  });
  expect(udpAddress('candidate:1 1 tcp 1518280447 192.0.2.2 9 typ host tcptype active')).toBeUndefined();
  expect(udpAddress('candidate:1 1 udp 2122262783 fd00::2 5000 typ host')).toBeUndefined();
});
