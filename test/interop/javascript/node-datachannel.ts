/** libdatachannel (usrsctp, libjuice, OpenSSL) behind node-datachannel's W3C classes, on loopback. */
// @ts-expect-error It is installed beside the program when a test runs.
import { RTCPeerConnection as Unbound } from 'node-datachannel/polyfill';
import { serve } from './serve.ts';

const Base = Unbound as new (configuration: object) => RTCPeerConnection;

class Bound extends Base {
  constructor() {
    super({ iceServers: [], bindAddress: '127.0.0.1' });
    this.addEventListener('icegatheringstatechange', () => {
      if (this.iceGatheringState !== 'complete') return;
      this.onicecandidate?.({ candidate: null } as RTCPeerConnectionIceEvent);
    });
  }
}

serve('node-datachannel', Bound);
