/**
 * Two ends that connect, each behind the verbs of `contract.ts`: pages, the library in this process (`sansrtc-peers.ts`) or in a
 * namespace. Signalling is by whole descriptions, and may be repeated by either end, to restart ICE among other things.
 */
import { expect } from 'vitest';
import type { PageChannelOptions } from '../browser/page-peer.ts';
import type { ForeignPeer } from './contract.ts';

/** What one end is to be like. */
export interface End {
  readonly peer: ForeignPeer;
  readonly configuration?: RTCConfiguration;
}

export interface TalkOptions {
  /** Opened by the offerer; `chat` by default. */
  readonly channels?: readonly PageChannelOptions[];
  /** What becomes of a description on its way, such as candidates that others must not learn. */
  readonly carry?: (sdp: string, from: 'offerer' | 'answerer') => string;
}

const CHAT: readonly PageChannelOptions[] = [{ label: 'chat' }];

let talks = 0;

export class Talk {
  readonly offerer: ForeignPeer;
  readonly answerer: ForeignPeer;
  /** Of its connection, at either end: they may live in one page. */
  readonly names: readonly [offerer: string, answerer: string];
  readonly #carry: NonNullable<TalkOptions['carry']>;

  /** Signals, and answers once the first channel is open at both ends. */
  static async begin(offerer: End, answerer: End, options: TalkOptions = {}): Promise<Talk> {
    const { channels = CHAT, carry = (sdp: string) => sdp } = options;
    const talk = new Talk(offerer.peer, answerer.peer, carry);
    const [ours, theirs] = talk.names;
    await offerer.peer.configure(ours, offerer.configuration ?? {});
    await answerer.peer.configure(theirs, answerer.configuration ?? {});
    await offerer.peer.offer(ours, channels);
    await talk.#exchange('offerer');
    for (const { label } of channels) {
      await offerer.peer.opened(ours, label);
      await answerer.peer.opened(theirs, label);
    }
    return talk;
  }

  private constructor(offerer: ForeignPeer, answerer: ForeignPeer, carry: NonNullable<TalkOptions['carry']>) {
    this.offerer = offerer;
    this.answerer = answerer;
    this.#carry = carry;
    this.names = [`offerer ${++talks}`, `answerer ${talks}`];
  }

  /** One end offers anew with new ICE credentials, the other answers. */
  async restart(by: 'offerer' | 'answerer'): Promise<void> {
    const [peer, name] = this.#end(by);
    const before = usernameFragments(await peer.completeDescription(name));
    await peer.restartIce(name);
    expect(usernameFragments(await peer.offer(name, []))).not.toEqual(before);
    await this.#exchange(by);
  }

  /** Random bytes both ways at the same time, and what arrives is what was sent. */
  async expectTransfer(bytes: number, label = 'chat'): Promise<void> {
    const [ours, theirs] = this.names;
    const [sent, heard, sentBack, heardBack] = await Promise.all([
      this.offerer.sendBulk(ours, label, bytes),
      this.answerer.receiveBulk(theirs, label, bytes),
      this.answerer.sendBulk(theirs, label, bytes),
      this.offerer.receiveBulk(ours, label, bytes),
    ]);
    expect(heard).toBe(sent.sha256);
    expect(heardBack).toBe(sentBack.sha256);
  }

  /** A message each way. */
  async expectEcho(label = 'chat', text = 'hello'): Promise<void> {
    const [ours, theirs] = this.names;
    await this.offerer.send(ours, label, { text });
    expect(await this.answerer.receive(theirs, label)).toEqual({ text });
    await this.answerer.send(theirs, label, { text: `${text} yourself` });
    expect(await this.offerer.receive(ours, label)).toEqual({ text: `${text} yourself` });
  }

  async close(): Promise<void> {
    await this.offerer.close(this.names[0]);
    await this.answerer.close(this.names[1]);
  }

  #end(which: 'offerer' | 'answerer'): readonly [ForeignPeer, string] {
    return which === 'offerer' ? [this.offerer, this.names[0]] : [this.answerer, this.names[1]];
  }

  /** Carries the description that `by` has made to the other end, and the answer back. */
  async #exchange(by: 'offerer' | 'answerer'): Promise<void> {
    const other = by === 'offerer' ? 'answerer' : 'offerer';
    const [from, name] = this.#end(by);
    const [to, otherName] = this.#end(other);
    await to.answer(otherName, this.#carry(await from.completeDescription(name), by));
    await from.acceptAnswer(name, this.#carry(await to.completeDescription(otherName), other));
  }
}

function usernameFragments(sdp: string): readonly string[] {
  return sdp.match(/^a=ice-ufrag:.*$/gm) ?? [];
}
