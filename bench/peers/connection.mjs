/**
 * A connection as an end of the bench has it: a stack's peer, the signals that it exchanges with the other end, and what has gone
 * over its channel.
 *
 * Signals are `{ connection, offer | answer | candidate | bye }`. They arrive in the order in which they were sent, and a candidate
 * is never sent before its description, as some stacks do not bear that.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

export class Connection {
  /** Resolves with the channel once that is open; rejects with what the stack has thrown. */
  opened;
  sentBytes = 0;
  receivedBytes = 0;
  receivedMessages = 0;
  #send;
  #peer;
  #channel;
  /** Of candidates that wait for our description to be sent. */
  #waiting = [];
  #described = false;
  /** The signals taken so far. */
  #taken;
  #fail;
  #reply;

  /** @param send takes the signals for the other end */
  constructor(id, stack, send) {
    this.#send = (signal) => send({ connection: id, ...signal });
    this.opened = new Promise((resolve, reject) => {
      this.#fail = reject;
      const listener = {
        onCandidate: (candidate) => this.#candidate(candidate),
        onChannel: (channel) => {
          this.#channel = channel;
          channel.onMessage = (data) => this.#receive(data);
          resolve(channel);
        },
      };
      this.#taken = stack.then((ready) => ready.peer(listener)).then((peer) => void (this.#peer = peer));
    });
    this.#taken.catch(this.#fail);
  }

  offer() {
    this.#next(async () => this.#describe({ offer: await this.#peer.offer() }));
  }

  take({ offer, answer, candidate, bye }) {
    this.#next(async () => {
      if (offer !== undefined) this.#describe({ answer: await this.#peer.answer(offer) });
      else if (answer !== undefined) await this.#peer.accept(answer);
      else if (candidate !== undefined) await this.#peer.addCandidate(candidate);
      else if (bye) await this.#peer.close();
    });
  }

  /** Closes both ends; resolves when this one has. */
  async close() {
    this.#send({ bye: true });
    this.take({ bye: true });
    await this.#taken;
  }

  get bufferedAmount() {
    return this.#channel?.bufferedAmount ?? 0;
  }

  /** Sends back what comes. */
  echo() {
    this.#reply = (data) => this.#transmit(new Uint8Array(data));
  }

  /** Sends a message of so many bytes, and another whenever one has come back. */
  bounce(bytes) {
    const message = new Uint8Array(bytes);
    this.#reply = () => this.#transmit(message);
    this.#transmit(message);
  }

  /** Sends messages without end, so that never more than `backlog` bytes wait, and a quarter of that is left when it goes on. */
  async flow(bytes, backlog) {
    const message = new Uint8Array(bytes);
    const channel = this.#channel;
    while (true) {
      // At most so much a turn: stacks with threads of their own send while this goes on.
      for (let sent = 0; sent < backlog && channel.bufferedAmount < backlog; sent += bytes) {
        this.#transmit(message);
      }
      if (channel.bufferedAmount >= backlog) await channel.drained(backlog / 4);
      else await nextTurn();
    }
  }

  #next(step) {
    this.#taken = this.#taken.then(step);
    this.#taken.catch(this.#fail);
  }

  #describe(description) {
    this.#send(description);
    this.#described = true;
    for (const candidate of this.#waiting) this.#send({ candidate });
  }

  #candidate(candidate) {
    if (this.#described) this.#send({ candidate });
    else this.#waiting.push(candidate);
  }

  #transmit(message) {
    this.#channel.send(message);
    this.sentBytes += message.byteLength;
  }

  #receive(data) {
    this.receivedBytes += data.byteLength;
    this.receivedMessages++;
    this.#reply?.(data);
  }
}
