/** A forwarding server of werift, as a process of its own; messages.mjs says what it is told and what it answers. */
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from 'werift';
import { serve } from './messages.mjs';

const feedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }];
const CODECS = {
  video: [new RTCRtpCodecParameters({ mimeType: 'video/VP8', clockRate: 90_000, rtcpFeedback: feedback })],
  audio: [new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 })],
};
const subscriptions = [];

serve({
  async answer({ role, kind, sdp, onForwarded, onCandidate }) {
    const connection = new RTCPeerConnection({
      codecs: CODECS,
      iceServers: [],
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ['127.0.0.1'],
    });
    connection.onIceCandidate.subscribe((candidate) => candidate && onCandidate(candidate.candidate));
    if (role === 'publisher') {
      connection.onTrack.subscribe((track) => {
        track.onReceiveRtp.subscribe((packet) => {
          for (const subscription of subscriptions) onForwarded(subscription(packet));
        });
      });
    } else {
      const track = new MediaStreamTrack({ kind });
      connection.addTransceiver(track, { direction: 'sendonly' });
      subscriptions.push((packet) => {
        track.writeRtp(packet);
        return true;
      });
    }
    await connection.setRemoteDescription({ type: 'offer', sdp });
    await connection.setLocalDescription(await connection.createAnswer());
    return connection.localDescription.sdp;
  },
});
