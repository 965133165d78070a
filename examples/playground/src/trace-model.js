/* global TextEncoder, TextDecoder */
/**
 * A trace file as what a page shows of it: a ladder, a list of entries, a summary, the states at the end. It is made in a worker, and
 * goes to the page as a few large arrays, which cost nothing to hand over; the page decodes the lines that are in sight.
 */
import { TraceRefusal, describeEntry, parseTrace } from 'sansrtc/trace';
import { traceLabel } from './trace-label.js';
import { lowerBound, rowHeight } from './ladder-model.js';

/** Lines parsed between two looks at the clock. */
const CHUNK = 2000;
const KINDS = ['stun', 'turn', 'dtls', 'sctp', 'media', 'signal', 'other'];

/**
 * @param text the file's
 * @param onProgress told the share that is done, 0 to 1
 * @returns {object} what `TraceView` shows; `transfer` lists the buffers
 * @throws {TraceRefusal} with the line that is wrong
 */
export function readTraceFile(text, onProgress = () => undefined) {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const header = lines[0] ?? '';
  const builder = new Builder(parseTrace(header === '' ? text : `${header}\n`).header);
  for (let start = 1; start < lines.length; start += CHUNK) {
    for (const entry of parseChunk(header, lines, start)) builder.add(entry);
    onProgress(Math.min(1, (start + CHUNK) / lines.length));
  }
  return builder.finish();
}

/** Line numbers of a refusal are the file's. */
function parseChunk(header, lines, start) {
  const chunk = lines.slice(start, start + CHUNK);
  // The last line may be cut off; of the others, that is not the reason.
  const end = start + CHUNK < lines.length ? '\n' : '';
  try {
    return parseTrace(`${header}\n${chunk.join('\n')}${end}`).entries;
  } catch (error) {
    if (!(error instanceof TraceRefusal) || error.line === undefined) throw error;
    const message = error.message.replace(/^line \d+: /, '');
    throw new TraceRefusal(message, error.line === 1 ? 1 : error.line - 2 + start + 1);
  }
}

class Builder {
  #header;
  #entries = new TextPacker();
  #labels = new TextPacker();
  #times = [];
  #heights = [];
  #flags = [];
  #inside = { in: [], out: [] };
  #pendingReceive;
  #bottom = 0;
  #lastAt;
  #count = 0;
  #counts = new Map();
  #states = new Map();
  #timers = new Map();
  #drops = new Map();
  #bytes = { in: 0, out: 0 };
  #first;
  #last = 0;
  #lanes;
  #closed;
  #messages = { in: 0 };

  constructor(header) {
    this.#header = header;
  }

  add(entry) {
    this.#count++;
    this.#first ??= entry.at;
    this.#last = Math.max(this.#last, entry.at);
    this.#counts.set(entry.type, (this.#counts.get(entry.type) ?? 0) + 1);
    this.#entries.add(`${entry.at.toFixed(3).padStart(12)}  ${describeEntry(entry)}`);
    switch (entry.type) {
      case 'receive':
        this.#settle();
        this.#inside.in = [];
        this.#pendingReceive = entry;
        this.#bytes.in += entry.data.length;
        return;
      case 'transmit':
        this.#settle();
        this.#datagram(entry, this.#inside.out);
        this.#inside.out = [];
        this.#bytes.out += entry.data.length;
        return;
      case 'packet':
        this.#inside[entry.direction].push(entry.summary);
        return;
      case 'state':
        this.#states.set(entry.machine, entry.to);
        return;
      case 'timer':
        if (entry.change === 'armed') this.#timers.set(entry.timer, entry.deadline);
        else this.#timers.delete(entry.timer);
        return;
      case 'drop':
        this.#drops.set(entry.counter, (this.#drops.get(entry.counter) ?? 0) + entry.count);
        return;
      case 'event':
        if (entry.event.type === 'message') this.#messages.in++;
        if (entry.event.type === 'closed') this.#closed = entry.event.failure;
        return;
    }
  }

  finish() {
    this.#settle();
    const ladder = {
      lanes: this.#lanes ?? ['this end', 'the peer'],
      bottom: this.#bottom,
      times: Float64Array.from(this.#times),
      heights: Float64Array.from(this.#heights),
      flags: Uint8Array.from(this.#flags),
      labels: this.#labels.packed(),
    };
    const entries = this.#entries.packed();
    const transfer = [
      ladder.times,
      ladder.heights,
      ladder.flags,
      ladder.labels.bytes,
      ladder.labels.ends,
      entries.bytes,
      entries.ends,
    ];
    return {
      ladder,
      entries,
      summary: this.#summary(),
      states: this.#finalStates(),
      transfer: transfer.map(({ buffer }) => buffer),
    };
  }

  /** What came in is known once the next thing happens: its packets are told after it. */
  #settle() {
    if (this.#pendingReceive === undefined) return;
    const entry = this.#pendingReceive;
    this.#pendingReceive = undefined;
    this.#datagram(entry, this.#inside.in);
  }

  #datagram(entry, inside) {
    const isOut = entry.type === 'transmit';
    const own = isOut ? entry.source : entry.destination;
    const other = isOut ? entry.destination : entry.source;
    this.#lanes ??= [`${own.address}:${own.port}`, `${other.address}:${other.port}`];
    const { kind, text, detail } = traceLabel(entry.summary, inside);
    if (this.#lastAt !== undefined) this.#bottom += rowHeight(entry.at - this.#lastAt);
    this.#lastAt = entry.at;
    this.#times.push(entry.at);
    this.#heights.push(this.#bottom);
    this.#flags.push(KINDS.indexOf(kind) * 2 + (isOut ? 1 : 0));
    const way = `${entry.source.address}:${entry.source.port} → ${entry.destination.address}:${entry.destination.port}, ${entry.data.length} bytes`;
    this.#labels.add(`${text}\n${way}\n${detail}`);
  }

  #summary() {
    const count = (type) => this.#counts.get(type) ?? 0;
    const { seed } = this.#header;
    return [
      ['entries', this.#count.toLocaleString('en')],
      ['time', `${((this.#last - (this.#first ?? 0)) / 1000).toFixed(3)} s`],
      [
        'sent',
        `${count('transmit').toLocaleString('en')} datagrams, ${this.#bytes.out.toLocaleString('en')} bytes`,
      ],
      [
        'received',
        `${count('receive').toLocaleString('en')} datagrams, ${this.#bytes.in.toLocaleString('en')} bytes`,
      ],
      ['messages', `${this.#messages.in.toLocaleString('en')} received`],
      ['can be replayed', seed === undefined ? 'no' : 'yes: it holds the keys of the connection'],
    ];
  }

  #finalStates() {
    const states = [...this.#states].map(([machine, to]) => ({ name: machine, value: to }));
    const timers = [...this.#timers].sort((a, b) => a[1] - b[1]);
    const drops = [...this.#drops].sort((a, b) => b[1] - a[1]);
    return {
      closed: this.#closed === undefined ? undefined : `${this.#closed.message} (${this.#closed.code})`,
      states,
      timers: timers.map(([name, at]) => ({
        name,
        value: at === Infinity ? 'never' : `due at ${(at / 1000).toFixed(3)} s`,
      })),
      drops: drops.map(([name, count]) => ({ name, value: String(count) })),
      counts: [...this.#counts].map(([name, value]) => ({ name, value: String(value) })),
    };
  }
}

/** Many texts as one array of UTF-8, and where each ends. */
export class TextPacker {
  #encoder = new TextEncoder();
  #bytes = new Uint8Array(1 << 16);
  #length = 0;
  #ends = [];

  add(text) {
    while (this.#bytes.length - this.#length < text.length * 3) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#length += this.#encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
    this.#ends.push(this.#length);
  }

  packed() {
    return { bytes: this.#bytes.slice(0, this.#length), ends: Uint32Array.from(this.#ends) };
  }
}

/** What `TextPacker` packed, one text at a time. */
export class PackedTexts {
  #bytes;
  #ends;
  #decoder = new TextDecoder();

  constructor({ bytes, ends }) {
    this.#bytes = bytes;
    this.#ends = ends;
  }

  get length() {
    return this.#ends.length;
  }

  at(index) {
    return this.#decoder.decode(
      this.#bytes.subarray(index === 0 ? 0 : this.#ends[index - 1], this.#ends[index]),
    );
  }
}

/** A packed ladder, as `LadderView` shows one: this end on the left. */
export class TraceLadder {
  lanes;
  top = 0;
  bottom;
  #packed;
  #labels;

  constructor(packed) {
    this.lanes = packed.lanes;
    this.bottom = packed.bottom;
    this.#packed = packed;
    this.#labels = new PackedTexts(packed.labels);
  }

  at(id) {
    const { times, heights, flags } = this.#packed;
    if (!(id >= 0 && id < times.length)) return undefined;
    const isOut = (flags[id] & 1) === 1;
    const [label, way, ...detail] = this.#labels.at(id).split('\n');
    const y = heights[id];
    const [from, to] = isOut ? [0, 1] : [1, 0];
    return {
      id,
      from,
      to,
      y,
      ends: [y],
      sentAt: times[id],
      kind: KINDS[flags[id] >> 1],
      label,
      way,
      detail: detail.join('\n'),
    };
  }

  last(height) {
    return this.at(this.#first(height) - 1);
  }

  *visible(from, to) {
    const { heights } = this.#packed;
    for (let i = this.#first(from); i < heights.length && heights[i] <= to; i++) yield this.at(i);
  }

  /** The first at or below a height. */
  #first(height) {
    const { heights } = this.#packed;
    return lowerBound(heights.length, (i) => heights[i] >= height);
  }
}
