/**
 * A relay in a process of its own that holds every datagram for a while and loses some. It stands in front of an address with a
 * socket; whoever sends there has a socket of his own on the far side, so that answers find back to him.
 *
 *   node relay.mjs '{ "delay": ms each way, "seed": 1 }'
 */
import { createSocket } from 'node:dgram';
import { serve } from './served.mjs';

const BUFFER_BYTES = 4 * 1024 * 1024;

const { delay, seed } = JSON.parse(process.argv[2]);
const random = sequence(seed);
/** The share of all datagrams that is lost, each way. */
let loss = 0;
/** Datagrams on their way, by the time they are due. */
let flying = [];
let timer;

async function bind() {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  socket.setRecvBufferSize(BUFFER_BYTES);
  socket.setSendBufferSize(BUFFER_BYTES);
  return socket;
}

async function front(target) {
  const near = await bind();
  const sources = new Map();
  near.on('message', async (datagram, from) => {
    const key = `${from.address}:${from.port}`;
    if (!sources.has(key)) sources.set(key, farSide(near, from));
    carry(datagram, await sources.get(key), target);
  });
  return near.address().port;
}

async function farSide(near, source) {
  const far = await bind();
  far.on('message', (datagram) => carry(datagram, near, source));
  return far;
}

function carry(datagram, socket, to) {
  if (random() < loss) return;
  flying.push({ due: performance.now() + delay, datagram, socket, to });
  timer ??= setTimeout(land, delay);
}

function land() {
  const now = performance.now();
  let landed = 0;
  while (landed < flying.length && flying[landed].due <= now) {
    const { datagram, socket, to } = flying[landed++];
    socket.send(datagram, to.port, to.address, () => {}); // nobody there: lost, as on any network
  }
  flying = flying.slice(landed);
  timer = flying.length > 0 ? setTimeout(land, Math.max(1, flying[0].due - now)) : undefined;
}

/** Numbers from 0 to 1, the same ones for the same seed. */
function sequence(start) {
  let state = start;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

serve({
  front,
  lose(share) {
    loss = share;
  },
});
