/** One connection of the library's with a foreign peer, from signalling to a channel that echoes. */
import { expect } from 'vitest';
import type { Connection, Host } from '../browser/host.ts';
import type { PageChannelOptions, WireMessage } from '../browser/page-peer.ts';
import type { DtlsRole, DtlsVersions } from '../../src/dtls/index.ts';
import type { RtcOptions } from '../../src/rtc.ts';
import type { ForeignPeer } from './contract.ts';

export interface Setting {
  readonly offerer: 'sansrtc' | 'foreign';
  /** The DTLS role of the library's end. Default: what RFC 8842 prefers, the answerer being the client. */
  readonly role?: DtlsRole;
  readonly versions?: DtlsVersions;
  /** More for the library's end. */
  readonly rtc?: Partial<RtcOptions>;
  /** Created by the offerer; `chat` by default. */
  readonly channels?: readonly PageChannelOptions[];
}

let meetings = 0;

export class Meeting {
  readonly connection: Connection;
  readonly peer: ForeignPeer;
  /** What the foreign end is called in the requests to it. */
  readonly name: string;
  /** The descriptions, as they were carried. */
  readonly offer: string;
  readonly answer: string;

  private constructor(
    connection: Connection,
    peer: ForeignPeer,
    name: string,
    offer: string,
    answer: string,
  ) {
    this.connection = connection;
    this.peer = peer;
    this.name = name;
    this.offer = offer;
    this.answer = answer;
  }

  /** Signals; answers before anything is connected. */
  static async begin(host: Host, peer: ForeignPeer, setting: Setting): Promise<Meeting> {
    const { offerer, role, versions, rtc, channels = [{ label: 'chat' }] } = setting;
    const name = `meeting ${++meetings}`;
    // What comes of `actpass` needs no insisting, and aiortc takes no other offer.
    const preferred = offerer === 'foreign' ? 'client' : 'server';
    const setup =
      role === undefined || role === preferred ? 'auto' : role === 'client' ? 'active' : 'passive';
    const connection = host.connection({ setup, dtls: { versions }, ...rtc });
    if (offerer === 'foreign') {
      await peer.offer(name, channels);
      const offer = await peer.completeDescription(name);
      const answer = connection.rtc.receiveOffer(offer).answer();
      await peer.acceptAnswer(name, answer);
      return new Meeting(connection, peer, name, offer, answer);
    }
    const draft = connection.rtc.negotiation();
    for (const { label, ...options } of channels) draft.addChannel(label, options);
    const offer = draft.offer();
    await peer.answer(name, offer.sdp);
    const answer = await peer.completeDescription(name);
    offer.accept(answer);
    return new Meeting(connection, peer, name, offer.sdp, answer);
  }

  /** The foreign end speaks, and hears it back. */
  async expectEcho(label: string, message: WireMessage = { text: `on ${label}` }): Promise<void> {
    await this.peer.send(this.name, label, message);
    const heard = await this.connection.receive(label);
    expect(heard).toEqual(message);
    await this.connection.send(label, heard);
    expect(await this.peer.receive(this.name, label)).toEqual(message);
  }

  /** Random bytes from the library's end; true if they arrive as they are. */
  async bulkFromUs(label: string, bytes: number): Promise<boolean> {
    const [received, sent] = await Promise.all([
      this.peer.receiveBulk(this.name, label, bytes),
      this.connection.sendBulk(label, bytes),
    ]);
    return received === sent.sha256;
  }

  /** Opens a channel from either side; answers when both ends have it open. */
  async openChannel(opener: 'sansrtc' | 'foreign', options: PageChannelOptions): Promise<void> {
    const { label, ...rest } = options;
    if (opener === 'sansrtc') this.connection.rtc.createChannel(label, rest);
    else await this.peer.openChannel(this.name, options);
    await this.connection.opened(label);
    await this.peer.opened(this.name, label);
  }
}
