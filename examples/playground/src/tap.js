/** Tap: a machine of the simulator with a listener at its mouth, so that the n-th datagram of the network has the n-th label. */

export class Tap {
  #machine;
  #labels;
  #owns;

  /** @param owns of a peer: whether an address is its host's; what would leave from another one is dropped. Of a relay: nothing */
  constructor(machine, labels, owns) {
    this.#machine = machine;
    this.#labels = labels;
    this.#owns = owns;
  }

  /** The network hears of calls between its steps by this. */
  get onWake() {
    return this.#machine.onWake;
  }

  set onWake(listener) {
    this.#machine.onWake = listener;
  }

  handleInput(input) {
    this.#machine.handleInput(input);
  }

  pollOutput() {
    for (;;) {
      const output = this.#machine.pollOutput();
      if (output.type !== 'transmit') return output;
      // The relay of a network that was left: a connection uses its address until another path is found.
      if (this.#owns?.(output.source.address) === false) continue;
      this.#labels.add(output.data, this.#owns === undefined);
      return output;
    }
  }
}
