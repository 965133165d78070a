import type { Bytes } from '../../src/core/bytes.ts';
import { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { MediaParameters } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { isRtcp } from '../../src/rtp/index.ts';
import { AUDIO, OPUS, TELEPHONE_EVENT, VIDEO, VP8, VP8_DELTA, VP8_KEYFRAME } from '../media/receive/rig.ts';
import { describeMachine } from './compliance.ts';
import type { Fixture, Subject } from './rig.ts';
import { layer } from './subjects.ts';

const FACTS = {
  writable: true,
  largestDatagram: 1200,
  overhead: 37,
  srtpOverhead: { rtp: 16, rtcp: 20 },
  roundTripTime: 20,
  generation: 1,
};

/** The same both ways. */
function bothWays({ receive, ...media }: MediaParameters, feedback: readonly string[]): MediaParameters {
  const flow = { ...receive, codecs: receive.codecs.map((codec) => ({ ...codec, rtcpFeedback: feedback })) };
  const { codecs, headerExtensions, encodings, reducedSizeRtcp } = flow;
  return {
    ...media,
    direction: 'sendrecv',
    receive: flow,
    send: { codecs, headerExtensions, encodings, reducedSizeRtcp },
  };
}

const MEDIA: readonly MediaParameters[] = [
  bothWays({ ...AUDIO, receive: { ...AUDIO.receive, codecs: [OPUS, TELEPHONE_EVENT] } }, [
    'transport-cc',
    'nack',
  ]),
  bothWays({ ...VIDEO, receive: { ...VIDEO.receive, codecs: [VP8] } }, [
    'nack',
    'nack pli',
    'ccm fir',
    'transport-cc',
    'goog-remb',
  ]),
];

function end(seed: number, index: 0 | 1): Subject {
  const clock = new Clock(true, 0);
  const session = rtpMedia().create({
    clock,
    random: new SeededRandom(2 * seed + index),
    mtu: 1200,
    cname: `end ${index}`,
    onActivity: () => undefined,
  });
  clock.advance(0, session);
  session.setMedia(MEDIA, 0);
  session.handlePath(FACTS, 0);
  let written = 0;
  const write = (id: number): void => {
    const payload = written % 10 === 0 ? VP8_KEYFRAME : VP8_DELTA;
    session.sender(id)?.write({ payload, timestamp: 960 * written++, marker: written % 3 === 0 });
  };
  for (let count = 0; count < 5; count++) for (const { id } of MEDIA) write(id);
  const workspace = new Uint8Array(2000);
  return layer({
    machine: session,
    advance: (now) => {
      clock.advance(now, session);
      return clock.now;
    },
    handlePacket: (packet, now) => {
      session.handlePacket(isRtcp(packet) ? 'rtcp' : 'rtp', packet, now);
    },
    pollPacket: (): Bytes | undefined => {
      for (const source of session.sources) {
        const length = source.pollPacket(workspace, 20, clock.now);
        if (length > 0) return workspace.slice(20, 20 + length);
      }
      return undefined;
    },
    endDrain: () => {
      clock.endDrain();
    },
    calls: [
      () => {
        write(1);
      },
      () => {
        write(2);
      },
      () => session.sender(1)?.writeDtmf('5#,1'),
      () => session.requestKeyframe(2, undefined, clock.now),
      () => session.sendRemb(1_000_000, clock.now),
      () => {
        session.setMedia(MEDIA.slice(0, 1), clock.now);
      },
      () => {
        session.setMedia(MEDIA, clock.now);
      },
      () => {
        session.handlePath({ ...FACTS, writable: false }, clock.now);
      },
      () => {
        session.handlePath({ ...FACTS, generation: 2 }, clock.now);
      },
    ],
  });
}

const fixture: Fixture = {
  name: 'MediaSession',
  setUp: 400,
  connected: '"rtpstreamstart"',
  ownsPackets: true,
  make: (seed) => ({ subject: end(seed, 0), peer: end(seed, 1) }),
};

describeMachine(fixture);
