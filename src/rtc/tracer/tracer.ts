/**
 * Tracer: turns what goes into a connection, what comes out and what changes inside into entries for one listener.
 *
 * It exists only while somebody listens. It is told of inputs, calls, outputs and plaintext packets as they happen;
 * states, timers and drops it finds by comparing what `inspect()` says: after each input, after each call, and at the
 * end of each drain.
 */
import type { ChannelCall, DataChannel, DataChannelOptions } from '../../channel/index.ts';
import type { Bytes } from '../../core/bytes.ts';
import { copyBytes } from '../../core/bytes.ts';
import type { PacketKind } from '../../core/machine.ts';
import type { IceCandidateError } from '../../ice/index.ts';
import type { Input, Output, RtcEvent } from '../contract.ts';
import type { SignalingStep } from '../signaling/host.ts';
import type { Media } from '../signaling/media.ts';
import type { OfferDraft } from '../signaling/offer-draft.ts';
import type { WrittenOffer } from '../signaling/pending-offer.ts';
import type { RtpSender, SenderCall } from '../../media/index.ts';
import type { TransportTap } from '../../transport/index.ts';
import type {
  TraceCall,
  TraceChannel,
  TraceEntry,
  TraceEvent,
  TraceListener,
  TraceMedia,
  TraceOptions,
} from './entry.ts';
import { mapPlain } from './entry.ts';
import type { Observation, ObservedInspection } from './observation.ts';
import { changes, observe } from './observation.ts';
import type { Redactor } from './redact.ts';
import { redactor } from './redact.ts';
import { isStreamEvent, traceStreamEvent } from './stream-event.ts';
import { datagramSummary, packetSummary } from './summary.ts';

/** Tells one listener of everything that happens to one connection. */
export class Tracer implements TransportTap {
  readonly keyLog: TransportTap['keyLog'];
  readonly #listener: TraceListener;
  readonly #redact: Redactor;
  readonly #inspect: () => ObservedInspection;
  readonly #channels = new Numbers<DataChannel>();
  readonly #media = new Numbers<Media>();
  readonly #drafts = new Numbers<OfferDraft>();
  readonly #written = new Numbers<WrittenOffer>();
  #now: number;
  #last: Observation;

  constructor(listener: TraceListener, options: TraceOptions, inspect: () => ObservedInspection) {
    this.#listener = listener;
    this.#redact = redactor(options);
    this.#inspect = inspect;
    const inspection = inspect();
    this.#now = inspection.now;
    this.#last = observe(inspection);
    this.keyLog =
      options.secrets === true
        ? (label, clientRandom, secret) => {
            this.#emit({ type: 'secret', at: this.#now, label, clientRandom, secret });
          }
        : undefined;
  }

  // --- what goes in ---

  input(input: Input): void {
    if (input.now > this.#now) this.#now = input.now;
    if (input.type === 'timeout') {
      this.#emit({ type: 'time', at: input.now });
      return;
    }
    if (input.type === 'resolved') {
      const { name, addresses } = input;
      this.#emit({ type: 'resolved', at: input.now, name, addresses: [...addresses] });
      return;
    }
    const { protocol, source, destination, ecn } = input;
    const data = copyBytes(input.data);
    this.#emit({
      type: 'receive',
      at: input.now,
      protocol,
      source: { address: source.address, port: source.port },
      destination: { address: destination.address, port: destination.port },
      data,
      ...(ecn === undefined ? {} : { ecn }),
      summary: datagramSummary(data),
    });
  }

  call(call: TraceCall): void {
    this.#emit({ type: 'call', at: this.#now, call: mapPlain(call, copyLeaf) });
    this.compare();
  }

  createChannel(channel: DataChannel, options: DataChannelOptions, draft: OfferDraft | undefined): void {
    this.call({
      method: 'createChannel',
      channel: this.#channel(channel),
      label: channel.label,
      options,
      ...(draft === undefined ? {} : { draft: this.#drafts.of(draft) }),
    });
  }

  channelCall(channel: DataChannel, call: ChannelCall): void {
    this.call({ ...call, channel: this.#channel(channel) });
  }

  senderCall({ mediaId, rid }: RtpSender, call: SenderCall): void {
    const encoding = { mediaId, ...(rid === undefined ? {} : { rid }) };
    if (call.method === 'writeRtp') {
      const { payload, ...packet } = call.packet;
      this.call({ method: 'writeRtp', ...encoding, packet, data: payload, accepted: call.result });
    } else {
      const { tones, options, result } = call;
      this.call({ method: 'writeDtmf', ...encoding, tones, options, accepted: result });
    }
  }

  signaling(step: SignalingStep): void {
    const handles = {
      ...('draft' in step ? { draft: this.#drafts.of(step.draft) } : {}),
      ...('media' in step ? { media: this.#mediaOf(step.media) } : {}),
      ...('written' in step ? { written: this.#written.of(step.written) } : {}),
    };
    this.call({ ...step, ...handles } as TraceCall);
  }

  // --- what comes out ---

  output(output: Output): void {
    switch (output.type) {
      case 'transmit': {
        const { protocol, source, destination, ecn } = output;
        const data = copyBytes(output.data);
        this.#emit({
          type: 'transmit',
          at: this.#now,
          protocol,
          source,
          destination,
          data,
          ...(ecn === undefined ? {} : { ecn }),
          summary: datagramSummary(data),
        });
        return;
      }
      case 'event':
        this.#emit({ type: 'event', at: this.#now, event: this.#event(output.event) });
        return;
      case 'timeout':
        // The deadline is the outcome of the drain: what has led to it comes before it.
        this.compare();
        this.#emit({ type: 'timeout', at: this.#now, deadline: output.at, reason: output.reason });
    }
  }

  // --- what happens inside ---

  packet(direction: 'in' | 'out', kind: PacketKind, packet: Uint8Array): void {
    const data = copyBytes(packet);
    this.#emit({ type: 'packet', at: this.#now, direction, kind, data, summary: packetSummary(kind, data) });
  }

  /** Reports what has changed since the last comparison. */
  compare(): void {
    const before = this.#last;
    this.#last = observe(this.#inspect());
    for (const entry of changes(before, this.#last, this.#now)) this.#emit(entry);
  }

  #emit(entry: TraceEntry): void {
    const shown = this.#redact(entry);
    if (shown !== undefined) this.#listener(shown);
  }

  #event(event: RtcEvent): TraceEvent {
    if (isStreamEvent(event)) return { type: event.type, ...traceStreamEvent(event) };
    return {
      type: event.type,
      ...('state' in event ? { state: event.state } : {}),
      ...('channel' in event ? { channel: this.#channel(event.channel) } : {}),
      ...('media' in event ? { media: this.#mediaOf(event.media) } : {}),
      ...('data' in event ? { data: copyPayload(event.data) } : {}),
      ...('outcome' in event ? { id: event.id, outcome: event.outcome } : {}),
      ...('name' in event ? { name: event.name } : {}),
      ...('candidate' in event ? { candidate: { ...event.candidate } } : {}),
      ...(event.type === 'icecandidateerror' ? { error: errorOf(event) } : {}),
      ...('failure' in event ? { failure: { ...event.failure } } : {}),
      ...('reason' in event ? { failure: { ...event.reason } } : {}),
    };
  }

  #channel(channel: DataChannel): TraceChannel {
    const index = this.#channels.of(channel);
    const { id, label } = channel;
    return { index, ...(id === undefined ? {} : { id }), label };
  }

  #mediaOf(media: Media): TraceMedia {
    const { kind, mid, currentDirection: direction, stopped } = media;
    return {
      index: this.#media.of(media),
      kind,
      ...(mid === undefined ? {} : { mid }),
      ...(direction === null ? {} : { direction }),
      ...(stopped ? { stopped } : {}),
    };
  }
}

/** Numbers of handles, in the order of their first mention, from 0. Weak: a tracer keeps nothing alive. */
class Numbers<Handle extends object> {
  readonly #numbers = new WeakMap<Handle, number>();
  #count = 0;

  of(handle: Handle): number {
    let number = this.#numbers.get(handle);
    if (number === undefined) {
      number = this.#count++;
      this.#numbers.set(handle, number);
    }
    return number;
  }
}

function errorOf({ url, errorCode, errorText, address, port }: IceCandidateError): IceCandidateError {
  return { url, errorCode, errorText, address, port };
}

function copyPayload(data: string | Bytes): string | Bytes {
  return typeof data === 'string' ? data : copyBytes(data);
}

function copyLeaf(value: unknown): unknown {
  return value instanceof Uint8Array ? copyBytes(value) : value;
}
