/**
 * The worker: answers the offer that comes over its pipe with the bundle it is told to use, and sends every message back.
 *
 *   echo.mjs?bundle=/0/sansrtc.js&pipe=ws://…[&webassembly=without]
 */
import type * as Sansrtc from '../../src/index.ts';
import { PipedRtc, SERVER, WORKER } from './piped-rtc.ts';

const parameters = new URL(location.href).searchParams;
const parameter = (name: string): string => parameters.get(name) ?? '';

// Before the bundle is there, which looks when it makes its first key.
if (parameter('webassembly') === 'without') Reflect.deleteProperty(globalThis, 'WebAssembly');
const { Rtc, jsCrypto, selfSignedCertificate } = (await import(parameter('bundle'))) as typeof Sansrtc;

const socket = new WebSocket(parameter('pipe'));
socket.binaryType = 'arraybuffer';
const rtc = new Rtc({
  certificate: selfSignedCertificate(),
  crypto: jsCrypto(),
  now: performance.now(),
});
const end = new PipedRtc(
  rtc,
  { local: WORKER, remote: SERVER, post: (message) => socket.send(message as Uint8Array<ArrayBuffer>) },
  (event) => {
    if (event.type === 'message' && !event.channel.send(event.data)) {
      throw new Error('the server sends more than it waits for');
    }
  },
);
socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>): void => {
  if (typeof data !== 'string') {
    end.receive(new Uint8Array(data));
    return;
  }
  socket.send(rtc.receiveOffer(data).answer());
  end.wake();
};
