/**
 * Connection ids of an endpoint's connections (RFC 9146, RFC 9147 §9): whose a datagram is where several share one path.
 *
 *   a protected record with an id ──our id: the username fragment, drawn here──▶ the connection that has asked for it
 *   a hello in plaintext ──the id it offers: the peer's username fragment, as signalling told──▶ the connection with that peer
 *
 * A handshake begins without ids, but its hellos offer them, and an `Rtc` offers its username fragment, which its peer knows.
 * So connections between two sockets can shake hands at once, and need not wait for each other. A hello of a stack that
 * offers something else names nobody here, and goes where all that has no id goes: to the owner of the path (ownership.ts).
 *
 * An id proves nothing: the path must be one that ICE knows of that connection, as ever.
 */
import { connectionIdAt, offeredConnectionIdIn } from '../dtls/identification.ts';
import type { Rtc } from '../rtc.ts';

/** Bytes of a peer's id, and characters of its username fragment, that tell whom it means: at the most, and at the least. */
const LONGEST_NAME = 8;
const SHORTEST_NAME = 4;

/** A connection, as far as its ids go. */
interface Identified {
  readonly rtc: Rtc;
}

/** What is known of a connection here. */
interface Entry {
  id: string | undefined;
  name: string | undefined;
}

/** Whose a datagram says it is: a connection, nobody here though it has an id, or it says nothing of the kind. */
export type Addressee<Member> = Member | 'nobody' | undefined;

/** Every connection that wants an id in what is sent to it, by that id and by its peer's name. */
export class ConnectionIds<Member extends Identified> {
  readonly #entries = new Map<Member, Entry>();
  readonly #byId = new Map<string, Member>();
  readonly #byName = new Map<string, Member>();
  /** How many ids there are of each length: as a rule of one. */
  readonly #lengths = new Map<number, number>();

  /** Connections that have, or may still get, an id. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Learns what `member` tells of itself by now.
   * @returns false if another connection has its id: it cannot be told apart
   */
  note(member: Member): boolean {
    let entry = this.#entries.get(member);
    if (entry === undefined) this.#entries.set(member, (entry = { id: undefined, name: undefined }));
    const { connectionId, remoteUsernameFragment } = member.rtc;
    if (entry.name === undefined && remoteUsernameFragment !== undefined) {
      const name = remoteUsernameFragment.slice(0, LONGEST_NAME);
      if (!this.#byName.has(name)) this.#byName.set((entry.name = name), member);
    }
    if (entry.id === undefined && connectionId !== undefined) {
      const id = textOf(connectionId, 0, connectionId.length);
      if (this.#byId.has(id)) return false;
      this.#byId.set((entry.id = id), member);
      this.#lengths.set(id.length, (this.#lengths.get(id.length) ?? 0) + 1);
    }
    return true;
  }

  /** `member` leaves. */
  forget(member: Member): void {
    const { id, name } = this.#entries.get(member) ?? {};
    this.#entries.delete(member);
    if (name !== undefined) this.#byName.delete(name);
    if (id === undefined) return;
    this.#byId.delete(id);
    const left = (this.#lengths.get(id.length) ?? 0) - 1;
    if (left > 0) this.#lengths.set(id.length, left);
    else this.#lengths.delete(id.length);
  }

  /** Whose `datagram` says it is. A look-up for each length of ids in use, or for each length of a name. */
  find(datagram: Uint8Array): Addressee<Member> {
    const at = connectionIdAt(datagram);
    if (at >= 0) {
      for (const length of this.#lengths.keys()) {
        const member = this.#byId.get(textOf(datagram, at, length));
        if (member !== undefined) return member;
      }
      return 'nobody';
    }
    const offered = this.#byName.size === 0 ? undefined : offeredConnectionIdIn(datagram);
    if (offered === undefined) return undefined;
    for (let length = Math.min(LONGEST_NAME, offered.length); length >= SHORTEST_NAME; length--) {
      const member = this.#byName.get(textOf(offered, 0, length));
      if (member !== undefined) return member;
    }
    return undefined;
  }
}

/** One character a byte, so that equal bytes are equal keys. */
function textOf(bytes: Uint8Array, at: number, length: number): string {
  let text = '';
  for (let i = at; i < Math.min(at + length, bytes.length); i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
