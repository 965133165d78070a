/* global document, window, getComputedStyle, ResizeObserver */
/**
 * The ladder as a picture: a canvas that shows what is in sight of a ladder of any height, in a box that scrolls. Arrows are chosen
 * by a click or with the arrow keys, and described in words beside it.
 *
 * A source is `{ lanes, top, bottom, visible(from, to), at(id), last() }`: live-ladder's or a trace's.
 */
import { lostEnd } from './ladder-model.js';

const KINDS = ['stun', 'turn', 'dtls', 'sctp', 'media', 'signal', 'other'];
const HEAD = 30;
const PADDING = 26;
const FONT = 11;
const CHARACTER = 5.9;
/** Scrolled so near to the end, pixels, it follows. */
const NEAR = 24;

export class LadderView {
  source;
  isFollowing = true;
  /** Told of the arrow that is chosen, or of `undefined`. */
  onChoose = () => undefined;
  onFollow = () => undefined;
  #scroller;
  #spacer;
  #canvas;
  #context;
  #width = 0;
  #height = 0;
  #offset = 0;
  #ignoreScroll = 0;
  #colors = {};
  #chosen;
  #isDirty = true;

  /** @param scroller a box that can have the focus, with a `.spacer` and a canvas in it */
  constructor(scroller) {
    this.#scroller = scroller;
    this.#spacer = scroller.querySelector('.spacer');
    this.#canvas = scroller.querySelector('canvas');
    this.#context = this.#canvas.getContext('2d');
    this.readColors();
    new ResizeObserver(() => this.#resize()).observe(scroller);
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    scroller.addEventListener('click', (event) => this.#clicked(event));
    scroller.addEventListener('keydown', (event) => this.#pressed(event));
  }

  show(source, { follow = true } = {}) {
    this.source = source;
    this.#chosen = undefined;
    this.isFollowing = follow;
    this.#offset = source.top;
    if (!follow) this.#scroller.scrollTop = 0;
    this.changed();
  }

  /** The source has grown, or looks otherwise. */
  changed() {
    this.#isDirty = true;
  }

  follow() {
    this.isFollowing = true;
    this.onFollow(true);
    this.changed();
  }

  readColors() {
    const style = getComputedStyle(document.documentElement);
    for (const name of [...KINDS, 'ink', 'soft', 'line', 'card', 'bad', 'chosen'])
      this.#colors[name] = style.getPropertyValue(`--${name}`).trim();
    this.changed();
  }

  draw() {
    if (!this.#isDirty || this.source === undefined || this.#width === 0) return;
    this.#isDirty = false;
    const { top, bottom } = this.source;
    const room = this.#height - HEAD;
    const total = bottom - top + 2 * PADDING;
    const height = Math.max(this.#height, total + HEAD);
    if (this.#spacer.height !== height) {
      this.#spacer.height = height;
      this.#spacer.style.height = `${height}px`;
    }
    if (this.isFollowing) this.#offset = Math.max(top, bottom + 2 * PADDING - room);
    // What has left at the top has taken its height with it.
    this.#offset = Math.max(this.#offset, top);
    this.#moveTo(this.#offset - top);
    this.#paint(room);
  }

  #paint(room) {
    const context = this.#context;
    const ratio = window.devicePixelRatio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    context.font = `${FONT}px system-ui, sans-serif`;
    context.textBaseline = 'alphabetic';
    const { lanes } = this.source;
    const xs = lanes.map((_, i) => this.#laneX(i));
    context.strokeStyle = this.#colors.line;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const x of xs) {
      context.moveTo(x, HEAD);
      context.lineTo(x, this.#height);
    }
    context.stroke();
    context.save();
    context.beginPath();
    context.rect(0, HEAD, this.#width, room);
    context.clip();
    const shift = HEAD + PADDING - this.#offset;
    const shown = [...this.source.visible(this.#offset - PADDING - 60, this.#offset + room)];
    for (const arrow of shown) this.#line(arrow, xs, shift);
    // Words come last, so that no arrow runs through them.
    for (const arrow of shown) this.#words(arrow, xs, shift);
    context.restore();
    this.#heading(xs, lanes);
  }

  #heading(xs, lanes) {
    const context = this.#context;
    context.fillStyle = this.#colors.card;
    context.fillRect(0, 0, this.#width, HEAD - 1);
    context.fillStyle = this.#colors.ink;
    context.font = '600 13px system-ui, sans-serif';
    for (const [i, x] of xs.entries()) {
      const isLast = i === xs.length - 1;
      const half = context.measureText(lanes[i]).width / 2;
      context.textAlign = 'center';
      context.fillText(lanes[i], Math.min(Math.max(x, half + 4), this.#width - half - (isLast ? 6 : 0)), 20);
    }
    context.textAlign = 'start';
    context.strokeStyle = this.#colors.line;
    context.beginPath();
    context.moveTo(0, HEAD - 0.5);
    context.lineTo(this.#width, HEAD - 0.5);
    context.stroke();
  }

  #laneX(i) {
    const gutter = this.#width < 520 ? 52 : 76;
    const right = this.#width - (this.#width < 520 ? 22 : 44);
    const { length } = this.source.lanes;
    return Math.round(length === 1 ? gutter : gutter + ((right - gutter) * i) / (length - 1)) + 0.5;
  }

  /** Where an arrow to a lane leads, and how far the lost ones get. */
  #target(arrow, xs) {
    const from = xs[arrow.from] ?? xs[0];
    const towards = arrow.from >= xs.length - 1 ? -1 : 1;
    const to = xs[arrow.to];
    if (to === undefined || to === from) return { from, to: from + towards * 46, isNowhere: true };
    return { from, to, isNowhere: false };
  }

  #line(arrow, xs, shift) {
    const context = this.#context;
    const { from, to } = this.#target(arrow, xs);
    const color = this.#colors[arrow.kind] || this.#colors.other;
    const y = arrow.y + shift;
    context.strokeStyle = color;
    context.fillStyle = color;
    context.lineWidth = arrow.id === this.#chosen ? 3 : 1.4;
    if (arrow.kind === 'signal') context.setLineDash([2, 4]);
    if (arrow.lost !== undefined) {
      const x = from + (to - from) * 0.72;
      const end = lostEnd(arrow) + shift;
      context.setLineDash([5, 4]);
      stroke(context, from, y, x, end);
      context.setLineDash([]);
      context.strokeStyle = this.#colors.bad;
      context.lineWidth = 2.2;
      stroke(context, x - 4.5, end - 4.5, x + 4.5, end + 4.5);
      stroke(context, x - 4.5, end + 4.5, x + 4.5, end - 4.5);
      return;
    }
    for (const height of arrow.ends) {
      const end = height + shift;
      stroke(context, from, y, to, end);
      context.setLineDash([]);
      head(context, from, y, to, end);
      context.setLineDash([2, 3]);
    }
    if (arrow.ends.length === 0) {
      // Under way: a stub that has not arrived.
      context.setLineDash([]);
      context.globalAlpha = 0.5;
      stroke(context, from, y, from + (to - from) * 0.3, y + 6);
      context.globalAlpha = 1;
    }
    context.setLineDash([]);
  }

  #words(arrow, xs, shift) {
    const context = this.#context;
    const { from, to, isNowhere } = this.#target(arrow, xs);
    const y = arrow.y + shift;
    context.fillStyle = this.#colors.soft;
    context.textAlign = 'end';
    context.fillText(clock(arrow.sentAt), xs[0] - 9, y + 4);
    const end = arrow.lost === undefined ? (arrow.ends[0] ?? arrow.y + 6) + shift : lostEnd(arrow) + shift;
    const reach = arrow.lost === undefined ? (arrow.ends.length === 0 ? 0.3 : 1) : 0.72;
    const side = to > from ? 1 : -1;
    const slope = (end - y) / ((to - from) * reach);
    const room = Math.abs(to - from) - (isNowhere ? -80 : 26);
    const text = cut(arrow.lost === undefined ? arrow.label : `${arrow.label} — ${arrow.lost}`, room);
    const x = from + side * 9;
    // Level, whatever the slope of its arrow: each send has a row of its own, and so has its text.
    const place = y + Math.min(slope * side * 9, 5) - 3.5;
    context.textAlign = side > 0 ? 'start' : 'end';
    context.lineWidth = 4;
    context.lineJoin = 'round';
    context.strokeStyle = arrow.id === this.#chosen ? this.#colors.chosen : this.#colors.card;
    context.strokeText(text, x, place);
    context.fillStyle =
      arrow.lost === undefined ? this.#colors[arrow.kind] || this.#colors.other : this.#colors.bad;
    context.fillText(text, x, place);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#scroller;
    if (clientWidth === 0) return;
    this.#width = clientWidth;
    this.#height = clientHeight;
    const ratio = window.devicePixelRatio;
    this.#canvas.width = Math.round(clientWidth * ratio);
    this.#canvas.height = Math.round(clientHeight * ratio);
    this.#canvas.style.width = `${clientWidth}px`;
    this.#canvas.style.height = `${clientHeight}px`;
    this.changed();
    this.draw();
  }

  /** Scrolls by itself, which is no wish of the reader's. */
  #moveTo(offset) {
    const place = Math.round(offset);
    if (this.#ignoreScroll === place) return;
    this.#ignoreScroll = place;
    this.#scroller.scrollTop = place;
  }

  #scrolled() {
    const place = this.#scroller.scrollTop;
    if (Math.abs(place - this.#ignoreScroll) <= 1) return;
    this.#ignoreScroll = Math.round(place);
    this.#offset = this.source.top + place;
    const atEnd = place + this.#height >= this.#scroller.scrollHeight - NEAR;
    if (atEnd !== this.isFollowing) {
      this.isFollowing = atEnd;
      this.onFollow(atEnd);
    }
    this.changed();
  }

  #clicked({ clientY }) {
    const y = clientY - this.#scroller.getBoundingClientRect().top - HEAD - PADDING + this.#offset;
    let nearest;
    for (const arrow of this.source.visible(y - 60, y + 60)) {
      const distance = Math.abs(arrow.y - 4 - y);
      if (distance < 20 && (nearest === undefined || distance < nearest.distance))
        nearest = { arrow, distance };
    }
    this.#choose(nearest?.arrow);
  }

  #pressed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') this.#choose(undefined);
    if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const arrow =
      this.#chosen === undefined
        ? this.source.last(this.#offset + this.#height)
        : this.source.at(this.#chosen + step);
    if (arrow !== undefined) this.#choose(arrow);
  }

  #choose(arrow) {
    this.#chosen = arrow?.id;
    if (arrow !== undefined) {
      const room = this.#height - HEAD - 2 * PADDING;
      if (arrow.y < this.#offset || arrow.y > this.#offset + room) this.#offset = arrow.y - room / 2;
      if (this.isFollowing && this.source.at(arrow.id + 1) !== undefined) {
        this.isFollowing = false;
        this.onFollow(false);
      }
    }
    this.onChoose(arrow);
    this.changed();
  }
}

/** `12.345 s` */
export function clock(at) {
  return `${(at / 1000).toFixed(3)} s`;
}

function stroke(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function head(context, x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  context.beginPath();
  context.moveTo(x2, y2);
  context.lineTo(x2 - 9 * Math.cos(angle - 0.42), y2 - 9 * Math.sin(angle - 0.42));
  context.lineTo(x2 - 9 * Math.cos(angle + 0.42), y2 - 9 * Math.sin(angle + 0.42));
  context.fill();
}

function cut(text, room) {
  const most = Math.max(3, Math.floor(room / CHARACTER));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
