/** The playground's parts that need no page: links, scales, pace, the ladder, the world, trace files. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatTrace, replay } from '../../src/trace/index.ts';
import type { Action, Settings } from './example.ts';
import { World, ladder, pace, plots, settings, traces } from './example.ts';

const { decodeLink, defaultSettings, encodeLink } = settings;

describe('links', () => {
  test('settings and actions come back', () => {
    const given: Settings = {
      ...defaultSettings(99),
      peers: 3,
      loss: 20,
      rate: 512,
      nats: ['symmetric', 'none', 'fullCone'],
      speed: 0.25,
      record: true,
    };
    const actions: Action[] = [
      { at: 100, kind: 'set', args: ['latency', 200] },
      { at: 150, kind: 'say', args: [2, 'a.b~c & d = ü'] },
      { at: 2000, kind: 'cut', args: [] },
      { at: 2500.25, kind: 'freeze', args: [1] },
    ];
    expect(decodeLink(`#${encodeLink(given, actions)}`)).toEqual({ settings: given, actions });
  });

  test('what is not within its range falls back, and never throws', () => {
    const hostile =
      '#seed=-1&peers=9&latency=1e9&loss=x&rate=&nats=evil.symmetric&speed=7&do=1.cut~.heal~5.freeze.7~5.set.loss.900~5.say~x~6.__proto__~7.say.0.%25E0~NaN.cut';
    const { settings: read, actions } = decodeLink(hostile, 5);
    expect(read).toEqual({ ...defaultSettings(5), nats: ['none', 'symmetric', 'none'] });
    expect(actions).toEqual([{ at: 1, kind: 'cut', args: [] }]);
    expect(decodeLink('', 5)).toEqual({ settings: defaultSettings(5), actions: [] });
  });
});

describe('plots', () => {
  test.each([
    [0.9, 4, 1, [0, 0.5, 1]],
    [1, 4, 1.5, undefined],
    [37, 4, 40, [0, 10, 20, 30, 40]],
    [100, 4, 100, [0, 50, 100]],
    [1999, 4, 2000, [0, 500, 1000, 1500, 2000]],
  ])('a scale for %d has round steps and room', (largest, count, top, ticks) => {
    const scale = plots.scaleFor(largest, count);
    expect(scale.top).toBeGreaterThanOrEqual(largest);
    if (ticks !== undefined) expect([scale.top, scale.ticks]).toEqual([top, ticks]);
    expect(scale.ticks.at(-1)).toBeCloseTo(scale.top);
  });

  test('a scale of nothing, units, digits, moments', () => {
    expect(plots.scaleFor(0).top).toBeGreaterThan(0);
    expect(plots.roundStep(0)).toBe(1);
    expect([plots.rateUnit(999_000).name, plots.rateUnit(1_000_000).name]).toEqual(['kbit/s', 'Mbit/s']);
    expect([0, 3.14159, 42.42, 1234.5].map(plots.digits)).toEqual(['0', '3.14', '42.4', '1235']);
    expect(plots.timeTicks(2500, 32_500)).toEqual([5000, 10_000, 15_000, 20_000, 25_000, 30_000]);
  });
});

describe('pace', () => {
  test('virtual time follows real time, and what the machine cannot do is not caught up with', () => {
    const one = new pace.Pace();
    let real = 0;
    let steps = 0;
    const run = (cost: number): number =>
      one.frame(
        real,
        () => {
          steps++;
          real += cost;
        },
        () => real,
      );
    expect(run(0)).toBe(0);
    real += 16;
    expect(run(0)).toBe(16);
    one.speed = 4;
    real += 16;
    expect(run(0)).toBe(64);
    one.speed = 1;
    const before = real;
    real += 16;
    run(1);
    expect(real - before - 16).toBeLessThanOrEqual(5);
    one.isPaused = true;
    real += 1000;
    expect(run(0)).toBe(0);
    expect(steps).toBeLessThan(90);
  });
});

/** Runs a world to a virtual time, doing what is planned. */
function run(world: InstanceType<typeof World>, until: number, actions: readonly Action[] = []): void {
  const planned = [...actions];
  while (world.now < until) {
    for (let next = planned[0]; next !== undefined && next.at <= world.now; next = planned[0]) {
      world.act(next);
      planned.shift();
    }
    world.step();
  }
}

const ACTIONS: readonly Action[] = [
  { at: 2000, kind: 'traffic', args: ['light'] },
  { at: 2500, kind: 'set', args: ['loss', 10] },
  { at: 3000, kind: 'move', args: [0] },
  { at: 3500, kind: 'freeze', args: [1] },
  { at: 7000, kind: 'say', args: [0, 'hello'] },
];

describe('the world', () => {
  test('the same settings and actions give the same datagrams; every datagram has a label', () => {
    const digests = [0, 1].map(() => {
      const world = new World({ ...defaultSettings(4), nats: ['symmetric', 'portRestrictedCone', 'none'] });
      run(world, 9000, ACTIONS);
      for (const [i, datagram] of world.datagrams.entries())
        expect(world.label(i), `datagram ${i} of ${datagram.from}`).toBeDefined();
      const texts = world.datagrams.map((_, i) => world.label(i)?.text ?? '').join('\n');
      for (const part of ['STUN Binding', 'TURN Allocate', 'DTLS ClientHello', 'INIT', 'DATA', 'SACK'])
        expect(texts).toContain(part);
      expect(world.journal.map(({ text }) => text)).toContain('bob hears from alice: “hello”');
      return world.digest();
    });
    expect(digests[0]).toBe(digests[1]);
  });

  test('three peers are all connected, and a cut path is told and restored', () => {
    const world = new World({ ...defaultSettings(2), peers: 3, nats: ['none', 'fullCone', 'symmetric'] });
    run(world, 4000);
    const states = (): string[] => world.connections.flatMap(({ ends }) => ends.map(({ state }) => state));
    expect(states()).toEqual(Array(6).fill('connected'));
    run(world, 16_000, [{ at: 4000, kind: 'cut', args: [] }]);
    expect(states()).toEqual(Array(6).fill('disconnected'));
    run(world, 30_000, [{ at: 16_000, kind: 'heal', args: [] }]);
    expect(states()).toEqual(Array(6).fill('connected'));
  });

  test('what it records replays, and recording changes no datagram', () => {
    const digests = [true, false].map((record) => {
      const world = new World({ ...defaultSettings(6), record });
      run(world, 1500, [{ at: 1000, kind: 'say', args: [1, 'hi'] }]);
      const trace = world.connections[0]?.ends[0]?.recorder.trace;
      if (trace === undefined) throw new Error('no connection');
      if (record) expect(replay(formatTrace(trace))).toMatchObject({ identical: true });
      else expect(trace.entries).toEqual([]);
      return world.digest();
    });
    expect(digests[0]).toBe(digests[1]);
  });
});

describe('the ladder', () => {
  test('heights grow with time, losses are told, the oldest leave, windows show what is in them', () => {
    const world = new World({ ...defaultSettings(3), loss: 20 });
    const live = new ladder.LiveLadder(['alice', 'relay', 'bob'], 50);
    let most = 0;
    world.act({ kind: 'traffic', args: ['light'] });
    while (world.now < 6000) {
      world.step();
      live.take(world);
      most = Math.max(most, live.arrows.length);
    }
    expect(most).toBeLessThanOrEqual(50 + 101);
    const { arrows } = live;
    expect(arrows.some(({ lost }) => lost === 'lost')).toBe(true);
    for (const [i, arrow] of arrows.entries()) {
      if (i > 0) expect(arrow.y).toBeGreaterThan(arrows[i - 1]!.y);
      for (const end of arrow.ends) expect(end).toBeGreaterThan(arrow.y);
      expect(live.at(arrow.id)).toBe(arrow);
    }
    const [from, to] = [live.bottom - 200, live.bottom];
    const shown = [...live.visible(from, to)];
    const whole = arrows.filter((arrow) => arrow.y <= to && Math.max(arrow.y + 14, ...arrow.ends) >= from);
    expect(shown).toEqual(whole);
    expect(ladder.rowHeight(0)).toBeLessThan(ladder.rowHeight(1000));
    expect(ladder.rowHeight(1e9)).toBe(52);
  });
});

describe('trace files', () => {
  const file = readFileSync(new URL('../fixtures/traces/chromium-offers.jsonl', import.meta.url), 'utf8');

  test('ladder, entries and states of a recording', () => {
    const read = traces.readTraceFile(file);
    const entries = new traces.PackedTexts(read.entries);
    const lines = file.trim().split('\n').length;
    expect(entries.length).toBe(lines - 1);
    expect(entries.at(0)).toContain('call addLocalCandidate');
    const shown = new traces.TraceLadder(read.ladder);
    const all = [...shown.visible(0, shown.bottom)];
    expect(all.length).toBe(file.match(/"type":"(receive|transmit)"/g)?.length);
    expect(all.map(({ label }) => label).join('\n')).toMatch(/DTLS ClientHello[^]*INIT[^]*DATA/);
    expect(read.summary[0]).toEqual(['entries', String(lines - 1)]);
    expect(read.states['closed']).toMatch(/remote-close/);
  });

  test.each([
    ['', /the file is empty/],
    ['nonsense\n', /line 1: this is not JSON/],
    ['{"type":"header","format":"other","version":1}\n', /line 1: /],
  ])('%j is refused with its line', (text, message) => {
    expect(() => traces.readTraceFile(text)).toThrow(message);
  });

  test('the line of a refusal is the file’s, wherever in a long file', () => {
    const [header = ''] = file.split('\n');
    const lines = Array.from({ length: 7000 }, (_, i) => `{"type":"time","at":${i}}`);
    lines[5432] = '{"type":"time"}';
    expect(() => traces.readTraceFile([header, ...lines, ''].join('\n'))).toThrow(/line 5434: /);
    lines[5432] = '{"type":"time","at":1}';
    expect(() => traces.readTraceFile([header, ...lines, '{"type":"ti'].join('\n'))).toThrow(
      /line 7002: the file ends in the middle/,
    );
    const shares: number[] = [];
    traces.readTraceFile([header, ...lines, ''].join('\n'), (share) => shares.push(share));
    expect(shares.at(-1)).toBe(1);
  });
});
