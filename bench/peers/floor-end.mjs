/**
 * An end of the floor: it sends datagrams, or receives them, and does nothing else that a stack would do. With `seals` each is a
 * record of DTLS 1.2, sealed and opened with AES-128-GCM of Node's. The receiver tells how many it has had, so that the sender
 * never has more on the way than the kernel holds.
 *
 *   node floor-end.mjs '{ "seals": true }'
 */
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { setImmediate, setInterval } from 'node:timers';
import { serve } from './served.mjs';

const HOST = '127.0.0.1';
const BUFFER_BYTES = 4 * 1024 * 1024;
/** Datagrams on the way at most, and for how many received the sender is told of it. */
const WINDOW = 128;
const TOLD_EVERY = 16;
/** After so long without a word, ms, what was on the way is taken for lost. */
const SILENCE = 100;
/** A sender that is never held up lets others have their turn after so many. */
const TURN = 32;

const CIPHER = 'aes-128-gcm';
const TAG = { authTagLength: 16 };
const HEADER = 13;
const NONCE = 8;
/** What a seal adds to what is carried, bytes. */
const OVERHEAD = HEADER + NONCE + TAG.authTagLength;

const { seals } = JSON.parse(process.argv[2]);
const key = createSecretKey(new Uint8Array(16));
/** Bytes of payload, without what a seal adds. */
let carried = 0;

async function bind() {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, HOST, resolve));
  socket.setRecvBufferSize(BUFFER_BYTES);
  socket.setSendBufferSize(BUFFER_BYTES);
  return socket;
}

/** @returns the port */
async function receive() {
  const socket = await bind();
  let received = 0;
  socket.on('message', (datagram, from) => {
    carried += seals ? open(datagram).length : datagram.length;
    if (++received % TOLD_EVERY === 0) socket.send(String(received), from.port, from.address);
  });
  return socket.address().port;
}

async function send({ bytes, port }) {
  const socket = await bind();
  const payload = new Uint8Array(seals ? bytes - OVERHEAD : bytes);
  let sent = 0;
  let settled = 0;
  let silence;
  let waiting = false;
  const onSent = () => {};

  function go() {
    waiting = false;
    for (let i = 0; i < TURN && sent - settled < WINDOW; i++) {
      const datagram = seals ? seal(payload, sent) : payload;
      socket.send(datagram, port, HOST, onSent);
      sent++;
      carried += payload.length;
    }
    if (sent - settled < WINDOW) later();
  }
  function later() {
    if (waiting) return;
    waiting = true;
    setImmediate(go);
  }
  let lost = 0;
  socket.on('message', (told) => {
    settled = Math.min(sent, Number(told) + lost);
    silence.refresh();
    later();
  });
  silence = setInterval(() => {
    lost += sent - settled;
    settled = sent;
    later();
  }, SILENCE);
  go();
}

function seal(payload, sequence) {
  const record = Buffer.allocUnsafe(payload.length + OVERHEAD);
  record.fill(0, 0, HEADER);
  record.writeBigUInt64BE(BigInt(sequence), HEADER);
  const cipher = createCipheriv(CIPHER, key, nonce(record), TAG);
  cipher.setAAD(record.subarray(0, HEADER));
  record.set(cipher.update(payload), HEADER + NONCE);
  cipher.final();
  record.set(cipher.getAuthTag(), HEADER + NONCE + payload.length);
  return record;
}

function open(record) {
  const decipher = createDecipheriv(CIPHER, key, nonce(record), TAG);
  decipher.setAAD(record.subarray(0, HEADER));
  decipher.setAuthTag(record.subarray(-TAG.authTagLength));
  const payload = decipher.update(record.subarray(HEADER + NONCE, -TAG.authTagLength));
  decipher.final();
  return payload;
}

/** Four bytes of the key's, here zero, and eight of the record's. */
function nonce(record) {
  const bytes = new Uint8Array(12);
  bytes.set(record.subarray(HEADER, HEADER + NONCE), 4);
  return bytes;
}

function sample() {
  const { user, system } = process.cpuUsage();
  return { time: performance.now(), cpu: (user + system) / 1000, carried };
}

serve({ receive, send, sample });
