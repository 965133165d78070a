#!/usr/bin/env node
/** `node client.mjs http://127.0.0.1:8080/`: joins the room, says what is typed, prints what it hears. */
import { createInterface } from 'node:readline';
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { UdpDriver } from 'sansrtc/node';

const room = new URL('/room', process.argv[2] ?? 'http://127.0.0.1:8080/');
const crypto = nodeCrypto();
const driver = await UdpDriver.listen({ address: process.argv[3] });
const rtc = new Rtc({ certificate: selfSignedCertificate({ crypto }), crypto });
const open = new Promise((resolve) => {
  driver.add(rtc, (event) => {
    if (event.type === 'channelopen') resolve(event.channel);
    else if (event.type === 'message') console.log(`> ${event.data}`);
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
});
if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
offer.accept(await response.text());

const channel = await open;
console.log('* connected; what you type is sent');
for await (const line of createInterface({ input: process.stdin })) {
  if (channel.readyState === 'open') channel.send(line);
}
await fetch(new URL(response.headers.get('location'), room), { method: 'DELETE' });
