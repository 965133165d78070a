/**
 * Labels: what each datagram of the network is, in a line. STUN and TURN can be read by anybody; what is encrypted is read just before
 * it is, by a crypto provider that listens, and known again by its tag, which no two packets share.
 */
import {
  StunAttributeType,
  StunMethod,
  attributeValue,
  decodeStun,
  errorCodeOf,
  hasAttribute,
} from 'sansrtc/stun';

/** Characters that a label may have. */
const LONGEST = 120;
/** Of a tag, so many bytes are enough. */
const TAG = 12;
/** How many encrypted packets are remembered: those under way, and those that a relay will pass on. */
const REMEMBERED = 2000;
const TAG_LENGTH = 16;

export class Labels {
  #labels = [];
  #byTag = new Map();

  /** What the datagram with this index is: `{ kind, text }`; `kind` is one of `stun`, `turn`, `dtls`, `sctp`, `other`. */
  of(index) {
    return this.#labels[index];
  }

  get length() {
    return this.#labels.length;
  }

  /** A datagram is sent. @param isRelay whether a relay sends it */
  add(data, isRelay) {
    const label = this.#read(data);
    this.#labels.push(
      isRelay && label.kind !== 'turn' ? { ...label, text: `${label.text} · from the relay` } : label,
    );
  }

  /** @param provider of cryptography, as `Rtc` takes it: the same, with somebody who listens to what is encrypted */
  listening(provider) {
    const key = (made) => ({
      seal: (nonce, additionalData, buffer, offset, length) => {
        const label = plaintextLabel(buffer.subarray(offset, offset + length));
        made.seal(nonce, additionalData, buffer, offset, length);
        const end = offset + length + TAG_LENGTH;
        this.#remember(tagOf(buffer, end), label);
      },
      open: (...all) => made.open(...all),
      ...(made.forSequence === undefined ? {} : { forSequence: () => key(made.forSequence()) }),
    });
    const listening = Object.create(provider);
    listening.aead = (algorithm, bytes) => key(provider.aead(algorithm, bytes));
    return listening;
  }

  #read(data) {
    const first = data[0] ?? 0;
    if (first < 4) return this.#readStun(data);
    if (first >= 64 && first < 80) return this.#relayed(data.subarray(4));
    const sealed = this.#byTag.get(tagOf(data, data.length));
    if (first === 22) {
      const open = `DTLS ${HANDSHAKES.get(data[13]) ?? 'handshake'}`;
      return {
        kind: 'dtls',
        text: sealed === undefined ? open : `${open} + ${sealed.text.replace(/^DTLS /, '')}`,
      };
    }
    if (sealed !== undefined) return sealed;
    return first >= 20 && first < 64
      ? { kind: 'dtls', text: `DTLS record, ${data.length} bytes` }
      : { kind: 'other', text: `${data.length} bytes` };
  }

  #readStun(data) {
    const message = decodeStun(data);
    if (!('method' in message)) return { kind: 'other', text: `${data.length} bytes` };
    const inner =
      message.class === 'indication' ? attributeValue(message, StunAttributeType.data) : undefined;
    if (inner !== undefined) return this.#relayed(inner);
    const name = Object.keys(StunMethod).find((one) => StunMethod[one] === message.method) ?? 'message';
    const kind = name === 'binding' ? 'stun' : 'turn';
    const code = message.class === 'error' ? ` ${errorCodeOf(message)}` : '';
    const nominates = hasAttribute(message, StunAttributeType.useCandidate) ? ', USE-CANDIDATE' : '';
    const title = name.charAt(0).toUpperCase() + name.slice(1);
    return { kind, text: `${kind.toUpperCase()} ${title} ${message.class}${code}${nominates}` };
  }

  #relayed(inner) {
    const label = this.#read(inner);
    return { ...label, text: `${label.text} · by TURN` };
  }

  #remember(tag, label) {
    this.#byTag.set(tag, label);
    if (this.#byTag.size > REMEMBERED) this.#byTag.delete(this.#byTag.keys().next().value);
  }
}

const HANDSHAKES = new Map([
  [1, 'ClientHello'],
  [2, 'ServerHello'],
  [4, 'NewSessionTicket'],
  [8, 'EncryptedExtensions'],
  [11, 'Certificate'],
  [13, 'CertificateRequest'],
  [15, 'CertificateVerify'],
  [20, 'Finished'],
  [24, 'KeyUpdate'],
]);

/** What DTLS 1.3 encrypts: its type is the last byte that is not 0 (RFC 8446 §5.2). */
export function plaintextLabel(plaintext) {
  let end = plaintext.length - 1;
  while (end > 0 && plaintext[end] === 0) end--;
  const content = plaintext.subarray(0, end);
  switch (plaintext[end]) {
    case 21:
      return { kind: 'dtls', text: 'DTLS alert' };
    case 22:
      return { kind: 'dtls', text: `DTLS ${HANDSHAKES.get(content[0]) ?? 'handshake'}` };
    case 23:
      return { kind: 'sctp', text: sctpLabel(content) };
    case 26:
      return { kind: 'dtls', text: 'DTLS ACK' };
    default:
      return { kind: 'dtls', text: 'DTLS record' };
  }
}

const CHUNKS = new Map([
  [0, 'DATA'],
  [1, 'INIT'],
  [2, 'INIT ACK'],
  [3, 'SACK'],
  [4, 'HEARTBEAT'],
  [5, 'HEARTBEAT ACK'],
  [6, 'ABORT'],
  [7, 'SHUTDOWN'],
  [8, 'SHUTDOWN ACK'],
  [9, 'ERROR'],
  [10, 'COOKIE ECHO'],
  [11, 'COOKIE ACK'],
  [14, 'SHUTDOWN COMPLETE'],
  [64, 'I-DATA'],
  [130, 'RE-CONFIG'],
  [132, 'PAD'],
  [192, 'FORWARD TSN'],
  [194, 'I-FORWARD TSN'],
]);
const HEADER = 12;

/** The chunks of an SCTP packet (RFC 9260 §3, RFC 8260 §2.1). */
export function sctpLabel(packet) {
  const parts = [];
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  for (let at = HEADER; at + 4 <= packet.length && parts.length < 8;) {
    const type = packet[at];
    const length = view.getUint16(at + 2);
    if (length < 4 || at + length > packet.length) break;
    parts.push(chunkLabel(view, at, type, length));
    at += (length + 3) & ~3;
  }
  const text = parts.join(' + ') || 'SCTP';
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function chunkLabel(view, at, type, length) {
  const name = CHUNKS.get(type) ?? `chunk ${type}`;
  if ((type === 0 && length > 16) || (type === 64 && length > 20)) {
    const header = type === 0 ? 16 : 20;
    // An I-DATA chunk that does not begin its message has a number of its fragment in place of the protocol.
    const isStart = type === 0 || (view.getUint8(at + 1) & 2) !== 0;
    const protocol = isStart ? view.getUint32(at + (type === 0 ? 12 : 16)) : 0;
    const what =
      protocol === 50 ? (view.getUint8(at + header) === 3 ? 'OPEN' : 'ACK') : `${length - header} bytes`;
    return `${name} ${view.getUint32(at + 4)}, stream ${view.getUint16(at + 8)}, ${what}`;
  }
  if (type === 3 && length >= 16) {
    const gaps = view.getUint16(at + 12);
    return `${name} ${view.getUint32(at + 4)}${gaps === 0 ? '' : `, ${gaps} ${gaps === 1 ? 'gap' : 'gaps'}`}`;
  }
  return name;
}

function tagOf(data, end) {
  let tag = '';
  for (let i = Math.max(0, end - TAG); i < end; i++) tag += String.fromCharCode(data[i]);
  return tag;
}
