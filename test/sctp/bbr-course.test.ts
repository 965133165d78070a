/**
 * The course of the model-based controller over a path that changes, round by round: what it has answered so far, so that a
 * constant or a bound that moves by a little shows where it tells. A change that is meant takes a new snapshot.
 */
import { expect, test } from 'vitest';
import { Bench } from './bbr-bench.ts';

/**
 * What each round, and each step into another phase, leaves: time, phase, window, pace, bandwidth, round trip, cap; `-` for
 * what is not limited. Of what does not change from round to round the first line and how often.
 */
function course(bench: Bench, rounds: number): string {
  const lines: { text: string; count: number }[] = [];
  let entered = bench.phase;
  const began = bench.now;
  const number = (value: unknown): string =>
    Number(value) >= 2 ** 30 ? '-' : String(Math.round(Number(value) * 10) / 10);
  function note(): void {
    const { phase, window, pacingRate, bandwidth, roundTrip, cap } = bench.cc.inspect();
    const text = [phase, ...[window, pacingRate, bandwidth, roundTrip, cap].map(number)].join(' ');
    const last = lines.at(-1);
    if (last?.text.endsWith(` ${text}`) === true) last.count++;
    else lines.push({ text: `${Math.round(bench.now - began)} ${text}`, count: 1 });
    entered = bench.phase;
  }
  bench.onStep = () => {
    if (bench.phase !== entered) note();
  };
  for (let i = 0; i < rounds; i++) {
    bench.round();
    note();
  }
  return lines.map(({ text, count }) => (count === 1 ? text : `${text} ×${count}`)).join('\n');
}

test('it fills a path, drains it, cruises and probes', () => {
  expect(course(new Bench(1000, 100), 48)).toMatchInlineSnapshot(`
    "100 startup 20000 - 100 100 -
    200 startup 40000 800 200 100 -
    300 startup 80000 1600 400 100 -
    400 startup 160000 3200 800 100 -
    560 startup 224000 4480 1000 100 - ×3
    1030 drain 222400 495 1000 100 -
    1142 down 222400 891 1000 100 -
    1165 cruise 222400 990 1000 100 - ×8
    1932 cruise 221200 990 1000 100 - ×5
    2432 cruise 216200 990 1000 100 - ×5
    2932 cruise 211200 990 1000 100 - ×5
    3432 cruise 209900 990 1000 100 - ×6
    4022 refill 209900 990 1000 100 - ×2
    4042 up 219800 1237.5 1000 100 -
    4132 up 234900 1237.5 1000 100 -
    4256 up 237375 1237.5 1000 100 - ×3
    4516 down 212375 891 1000 100 -
    4528 cruise 212375 990 1000 100 - ×9"
  `);
});

test('a short path: the next probe comes after as many rounds as packets fit the path', () => {
  expect(course(new Bench(500, 24), 48)).toMatchInlineSnapshot(`
    "24 startup 20000 - 416.7 24 -
    64 startup 26000 2166.7 500 24 -
    116 startup 28600 2383.3 500 24 -
    122 drain 26860 247.5 500 24 -
    150 down 26860 445.5 500 24 -
    156 cruise 26860 495 500 24 - ×7
    317 cruise 26836 495 500 24 - ×5
    437 cruise 26236 495 500 24 -
    440 refill 26236 495 500 24 - ×2
    464 up 27424 618.8 500 24 -
    485 up 29236 618.8 500 24 - ×3
    574 up 28636 618.8 500 24 -
    577 down 25636 445.5 500 24 -
    580 cruise 25636 495 500 24 - ×5
    700 cruise 25485 495 500 24 - ×5
    820 cruise 25188 495 500 24 - ×3
    870 refill 25188 495 500 24 - ×2
    894 up 26376 618.8 500 24 -
    916 up 28188 618.8 500 24 -
    946 up 28485 618.8 500 24 - ×3
    1008 down 25485 445.5 500 24 -
    1011 cruise 25485 495 500 24 - ×8
    1203 cruise 25341 495 500 24 - ×4"
  `);
});

test('a path that becomes faster is found by probes', () => {
  const bench = new Bench(1000, 100);
  bench.reach('cruise');
  bench.rate = 1600;
  expect(course(bench, 48)).toMatchInlineSnapshot(`
    "100 cruise 222400 990 1000 100 - ×6
    700 cruise 221200 990 1000 100 - ×5
    1200 cruise 216200 990 1000 100 - ×5
    1700 cruise 211200 990 1000 100 - ×5
    2200 cruise 209900 990 1000 100 - ×7
    2860 refill 209900 990 1000 100 - ×2
    2910 up 219800 1237.5 1000 100 -
    3000 up 234900 1237.5 1000 100 -
    3100 up 290812.5 1531.4 1237.5 100 -
    3200 up 359880.5 1895.1 1531.4 100 -
    3318 up 378951.2 1980 1600 100 -
    3442 up 379800 1980 1600 100 - ×2
    3578 down 339800 1425.6 1600 100 -
    3591 cruise 339800 1584 1600 100 - ×7
    4290 cruise 339480 1584 1600 100 - ×5
    4790 cruise 335840 1584 1600 100 - ×2"
  `);
});

test('too much loss in startup, in cruise and in a probe', () => {
  const bench = new Bench(1000, 100);
  for (let i = 0; i < 4; i++) bench.round();
  bench.loss = 0.05;
  expect(course(bench, 48)).toMatchInlineSnapshot(`
    "16 drain 175200 470.3 950 100 95000
    80 down 95000 846.5 950 100 95000
    96 cruise 80750 940.5 950 100 95000 ×22
    2200 refill 88421.3 940.5 950 100 95000
    2260 refill 95000 940.5 950 100 95000
    2270 up 95000 1175.6 950 100 95000 ×2
    2460 up 96128.1 1175.6 950 100 96128.1
    2560 up 98411.2 1175.6 950 100 98411.2
    2660 up 103085.7 1175.6 950 100 103085.7
    2670 down 112878.8 846.5 950 100 112878.8
    2681 cruise 95947 940.5 950 100 112878.8 ×23"
  `);
});

test('some loss that goes on is not blamed on a probe', () => {
  const bench = new Bench(1000, 50);
  bench.reach('cruise');
  bench.loss = 0.03;
  expect(course(bench, 60)).toMatchInlineSnapshot(`
    "50 cruise 111200 990 1000 50 - ×7
    400 cruise 106833 990 1000 50 - ×5
    650 cruise 104801.5 990 1000 50 - ×32
    2245 refill 104801.5 990 1000 50 - ×2
    2255 up 109603 1237.5 1000 50 -
    2300 up 117301.5 1237.5 1000 50 -
    2362 up 118501.9 1237.5 1000 50 - ×3
    2492 down 106001.9 891 1000 50 -
    2498 cruise 106001.9 990 1000 50 - ×9
    2948 cruise 104801.5 990 1000 50 - ×3"
  `);
});

test('the path becomes longer: the shortest round trip is looked for after ten seconds', () => {
  const bench = new Bench(1000, 50);
  bench.reach('cruise');
  bench.roundTrip = 80;
  bench.reach('probe-rtt');
  expect(course(bench, 24)).toMatchInlineSnapshot(`
    "80 probe-rtt 25000 990 1000 50 -
    160 probe-rtt 17500 693 700 50 -
    208 down 19250 623.7 700 80 -
    216 cruise 21000 693 700 80 -
    240 cruise 26250 693 700 80 -
    320 cruise 52500 693 700 80 -
    400 cruise 105000 693 700 80 -
    480 cruise 121900 693 700 80 - ×2
    640 cruise 117544 693 700 80 - ×17"
  `);
});

test('a queue of others that stands holds the pace down', () => {
  const bench = new Bench(1000, 50);
  bench.reach('cruise');
  bench.wait = 40;
  expect(course(bench, 24)).toMatchInlineSnapshot(`
    "90 cruise 111200 990 1000 50 -
    180 cruise 81200 693 700 50 - ×6
    720 cruise 73465 693 700 50 - ×17"
  `);
});

test('a time-out, a larger packet and a path that came back', () => {
  const bench = new Bench(1000, 100);
  bench.reach('cruise');
  bench.cc.onTimeout();
  expect(course(bench, 8)).toMatchInlineSnapshot(`
    "100 cruise 2000 990 1000 100 -
    200 cruise 4000 990 1000 100 -
    300 cruise 8000 990 1000 100 -
    400 cruise 16000 990 1000 100 -
    500 cruise 32000 990 1000 100 -
    600 cruise 64000 990 1000 100 -
    700 cruise 128000 990 1000 100 -
    800 cruise 209900 990 1000 100 -"
  `);
  bench.cc.setMtu(1400);
  expect(course(bench, 4)).toMatchInlineSnapshot(`"100 cruise 209900 990 1000 100 - ×4"`);
  bench.cc.onPathChange(bench.now);
  bench.rate = 300;
  expect(course(bench, 24)).toMatchInlineSnapshot(`
    "100 startup 20000 400 100 100 -
    200 startup 40000 800 200 100 -
    333 startup 72000 1440 300 100 - ×3
    837 drain 69900 148.5 300 100 -
    957 down 69900 267.3 300 100 -
    981 cruise 69900 297 300 100 - ×5
    1453 cruise 67200 297 300 100 - ×5
    1953 cruise 66240 297 300 100 - ×5
    2453 cruise 64740 297 300 100 - ×5"
  `);
});

test('a short and fast path: the next probe comes after 63 rounds', () => {
  expect(course(new Bench(10_000, 20), 160)).toMatchInlineSnapshot(`
    "20 startup 20000 - 500 20 -
    40 startup 40000 4000 1000 20 -
    60 startup 80000 8000 2000 20 -
    80 startup 160000 16000 4000 20 -
    100 startup 320000 32000 8000 20 -
    132 startup 448000 44800 10000 20 - ×3
    226 drain 444800 4950 10000 20 -
    248 down 444800 8910 10000 20 -
    253 cruise 444800 9900 10000 20 - ×7
    386 cruise 444400 9900 10000 20 - ×5
    486 cruise 434400 9900 10000 20 - ×5
    586 cruise 424400 9900 10000 20 - ×5
    686 cruise 419800 9900 10000 20 - ×42
    1508 refill 419800 9900 10000 20 - ×2
    1528 up 439600 12375 10000 20 -
    1546 up 469800 12375 10000 20 -
    1571 up 474750 12375 10000 20 - ×3
    1623 down 424750 8910 10000 20 -
    1626 cruise 424750 9900 10000 20 - ×9
    1805 cruise 420350 9900 10000 20 - ×5
    1905 cruise 419800 9900 10000 20 - ×50
    2887 refill 419800 9900 10000 20 - ×2
    2907 up 439600 12375 10000 20 -
    2925 up 469800 12375 10000 20 -
    2950 up 474750 12375 10000 20 - ×3
    3002 down 424750 8910 10000 20 -
    3005 cruise 424750 9900 10000 20 - ×11
    3224 cruise 419800 9900 10000 20 - ×6"
  `);
});

test('loss that begins with a probe ends it and cuts the cap, and the next probe raises it', () => {
  const bench = new Bench(1000, 100);
  bench.reach('up');
  bench.loss = 0.08;
  expect(course(bench, 6)).toMatchInlineSnapshot(`
    "12 down 99000 891 1000 100 99000
    50 cruise 84150 990 1000 100 99000 ×3
    324 cruise 77418 766.4 774.2 100 99000
    424 cruise 76727.4 766.4 774.2 100 99000
    524 cruise 70512.3 698.1 705.1 100 99000
    624 cruise 70000 698.1 705.1 100 99000"
  `);
  bench.loss = 0;
  expect(course(bench, 60)).toMatchInlineSnapshot(`
    "100 cruise 70000 698.1 705.1 100 99000 ×16
    1650 refill 76980.7 990 1000 100 99000
    1700 refill 99000 990 1000 100 99000
    1710 up 99000 1237.5 1000 100 99000 ×2
    1900 up 100237.5 1237.5 1000 100 100237.5
    2000 up 102743.4 1237.5 1000 100 102743.4
    2103 up 107880.6 1237.5 1000 100 107880.6
    2114 down 118668.7 891 1000 100 118668.7
    2125 cruise 100868.4 990 1000 100 118668.7 ×30
    5061 refill 110768.4 990 1000 100 118668.7
    5111 refill 118668.7 990 1000 100 118668.7
    5121 up 118668.7 1237.5 1000 100 118668.7 ×2
    5330 up 120152 1237.5 1000 100 120152
    5450 up 123155.8 1237.5 1000 100 123155.8
    5573 up 129313.6 1237.5 1000 100 129313.6
    5585 down 129313.6 891 1000 100 129313.6
    5598 cruise 109916.6 990 1000 100 129313.6 ×6"
  `);
});

test('a fifth lost in cruise, and the way back', () => {
  const bench = new Bench(1000, 50);
  bench.reach('cruise');
  bench.loss = 0.2;
  expect(course(bench, 10)).toMatchInlineSnapshot(`
    "50 cruise 77840 990 1000 50 -
    100 cruise 54488 784.1 792 50 -
    150 cruise 38776.3 784.1 792 50 -
    200 cruise 31329 621 627.3 50 -
    250 cruise 30402.9 614.2 620.4 50 -
    300 cruise 24787.9 491.8 496.8 50 -
    350 cruise 23857.4 481.6 486.4 50 -
    400 cruise 19614.3 389.5 393.5 50 -
    450 cruise 18735.4 377.9 381.7 50 -
    500 cruise 15521.8 308.5 311.6 50 -"
  `);
  bench.loss = 0;
  expect(course(bench, 60)).toMatchInlineSnapshot(`
    "50 cruise 15521.8 308.5 311.6 50 - ×5
    255 refill 17064.3 990 1000 50 -
    300 refill 30947 990 1000 50 -
    305 up 34041.7 1237.5 1000 50 -
    350 up 61893.9 1237.5 1000 50 -
    412 up 118687.5 1237.5 1000 50 - ×3
    542 down 106187.5 891 1000 50 -
    548 cruise 106187.5 990 1000 50 - ×8
    948 cruise 105587.5 990 1000 50 - ×5
    1198 cruise 104950 990 1000 50 - ×28
    2573 refill 104950 990 1000 50 - ×2
    2603 up 109900 1237.5 1000 50 -
    2648 up 117450 1237.5 1000 50 -
    2709 up 118687.5 1237.5 1000 50 - ×3
    2839 down 106187.5 891 1000 50 -
    2846 cruise 106187.5 990 1000 50 - ×6"
  `);
});

test('a path that takes a tenth from one moment to the next', () => {
  const bench = new Bench(10_000, 50);
  bench.reach('cruise');
  bench.rate = 1000;
  expect(course(bench, 30)).toMatchInlineSnapshot(`
    "495 cruise 1119680 9900 10000 50 -
    990 cruise 200000 990 1000 50 - ×8
    1390 cruise 148400 990 1000 50 - ×5
    1640 cruise 145900 990 1000 50 - ×5
    1890 cruise 143400 990 1000 50 - ×5
    2140 cruise 140900 990 1000 50 - ×5
    2390 cruise 138400 990 1000 50 -"
  `);
});

test('an application that has little to say, and then much', () => {
  const bench = new Bench(1000, 100);
  bench.appLimited = true;
  for (let i = 0; i < 40; i++) bench.round(500);
  bench.appLimited = false;
  expect(course(bench, 16)).toMatchInlineSnapshot(`
    "100 startup 39900 798 199.5 100 -
    200 startup 79800 1596 399 100 -
    300 startup 159600 3192 798 100 -
    460 startup 223440 4468.8 1000 100 - ×3
    929 drain 222344 495 1000 100 -
    1041 down 222344 891 1000 100 -
    1063 cruise 222344 990 1000 100 - ×9
    1930 cruise 220144 990 1000 100 - ×2"
  `);
});

test('a wait that is not yet a queue changes no bound', () => {
  const bench = new Bench(1000, 50);
  bench.reach('cruise');
  bench.wait = 11;
  expect(course(bench, 80)).toMatchInlineSnapshot(`
    "61 cruise 111200 990 1000 50 - ×7
    488 cruise 104950 990 1000 50 - ×29
    2245 refill 104950 990 1000 50 - ×2
    2263 up 109900 1237.5 1000 50 -
    2318 up 117450 1237.5 1000 50 -
    2391 up 118687.5 1237.5 1000 50 - ×3
    2544 down 106187.5 891 1000 50 -
    2551 cruise 106187.5 990 1000 50 - ×7
    2975 cruise 104950 990 1000 50 - ×33"
  `);
});
