#!/usr/bin/env node
/**
 * Two people, two terminals, no server: the invitation and the reply travel by copy and paste. The other end may be this
 * program or the browser snippet in README.md.
 *
 *   press Enter ─> invitation ─(paste)─> the other's terminal ─> reply ─(paste)─> here ─> connected: a line is a message
 */
import { createInterface } from 'node:readline';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver, hostAddresses } from 'sansrtc/node';

/** People need longer to paste than machines get, ms. */
const PASTE_TIME = 15 * 60_000;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const crypto = nodeCrypto();
const addresses = process.argv.length > 2 ? process.argv.slice(2) : hostAddresses();
const driver = await UdpDriver.listen({ addresses });
const rtc = new Rtc({
  certificate: selfSignedCertificate({ crypto }),
  crypto,
  signalingTimeout: PASTE_TIME,
  ice: { connectTimeout: PASTE_TIME },
});

const channel = new Promise((resolve) => {
  driver.add(rtc, (event) => {
    if (event.type === 'datachannel' || event.type === 'channelopen') resolve(event.channel);
    else if (event.type === 'message') console.log(`> ${printable(event.data)}`);
    else if (event.type === 'closed') {
      console.log(`* ${printable(event.reason.message)}`);
      void driver.close().then(() => process.exit());
    }
  });
});

try {
  await meet();
} catch (error) {
  console.error(`chat: ${error.message}`);
  process.exit(1);
}
const { send } = await connected();
for await (const line of lines) send(line);
rtc.close();

/** Exchanges the two descriptions. */
async function meet() {
  console.log('* paste an invitation, or press Enter to make one');
  const pasted = await nextLine();
  if (pasted !== '') {
    console.log(
      `* send this reply back:\n${encode('answer', rtc.receiveOffer(decode('offer', pasted)).answer())}`,
    );
    return;
  }
  const draft = rtc.negotiation();
  draft.addChannel('chat');
  const offer = draft.offer();
  console.log(`* send this invitation to the other, and paste the reply:\n${encode('offer', offer.sdp)}`);
  offer.accept(decode('answer', await nextLine()));
}

async function connected() {
  const chat = await channel;
  console.log('* connected; what you type is sent');
  return { send: (line) => chat.readyState === 'open' && chat.send(line) };
}

async function nextLine() {
  const { done, value } = await lines.next();
  if (done) throw new Error('the input has ended');
  return value.trim();
}

/** What somebody else has written must not steer this terminal. */
function printable(data) {
  const text = typeof data === 'string' ? data : `${data.length} bytes`;
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}

/** One line of letters, as messengers leave alone: what a browser calls a session description, in base64. */
function encode(type, sdp) {
  return Buffer.from(JSON.stringify({ type, sdp })).toString('base64');
}

function decode(wanted, text) {
  let description;
  try {
    description = JSON.parse(Buffer.from(text, 'base64').toString());
  } catch {
    throw new Error(`that is no ${wanted}: paste the whole line`);
  }
  if (description?.type !== wanted || typeof description.sdp !== 'string')
    throw new Error(`that is no ${wanted}`);
  return description.sdp;
}
