/**
 * The packet ladder: two ends, time downwards, an arrow for each datagram, as one SVG that stands alone.
 *
 * Time is not to scale: every send and every arrival has a row of its own, near ones close together, and a long silence
 * is cut short and says how long it was. Arrows have the colour of their protocol; what was lost ends in a red cross.
 */
import type { OptionRules } from '../core/options.ts';
import { checkOptions, number, text } from '../core/options.ts';
import { describeTime } from './describe.ts';
import type { Passage, PassageSource } from './passages.ts';
import { passagesOf } from './passages.ts';

/** Options of `ladderSvg`: what stands in the picture, and how much. */
export interface LadderOptions {
  /** Names of the two ends; default their addresses or the network's names. */
  readonly left?: string | undefined;
  readonly right?: string | undefined;
  readonly title?: string | undefined;
  /** Most arrows drawn; how many were left out is said below. Default 500. */
  readonly maxArrows?: number | undefined;
}

const DEFAULT_MAX_ARROWS = 500;

const RULES: OptionRules<LadderOptions> = {
  left: text(),
  right: text(),
  title: text(),
  maxArrows: number(0, Infinity),
};

// Pixels.
const WIDTH = 1080;
const LEFT = 170;
const RIGHT = WIDTH - LEFT;
const TOP = 96;
const BOTTOM = 56;
/** The distance of two rows, at the same time and at the most. */
const ROW = 15;
const TALLEST_ROW = 44;
/** Rows grow by this for every doubling of the milliseconds between them. */
const ROW_PER_DOUBLING = 3;
/** How much of its way the arrow of a lost datagram gets. */
const LOST_AFTER = 0.8;
/** A silence of this many milliseconds is marked. */
const SILENCE = 500;
/** Characters of a label: about what fits before a lost one's cross. */
const LABEL = 100;
/** From the sender's lane to its text. */
const LABEL_INSET = 14;

type Kind = 'stun' | 'dtls' | 'sctp' | 'media' | 'other';

const KINDS: Readonly<Record<Kind, { readonly name: string; readonly color: string }>> = {
  stun: { name: 'STUN', color: '#0f766e' },
  dtls: { name: 'DTLS', color: '#7c3aed' },
  sctp: { name: 'SCTP in DTLS', color: '#1d4ed8' },
  media: { name: 'RTP in SRTP', color: '#9a3412' },
  other: { name: 'other', color: '#57606a' },
};

/** An SVG document. */
export function ladderSvg(source: PassageSource, options: LadderOptions = {}): string {
  checkOptions('ladderSvg', options, RULES);
  const { left, right, list } = passagesOf(source);
  const shown = list.slice(0, options.maxArrows ?? DEFAULT_MAX_ARROWS);
  const rows = layOut(shown);
  const bottom = rows.bottom + ROW;
  const height = bottom + BOTTOM;
  const omitted = list.length - shown.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">`,
    `<style>${style()}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    textAt(WIDTH / 2, 30, options.title ?? 'Packet ladder', 'title', 'middle'),
    legend(shown, 52),
    ...lane(LEFT, options.left ?? left, bottom),
    ...lane(RIGHT, options.right ?? right, bottom),
    ...silences(rows.marks),
    ...shown.map((passage, i) => arrow(passage, rows.ways[i]!)),
    // Words come last, so that no arrow runs through them.
    ...shown.map((passage, i) => label(passage, rows.ways[i]!)),
    ...times(rows.marks),
    omitted > 0 ? textAt(WIDTH / 2, height - 22, `… and ${omitted} more`, 'note', 'middle') : '',
    '</svg>\n',
  ].join('\n');
}

// --- rows ---

/** A send or an arrival on its row. */
interface Mark {
  readonly at: number;
  readonly x: number;
  readonly y: number;
}

/** The way of one datagram: where it starts, where each copy ends; the end of a lost one is where it would have been. */
interface Way {
  readonly send: Mark;
  readonly ends: readonly Mark[];
}

interface Rows {
  /** What really happened, top to bottom. */
  readonly marks: readonly Mark[];
  /** By passage. */
  readonly ways: readonly Way[];
  readonly bottom: number;
}

/** An end of a way, or both of them, before it has a row. */
interface Point {
  readonly index: number;
  readonly at: number;
  readonly end: 'send' | 'arrival' | 'both';
  /** False for the arrival that a lost datagram did not have. */
  readonly isReal: boolean;
}

function layOut(passages: readonly Passage[]): Rows {
  const points = passages.flatMap((passage, index) => pointsOf(passage, index, passages));
  // At one time what arrives comes first: it is often the cause of what is sent. Sorting keeps equal ones in order.
  points.sort((a, b) => a.at - b.at || Number(b.end === 'arrival') - Number(a.end === 'arrival'));
  const marks: Mark[] = [];
  const sends: Mark[] = [];
  const ends: Mark[][] = passages.map(() => []);
  let y = TOP + ROW;
  let last: Point | undefined;
  for (const point of points) {
    const { index, at, end } = point;
    if (last !== undefined) y += rowHeight(at - last.at);
    last = point;
    const [here, there] = passages[index]?.from === 'left' ? [LEFT, RIGHT] : [RIGHT, LEFT];
    if (end !== 'arrival') sends[index] = { at, x: here, y };
    if (end !== 'send') ends[index]!.push({ at, x: there, y });
    if (point.isReal) marks.push({ at, x: end === 'both' ? LEFT : end === 'send' ? here : there, y });
  }
  return { marks, ways: sends.map((send, index) => ({ send, ends: ends[index]! })), bottom: y };
}

function pointsOf({ sentAt, arrivals }: Passage, index: number, all: readonly Passage[]): Point[] {
  // One end saw it: there is no telling how long it took.
  if (arrivals.length === 1 && arrivals[0] === sentAt)
    return [{ index, at: sentAt, end: 'both', isReal: true }];
  const isReal = arrivals.length > 0;
  const ends = isReal ? arrivals : [sentAt + transitTime(all, index)];
  return [
    { index, at: sentAt, end: 'send', isReal: true },
    ...ends.map((at): Point => ({ index, at, end: 'arrival', isReal })),
  ];
}

/** How long the nearest datagram took that went the same way: so long, about, would this one have taken. */
function transitTime(passages: readonly Passage[], index: number): number {
  const from = passages[index]?.from;
  for (let distance = 1; distance < passages.length; distance++) {
    for (const near of [passages[index - distance], passages[index + distance]]) {
      const arrival = near?.arrivals[0];
      if (near?.from === from && near !== undefined && arrival !== undefined) return arrival - near.sentAt;
    }
  }
  return 1;
}

function rowHeight(elapsed: number): number {
  return Math.round(Math.min(TALLEST_ROW, ROW + ROW_PER_DOUBLING * Math.log2(1 + elapsed)));
}

// --- drawing ---

function style(): string {
  const colors = Object.entries(KINDS).map(
    ([kind, { color }]) =>
      `.${kind}{stroke:${color}}.head.${kind}{fill:${color};stroke:none}.label.${kind}{fill:${color};stroke:#fff}`,
  );
  return `
text{font:12px ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.label{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.time,.silence,.note{font-size:10px;fill:#656d76;font-variant-numeric:tabular-nums}
.silence,.note{font-style:italic}
.title{font-size:16px;font-weight:600}
.end{font-weight:600}
.lane{stroke:#8c959f;stroke-width:1.5}
.arrow{fill:none;stroke-width:1.4}
.lost{stroke-dasharray:5 4}
.again{stroke-dasharray:2 3}
.cross{fill:none;stroke:#d1242f;stroke-width:2.2}
.why{fill:#d1242f}
${colors.join('\n')}
`;
}

function lane(x: number, name: string, bottom: number): string[] {
  return [
    `<line class="lane" x1="${x}" y1="${TOP - 14}" x2="${x}" y2="${bottom}"/>`,
    textAt(x, TOP - 22, name, 'end', 'middle'),
  ];
}

function legend(passages: readonly Passage[], y: number): string {
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => passages.some((one) => kindOf(one) === kind));
  const items = kinds.map((kind, i) => {
    const x = WIDTH / 2 + (i - (kinds.length - 1) / 2) * 110 - 40;
    return `<line class="arrow ${kind}" x1="${x}" y1="${y - 4}" x2="${x + 18}" y2="${y - 4}"/>${textAt(x + 24, y, KINDS[kind].name, 'time', 'start')}`;
  });
  return items.join('');
}

function arrow(passage: Passage, { send, ends }: Way): string {
  const kind = kindOf(passage);
  const [first, ...again] = ends;
  const parts: string[] = [];
  if (first !== undefined && passage.arrivals.length > 0) {
    parts.push(line(send, first, kind), head(send, first, kind));
  } else if (first !== undefined) {
    const end = partWay(send, first);
    parts.push(line(send, end, `${kind} lost`));
    if (passage.lost !== undefined) parts.push(cross(end));
  }
  for (const mark of again) parts.push(line(send, mark, `${kind} again`), head(send, mark, kind));
  return parts.join('');
}

function partWay(from: Mark, to: Mark): Mark {
  const x = from.x + (to.x - from.x) * LOST_AFTER;
  return { at: to.at, x, y: decimals(from.y + (to.y - from.y) * LOST_AFTER) };
}

function line(from: Mark, to: Mark, style: string): string {
  return `<line class="arrow ${style}" x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}"/>`;
}

/** A triangle at `to`, turned along the arrow. */
function head(from: Mark, to: Mark, style: string): string {
  const degrees = (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
  return `<path class="head ${style}" d="M0 0l-9 -4v8z" transform="translate(${to.x} ${to.y}) rotate(${decimals(degrees)})"/>`;
}

function cross({ x, y }: Mark): string {
  return `<path class="cross" d="M${x - 5} ${y - 5}l10 10m0 -10l-10 10"/>`;
}

/** Along the arrow, from the sender's side: arrows that cross do so in the middle. Details show when pointed at. */
function label(passage: Passage, { send, ends: [end] }: Way): string {
  if (end === undefined) return '';
  const side = end.x > send.x ? 1 : -1;
  const slope = (end.y - send.y) / (end.x - send.x);
  const degrees = decimals((Math.atan(slope) * 180) / Math.PI);
  const x = send.x + side * LABEL_INSET;
  const y = decimals(send.y + slope * side * LABEL_INSET - 3);
  const anchor = side > 0 ? 'start' : 'end';
  const details = `<title>${escapeXml(tooltip(passage))}</title>`;
  const said = `<text class="label ${kindOf(passage)}" text-anchor="${anchor}" transform="translate(${x} ${y}) rotate(${degrees})">${details}${escapeXml(labelText(passage))}</text>`;
  if (passage.lost === undefined) return said;
  const there = partWay(send, end);
  return said + textAt(there.x + side * 12, there.y + 4, passage.lost, 'label why', anchor);
}

function silences(marks: readonly Mark[]): string[] {
  return marks.flatMap(({ at, y }, i) => {
    const before = marks[i - 1];
    if (before === undefined || at - before.at < SILENCE) return [];
    return [textAt(14, (y + before.y) / 2 + 3, `… ${describeDuration(at - before.at)}`, 'silence', 'start')];
  });
}

/** Beside the lanes, once for all marks of one lane at one time. */
function times(marks: readonly Mark[]): string[] {
  const last = new Map<number, string>();
  return marks.flatMap(({ at, x, y }) => {
    const said = describeTime(Math.round(at * 10) / 10);
    if (last.get(x) === said) return [];
    last.set(x, said);
    return [textAt(x === LEFT ? x - 10 : x + 10, y + 3, said, 'time', x === LEFT ? 'end' : 'start')];
  });
}

// --- words ---

function kindOf({ summary, packets }: Passage): Kind {
  if (summary.startsWith('SRT') || packets.some(({ kind }) => kind !== 'sctp')) return 'media';
  if (packets.length > 0 || summary.startsWith('DTLS application data')) return 'sctp';
  if (summary.startsWith('STUN')) return 'stun';
  return summary.startsWith('DTLS') ? 'dtls' : 'other';
}

function labelText(passage: Passage): string {
  const { packets, summary, corrupted } = passage;
  const inside = packets.map((packet) => packet.summary).join(' + ');
  const whole = (inside === '' ? shortStun(summary) : inside) + (corrupted ? ' (corrupted)' : '');
  return whole.length > LABEL ? `${whole.slice(0, LABEL)}…` : whole;
}

/** Of a STUN message's attributes, those that make a difference at a glance. */
function shortStun(summary: string): string {
  if (!summary.startsWith('STUN ')) return summary;
  const parts = summary.match(/^STUN \S+ \S+|USE-CANDIDATE|ERROR-CODE \d+/g);
  return parts === null ? summary : parts.join(' ');
}

function tooltip({ summary, packets, sentAt, arrivals, lost, source, destination, length }: Passage): string {
  const times = [`sent ${describeTime(sentAt)}`, ...arrivals.map((at) => `arrived ${describeTime(at)}`)];
  if (lost !== undefined) times.push(`lost: ${lost}`);
  const path = `${source.address} port ${source.port} → ${destination.address} port ${destination.port}`;
  return [`${path}, ${length} bytes`, times.join(', '), summary, ...packets.map((one) => one.summary)].join(
    '\n',
  );
}

function describeDuration(milliseconds: number): string {
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${Math.round(milliseconds / 1000)} s`;
}

function textAt(
  x: number,
  y: number,
  said: string,
  style: string,
  anchor: 'start' | 'middle' | 'end',
): string {
  return `<text class="${style}" x="${x}" y="${y}" text-anchor="${anchor}">${escapeXml(said)}</text>`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Markup characters become entities; what XML cannot hold at all (controls, half characters) becomes U+FFFD. */
function escapeXml(said: string): string {
  return said
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
    .replaceAll(/[^\t\n\u0020-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, '\ufffd');
}

function decimals(value: number): number {
  return Math.round(value * 100) / 100;
}
