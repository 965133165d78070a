/**
 * A small protocol of one's own over two data channels: where a figure stands on a line.
 *
 *   `moves`   unordered, never sent again: every step while the figure walks; one lost step is no loss
 *   `rests`   reliable: where it stands when it stops; this one must arrive
 *
 * The channels are anything with `send`; what arrives is handed to `receive`. Nothing here knows of networks or time.
 */

/** Walks, and tells. */
export class Walker {
  place = 0;
  #step = 0;
  #moves;
  #rests;

  constructor(moves, rests) {
    this.#moves = moves;
    this.#rests = rests;
  }

  walkTo(place) {
    this.place = place;
    this.#moves.send(JSON.stringify({ step: ++this.#step, place }));
  }

  stop() {
    this.#rests.send(JSON.stringify({ step: ++this.#step, place: this.place }));
  }
}

/** Watches. It believes whatever it hears last, and that is its bug: a step may be overtaken by a later one. */
export class Watcher {
  place = 0;

  receive(text) {
    this.place = JSON.parse(text).place;
  }
}

/** Watches, and knows an old step from a new one. */
export class CarefulWatcher {
  place = 0;
  #step = 0;

  receive(text) {
    const { step, place } = JSON.parse(text);
    if (step <= this.#step) return;
    this.#step = step;
    this.place = place;
  }
}
