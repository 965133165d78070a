#!/usr/bin/env node
/** `node client.mjs http://127.0.0.1:8080/`: joins the room, says what is typed, prints what it hears. */
import { createInterface } from 'node:readline';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const MAX_ANSWER_BYTES = 64 * 1024;
const ANSWER_WITHIN = 20_000;

const room = new URL('/room', process.argv[2] ?? 'http://127.0.0.1:8080/');
const crypto = nodeCrypto();
const driver = await UdpDriver.listen({ address: process.argv[3] });
const rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto });
const open = new Promise((resolve) => {
  driver.add(rtc, (event) => {
    if (event.type === 'channelopen') resolve(event.channel);
    else if (event.type === 'message') console.log(`> ${printable(event.data)}`);
    else if (event.type === 'closed') void driver.close().then(() => process.exit());
  });
});

const draft = rtc.negotiation();
draft.addChannel('room');
const offer = draft.offer();
const response = await fetch(room, {
  method: 'POST',
  headers: { 'content-type': 'application/sdp' },
  body: offer.sdp,
  signal: AbortSignal.timeout(ANSWER_WITHIN),
});
const body = await readBody(response);
if (response.status !== 201) throw new Error(`${response.status}: ${printable(body)}`);
offer.accept(body);

const channel = await open;
console.log('* connected; what you type is sent');
for await (const line of createInterface({ input: process.stdin })) {
  if (channel.readyState === 'open') channel.send(line);
}
const member = new URL(response.headers.get('location') ?? '', room);
if (member.origin === room.origin) {
  await fetch(member, { method: 'DELETE', signal: AbortSignal.timeout(ANSWER_WITHIN) });
}

async function readBody(response) {
  const parts = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('no answer is that long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** What somebody else has written must not steer this terminal. */
function printable(data) {
  const text = typeof data === 'string' ? data : `${data.length} bytes`;
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}
