/**
 * Two ends of a negotiation as a model: each with what it wishes for, the offers that are out, and messages on their way, which arrive
 * late and in any order. What they say to each other besides descriptions is what applications say: which offer an answer is for,
 * that an offer is declined, and in which order messages were sent. Where offers cross, the first end gives way.
 *
 * Steps are data, so that fast-check shrinks them; a step that makes no sense at its moment does nothing.
 */
import { expect } from 'vitest';
import type {
  LocalEnd,
  MediaChange,
  MediaKind,
  MediaPlan,
  MediaWish,
  NegotiationOptions,
  NegotiationState,
  PreparedLocalOffer,
  PreparedRemoteOffer,
  SectionChoice,
  SessionPlan,
} from '../../src/negotiation/index.ts';
import {
  DEFAULT_CAPABILITIES,
  DEFAULT_HEADER_EXTENSIONS,
  acceptAnswer,
  acceptProvisionalAnswer,
  answerOffer,
  answerProvisionally,
  applyOffer,
  chooseSections,
  createNegotiation,
  inspectNegotiation,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../../src/negotiation/index.ts';
import type { Direction } from '../../src/sdp/index.ts';
import {
  attributes,
  isRejected,
  isSdpError,
  mediaMid,
  parseSdp,
  readBundles,
  writeSdp,
} from '../../src/sdp/index.ts';
import { valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B } from './ends.ts';

/** The first does nothing: what fast-check shrinks the others to. */
export const STEPS = [
  'wait',
  ...['add', 'add', 'set', 'stop', 'restart', 'channel'],
  ...['write', 'write', 'send', 'send', 'rollback'],
  ...['deliver', 'deliver', 'deliver', 'deliver', 'answer', 'answer', 'pranswer', 'decline', 'garbage'],
] as const;

const ANSWERS: readonly string[] = ['answer', 'pranswer', 'decline'];

/** What a model can do, by the names that it counts under. */
export const HAPPENINGS = [
  ...['add', 'set', 'stop', 'write', 'write again', 'offer', 'rollback', 'gave way', 'ignored'],
  ...['applied', 'answer', 'reject a section', 'pranswer', 'decline'],
  ...['answer accepted', 'pranswer accepted', 'restart', 'declined', 'reordered'],
  ...['refused', 'garbage accepted'],
] as const;

/** One step: who does what; the numbers choose among what there is. */
export interface Step {
  readonly by: 0 | 1;
  readonly kind: (typeof STEPS)[number];
  readonly a: number;
  readonly b: number;
}

interface Message {
  readonly sequence: number;
  readonly kind: 'offer' | 'answer' | 'pranswer' | 'decline';
  /** Which offer it is, or is for. */
  readonly offer: string;
  readonly sdp: string;
}

interface PendingOffer {
  readonly name: string;
  readonly prepared: PreparedLocalOffer;
  readonly before: NegotiationState;
  readonly local: LocalEnd;
  /** How many of the wishes it is for. */
  readonly wishes: number;
  readonly data: boolean;
  isSent: boolean;
}

interface ReceivedOffer {
  readonly name: string;
  readonly before: NegotiationState;
  prepared: PreparedRemoteOffer;
  local: LocalEnd | undefined;
}

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

const REVERSED: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};

/** Codecs that are wished for by name, in another order than by default. */
function codecsOf(media: 'audio' | 'video', b: number): MediaWish['codecs'] {
  const all = DEFAULT_CAPABILITIES[media];
  if (b % 3 > 0) return undefined;
  const from = b % all.length;
  return [...all.slice(from), ...all.slice(0, b % (from + 1))];
}

function extensionsOf(media: 'audio' | 'video', b: number): MediaWish['headerExtensions'] {
  return b % 4 > 0
    ? undefined
    : DEFAULT_HEADER_EXTENSIONS[media].filter((_, index) => (b >> index) % 2 === 0);
}

/** One end: its negotiation, its wishes, and what it has on its way. */
class End {
  readonly index: 0 | 1;
  readonly outbox: Message[] = [];
  readonly held = new Map<number, Message>();
  state: NegotiationState;
  local: LocalEnd;
  wishes: MediaChange[] = [];
  wantsData = false;
  wantsRestart = false;
  pending: PendingOffer | undefined;
  received: ReceivedOffer | undefined;
  lastHeard = '';
  nextId = 0;
  #nextSent = 0;
  #nextReceived = 0;
  #generation = 0;
  /** Mids of sections that were closed: none of them comes back. */
  readonly #retired = new Set<string>();
  #sectionCount = 0;

  constructor(index: 0 | 1, options: Partial<NegotiationOptions>) {
    this.index = index;
    this.state = frozen(createNegotiation({ sessionId: String(1000 + index), ...options }));
    this.local = index === 0 ? LOCAL_A : LOCAL_B;
  }

  send(message: Omit<Message, 'sequence'>): void {
    if (message.sdp !== '') this.#checkWritten(message.sdp);
    this.outbox.push({ ...message, sequence: this.#nextSent++ });
  }

  /** Any message may arrive next; it is taken in its turn. */
  *arrived(message: Message): Iterable<Message> {
    this.held.set(message.sequence, message);
    for (;;) {
      const next = this.held.get(this.#nextReceived);
      if (next === undefined) return;
      this.held.delete(this.#nextReceived++);
      yield next;
    }
  }

  restarted(): LocalEnd {
    const { ice } = this.index === 0 ? LOCAL_A : LOCAL_B;
    this.#generation++;
    const password = `${ice.password}${this.#generation}`;
    return {
      ...this.local,
      ice: { ...ice, usernameFragment: `${ice.usernameFragment}${this.#generation}`, password },
    };
  }

  settle(next: NegotiationState, local: LocalEnd, plan: SessionPlan): void {
    this.state = frozen(next);
    this.local = local;
    if (plan.transport.iceRestart) this.wantsRestart = false;
    this.#checkAgreed();
  }

  /** Parses, is a fixed point, has every mid once, and none that has had its time. */
  #checkWritten(sdp: string): void {
    const session = valid(parseSdp(sdp));
    expect(writeSdp(session)).toBe(sdp);
    const bundles = valid(readBundles(session));
    const live = session.media.filter((media) => !isRejected(media, bundles)).map(mediaMid);
    expect(new Set(live).size, 'a mid stands twice').toBe(live.length);
    for (const mid of live) expect(this.#retired.has(mid ?? ''), `mid ${String(mid)} comes back`).toBe(false);
    expect(session.media.length, 'sections').toBeGreaterThanOrEqual(this.#sectionCount);
    expect(attributes(session.lines, 'group').length).toBeLessThanOrEqual(1);
  }

  #checkAgreed(): void {
    const { sections } = this.state;
    expect(sections.length, 'sections agreed on').toBeGreaterThanOrEqual(this.#sectionCount);
    this.#sectionCount = sections.length;
    for (const { kind, mid } of sections) {
      if (mid === undefined) continue;
      if (kind === 'rejected') this.#retired.add(mid);
      else expect(this.#retired.has(mid), `mid ${mid} comes back`).toBe(false);
    }
  }
}

/** Both ends and what is between them. */
export class Model {
  readonly ends: readonly [End, End];
  /** How often each thing was done. */
  readonly done = new Map<string, number>();
  #offers = 0;

  constructor(options: readonly [Partial<NegotiationOptions>, Partial<NegotiationOptions>] = [{}, {}]) {
    this.ends = [new End(0, options[0]), new End(1, options[1])];
  }

  take({ by, kind, a, b }: Step): void {
    const end = this.ends[by];
    const peer = this.ends[1 - by]!;
    // Who is to send has written, and who is to answer has heard.
    if (kind === 'send' && end.pending === undefined) this.#write(end);
    if (ANSWERS.includes(kind) && end.received === undefined) this.#deliver(end, peer, a);
    switch (kind) {
      case 'wait':
        break;
      case 'add':
        this.#add(end, a, b);
        break;
      case 'set':
        this.#change(end, a, (id, media) => ({ type: 'set', id, wish: changedWish(media, b) }));
        break;
      case 'stop':
        this.#change(end, a, (id) => ({ type: 'stop', id }));
        break;
      case 'restart':
        if (end.state.agreement !== undefined) end.wantsRestart = true;
        break;
      case 'channel':
        end.wantsData = true;
        break;
      case 'write':
        this.#write(end);
        break;
      case 'send':
        this.#send(end);
        break;
      case 'rollback':
        this.#rollBack(end, a % 2 === 0);
        break;
      case 'deliver':
        this.#deliver(end, peer, a);
        break;
      case 'answer':
        this.#answer(end, a, b);
        break;
      case 'pranswer':
        this.#answerProvisionally(end);
        break;
      case 'decline':
        this.#decline(end);
        break;
      case 'garbage':
        this.#hearGarbage(end, a, b);
    }
  }

  /** Everything arrives, is answered, and what is wished is offered, until nothing is left. */
  finish(): void {
    for (let round = 0; round < 100; round++) {
      let isQuiet = true;
      for (const end of this.ends) {
        const peer = this.ends[1 - end.index]!;
        while (peer.outbox.length > 0) {
          isQuiet = false;
          this.#deliver(end, peer, 0);
        }
        if (end.received !== undefined) this.#answer(end, 0, 0);
        if (end.pending === undefined && this.#hasWishes(end)) this.#write(end);
        if (end.pending !== undefined) isQuiet = false;
        this.#send(end);
      }
      if (
        isQuiet &&
        this.ends.every(({ outbox, received }) => outbox.length === 0 && received === undefined)
      ) {
        this.#checkBoth();
        return;
      }
    }
    expect.unreachable('the ends never settle');
  }

  // --- wishes ---

  #add(end: End, a: number, b: number): void {
    if (end.wishes.length > 20 || end.state.sections.length > 12) return;
    const media = a % 2 === 0 ? 'audio' : 'video';
    const id = end.nextId;
    end.nextId += 2;
    const hasLayers = media === 'video' && b % 3 === 0;
    const wish: MediaWish = {
      direction: DIRECTIONS[b % 4]!,
      codecs: codecsOf(media, b >> 2),
      headerExtensions: extensionsOf(media, b >> 3),
      encodings: hasLayers ? ['q', 'h', 'f'].map((rid) => ({ rid, active: true, restrictions: [] })) : [],
      streams: a % 3 === 0 ? [] : [`stream${id}`],
    };
    end.wishes.push({ type: 'add', id, media, wish });
    this.#count('add');
  }

  #change(end: End, a: number, change: (id: number, media: MediaKind) => MediaChange): void {
    const known = end.state.sections.filter((section) => section.kind === 'media');
    const added = end.wishes.filter(({ type }) => type === 'add');
    const all = [...known, ...added];
    const one = all[a % Math.max(1, all.length)];
    if (one === undefined || !('media' in one) || end.wishes.length > 20) return;
    const made = change(one.id, one.media);
    end.wishes.push(made);
    this.#count(made.type);
  }

  #hasWishes({ wishes, wantsData, wantsRestart }: End): boolean {
    return wishes.length > 0 || wantsData || wantsRestart;
  }

  // --- our offer ---

  #write(end: End): void {
    const { pending, state } = end;
    if (pending?.isSent === true || end.received !== undefined) return;
    if (state.signalingState !== 'stable' && state.signalingState !== 'have-local-offer') return;
    const restarts = end.wantsRestart && state.agreement !== undefined;
    const local = restarts ? end.restarted() : end.local;
    const wishes = { media: [...end.wishes], data: end.wantsData };
    const prepared = prepareOffer(state, local, wishes);
    // Written twice it is the same, whatever was written in between.
    expect(prepareOffer(state, local, wishes).sdp).toBe(prepared.sdp);
    end.pending = {
      name: `offer ${this.#offers++}`,
      prepared,
      before: pending?.before ?? state,
      local,
      wishes: end.wishes.length,
      data: end.wantsData,
      isSent: false,
    };
    end.state = frozen(prepared.next);
    this.#count(pending === undefined ? 'write' : 'write again');
  }

  #send(end: End): void {
    const { pending } = end;
    if (pending === undefined || pending.isSent) return;
    pending.isSent = true;
    end.send({ kind: 'offer', offer: pending.name, sdp: pending.prepared.sdp });
    this.#count('offer');
  }

  #rollBack(end: End, keepsWishes: boolean): void {
    const { pending } = end;
    if (pending === undefined || pending.isSent) return;
    this.#takeBack(end);
    if (!keepsWishes) end.wishes = end.wishes.slice(pending.wishes);
    this.#count('rollback');
  }

  /** All is as before the offer, except its version. */
  #takeBack(end: End): void {
    const { before } = end.pending ?? expect.unreachable('no offer');
    end.state = frozen(rollback(end.state));
    end.pending = undefined;
    expectSame(end, before);
  }

  // --- messages ---

  #deliver(end: End, peer: End, a: number): void {
    const [message] = peer.outbox.splice(a % Math.max(1, peer.outbox.length), 1);
    if (message === undefined) return;
    if (a % Math.max(1, peer.outbox.length + 1) > 0) this.#count('reordered');
    for (const next of end.arrived(message)) this.#hear(end, next);
  }

  #hear(end: End, { kind, offer, sdp }: Message): void {
    if (sdp !== '') end.lastHeard = sdp;
    if (kind === 'offer') {
      this.#hearOffer(end, offer, sdp);
      return;
    }
    // An offer is taken back where the peer's crosses it, and that peer passes it over.
    if (end.pending?.name !== offer) expect.unreachable(`${kind} to ${offer}, which is not out`);
    const { wishes, local, data } = end.pending;
    if (kind === 'decline') {
      this.#takeBack(end);
      // What the peer will not have is not asked for again.
      end.wishes = end.wishes.slice(wishes);
      end.wantsData = end.wantsData && !data;
      end.wantsRestart = false;
      this.#count('declined');
      return;
    }
    if (kind === 'pranswer') {
      const accepted = valid(acceptProvisionalAnswer(end.state, sdp));
      end.state = frozen(accepted.next);
      this.#count('pranswer accepted');
      return;
    }
    const accepted = valid(acceptAnswer(end.state, sdp));
    end.wishes = end.wishes.slice(wishes);
    if (data) end.wantsData = false;
    end.pending = undefined;
    end.settle(accepted.next, local, accepted.plan);
    if (accepted.plan.transport.iceRestart) this.#count('restart');
    this.#count('answer accepted');
  }

  #hearOffer(end: End, name: string, sdp: string): void {
    if (end.pending !== undefined) {
      if (end.pending.isSent && end.index === 1) {
        this.#count('ignored');
        return;
      }
      this.#takeBack(end);
      this.#count('gave way');
    }
    const before = end.state;
    const prepared = valid(receiveOffer(before, sdp));
    expect(receiveOffer(before, sdp)).toEqual(prepared);
    end.received = { name, before, prepared, local: undefined };
    end.state = frozen(applyOffer(prepared));
    this.#count('applied');
  }

  // --- our answer ---

  #answer(end: End, a: number, b: number): void {
    const { received } = end;
    if (received === undefined) return;
    if (received.local === undefined) received.prepared = this.#chosen(received.prepared, a, b);
    const local = received.local ?? this.#localFor(end, received);
    const answer = answerOffer(received.prepared, local);
    expect(answerOffer(received.prepared, local).sdp).toBe(answer.sdp);
    end.received = undefined;
    end.send({ kind: 'answer', offer: received.name, sdp: answer.sdp });
    end.settle(answer.next, local, answer.plan);
    this.#count('answer');
  }

  #answerProvisionally(end: End): void {
    const { received } = end;
    if (received === undefined) return;
    const local = received.local ?? this.#localFor(end, received);
    const answer = answerProvisionally(received.prepared, local);
    received.local = local;
    received.prepared = answer.prepared;
    end.state = frozen(answer.next);
    end.send({ kind: 'pranswer', offer: received.name, sdp: answer.sdp });
    this.#count('pranswer');
  }

  #decline(end: End): void {
    const { received } = end;
    if (received === undefined || received.local !== undefined) return;
    end.received = undefined;
    end.state = frozen(rollback(end.state));
    expectSame(end, received.before);
    end.send({ kind: 'decline', offer: received.name, sdp: '' });
    this.#count('decline');
  }

  #localFor(end: End, { prepared }: ReceivedOffer): LocalEnd {
    return prepared.plan.transport.iceRestart ? end.restarted() : end.local;
  }

  /** Something else than what would be answered, where that leaves anything. */
  #chosen(prepared: PreparedRemoteOffer, a: number, b: number): PreparedRemoteOffer {
    const choices: SectionChoice[] = [];
    for (const { index, media, encodings } of prepared.media) {
      if (a % 5 === 1 && index === b % prepared.accepted.sections.length)
        choices.push({ index, reject: true });
      else if (a % 2 === 0) choices.push({ index, direction: DIRECTIONS[(a + b + index) % 4]! });
      else if (a % 7 === 3) choices.push({ index, codecs: codecsOf(media, b) });
      else if (a % 7 === 5) choices.push({ index, encodings: encodings.slice(b % 2).map(({ rid }) => rid) });
    }
    const chosen = chooseSections(prepared, choices);
    if (isSdpError(chosen)) return prepared;
    if (choices.some(({ reject }) => reject === true)) this.#count('reject a section');
    return chosen;
  }

  // --- what is refused ---

  /** A description with a line changed: whatever comes of it, the state is frozen, and nothing is thrown. */
  #hearGarbage(end: End, a: number, b: number): void {
    const lines = end.lastHeard.split('\r\n');
    if (lines.length < 2) return;
    const at = a % lines.length;
    lines[at] = lines[b % lines.length] ?? '';
    const sdp = lines.join('\r\n');
    const before = JSON.stringify(inspectNegotiation(end.state));
    const { signalingState } = end.state;
    const result =
      signalingState === 'have-local-offer' || signalingState === 'have-remote-pranswer'
        ? acceptAnswer(end.state, sdp)
        : signalingState === 'have-local-pranswer'
          ? undefined
          : receiveOffer(end.state, sdp);
    expect(JSON.stringify(inspectNegotiation(end.state))).toBe(before);
    this.#count(isSdpError(result) ? 'refused' : 'garbage accepted');
  }

  // --- what both agree on ---

  #checkBoth(): void {
    const [a, b] = this.ends;
    expect([a.state.signalingState, b.state.signalingState]).toEqual(['stable', 'stable']);
    expect(a.held.size + b.held.size).toBe(0);
    const [ours, theirs] = [a, b].map(({ state }) => state.agreement?.plan.sections ?? []);
    expect(ours?.map(({ kind, mid }) => [kind, mid])).toEqual(theirs?.map(({ kind, mid }) => [kind, mid]));
    for (const [index, section] of (ours ?? []).entries()) {
      const other = theirs?.[index];
      if (section.kind !== 'media' || other?.kind !== 'media') continue;
      expect(other.media).toBe(section.media);
      expect(other.direction).toBe(REVERSED[section.direction]);
      expectMirrored(section, other);
      expectMirrored(other, section);
    }
  }

  #count(what: (typeof HAPPENINGS)[number]): void {
    this.done.set(what, (this.done.get(what) ?? 0) + 1);
  }
}

/** What one end sends is what the other receives. */
function expectMirrored({ send, direction }: MediaPlan, { receive }: MediaPlan): void {
  const codecsOf = (codecs: MediaPlan['send']['codecs']) =>
    codecs
      .map(({ payloadType, mimeType, clockRate, channels = 1, rtxPayloadType }) =>
        [payloadType, mimeType.toLowerCase(), clockRate, channels, rtxPayloadType].join(),
      )
      .sort();
  expect(codecsOf(send.codecs)).toEqual(codecsOf(receive.codecs));
  const extensionsOf = (extensions: MediaPlan['send']['headerExtensions']) =>
    extensions.map(({ id, uri }) => `${id} ${uri}`).sort();
  expect(extensionsOf(send.headerExtensions)).toEqual(extensionsOf(receive.headerExtensions));
  if (direction !== 'sendrecv' && direction !== 'sendonly') return;
  expect(receive.streams).toEqual(send.streams);
  expect(receive.encodings.map(({ rid }) => rid)).toEqual(send.encodings.map(({ rid }) => rid));
}

/** An end is as it was: what it shows, and what it would offer; but for versions that were used. */
function expectSame(end: End, before: NegotiationState): void {
  const shown = (state: NegotiationState) => ({ ...inspectNegotiation(state), nextVersion: 0 });
  expect(JSON.stringify(shown(end.state))).toBe(JSON.stringify(shown(before)));
  expect(withoutVersion(prepareOffer(end.state, end.local).sdp)).toBe(
    withoutVersion(prepareOffer(before, end.local).sdp),
  );
}

function withoutVersion(sdp: string): string {
  return sdp.replace(/^(o=\S+ \S+) \d+/m, '$1');
}

function changedWish(media: MediaKind, b: number): Partial<MediaWish> {
  switch (b % 5) {
    case 0:
      return { streams: [`other${b}`] };
    case 1:
      return { codecs: codecsOf(media, b >> 3) };
    case 2:
      return { headerExtensions: extensionsOf(media, b >> 3) };
    default:
      return { direction: DIRECTIONS[(b >> 3) % 4]! };
  }
}

/** Frozen to the leaves: a step that wrote to it would throw. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) frozen(part);
  }
  return value;
}
