/** A session with audio and video over a simulated network, recorded at both ends. */
import { Network } from '../../src/sim/index.ts';
import type { LinkConditions } from '../../src/sim/index.ts';
import type { RecordOptions } from '../../src/trace/index.ts';
import type { RecordedEnd } from './recorded.ts';
import { recordedEnd } from './recorded.ts';

/** Of Opus and of VP8: a descriptor that begins a picture, then a frame header with its inverse bit of keyframes. */
export const AUDIO = 0x5a;
export const VIDEO = 0x3c;

function audioPayload(): Uint8Array {
  return new Uint8Array(80).fill(AUDIO);
}

function videoPayload(isKeyframe: boolean): Uint8Array {
  const payload = new Uint8Array(700).fill(VIDEO);
  payload.set([0x10, isKeyframe ? 0 : 1]);
  return payload;
}

export interface RecordedMedia {
  readonly net: Network;
  readonly offerer: RecordedEnd;
  readonly answerer: RecordedEnd;
}

/** Three seconds of audio and video both ways, tones, keyframe requests, an estimate, a channel beside; then it is closed. */
export function recordedMedia(
  seed: number,
  conditions: LinkConditions,
  options: RecordOptions = {},
): RecordedMedia {
  const net = new Network({ seed, defaults: conditions, record: { bytes: true } });
  const offerer = recordedEnd(net, '192.0.2.1', { ...options, media: {}, seed: seed * 2 });
  const answerer = recordedEnd(net, '192.0.2.2', { ...options, media: {}, seed: seed * 2 + 1 });
  const draft = offerer.rtc.negotiation();
  draft.addMedia('audio', { direction: 'sendrecv' });
  draft.addMedia('video', { direction: 'sendrecv' });
  const chat = draft.addChannel('chat');
  const offer = draft.offer();
  const received = answerer.rtc.receiveOffer(offer.sdp);
  for (const media of received.media) media.direction = 'sendrecv';
  offer.accept(received.answer());
  net.run({ until: () => chat.readyState === 'open', limit: 60_000 });
  for (const { rtc } of [offerer, answerer]) {
    const [audio, video] = rtc.media.map((media) => media.sender());
    for (let i = 0; i < 150; i++) {
      net.after(20 * i, () => audio?.write({ payload: audioPayload(), timestamp: 960 * i, marker: i === 0 }));
      if (i % 2 === 0) {
        const isKeyframe = i % 50 === 0;
        net.after(20 * i + 3, () =>
          video?.write({ payload: videoPayload(isKeyframe), timestamp: 1800 * i, marker: true }),
        );
      }
    }
    for (const at of [100, 700, 1700, 2300]) net.after(at, () => rtc.media[1]?.requestKeyframe());
    net.after(900, () => audio?.writeDtmf('1#'));
    for (const at of [1100, 1300, 1500]) net.after(at, () => rtc.sendRemb(1_500_000));
  }
  net.after(500, () => chat.send('beside'));
  net.advance(4000);
  offerer.rtc.close();
  net.advance(5000);
  return { net, offerer, answerer };
}
