/**
 * A subscription: one track on its way to one member, and which of its layers goes there.
 *
 *   chosen    by the member
 *   received  what goes out: the chosen layer from its next keyframe on; while that layer does not come, the nearest that does
 */
import { LayerSelector } from 'sansrtc/media';
import { VIDEO_ORIENTATION_URI } from 'sansrtc/rtp';

/** Of the streams that are sent alone: a microphone, a camera without simulcast. */
const PLAIN = '';

export class Subscription {
  track;
  media;
  #member;
  /** There is one once the member has agreed. */
  #sender;
  #selector;
  /** @type {string | undefined} */
  #chosen;
  #received;

  constructor(track, media, member) {
    this.track = track;
    this.media = media;
    this.#member = member;
    this.#chosen = track.rids.at(-1) ?? PLAIN;
  }

  /** The member has agreed to it. */
  begin() {
    if (this.#sender !== undefined || this.media.currentDirection !== 'sendonly') return;
    this.#sender = this.media.sender();
    this.#selector = new LayerSelector({
      codecs: this.media.parameters.send.codecs,
      extensions: [VIDEO_ORIENTATION_URI],
      layers: this.track.rids,
    });
    this.#aim();
  }

  /** @param rid a layer; `undefined`: no picture */
  choose(rid) {
    if (this.track.kind !== 'video' || (rid !== undefined && !this.track.rids.includes(rid))) return;
    this.#chosen = rid;
    this.#aim();
  }

  forward(event) {
    if (this.#selector === undefined) return;
    for (let packet = this.#selector.forward(event); packet !== undefined; packet = this.#selector.next())
      this.#sender.write(packet);
    this.#askForKeyframe();
    if (this.#selector.selected !== this.#received) this.tell();
  }

  /** Where the timestamps of the layers stand to each other. */
  report(event) {
    this.#selector?.handleSenderReport(event);
  }

  streamGoes(stream) {
    this.#selector?.handleStreamEnd(stream);
    this.#askForKeyframe();
  }

  /** The member has lost too much to go on. */
  passKeyframeRequest() {
    if (this.#received !== undefined) this.track.requestKeyframe(this.#received.rid);
  }

  /** The track has ended. */
  end() {
    this.#member.unsubscribe(this);
  }

  /** The member's page shows what there is, and what comes. */
  tell() {
    this.#received = this.#selector?.selected;
    const { publisher, rids, streams } = this.track;
    if (rids.length === 0) return;
    const layers = {
      publisher: publisher.id,
      rids,
      heard: rids.filter((rid) => streams.has(rid)),
      chosen: this.#chosen ?? null,
      received: this.#received?.rid ?? null,
    };
    this.#member.tell({ layers });
  }

  #aim() {
    this.#selector?.setTarget(this.#chosen);
    this.#askForKeyframe();
    this.tell();
  }

  /** A layer begins with a keyframe: the selector says whose it needs. */
  #askForKeyframe() {
    const wish = this.#selector?.keyframeWish();
    if (wish !== undefined) this.track.requestKeyframe(wish.rid);
  }
}
