/** StreamTable: the streams of a connection by what is agreed on: which there are, from which sources, by which handles. */
import type { RandomSource } from '../../core/random.ts';
import type { MediaParameters } from '../parameters.ts';
import { flowOf } from './flow.ts';
import type { SenderOwner } from './sender.ts';
import { Sender } from './sender.ts';
import { Sources } from './sources.ts';
import type { SendScope } from './stream.ts';
import { SentStream } from './stream.ts';

interface Entry {
  readonly stream: SentStream;
  readonly handle: Sender;
}

/** The streams, by media and encoding, and by source. */
export class StreamTable {
  /** All of them, in the order of the agreements. */
  all: readonly SentStream[] = [];
  readonly #scope: SendScope;
  readonly #owner: SenderOwner;
  readonly #sources: Sources;
  readonly #bySource = new Map<number, SentStream>();
  #entries: ReadonlyMap<number, ReadonlyMap<string | undefined, Entry>> = new Map();

  constructor(scope: SendScope, owner: SenderOwner, random: RandomSource) {
    this.#scope = scope;
    this.#owner = owner;
    this.#sources = new Sources(random, scope.counters);
  }

  /** `undefined`: no such media, or no such encoding of it. */
  handle(mediaId: number, rid: string | undefined): Sender | undefined {
    return this.#entries.get(mediaId)?.get(rid)?.handle;
  }

  /** The stream that sends from this source, or sends again from it. */
  bySource(ssrc: number): SentStream | undefined {
    return this.#bySource.get(ssrc);
  }

  /** What is agreed on from now on. Streams and handles of what stays are the same ones; those of what does not send no more. */
  agree(media: readonly MediaParameters[]): void {
    this.#sources.avoid(new Set(media.flatMap(({ receive }) => receive.sources.map(({ ssrc }) => ssrc))));
    // What ends gives its sources back before anybody asks for them.
    const stays = (stream: SentStream): boolean =>
      media.some((one) => one.id === stream.mediaId && ridsOf(one).includes(stream.rid));
    for (const stream of this.all) if (!stays(stream)) this.#end(stream);
    const entries = new Map<number, ReadonlyMap<string | undefined, Entry>>();
    const all: SentStream[] = [];
    this.#bySource.clear();
    for (const one of media) {
      const encodings = new Map<string | undefined, Entry>();
      for (const rid of ridsOf(one)) {
        const entry = this.#agreeOn(one, rid, this.#entries.get(one.id)?.get(rid));
        const { source, repairs } = entry.stream;
        this.#bySource.set(source.ssrc, entry.stream);
        if (repairs !== undefined) this.#bySource.set(repairs.ssrc, entry.stream);
        encodings.set(rid, entry);
        all.push(entry.stream);
      }
      entries.set(one.id, encodings);
    }
    this.#entries = entries;
    this.all = all;
  }

  clear(): void {
    for (const stream of this.all) stream.end();
    this.#sources.clear();
    this.#bySource.clear();
    this.#entries = new Map();
    this.all = [];
  }

  #agreeOn(media: MediaParameters, rid: string | undefined, entry: Entry | undefined): Entry {
    const flow = flowOf(media, rid);
    const agreed = media.send.sources?.find((source) => source.rid === rid);
    const present = entry?.stream;
    const source = this.#sources.assign(agreed?.ssrc, present?.source);
    const isRepaired = flow.codecs.some((codec) => codec?.rtxPayloadType !== undefined);
    // Not agreed on for now it is kept: what is sent again may be agreed on once more.
    const repairs = isRepaired ? this.#sources.assign(agreed?.rtxSsrc, present?.repairs) : present?.repairs;
    if (entry !== undefined) {
      entry.stream.update(flow, source, repairs);
      return entry;
    }
    const identity = { mediaId: media.id, kind: media.media, rid };
    const stream = new SentStream(identity, flow, source, repairs, this.#scope);
    return { stream, handle: new Sender(stream, this.#owner) };
  }

  #end(stream: SentStream): void {
    stream.end();
    this.#sources.retire(stream.source);
    if (stream.repairs !== undefined) this.#sources.retire(stream.repairs);
  }
}

function ridsOf({ send: { encodings } }: MediaParameters): readonly (string | undefined)[] {
  return encodings.length === 0 ? [undefined] : encodings.map(({ rid }) => rid);
}
