/* global PerformanceObserver */
/** How long the scripts of frames take, and the longest task: what `window.playground.figures()` tells. */

/** Frames that are kept. */
const KEPT = 3000;

export class FrameFigures {
  #durations = [];
  #longest = 0;

  constructor() {
    // Chromium tells of tasks over 50 ms; Firefox does not, and then the frames' own are what is known.
    if (!PerformanceObserver.supportedEntryTypes?.includes('longtask')) return;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#longest = Math.max(this.#longest, duration);
    }).observe({ type: 'longtask' });
  }

  /** Times of `performance.now()`. */
  add(began, ended) {
    performance.measure('playground frame', { start: began, end: ended });
    this.#durations.push(ended - began);
    if (this.#durations.length <= KEPT) return;
    this.#durations.shift();
    performance.clearMeasures('playground frame');
  }

  reset() {
    this.#durations = [];
    this.#longest = 0;
    performance.clearMeasures('playground frame');
  }

  summary() {
    const sorted = this.#durations.toSorted((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return {
      frames: sorted.length,
      median: at(0.5),
      p95: at(0.95),
      worst: sorted.at(-1) ?? 0,
      longestTask: this.#longest,
    };
  }
}
