#!/usr/bin/env node
/** Data channels that answer everything they hear. POST an SDP offer to http://127.0.0.1:8080/, get the answer. */
import { createServer } from 'node:http';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const MAX_OFFER_BYTES = 64 * 1024;

const [httpPort = 8080, port = 3478] = process.argv.slice(2).map(Number);
const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen({
  port,
  onWarning: ({ message }) => console.warn(message),
  onError: (error) => console.error(error),
});

function answer(offer) {
  const rtc = new Rtc({ certificate, crypto });
  driver.add(rtc, (event) => {
    // What does not fit, or is larger than the peer takes, is not echoed: `send` answers false.
    if (event.type === 'message') event.channel.send(event.data);
  });
  try {
    return rtc.receiveOffer(offer).answer();
  } catch (error) {
    rtc.close(); // an offer that is refused leaves nothing behind
    throw error;
  }
}

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
    response.end(answer(await readOffer(request)));
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`);
  }
});
server.listen(httpPort, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
