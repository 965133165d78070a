/** A room: who is in it, and that everybody gets what everybody else sends. */
export class Room {
  /** By id. @type {Map<string, import('./member.mjs').Member>} */
  members = new Map();

  enter(member) {
    this.members.set(member.id, member);
    this.#tellWhoIsHere();
  }

  /** What the others have sent so far goes to a member who can take it. */
  showTo(member) {
    for (const other of this.members.values()) {
      if (other === member) continue;
      for (const track of other.tracks.values()) member.subscribe(track);
    }
  }

  leave(member) {
    if (!this.members.delete(member.id)) return;
    this.#tellWhoIsHere();
  }

  /** A member has begun to send something. */
  publish(track) {
    for (const member of this.members.values()) if (member !== track.publisher) member.subscribe(track);
  }

  #tellWhoIsHere() {
    const people = [...this.members.values()].map(({ id, name }) => ({ id, name }));
    for (const member of this.members.values()) member.tell({ people });
  }
}
