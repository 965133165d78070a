#!/usr/bin/env node
/** Data channels that answer everything they hear. POST an SDP offer to http://127.0.0.1:8080/, get the answer. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const [httpPort = 8080, port = 3478] = process.argv.slice(2).map(Number);
const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen({ port, onWarning: ({ message }) => console.warn(message) });

function answer(offer) {
  const rtc = new Rtc({ certificate, crypto });
  driver.add(rtc, (event) => {
    if (event.type === 'message') event.channel.send(event.data);
  });
  return rtc.receiveOffer(offer).answer();
}

const server = createServer(async (request, response) => {
  try {
    response.end(answer(await text(request)));
  } catch (error) {
    response.writeHead(400).end(`${error.message}\n`);
  }
});
server.listen(httpPort, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
