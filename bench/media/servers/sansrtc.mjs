/** A forwarding server of sansrtc, as a process of its own; messages.mjs says what it is told and what it answers. */
import { Rtc, selfSignedCertificate } from 'sansrtc';
import { nodeCrypto } from 'sansrtc/crypto/node';
import { SourceSwitch, rtpMedia } from 'sansrtc/media';
import { UdpDriver } from 'sansrtc/node';
import { serve } from './messages.mjs';

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const driver = await UdpDriver.listen({ address: '127.0.0.1' });
const subscriptions = [];

serve({
  async answer({ role, sdp, onForwarded }) {
    const rtc = new Rtc({ certificate, crypto, media: rtpMedia() });
    driver.add(rtc, (event) => {
      if (event.type !== 'rtp') return;
      for (const subscription of subscriptions) onForwarded(subscription(event));
    });
    const received = rtc.receiveOffer(sdp);
    for (const media of received.media) media.direction = role === 'publisher' ? 'recvonly' : 'sendonly';
    const answer = received.answer();
    if (role === 'subscriber') subscriptions.push(forwarder(rtc.media[0].sender()));
    return answer.sdp ?? answer;
  },
});

function forwarder(sender) {
  const row = new SourceSwitch();
  return (event) => {
    row.select(event.stream);
    const packet = row.forward(event);
    return packet !== undefined && sender.write(packet);
  };
}
