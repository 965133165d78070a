/* global document, ResizeObserver */
/** A plot: lines over the last half a minute of virtual time, with axes, units, and a legend that tells lines apart without colour. */
import { Series, digits, pathOf, scaleFor, timeTicks } from './plot-model.js';

/** Milliseconds shown, and between samples. */
export const SPAN = 30_000;
export const SAMPLE = 100;
const HEIGHT = 150;
const LEFT = 46;
const RIGHT = 12;
const TOP = 10;
const BOTTOM = 26;
const DASHES = ['', '7 4', '2 3'];

export class Plot {
  #svg;
  #grid;
  #unit;
  #lines = [];
  #legend;
  #unitFor;
  #width = 320;
  #shown = '';

  /**
   * @param element with an `svg`, a `.unit` and a `.legend` in it
   * @param names of the lines
   * @param unitFor the unit for a largest value: `{ name, size }`
   */
  constructor(element, names, unitFor) {
    this.#svg = element.querySelector('svg');
    this.#unit = element.querySelector('.unit');
    this.#legend = element.querySelector('.legend');
    this.#unitFor = unitFor;
    this.#grid = svgElement('g');
    this.#svg.replaceChildren(this.#grid);
    this.#legend.replaceChildren();
    for (const [i, name] of names.entries()) this.#addLine(name, i);
    const observer = new ResizeObserver(([entry]) => {
      this.#width = Math.max(200, Math.round(entry.contentRect.width));
      this.#svg.setAttribute('viewBox', `0 0 ${this.#width} ${HEIGHT}`);
      this.#shown = '';
    });
    observer.observe(this.#svg);
    this.stop = () => observer.disconnect();
  }

  /** One value for each line, `undefined` for none. */
  add(at, values) {
    for (const [i, value] of values.entries()) this.#lines[i].series.add(at, value);
  }

  draw(now) {
    const from = Math.max(0, now - SPAN);
    const to = from + SPAN;
    let largest = 0;
    for (const { series } of this.#lines) {
      for (let i = 0; i < series.values.length; i++)
        if (series.times[i] >= from && series.values[i] > largest) largest = series.values[i];
    }
    const unit = this.#unitFor(largest);
    const scale = scaleFor(largest / unit.size || 1);
    const x = (at) => LEFT + ((at - from) / SPAN) * (this.#width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - (value / unit.size / scale.top) * (HEIGHT - TOP - BOTTOM);
    const ticks = timeTicks(from, to);
    const shown = `${unit.name} ${scale.top} ${from} ${this.#width}`;
    if (shown !== this.#shown) this.#drawGrid(scale, unit, ticks, x, y);
    this.#shown = shown;
    for (const { series, path, value } of this.#lines) {
      path.setAttribute('d', pathOf(series, from, x, y));
      const { latest } = series;
      const text = latest === undefined ? '–' : `${digits(latest / unit.size)} ${unit.name}`;
      if (value.textContent !== text) value.textContent = text;
    }
  }

  #drawGrid(scale, unit, ticks, x, y) {
    if (this.#unit.textContent !== unit.name) this.#unit.textContent = unit.name;
    const parts = scale.ticks.map((tick) => {
      const at = y(tick * unit.size).toFixed(1);
      return `<line x1="${LEFT}" x2="${this.#width - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${digits(tick)}</text>`;
    });
    for (const tick of ticks) {
      const at = x(tick).toFixed(1);
      if (at > this.#width - RIGHT) continue;
      parts.push(
        `<line x1="${at}" x2="${at}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM + 4}"/><text x="${at}" y="${HEIGHT - 8}" text-anchor="middle">${tick / 1000} s</text>`,
      );
    }
    this.#grid.innerHTML = parts.join('');
  }

  #addLine(name, i) {
    const path = svgElement('path');
    path.setAttribute('class', `line line-${i}`);
    path.setAttribute('stroke-dasharray', DASHES[i] ?? '');
    this.#svg.append(path);
    const item = document.createElement('li');
    item.innerHTML = `<svg class="swatch" width="26" height="8" aria-hidden="true"><path class="line line-${i}" stroke-dasharray="${DASHES[i] ?? ''}" d="M0 4h26"/></svg>`;
    const value = document.createElement('b');
    value.textContent = '–';
    item.append(`${name} `, value);
    this.#legend.append(item);
    this.#lines.push({ series: new Series(SPAN / SAMPLE + 2), path, value });
  }
}

function svgElement(name) {
  return document.createElementNS('http://www.w3.org/2000/svg', name);
}
