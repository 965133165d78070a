/** A track: what one member sends, a camera or a microphone, and everybody who gets it. */
export class Track {
  publisher;
  kind;
  /** What of it comes now, by rid; a plain stream has none. @type {Map<string | undefined, import('sansrtc/media').RtpStream>} */
  streams = new Map();
  /** @type {Set<import('./subscription.mjs').Subscription>} */
  subscriptions = new Set();
  #media;

  constructor(publisher, media) {
    this.publisher = publisher;
    this.kind = media.kind;
    this.#media = media;
  }

  /** The layers that were agreed on, from small to large: pages offer them in this order. */
  get rids() {
    return this.#media.parameters?.receive.encodings.map(({ rid }) => rid) ?? [];
  }

  /** Every packet goes to everybody who has chosen its layer: one payload in memory, however many get it. */
  forward(event) {
    for (const subscription of this.subscriptions) subscription.forward(event);
  }

  /** Where the timestamps of the layers stand to each other. */
  report(event) {
    for (const subscription of this.subscriptions) subscription.report(event);
  }

  requestKeyframe(rid) {
    this.#media.requestKeyframe(rid);
  }

  streamComes(stream) {
    this.streams.set(stream.rid, stream);
    for (const subscription of this.subscriptions) subscription.tell();
  }

  /** A browser whose way is narrow gives up its large layers, and takes them up again when it can. */
  streamGoes(stream) {
    if (this.streams.get(stream.rid) === stream) this.streams.delete(stream.rid);
    for (const subscription of this.subscriptions) {
      subscription.streamGoes(stream);
      subscription.tell();
    }
  }

  end() {
    for (const subscription of this.subscriptions) subscription.end();
    this.subscriptions.clear();
  }
}
