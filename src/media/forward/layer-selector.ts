/**
 * LayerSelector: one layer of a simulcast, as a forwarding unit sends it to one of its receivers.
 *
 *     setTarget(rid) ─▶ wanted: keyframeWish, again and again ─its keyframe begins─▶ selected: what is sent on
 *                          │  meanwhile the selected layer goes on
 *                          └──keyframeTimeout─▶ given up: the selected one stays
 *
 *     target silent ─▶ the selected one, or the nearest layer that is heard ─target heard again─▶ the target
 *
 * A layer begins with a keyframe and is never sent on without it. Packets of a keyframe may come in any order: those that come
 * before its first one are held, and sent on behind it.
 */
import { Counters } from '../../core/counters.ts';
import { checkOptions, integer, listOf, text, wait, withDefaults } from '../../core/options.ts';
import type { OptionRules } from '../../core/options.ts';
import { BoundedQueue } from '../../core/queue.ts';
import type { KeyframeDetector } from '../../rtp/index.ts';
import { keyframeDetector } from '../../rtp/index.ts';
import type { OutgoingPacket, RtpEvent, RtpStream } from '../contract.ts';
import { KeyframeWish } from '../keyframe-wish.ts';
import type { CodecParameters } from '../parameters.ts';
import { HeldPackets } from './held-packets.ts';
import type { SourceSwitchCounter, SourceSwitchOptions } from './source-switch.ts';
import { SOURCE_SWITCH_OPTION_RULES, SourceSwitch } from './source-switch.ts';
import type { ReportedTime } from './timeline.ts';

/** What a selector sends, and how long it waits. Times are ms. */
export interface LayerSelectorOptions extends SourceSwitchOptions {
  /** The rids from the lowest layer to the highest, for the choice of another layer when the target is silent. Default: any other. */
  readonly layers?: readonly string[] | undefined;
  /** A layer of which nothing has come for so long is silent. Default 1500. */
  readonly silenceTimeout?: number | undefined;
  /** From the first wish for a keyframe to the second; each wait after that is twice as long, 4 s at the most. Default 500. */
  readonly keyframeInterval?: number | undefined;
  /** How long a keyframe is wished for before the layer is given up. Default 10 000. */
  readonly keyframeTimeout?: number | undefined;
  /** Packets of a layer that are held until its keyframe begins, 1 to 4096. Default 256. */
  readonly heldPackets?: number | undefined;
}

/** What has become of wishes, beside what the switch counts. */
export type LayerSelectorCounter =
  | SourceSwitchCounter
  | 'layerFallbacks'
  | 'layersSilent'
  | 'layersIgnored'
  | 'keyframeTimeouts'
  | 'heldPacketsDropped';

const COUNTERS = [
  'layerFallbacks',
  'layersSilent',
  'layersIgnored',
  'keyframeTimeouts',
  'heldPacketsDropped',
] as const;

const DEFAULTS = { silenceTimeout: 1500, keyframeInterval: 500, keyframeTimeout: 10_000, heldPackets: 256 };
/** More than any simulcast has; what is beyond is ignored. */
const MOST_LAYERS = 16;
/** Sources of one layer that are remembered, from before the one that it has. */
const MOST_FORMERS = 4;

const LAYER_SELECTOR_OPTION_RULES: OptionRules<LayerSelectorOptions> = {
  ...SOURCE_SWITCH_OPTION_RULES,
  layers: listOf(text(0, 255)),
  silenceTimeout: wait,
  keyframeInterval: wait,
  keyframeTimeout: wait,
  heldPackets: integer(1, 4096),
};

/** A keyframe is wanted of this encoding: `Rtc.requestKeyframe(mediaId, rid)` of the connection that it comes from. */
export interface LayerKeyframeWish {
  readonly mediaId: number;
  /** Absent: of the one plain stream. */
  readonly rid: string | undefined;
}

interface Layer {
  readonly rid: string;
  stream: RtpStream;
  /** Whose place this one took, the latest first: what still comes of them is late. */
  formers: readonly RtpStream[];
  heardAt: number;
  isSilent: boolean;
  /** Its keyframe did not come. It may still come by itself. */
  isGivenUp: boolean;
  /** The largest sequence number so far; and that up to which packets may have come that were not held. */
  largest: number;
  notHeldUpTo: number;
}

/**
 * Layers of one source in, one stream out. All that is received of the source goes through `forward`:
 *
 *     for (let packet = selector.forward(event); packet !== undefined; packet = selector.next()) sender.write(packet);
 */
export class LayerSelector {
  readonly #switch: SourceSwitch;
  readonly #order: readonly string[];
  readonly #silenceTimeout: number;
  readonly #wish: KeyframeWish;
  readonly #held: HeldPackets;
  readonly #counters = new Counters<(typeof COUNTERS)[number]>(COUNTERS);
  readonly #layers = new Map<string, Layer>();
  /** Packets that `next` has not given out. */
  readonly #ready: BoundedQueue<OutgoingPacket>;
  #now = -Infinity;
  #target: string | undefined;
  /** The layer to switch to as soon as a keyframe of it begins. */
  #wanted: Layer | undefined;
  /** Layers are looked at for silence no earlier than this. */
  #nextSilence = Infinity;
  #codec: CodecParameters | undefined;
  #beginsKeyframe: KeyframeDetector | undefined;

  /** Throws `ERR_BAD_ARGUMENT` for options that cannot be. */
  constructor(options: LayerSelectorOptions = {}) {
    checkOptions('LayerSelector', options, LAYER_SELECTOR_OPTION_RULES);
    const { layers, silenceTimeout, keyframeInterval, keyframeTimeout, heldPackets, ...switchOptions } =
      withDefaults(DEFAULTS, options) as typeof DEFAULTS & LayerSelectorOptions;
    this.#switch = new SourceSwitch(switchOptions);
    this.#order = layers ?? [];
    this.#silenceTimeout = silenceTimeout;
    this.#wish = new KeyframeWish({ interval: keyframeInterval, timeout: keyframeTimeout });
    this.#held = new HeldPackets(heldPackets);
    // What was held and the packet that set it free; a caller who takes one a packet is late, and loses nothing.
    this.#ready = new BoundedQueue(2 * heldPackets + 1);
  }

  /** The layer that is to be sent on; `undefined`: none. */
  get target(): string | undefined {
    return this.#target;
  }

  /** The stream that is sent on. */
  get selected(): RtpStream | undefined {
    return this.#switch.selected;
  }

  /**
   * What is to be sent on from the next keyframe of it: a rid, or `''` for the stream that has none. `undefined`: nothing, at once, as
   * in a pause. The target again: a layer that was given up is tried anew.
   * @param now the last time seen, where it is left out
   */
  setTarget(rid: string | undefined, now: number = this.#now): void {
    this.#advance(now);
    this.#target = rid;
    for (const layer of this.#layers.values()) layer.isGivenUp = false;
    this.#decide();
  }

  /** The highest temporal layer that is sent on: `SourceSwitch.limitTemporalLayer`. */
  limitTemporalLayer(highest: number | undefined): void {
    this.#switch.limitTemporalLayer(highest);
  }

  /** The highest spatial layer within one stream that is sent on: `SourceSwitch.limitSpatialLayer`. */
  limitSpatialLayer(highest: number | undefined): void {
    this.#switch.limitSpatialLayer(highest);
  }

  /**
   * A packet of any of the layers, at the time it was received.
   * @returns the packet to write to the receiver's `RtpSender`; `next` has further ones
   */
  forward(event: RtpEvent): OutgoingPacket | undefined {
    this.#advance(event.receivedAt);
    const layer = this.#hear(event);
    if (event.stream === this.#switch.selected || this.#switch.isLate(event)) this.#send(event);
    else if (layer !== undefined && (layer === this.#wanted || layer.isGivenUp)) this.#await(event, layer);
    if (layer !== undefined && event.sequence > layer.largest) layer.largest = event.sequence;
    return this.#ready.shift();
  }

  /** A further packet to write, after `forward`; `undefined`: there is none. */
  next(): OutgoingPacket | undefined {
    return this.#ready.shift();
  }

  /** Whose keyframe is to be asked for now: told once for each request, so ask after `setTarget`, `forward` and `handleTimeout`. */
  keyframeWish(): LayerKeyframeWish | undefined {
    if (!this.#wish.takeDue() || this.#wanted === undefined) return undefined;
    const { mediaId, rid } = this.#wanted.stream;
    return { mediaId, rid };
  }

  /** A `senderreport` event of any of the layers: `SourceSwitch.handleSenderReport`. */
  handleSenderReport(report: { readonly stream: RtpStream } & ReportedTime): void {
    this.#switch.handleSenderReport(report);
  }

  /** Nothing comes of `stream` any more, as an `rtpstreamend` or `rtpstreampause` event has it: another layer is taken at once. */
  handleStreamEnd(stream: RtpStream): void {
    for (const layer of this.#layers.values()) {
      if (layer.stream === stream && !layer.isSilent) this.#fallSilent(layer);
    }
    this.#decide();
  }

  /** Runs what is due at `now`. */
  handleTimeout(now: number): void {
    this.#advance(now);
  }

  /** When `handleTimeout` is due, ms; `Infinity`: nothing is awaited. */
  nextTimeout(): number {
    let next = this.#wish.nextTimeout();
    for (const { isSilent, heardAt } of this.#layers.values()) {
      if (!isSilent) next = Math.min(next, heardAt + this.#silenceTimeout);
    }
    return next;
  }

  /** What was sent on, what was not and why, and what has become of wishes. */
  get counters(): Record<LayerSelectorCounter, number> {
    return { ...this.#switch.counters, ...this.#counters.snapshot() };
  }

  /** Which layers there are and how they stand, as plain JSON-safe data. */
  inspect(): object {
    return {
      ...this.#switch.inspect(),
      target: this.#target,
      wanted: this.#wanted?.rid,
      heldPackets: this.#held.size,
      layers: [...this.#layers.values()].map(({ rid, stream, heardAt, isSilent, isGivenUp }) => ({
        rid,
        ssrc: stream.ssrc,
        heardAt,
        isSilent,
        isGivenUp,
      })),
      counters: this.counters,
    };
  }

  // --- time ---

  #advance(now: number): void {
    if (now > this.#now) this.#now = now;
    if (this.#wish.handleTimeout(this.#now)) this.#giveUp();
    if (this.#now >= this.#nextSilence) this.#lookForSilence();
  }

  #giveUp(): void {
    this.#counters.add('keyframeTimeouts');
    if (this.#wanted !== undefined) this.#wanted.isGivenUp = true;
    this.#decide();
  }

  #lookForSilence(): void {
    this.#nextSilence = Infinity;
    for (const layer of this.#layers.values()) {
      if (layer.isSilent) continue;
      const due = layer.heardAt + this.#silenceTimeout;
      if (due <= this.#now) this.#fallSilent(layer);
      else this.#nextSilence = Math.min(this.#nextSilence, due);
    }
    this.#decide();
  }

  #fallSilent(layer: Layer): void {
    this.#counters.add('layersSilent');
    layer.isSilent = true;
  }

  // --- layers ---

  /** The layer that a packet belongs to; `undefined`: to none that counts. */
  #hear({ stream }: RtpEvent): Layer | undefined {
    const rid = stream.rid ?? '';
    let layer = this.#layers.get(rid);
    if (layer === undefined) {
      if (this.#layers.size >= MOST_LAYERS) {
        this.#counters.add('layersIgnored');
        return undefined;
      }
      layer = {
        rid,
        stream,
        formers: [],
        heardAt: this.#now,
        isSilent: true,
        isGivenUp: false,
        largest: -1,
        notHeldUpTo: -1,
      };
      this.#layers.set(rid, layer);
    } else if (stream !== layer.stream) {
      if (!layer.isSilent && layer.formers.includes(stream)) return undefined;
      // Another source in its place: a row of its own, that begins with a keyframe.
      layer.formers = [layer.stream, ...layer.formers].slice(0, MOST_FORMERS);
      layer.stream = stream;
      layer.isSilent = true;
      layer.largest = -1;
      if (layer === this.#wanted) this.#want(undefined);
    }
    layer.heardAt = this.#now;
    if (layer.isSilent) {
      layer.isSilent = false;
      layer.isGivenUp = false;
      this.#nextSilence = Math.min(this.#nextSilence, this.#now + this.#silenceTimeout);
      this.#decide();
    }
    return layer;
  }

  /** Which layer is wanted, if not the one that is selected. */
  #decide(): void {
    if (this.#target === undefined) {
      this.#switch.select(undefined);
      this.#want(undefined);
      return;
    }
    const best = this.#best(this.#target);
    const isSelected = best?.stream === this.#switch.selected;
    if (isSelected || best !== this.#wanted) this.#want(isSelected ? undefined : best);
  }

  /** The target where it can be had, the selected one where that goes on, and else the nearest that is heard. */
  #best(target: string): Layer | undefined {
    const wished = this.#layers.get(target);
    if (wished !== undefined && canBeHad(wished)) return wished;
    const rank = this.#order.indexOf(target);
    let best: Layer | undefined;
    let leastDistance = Infinity;
    for (const layer of this.#layers.values()) {
      if (layer.stream === this.#switch.selected && !layer.isSilent) return layer;
      if (!canBeHad(layer)) continue;
      const steps = this.#order.indexOf(layer.rid) - rank;
      // A lower one before any higher: there is room for it on the way to the receiver.
      const distance = steps <= 0 ? -steps : steps + this.#order.length;
      if (distance < leastDistance) [best, leastDistance] = [layer, distance];
    }
    return best;
  }

  #want(layer: Layer | undefined): void {
    this.#wanted = layer;
    this.#held.clear();
    if (layer === undefined) {
      this.#wish.fulfil();
      return;
    }
    layer.notHeldUpTo = layer.largest;
    this.#wish.begin(this.#now);
  }

  // --- packets ---

  /** A packet of a layer that is wanted, or would be if its keyframe came. */
  #await(event: RtpEvent, layer: Layer): void {
    const isKeyframe = this.#isKeyframe(event);
    if (layer !== this.#wanted) {
      if (!isKeyframe || layer.rid !== this.#target) return;
      layer.isGivenUp = false;
      this.#want(layer);
    }
    const dropped = this.#held.add(event);
    if (dropped !== undefined) {
      this.#counters.add('heldPacketsDropped');
      layer.notHeldUpTo = Math.max(layer.notHeldUpTo, dropped.sequence);
    }
    // Of a keyframe behind whose beginning packets have gone by, these would never come.
    if (!isKeyframe || event.sequence <= layer.notHeldUpTo) return;
    if (layer.rid !== this.#target) this.#counters.add('layerFallbacks');
    const events = this.#held.takeFrom(event);
    this.#switch.select(event.stream);
    this.#want(undefined);
    for (const one of events) this.#send(one);
  }

  #isKeyframe({ codec, packet, stream }: RtpEvent): boolean {
    if (stream.kind === 'audio') return true;
    if (codec !== this.#codec) {
      this.#codec = codec;
      this.#beginsKeyframe = keyframeDetector(codec.mimeType);
    }
    return this.#beginsKeyframe?.(packet.payload) ?? false;
  }

  #send(event: RtpEvent): void {
    const packet = this.#switch.forward(event);
    if (packet !== undefined && !this.#ready.push(packet)) this.#counters.add('heldPacketsDropped');
  }
}

function canBeHad({ isSilent, isGivenUp }: Layer): boolean {
  return !isSilent && !isGivenUp;
}
