/**
 * The server's end of a WebSocket (RFC 6455), as much of it as a browser on the same machine needs: the handshake, messages in one frame or
 * several, the end. No extensions, no pings, and a peer that breaks the protocol is hung up on.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** RFC 6455 §5.2. */
const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8 } as const;
const FINAL = 0x80;
const MASKED = 0x80;
const MASK_LENGTH = 4;
/** A payload length from here on stands in 16 bits; from `IN_64_BITS` on in 64. */
const IN_16_BITS = 126;
const IN_64_BITS = 127;

interface Frame {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
  /** Bytes of all of it. */
  readonly length: number;
}

export class WebSocketEnd {
  onMessage: (message: string | Uint8Array) => void = () => undefined;
  readonly #socket: Duplex;
  /** The beginning of a frame whose end has not come. */
  #rest: Buffer = Buffer.alloc(0);
  /** The frames of a message whose last one has not come. */
  #parts: Buffer[] = [];
  #isText = false;

  /** Answers what came with an HTTP server's event `upgrade`. */
  static accept(request: IncomingMessage, socket: Duplex): WebSocketEnd {
    const key = request.headers['sec-websocket-key'] ?? '';
    const proof = createHash('sha1').update(`${key}${GUID}`).digest('base64');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n' +
        `sec-websocket-accept: ${proof}\r\n\r\n`,
    );
    return new WebSocketEnd(socket);
  }

  private constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
  }

  send(message: string | Uint8Array): void {
    const payload = typeof message === 'string' ? Buffer.from(message) : message;
    const opcode = typeof message === 'string' ? OPCODES.text : OPCODES.binary;
    this.#socket.cork();
    this.#socket.write(head(opcode, payload.length));
    this.#socket.write(payload);
    this.#socket.uncork();
  }

  close(): void {
    this.#socket.end(head(OPCODES.close, 0));
  }

  #read(chunk: Buffer): void {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let frame = readFrame(rest); frame !== undefined; frame = readFrame(rest)) {
      rest = rest.subarray(frame.length);
      this.#take(frame);
    }
    this.#rest = rest;
  }

  #take({ isFinal, opcode, payload }: Frame): void {
    if (opcode > OPCODES.binary) {
      this.#socket.end();
      return;
    }
    if (opcode !== OPCODES.continuation) this.#isText = opcode === OPCODES.text;
    this.#parts.push(payload);
    if (!isFinal) return;
    const message = this.#parts.length === 1 ? payload : Buffer.concat(this.#parts);
    this.#parts = [];
    this.onMessage(this.#isText ? message.toString() : message);
  }
}

/** A client's frame, which is masked always (RFC 6455 §5.3); `undefined` while a part of it is missing. */
function readFrame(bytes: Buffer): Frame | undefined {
  const [first = 0, second = 0] = bytes;
  const short = second & ~MASKED;
  const maskAt = short === IN_64_BITS ? 10 : short === IN_16_BITS ? 4 : 2;
  const start = maskAt + MASK_LENGTH;
  if (bytes.length < start) return undefined;
  const payloadLength =
    short === IN_64_BITS
      ? Number(bytes.readBigUInt64BE(2))
      : short === IN_16_BITS
        ? bytes.readUInt16BE(2)
        : short;
  const length = start + payloadLength;
  if (bytes.length < length) return undefined;
  const mask = bytes.subarray(maskAt, start);
  const payload = bytes.subarray(start, length);
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i % MASK_LENGTH]!;
  return { isFinal: (first & FINAL) !== 0, opcode: first & 0x0f, payload, length };
}

/** What stands before the payload of a server's frame. */
function head(opcode: number, length: number): Buffer {
  if (length < IN_16_BITS) return Buffer.of(FINAL | opcode, length);
  const bytes = Buffer.alloc(length <= 0xffff ? 4 : 10);
  bytes[0] = FINAL | opcode;
  if (length <= 0xffff) {
    bytes[1] = IN_16_BITS;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = IN_64_BITS;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  return bytes;
}
