#!/usr/bin/env node
/** The echo server on every core: POST an SDP offer to http://127.0.0.1:8080/, get the answer of one of the workers. */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Pool } from './pool.mjs';

const MAX_OFFER_BYTES = 64 * 1024;

const { values } = parseArgs({
  options: {
    workers: { type: 'string' },
    address: { type: 'string', default: '127.0.0.1' },
    'http-port': { type: 'string', default: '8080' },
  },
});
const size = values.workers === undefined ? undefined : Number(values.workers);
const pool = await Pool.start(size, { address: values.address });

/** The body, if it is no longer than an offer may be. */
async function readOffer(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > MAX_OFFER_BYTES) throw new Error('no offer is that long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const server = createServer(async (request, response) => {
  try {
    response.end(await pool.answer(await readOffer(request)));
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`);
  }
});
server.once('error', ({ message }) => {
  console.error(`${message}: choose another --http-port`);
  process.exit(1);
});
server.listen(Number(values['http-port']), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
