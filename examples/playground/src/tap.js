/**
 * Tap: a machine of the simulator with a listener at its mouth, so that every datagram of the network has a label.
 *
 * What is in a datagram only its sender knows, who has encrypted it: its trace says so just before the datagram is polled. The n-th
 * datagram polled is the n-th of `network.datagrams`.
 */
import { StunMethod, decodeStun } from 'sansrtc/stun';

/** Characters that a label may have. */
const LONGEST = 140;
/** The last bytes of an encrypted packet are its tag: two packets do not share it. */
const TAG = 12;
/** How many packets are remembered by their tags, for those that a relay passes on. */
const REMEMBERED = 2000;

/** `kind` is one of `stun`, `turn`, `dtls`, `sctp`, `other`. */
export class Labels {
  #labels = [];
  #byTag = new Map();
  #traced;

  /** A listener for one connection's trace. */
  listener() {
    let inside = [];
    return (entry) => {
      if (entry.type === 'packet' && entry.direction === 'out') inside.push(entry.summary);
      else if (entry.type === 'transmit') {
        this.#traced = traceLabel(entry.summary, inside);
        this.#remember(entry.data, this.#traced);
        inside = [];
      }
    };
  }

  /** What the datagram with this index is: `{ kind, text, detail }`. */
  of(index) {
    return this.#labels[index];
  }

  /** A machine is polled. */
  begin() {
    this.#traced = undefined;
  }

  /** The poll gave a datagram. @param isRelay whether a relay sends it */
  add(data, isRelay) {
    const label = this.#traced ?? this.#byTag.get(tagOf(data));
    const way = isRelay ? ' · from the relay' : isRelayed(data) ? ' · to the relay' : '';
    this.#labels.push(label === undefined ? datagramLabel(data) : { ...label, text: `${label.text}${way}` });
  }

  #remember(data, label) {
    this.#byTag.set(tagOf(data), label);
    if (this.#byTag.size > REMEMBERED) this.#byTag.delete(this.#byTag.keys().next().value);
  }
}

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
      this.#labels.begin();
      const output = this.#machine.pollOutput();
      if (output.type !== 'transmit') return output;
      // The relay of a network that was left: a connection uses its address until another path is found.
      if (this.#owns?.(output.source.address) === false) continue;
      this.#labels.add(output.data, this.#owns === undefined);
      return output;
    }
  }
}

/** @param inside summaries of the packets that are encrypted in it */
export function traceLabel(summary, inside) {
  const isStun = summary.startsWith('STUN ');
  const kind = inside.length > 0 ? 'sctp' : isStun ? 'stun' : summary.startsWith('DTLS') ? 'dtls' : 'other';
  const text = inside.length > 0 ? inside.join(' + ') : isStun ? shortStun(summary) : summary;
  return { kind, text: shortened(text), detail: [summary, ...inside].join('\n') };
}

/** Of a STUN message's attributes, those that make a difference at a glance. */
function shortStun(summary) {
  return summary.match(/^STUN \S+ \S+|USE-CANDIDATE|ERROR-CODE \d+/g)?.join(' ') ?? summary;
}

function datagramLabel(data) {
  const first = data[0] ?? 0;
  if (first >= 64 && first < 80) {
    return { kind: 'turn', text: `TURN ChannelData, ${data.length} bytes`, detail: '' };
  }
  const message = first < 4 ? decodeStun(data) : undefined;
  if (message !== undefined && 'method' in message) {
    const method = Object.keys(StunMethod).find((name) => StunMethod[name] === message.method) ?? 'message';
    const kind = method === 'binding' ? 'stun' : 'turn';
    const name = method.charAt(0).toUpperCase() + method.slice(1);
    return { kind, text: `${kind.toUpperCase()} ${name} ${message.class}`, detail: `${data.length} bytes` };
  }
  return { kind: 'other', text: `${data.length} bytes`, detail: '' };
}

/** ChannelData, or a Send indication. */
function isRelayed(data) {
  const first = data[0] ?? 0;
  return (first >= 64 && first < 80) || (first === 0 && data[1] === 0x16);
}

function tagOf(data) {
  let tag = '';
  for (let i = Math.max(0, data.length - TAG); i < data.length; i++) tag += String.fromCharCode(data[i]);
  return tag;
}

function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
