/**
 * Peers: the way of their data through an allocation, out and in, and the permissions and channels that it takes.
 *
 *     out: no permission ─▶ waits, CreatePermission · STUN ─▶ Send indication · anything else ─▶ ChannelBind, Send until it is bound,
 *          then ChannelData
 *     in:  ChannelData of a channel, Data indication of an address with a permission ─▶ received; all else is counted and dropped
 *
 * STUN alone makes no channel: most of the addresses that ICE checks are never heard of again.
 */
import { addressFamily } from '../core/address.ts';
import type { TransportAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import { copyBytes } from '../core/bytes.ts';
import type { StunMessage } from '../stun/index.ts';
import {
  StunErrorCode as Code,
  StunAttributeType as Type,
  attributeXorAddress,
  hasAttribute,
  isStun,
} from '../stun/index.ts';
import { MAX_DATA_LENGTH, channelDataOf, channelOf, encodeChannelData, partOf } from './channel-data.ts';
import type { Channel } from './channels.ts';
import { Channels, isBound } from './channels.ts';
import type { AddressFamily } from './contract.ts';
import { encodeSend } from './messages.ts';
import type { Permission } from './permissions.ts';
import { Permissions } from './permissions.ts';
import type { Outcome, Requests } from './requests.ts';
import type { WayOut } from './way-out.ts';

/** Permissions, channels, and what waits for them. */
export class Peers {
  readonly #out: WayOut;
  readonly #requests: Requests;
  readonly permissions: Permissions;
  readonly channels: Channels;
  readonly #relayed = new Map<AddressFamily, TransportAddress>();
  #isOpen = false;
  /** Nothing is asked until there are other credentials. */
  isPaused = false;
  #changed = true;

  constructor(out: WayOut, requests: Requests) {
    const { settings } = out;
    this.#out = out;
    this.#requests = requests;
    this.permissions = new Permissions(settings.maxPermissions, settings.maxWaiting);
    this.channels = new Channels(settings.maxChannels);
  }

  /** There are relayed addresses: what has waited goes its way. */
  open(relayed: readonly TransportAddress[]): void {
    for (const address of relayed) this.#relayed.set(addressFamily(address.address) ?? 4, address);
    this.#isOpen = true;
    for (const { peer, data } of this.permissions.takeWaiting()) this.send(peer, data);
  }

  clear(): void {
    this.#isOpen = false;
    this.#relayed.clear();
    this.permissions.clear();
    this.channels.clear();
    this.#changed = true;
  }

  /** True once after each change of what `nextTimeout` answers. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** When `runDue` has something to do. */
  nextTimeout(): number {
    const { now } = this.#out;
    return Math.min(this.permissions.nextTimeout(now), this.channels.nextTimeout(now));
  }

  // --- out ---

  /** @returns false: dropped, and counted */
  send(peer: TransportAddress, data: Uint8Array): boolean {
    const { counters, now } = this.#out;
    if (data.length > MAX_DATA_LENGTH) {
      counters.add('too-large');
      return false;
    }
    if (!this.#isOpen) {
      this.#wait(peer, data);
      return true;
    }
    const permission = this.#permissionFor(peer);
    if (permission === undefined) return false;
    permission.usedAt = now;
    if (permission.expiresAt > now) return this.#forward(peer, data);
    this.#wait(peer, data);
    return true;
  }

  /** The permission of a peer's address: there, or on its way. `undefined`, which is counted: there is none, and will be none. */
  #permissionFor(peer: TransportAddress): Permission | undefined {
    const { counters, now } = this.#out;
    const known = this.permissions.find(peer.address);
    if (known !== undefined && (known.isAsked || known.expiresAt > now)) return known;
    if (known !== undefined && known.refusedUntil > now) {
      counters.add('peer-refused');
      return undefined;
    }
    const family = addressFamily(peer.address);
    if (family === undefined || peer.port === 0 || !this.#relayed.has(family)) {
      counters.add('unusable-peer');
      return undefined;
    }
    if (this.isPaused) {
      counters.add('credentials-refused');
      return undefined;
    }
    const asked = known ?? this.permissions.add(peer.address, now);
    if (asked === undefined) {
      counters.add('permission-limit');
      return undefined;
    }
    asked.isAsked = true;
    this.#changed = true;
    this.#requests.ask({ type: 'permission', address: peer.address });
    return asked;
  }

  #wait(peer: TransportAddress, data: Uint8Array): void {
    const { address, port } = peer;
    const isRoom = this.permissions.wait({ peer: { address, port }, data: copyBytes(data) });
    if (!isRoom) this.#out.counters.add('waiting-limit');
  }

  #forward(peer: TransportAddress, data: Uint8Array): boolean {
    const { counters, now } = this.#out;
    const channel = this.channels.ofPeer(peer) ?? (isStun(data) ? undefined : this.#openChannel(peer));
    if (channel !== undefined && isBound(channel, now)) {
      channel.usedAt = now;
      const isSent = this.#out.transmit(encodeChannelData(channel.number, data, this.#out.isStream));
      if (isSent) counters.add('channel-data-sent');
      return isSent;
    }
    if (channel !== undefined && !isStun(data)) this.#wantAgain(channel);
    const isSent = this.#out.transmit(encodeSend(peer, data, this.#out.transactionId()));
    if (isSent) counters.add('indication-sent');
    return isSent;
  }

  #openChannel(peer: TransportAddress): Channel | undefined {
    if (this.isPaused) return undefined;
    const channel = this.channels.add(peer, this.#out.now);
    if (channel === undefined) this.#out.counters.add('channel-limit');
    else this.#bind(channel);
    return channel;
  }

  /** A channel that has expired, and whose peer is sent to again: with the same number (RFC 8656 §12). */
  #wantAgain(channel: Channel): void {
    const { now } = this.#out;
    if (channel.isAsked || channel.isRefused || this.isPaused || channel.retryAt > now) return;
    channel.isAsked = true;
    this.#bind(channel);
  }

  #bind({ number, peer }: Channel): void {
    this.#changed = true;
    this.#requests.ask({ type: 'channel', number, peer });
  }

  // --- in ---

  /** @param isOwned data that is given out may lie in the message */
  takeChannelData(message: Uint8Array, isOwned: boolean): void {
    const { counters, now } = this.#out;
    const data = channelDataOf(message, isOwned);
    if (data === undefined) {
      counters.add('bad-channel-data');
      return;
    }
    const channel = this.channels.ofNumber(channelOf(message));
    // The server may have bound it, and its answer be behind the first data, or lost.
    if (channel === undefined || channel.isRefused || !(channel.isAsked || isBound(channel, now))) {
      counters.add('unknown-channel');
      return;
    }
    channel.usedAt = now;
    if (this.#receive(channel.peer, data)) counters.add('channel-data-received');
  }

  /** A Data indication that has been decoded. */
  takeIndication(message: StunMessage, isOwned: boolean): void {
    const { counters } = this.#out;
    const peer = attributeXorAddress(message, Type.xorPeerAddress);
    const attribute = message.attributes.find(({ type }) => type === Type.data);
    if (peer === undefined || attribute === undefined) {
      counters.add(peer !== undefined && hasAttribute(message, Type.icmp) ? 'icmp' : 'bad-data-indication');
      return;
    }
    const { offset, length } = attribute;
    const data = partOf(message.bytes, offset, offset + length, isOwned);
    if (this.#receive(peer, data)) counters.add('indication-received');
  }

  #receive(peer: TransportAddress, data: Bytes): boolean {
    const { counters, now } = this.#out;
    const permission = this.permissions.find(peer.address);
    const relayed = this.#relayed.get(addressFamily(peer.address) ?? 4);
    // One that was asked for is taken as given: the server lets nothing through before it has given it.
    const mayCome = permission !== undefined && (permission.expiresAt > now || permission.isAsked);
    if (!mayCome || relayed === undefined) {
      counters.add('no-permission');
      return false;
    }
    permission.usedAt = now;
    this.#out.heard();
    const isQueued = this.#out.received.push({ peer, relayed, data });
    if (!isQueued) counters.add('received-limit');
    return isQueued;
  }

  // --- what comes of requests ---

  permissionSettled(address: string, outcome: Outcome): void {
    const { now, settings, counters } = this.#out;
    const permission = this.permissions.find(address);
    if (permission === undefined) return;
    this.#changed = true;
    if (outcome.type === 'success') {
      this.permissions.install(permission, outcome.request.sentAt);
      for (const { peer, data } of this.permissions.takeWaiting(address)) this.#forward(peer, data);
      return;
    }
    // A server that was silent is asked again at once, one that has said no after a while.
    const isTimeout = outcome.type === 'timeout';
    this.permissions.refuse(permission, now, isTimeout ? now : now + settings.refusalTimeout);
    const dropped = permission.expiresAt > now ? 0 : this.permissions.takeWaiting(address).length;
    if (dropped > 0) counters.add('peer-refused', dropped);
  }

  channelSettled(number: number, outcome: Outcome): void {
    const { now, settings } = this.#out;
    const channel = this.channels.ofNumber(number);
    if (channel === undefined) return;
    this.#changed = true;
    if (outcome.type === 'success') this.channels.bind(channel, outcome.request.sentAt);
    else if (outcome.type === 'error' && isFinal(outcome.code)) this.channels.refuse(channel);
    else this.channels.giveUp(channel, now, now + settings.refusalTimeout);
  }

  /** There are other credentials: whom those of before could not be used for may be asked for. */
  resume(): void {
    const { now } = this.#out;
    this.isPaused = false;
    this.#changed = true;
    for (const permission of this.permissions.all()) {
      permission.refusedUntil = -Infinity;
      if (permission.expiresAt > now) permission.refreshAt = now;
    }
    for (const channel of this.channels.all()) if (channel.expiresAt > now) channel.refreshAt = now;
  }

  /** Asks again for what is to be kept, and forgets what has expired. */
  runDue(): void {
    const { now } = this.#out;
    this.#changed = true;
    for (const { address } of this.permissions.takeDue(now, !this.isPaused))
      this.#requests.ask({ type: 'permission', address });
    for (const channel of this.channels.takeDue(now, !this.isPaused)) this.#bind(channel);
  }
}

/** What the server will say again: anything but that it cannot at the moment, or does not know who asks. */
function isFinal(code: number): boolean {
  return code < Code.serverError && code !== Code.unauthenticated && code !== Code.wrongCredentials;
}
