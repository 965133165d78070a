/**
 * A subscription: one track on its way to one member, and which of its layers goes there.
 *
 *   chosen    by the member
 *   aimed at  the chosen layer; while that does not come, the largest below it that does
 *   received  what goes out: another layer begins with a keyframe of its own
 */
import { LayerSelector, SourceSwitch } from 'sansrtc/media';
import { VIDEO_ORIENTATION_URI } from 'sansrtc/rtp';

export class Subscription {
  track;
  media;
  #member;
  /** There is one once the member has agreed. */
  #sender;
  #selector;
  /** What the member wants to see: a layer, or nothing at all. */
  #chosen = 'the largest';
  #received;

  constructor(track, media, member) {
    this.track = track;
    this.media = media;
    this.#member = member;
  }

  /** The member has agreed to it. */
  begin() {
    if (this.#sender !== undefined || this.media.currentDirection !== 'sendonly') return;
    this.#sender = this.media.sender();
    const options = { codecs: this.media.parameters.send.codecs, extensions: [VIDEO_ORIENTATION_URI] };
    this.#selector = this.track.rids.length === 0 ? new SourceSwitch(options) : new LayerSelector(options);
    this.aim();
  }

  /** @param rid a layer; `undefined`: no picture */
  choose(rid) {
    if (this.track.kind !== 'video') return;
    this.#chosen = rid;
    this.aim();
  }

  /** Looks which layer there is to aim at, and asks for the keyframe with which it begins. */
  aim() {
    if (this.#selector === undefined) return;
    if (this.track.rids.length === 0) {
      this.#selector.select(this.#chosen === undefined ? undefined : this.track.streams.get(undefined));
    } else {
      this.#selector.setTarget(this.#target());
      const wish = this.#selector.keyframeWish();
      if (wish !== undefined) this.track.requestKeyframe(wish.rid);
    }
    this.#tell();
  }

  forward(event) {
    const packet = this.#selector?.forward(event);
    if (packet === undefined) return;
    this.#sender.write(packet);
    if (this.#selector.selected !== this.#received) this.#tell();
  }

  report(event) {
    this.#selector?.handleSenderReport(event);
  }

  /** The member has lost too much to go on. */
  passKeyframeRequest() {
    this.track.requestKeyframe(this.#received?.rid);
  }

  /** The track has ended. */
  end() {
    this.#member.unsubscribe(this);
  }

  /** The member's page shows it. */
  #tell() {
    this.#received = this.#selector.selected;
    if (this.track.rids.length === 0) return;
    const { publisher, rids, streams } = this.track;
    const chosen = this.#chosen === 'the largest' ? rids.at(-1) : this.#chosen;
    const layers = {
      publisher: publisher.id,
      rids,
      heard: rids.filter((rid) => streams.has(rid)),
      chosen: chosen ?? null,
      received: this.#received?.rid ?? null,
    };
    this.#member.tell({ layers });
  }

  #target() {
    const { rids, streams } = this.track;
    if (this.#chosen === undefined) return undefined;
    const most = rids.indexOf(this.#chosen);
    const coming = rids.filter((rid) => streams.has(rid));
    return coming.findLast((rid) => most < 0 || rids.indexOf(rid) <= most) ?? coming[0];
  }
}
