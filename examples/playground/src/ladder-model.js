/**
 * The ladder as numbers: lanes, and arrows with the heights at which they begin and end. Time runs downwards and is not to scale:
 * each send and each arrival has a row of its own, near ones close together, and a silence is a gap that does not grow for ever.
 *
 * A run adds to it as it goes, and the oldest arrows leave: `top` and `bottom` say what there is.
 */

/** Pixels. */
export const ROW = 17;
const TALLEST_ROW = 52;
const ROW_PER_DOUBLING = 3;
const LOST_DROP = 14;
/** Arrows over the capacity before the oldest leave, all at once. */
const SLACK = 100;
/** Arrows kept of a run. */
const KEPT = 1500;

/** The gap between two rows so many milliseconds apart. */
export function rowHeight(elapsed) {
  return Math.round(Math.min(TALLEST_ROW, ROW + ROW_PER_DOUBLING * Math.log2(1 + Math.max(0, elapsed))));
}

/**
 * An arrow: `{ id, from, to, y, ends, sentAt, kind, label, detail, lost, record }`. Ids count; `from` and `to` are lanes; `ends` has a
 * height for each arrival, none while it is under way; `record` is the network's.
 */
export class LiveLadder {
  lanes;
  /** The oldest first; heights grow. */
  arrows = [];
  top = 0;
  bottom = 0;
  #capacity;
  #open = new Set();
  #taken = 0;
  #signalsTaken = 0;
  #last;
  #nextId = 0;

  constructor(lanes, capacity = KEPT) {
    this.lanes = lanes;
    this.#capacity = capacity;
  }

  /** The arrow with this id, if it is still here. */
  at(id) {
    return this.arrows[id - (this.arrows[0]?.id ?? 0)];
  }

  /** The last arrow above a height. */
  last(height) {
    return this.arrows[lowerBound(this.arrows.length, (i) => this.arrows[i].y > height) - 1];
  }

  /**
   * Takes what is new since the last time: datagrams sent, and what has become of those under way.
   * @param {{ datagrams: readonly object[], signals: readonly object[], label(index: number): object, receiverOf(datagram: object): string }} source
   * @returns whether anything was
   */
  take(source) {
    const marks = [];
    const { datagrams, signals } = source;
    for (const arrow of this.#open) {
      const { record } = arrow;
      while (arrow.seen < record.arrivals.length)
        marks.push({ at: record.arrivals[arrow.seen++], arrow, isEnd: true });
    }
    for (; this.#taken < datagrams.length; this.#taken++) this.#begin(datagrams[this.#taken], source, marks);
    for (; this.#signalsTaken < signals.length; this.#signalsTaken++) {
      const signal = signals[this.#signalsTaken];
      const from = this.lanes.indexOf(signal.from);
      const arrow = this.#arrow(signal, from, this.lanes.indexOf(signal.to));
      Object.assign(arrow, { kind: 'signal', label: signal.label, detail: '' });
      marks.push({ at: signal.sentAt, arrow, isEnd: false });
      // It always arrives, and when is known: no record has to be watched.
      arrow.record = { ...signal, fate: 'delivered' };
    }
    // What arrives comes first at one time: it is often the cause of what is sent.
    marks.sort((a, b) => a.at - b.at || Number(b.isEnd) - Number(a.isEnd));
    for (const mark of marks) this.#place(mark);
    const open = this.#open.size;
    for (const arrow of this.#open) this.#judge(arrow);
    this.#forget();
    return marks.length > 0 || this.#open.size !== open;
  }

  #begin(record, source, marks) {
    const from = this.lanes.indexOf(record.from);
    const label = source.label(record.index);
    const arrow = this.#arrow(record, from, this.lanes.indexOf(source.receiverOf(record)));
    Object.assign(arrow, {
      kind: label?.kind ?? 'other',
      label: label?.text ?? '',
      detail: '',
    });
    marks.push({ at: record.sentAt, arrow, isEnd: false });
    while (arrow.seen < record.arrivals.length)
      marks.push({ at: record.arrivals[arrow.seen++], arrow, isEnd: true });
  }

  #arrow(record, from, to) {
    return { record, from, to, y: 0, ends: [], sentAt: record.sentAt, seen: 0, lost: undefined };
  }

  #place({ at, arrow, isEnd }) {
    if (this.#last !== undefined) this.bottom += rowHeight(at - this.#last);
    this.#last = at;
    if (isEnd) {
      arrow.ends.push(this.bottom);
      return;
    }
    arrow.y = this.bottom;
    arrow.id = this.#nextId++;
    this.arrows.push(arrow);
    this.#open.add(arrow);
  }

  /** Is it lost, or has everything arrived that will? */
  #judge(arrow) {
    const { record } = arrow;
    if (record.arrivals.length > arrow.seen) return;
    const { fate } = record;
    if (fate === 'in-flight') return;
    if (record.to !== undefined && fate === 'delivered') arrow.to = this.lanes.indexOf(record.to);
    if (fate !== 'delivered') arrow.lost = fate;
    // A signal arrives later than it is taken; a second copy of a datagram is rare, and told by its first.
    this.#open.delete(arrow);
  }

  #forget() {
    const surplus = this.arrows.length - this.#capacity;
    if (surplus <= SLACK) return;
    this.arrows.splice(0, surplus);
    this.top = this.arrows[0].y;
  }

  /** The arrows that may be seen between two heights, and their indices. */
  *visible(from, to) {
    // An arrow is as long as its way takes: it may begin far above.
    const first = Math.max(0, lowerBound(this.arrows.length, (i) => this.arrows[i].y >= from) - LOOK_BACK);
    for (let i = first; i < this.arrows.length; i++) {
      const arrow = this.arrows[i];
      if (arrow.y > to) return;
      const end = Math.max(arrow.y + LOST_DROP, ...arrow.ends);
      if (end >= from) yield arrow;
    }
  }
}

/** Arrows that are looked at above the window, for those that reach down into it. */
const LOOK_BACK = 80;

/** The first of `length` indices for which `is` holds, which holds for all after it. */
export function lowerBound(length, is) {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How far down the arrow of a lost datagram goes. */
export function lostEnd(arrow) {
  return arrow.y + LOST_DROP;
}
