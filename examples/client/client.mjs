#!/usr/bin/env node
/**
 * A process that joins a page, wherever both are: all that it knows is a STUN or TURN server.
 *
 *   node client.mjs --ice-servers '[{ "urls": "stun:stun.example.org" }]' https://meet.example.org/meet   its offer is POSTed
 *   node client.mjs --ice-servers '[…]'                                                   it is pasted, and the reply too
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver, hostAddresses } from 'sansrtc/node';

const MAX_ANSWER_BYTES = 64 * 1024;
/** As long as somebody may take to open the page, or to paste, ms. */
const ANSWER_WITHIN = 15 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'ice-servers': { type: 'string', default: '[]' },
    relay: { type: 'boolean', default: false },
    address: { type: 'string', multiple: true },
  },
});
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const crypto = nodeCrypto();
const driver = await UdpDriver.listen({ addresses: values.address ?? hostAddresses() });
const rtc = new Rtc({
  certificate: selfSignedCertificate({ crypto }),
  crypto,
  signalingTimeout: ANSWER_WITHIN,
  ice: { connectTimeout: ANSWER_WITHIN, transportPolicy: values.relay ? 'relay' : 'all' },
});
const open = new Promise((resolve) => {
  driver.add(rtc, (event) => {
    if (event.type === 'channelopen') resolve(event.channel);
    else if (event.type === 'message') console.log(`> ${printable(event.data)}`);
    else if (event.type === 'icecandidateerror')
      console.error(`* ${event.url}: ${event.errorCode} ${printable(event.errorText)}`);
    else if (event.type === 'closed') {
      console.log(`* ${printable(event.reason.message)}`);
      void driver.close().then(() => process.exit());
    }
  });
});

try {
  await driver.gather(rtc, { iceServers: JSON.parse(values['ice-servers']) });
  const draft = rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  offer.accept(positionals[0] === undefined ? await paste(offer.sdp) : await post(offer.sdp));
} catch (error) {
  console.error(`client: ${printable(error.message)}`);
  process.exit(1);
}

const chat = await open;
const { local, remote } = rtc.inspect().ice.selectedPair;
console.log(`* connected (${local.type} to ${remote.type}); what you type is sent`);
for await (const line of lines) if (chat.readyState === 'open') chat.send(line);
rtc.close();

/** In the manner of WHIP (RFC 9725): the answer is what the POST of an offer is answered by. */
async function post(sdp) {
  const response = await fetch(positionals[0], {
    method: 'POST',
    headers: { 'content-type': 'application/sdp' },
    body: sdp,
    signal: AbortSignal.timeout(ANSWER_WITHIN),
  });
  const parts = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('no answer is that long');
    parts.push(part);
  }
  const body = Buffer.concat(parts).toString();
  if (response.status !== 201) throw new Error(`${response.status}: ${body}`);
  return body;
}

/** One line each way: what a browser calls a session description, in base64, as messengers leave it alone. */
async function paste(sdp) {
  const invitation = Buffer.from(JSON.stringify({ type: 'offer', sdp })).toString('base64');
  console.log(`* paste this invitation into the page, and its reply here:\n${invitation}`);
  const { done, value } = await lines.next();
  if (done) throw new Error('the input has ended');
  let reply;
  try {
    reply = JSON.parse(Buffer.from(value, 'base64').toString());
  } catch {
    throw new Error('that is no reply: paste the whole line');
  }
  if (reply?.type !== 'answer' || typeof reply.sdp !== 'string') throw new Error('that is no reply');
  return reply.sdp;
}

/** What somebody else has written must not steer this terminal. */
function printable(data) {
  const text = typeof data === 'string' ? data : `${data.length} bytes`;
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}
