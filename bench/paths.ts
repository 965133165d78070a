/**
 * What a bulk channel carries over paths of every length, with New Reno and with the default controller: `npm run bench:paths`.
 * The clock is virtual, so that the machine's speed does not matter: the same figures come out everywhere.
 */
import type { SctpOptions } from '../src/sctp/index.ts';
import type { PathConditions } from '../test/sctp/path.ts';
import { megabits, Path, quantile } from '../test/sctp/path.ts';

const SETTLE = 5000;
const DURATION = 10_000;

function row(...cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

function figures(
  conditions: PathConditions,
  options: Partial<SctpOptions>,
): { goodput: string; wait: string } {
  const path = new Path(conditions);
  const flow = path.add(options);
  path.run(SETTLE);
  path.resetFigures();
  path.run(DURATION);
  const mean = path.waits.reduce((sum, wait) => sum + wait, 0) / path.waits.length;
  return {
    goodput: megabits(flow.delivered, DURATION).toPrecision(3),
    wait: `${mean.toFixed(1)} / ${quantile(path.waits, 0.95).toFixed(1)}`,
  };
}

function throughput(): void {
  row('loss', 'RTT', 'New Reno', 'default', 'queue, mean / p95', 'default, 8 MiB window');
  row('---', '---', '---', '---', '---', '---');
  for (const loss of [0, 0.01, 0.03]) {
    for (const roundTrip of [2, 20, 50, 100, 200]) {
      const conditions = { rate: 100, roundTrip, loss };
      const { goodput, wait } = figures(conditions, {});
      const reno = figures(conditions, { congestion: 'new-reno' }).goodput;
      const wide = figures(conditions, { receiveWindow: 8_388_608 }).goodput;
      row(`${loss * 100} %`, `${roundTrip} ms`, reno, goodput, `${wait} ms`, wide);
    }
  }
}

function others(): void {
  row('path', 'New Reno', 'default', 'queue, mean / p95');
  row('---', '---', '---', '---');
  const cases: readonly (readonly [string, PathConditions])[] = [
    ['1 Mbit/s, 50 ms', { rate: 1, roundTrip: 50 }],
    ['10 Mbit/s, 50 ms, a queue of 6 kB', { rate: 10, roundTrip: 50, queue: 6000 }],
    ['100 Mbit/s, 50 ms, a queue of 60 kB', { rate: 100, roundTrip: 50, queue: 60_000 }],
    ['100 Mbit/s, 50 ms, half of the SACKs lost', { rate: 100, roundTrip: 50, ackLoss: 0.5 }],
    [
      '100 Mbit/s, 50 ms, all packets up to 30 ms late',
      { rate: 100, roundTrip: 50, lateShare: 1, lateness: 30 },
    ],
  ];
  for (const [name, conditions] of cases) {
    const { goodput, wait } = figures(conditions, {});
    row(name, figures(conditions, { congestion: 'new-reno' }).goodput, goodput, `${wait} ms`);
  }
}

function sharing(): void {
  row('first, then', 'RTT', 'queue', 'first', 'second', 'queue, mean');
  row('---', '---', '---', '---', '---', '---');
  for (const [first, second] of [
    ['bbr', 'bbr'],
    ['bbr', 'new-reno'],
    ['new-reno', 'bbr'],
    ['new-reno', 'new-reno'],
  ] as const) {
    for (const [roundTrip, queue] of [
      [20, 312_500],
      [50, 312_500],
      [50, 100_000],
      [100, 625_000],
      [20, 2_000_000],
    ] as const) {
      const path = new Path({ rate: 50, roundTrip, queue });
      const a = path.add({ congestion: first });
      path.run(3000);
      const b = path.add({ congestion: second });
      path.run(12_000);
      path.resetFigures();
      path.run(20_000);
      const mean = path.waits.reduce((sum, wait) => sum + wait, 0) / path.waits.length;
      const [x, y] = [a, b].map(({ delivered }) => megabits(delivered, 20_000).toFixed(1));
      row(
        `${first}, ${second}`,
        `${roundTrip} ms`,
        `${queue / 1000} kB`,
        x ?? '',
        y ?? '',
        `${mean.toFixed(0)} ms`,
      );
    }
  }
}

console.log(
  'Mbit/s of user data on a link of 100 Mbit/s with a queue of 50 ms or one round trip, the longer\n',
);
throughput();
console.log('\nOther paths\n');
others();
console.log('\nTwo flows on 50 Mbit/s, the second three seconds later, measured from 15 to 35 s\n');
sharing();
