/**
 * The path between two ends: the relay's process, and the signals changed so that each end knows of the relay alone. Candidates over
 * UDP and IPv4 are replaced by addresses of the relay's, the others are left out.
 */
import { udpAddress } from './candidate.mjs';
import { Program } from './program.mjs';

const IN_DESCRIPTION = /^a=(?:candidate:.*|end-of-candidates)\r?\n/gm;

export class Path {
  #relay;
  /** Port of the relay by what it stands in front of. */
  #fronts = new Map();

  /** @param delay each way, ms */
  static async open({ delay, seed }) {
    return new Path(await Program.start('relay.mjs', { delay, seed }));
  }

  constructor(relay) {
    this.#relay = relay;
  }

  /** From now on this share of all datagrams is lost, each way. */
  async lose(share) {
    await this.#relay.call('lose', share);
  }

  /** The signal as the other end may see it; `undefined` for a candidate that is none for it. */
  async inFrontOf({ offer, answer, candidate, ...rest }) {
    if (offer !== undefined) return { ...rest, offer: await this.#description(offer) };
    if (answer !== undefined) return { ...rest, answer: await this.#description(answer) };
    if (candidate === undefined) return rest;
    const line = await this.#candidate(candidate.candidate);
    return line === undefined ? undefined : { ...rest, candidate: { ...candidate, candidate: line } };
  }

  close() {
    this.#relay.stop();
  }

  async #description(sdp) {
    const lines = sdp.match(IN_DESCRIPTION) ?? [];
    const changed = await Promise.all(lines.map((line) => this.#candidate(line)));
    const known = changed.filter((line) => line !== undefined);
    return `${sdp.replace(IN_DESCRIPTION, '')}${known.map((line) => `a=${line}\r\n`).join('')}`;
  }

  async #candidate(line) {
    const target = udpAddress(line);
    if (target === undefined) return undefined;
    const key = `${target.address}:${target.port}`;
    if (!this.#fronts.has(key)) this.#fronts.set(key, this.#relay.call('front', target));
    return `candidate:1 1 UDP 2122317823 127.0.0.1 ${await this.#fronts.get(key)} typ host`;
  }
}
