/* global document, window, Worker */
/** What a trace file holds, on the page: summary, states at the end, ladder, and a list of every entry that makes the lines in sight alone. */
import { LadderView } from './ladder-view.js';
import { PackedTexts, TraceLadder } from './trace-model.js';
import { Tree } from './tree.js';
import { describeArrow } from './words.js';

const LINE = 20;
/** Browsers draw no taller box than some million pixels: taller lists are scrolled by shares. */
const TALLEST = 8_000_000;

export class TraceView {
  /** Milliseconds that reading took, and lines read. */
  figures = { lines: 0, milliseconds: 0 };
  #byId;
  #ladder;
  #tree;
  #entries;
  #worker;

  /** @param byId finds the page's elements */
  constructor(byId) {
    this.#byId = byId;
    this.#ladder = new LadderView(byId('trace-ladder'));
    this.#ladder.onChoose = (arrow) => {
      byId('trace-datagram').textContent =
        arrow === undefined ? '' : describeArrow(arrow, this.#ladder.source.lanes);
    };
    this.#tree = new Tree(byId('trace-states'));
    const list = byId('trace-entries');
    list.addEventListener('scroll', () => this.#drawEntries(), { passive: true });
  }

  /** Reads a file in a worker. Resolves when it is shown; rejects with a sentence if it cannot be read. */
  open(file, onProgress) {
    this.#worker?.terminate();
    const worker = new Worker(new URL('trace-worker.js', document.baseURI), { type: 'module' });
    this.#worker = worker;
    const started = performance.now();
    return new Promise((resolve, reject) => {
      worker.onerror = () =>
        reject(new Error('The reader could not be started. Is the page served over HTTP?'));
      worker.onmessage = ({ data }) => {
        if (data.type === 'progress') {
          onProgress(data.share);
          return;
        }
        worker.terminate();
        if (data.type === 'refused') reject(new Error(data.message));
        else {
          this.#show(data, file.name);
          this.figures = { lines: this.#entries.length + 1, milliseconds: performance.now() - started };
          resolve();
        }
      };
      worker.postMessage(file);
    });
  }

  draw() {
    this.#ladder.draw();
  }

  readColors() {
    this.#ladder.readColors();
  }

  #show({ ladder, entries, summary, states }, name) {
    this.#byId('trace-name').textContent = name;
    this.#byId('trace-summary').replaceChildren(
      ...summary.map(([term, text]) => {
        const row = document.createElement('div');
        const dt = document.createElement('dt');
        const dd = document.createElement('dd');
        dt.textContent = term;
        dd.textContent = text;
        row.append(dt, dd);
        return row;
      }),
    );
    const list = (nodes) => () => nodes;
    this.#tree.show(() => [
      ...(states.closed === undefined ? [] : [{ name: 'closed because', value: states.closed, tone: 'bad' }]),
      {
        name: 'states',
        value: states.states.length === 0 ? 'none told' : '',
        open: true,
        children: list(states.states),
      },
      {
        name: 'timers that ran',
        value: String(states.timers.length),
        open: true,
        children: list(states.timers),
      },
      { name: 'dropped or refused', value: String(states.drops.length), children: list(states.drops) },
      { name: 'entries by type', value: String(states.counts.length), children: list(states.counts) },
    ]);
    this.#ladder.show(new TraceLadder(ladder), { follow: false });
    this.#byId('trace-datagram').textContent = '';
    this.#entries = new PackedTexts(entries);
    const box = this.#byId('trace-entries');
    box.querySelector('.spacer').style.height = `${this.#listHeight()}px`;
    box.scrollTop = 0;
    window.requestAnimationFrame(() => {
      this.#ladder.draw();
      this.#drawEntries();
    });
  }

  #listHeight() {
    return Math.min(this.#entries.length * LINE, TALLEST);
  }

  #drawEntries() {
    if (this.#entries === undefined) return;
    const box = this.#byId('trace-entries');
    const lines = box.querySelector('.lines');
    const room = Math.ceil(box.clientHeight / LINE) + 1;
    const whole = this.#listHeight() - box.clientHeight;
    const share = whole <= 0 ? 0 : Math.min(1, box.scrollTop / whole);
    const isTall = this.#entries.length * LINE > TALLEST;
    const first = isTall
      ? Math.round(share * Math.max(0, this.#entries.length - room + 1))
      : Math.floor(box.scrollTop / LINE);
    const texts = [];
    for (let i = first; i < Math.min(first + room, this.#entries.length); i++)
      texts.push(this.#entries.at(i));
    lines.style.transform = `translateY(${isTall ? box.scrollTop : first * LINE}px)`;
    lines.textContent = texts.join('\n');
  }
}
