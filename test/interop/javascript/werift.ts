/** werift: ICE, DTLS 1.2 and SCTP of its own in TypeScript, on loopback. */
// @ts-expect-error It is installed beside the program when a test runs.
import { RTCDataChannel as Channel, RTCPeerConnection as Unbound } from 'werift';
import { serve } from './serve.ts';

interface WeriftConnection extends RTCPeerConnection {
  readonly onIceCandidate: { subscribe(listener: (candidate: RTCIceCandidate | undefined) => void): void };
}

type Listener = (event: { readonly candidate: RTCIceCandidate | null }) => void;

const Base = Unbound as new (configuration: object) => WeriftConnection;

class Bound extends Base {
  constructor() {
    super({ iceServers: [], iceUseIpv6: false, iceAdditionalHostAddresses: ['127.0.0.1'] });
    // It tells the end of gathering by `undefined`, and W3C by `null`.
    Object.defineProperty(this, 'onicecandidate', {
      set: (listener: Listener) => {
        this.onIceCandidate.subscribe((candidate) => listener({ candidate: candidate ?? null }));
      },
    });
  }
}

// It takes no bytes but a Buffer's.
type Send = (this: unknown, data: string | Uint8Array) => void;
const { prototype } = Channel as { prototype: { send: Send } };
const { send } = prototype;
prototype.send = function (data): void {
  send.call(this, typeof data === 'string' ? data : Buffer.from(data));
};

serve('werift', Bound);
