/** Plots as numbers: what is kept of a quantity over time, scales with round steps, units that suit. */

/** Samples of one quantity, the latest `capacity` of them; `undefined` where nothing is known. */
export class Series {
  times = [];
  values = [];
  #capacity;

  constructor(capacity) {
    this.#capacity = capacity;
  }

  add(at, value) {
    this.times.push(at);
    this.values.push(value);
    if (this.times.length <= this.#capacity) return;
    this.times.shift();
    this.values.shift();
  }

  get latest() {
    return this.values.at(-1);
  }
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function roundStep(least) {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
}

/** A scale from 0 that has room for `largest`: `{ top, ticks }`, about `count` steps. */
export function scaleFor(largest, count = 4) {
  const step = roundStep(Math.max(largest, 1e-9) / count);
  const steps = Math.max(1, Math.ceil(largest / step - 1e-9));
  return { top: steps * step, ticks: Array.from({ length: steps + 1 }, (_, i) => rounded(i * step)) };
}

/** Moments to mark between two times, ms, on whole seconds. */
export function timeTicks(from, to, count = 6) {
  const step = Math.max(1000, roundStep((to - from) / 1000 / count) * 1000);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push(at);
  return ticks;
}

/** The unit in which a rate of so many bits per second at the most is shown. */
export function rateUnit(bitsPerSecond) {
  if (bitsPerSecond >= 1e6) return { name: 'Mbit/s', size: 1e6 };
  return { name: 'kbit/s', size: 1e3 };
}

export function timeUnit(milliseconds) {
  return milliseconds >= 2000 ? { name: 's', size: 1000 } : { name: 'ms', size: 1 };
}

/** Two or three digits that count. */
export function digits(value) {
  if (value === 0) return '0';
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(places)));
}

/** The `d` of an SVG path through samples; it is lifted where one is missing. */
export function pathOf(series, from, x, y) {
  let path = '';
  let isDown = false;
  const { times, values } = series;
  for (let i = 0; i < times.length; i++) {
    if (values[i] === undefined || times[i] < from) {
      isDown = false;
      continue;
    }
    path += `${isDown ? 'L' : 'M'}${x(times[i]).toFixed(1)} ${y(values[i]).toFixed(1)}`;
    isDown = true;
  }
  return path;
}

function rounded(value) {
  return Number(value.toPrecision(12));
}
