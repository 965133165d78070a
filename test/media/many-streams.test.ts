/** The media of a connection with hundreds of streams: what counts them in five or eight bits is said in parts. */
import { expect, test } from 'vitest';
import type { Bytes } from '../../src/core/bytes.ts';
import { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { MediaParameters } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import type { RtcpPacket } from '../../src/rtp/index.ts';
import { readRtcp } from '../../src/rtp/index.ts';
import { OPUS, media, rtp } from './receive/rig.ts';

const STREAMS = 300;

function made(): MediaParameters[] {
  return Array.from({ length: STREAMS }, (_, id) => {
    const codecs = [{ ...OPUS, rtcpFeedback: ['goog-remb'] }];
    const { receive, ...plain } = media(id, String(id), 'audio', codecs, { direction: 'sendrecv' });
    return { ...plain, receive, send: { ...receive, sources: [{ ssrc: 10_000 + id }] } };
  });
}

test('reports, an estimate and BYE of 300 streams name all that they can', () => {
  const clock = new Clock(true, 0);
  const session = rtpMedia().create({
    clock,
    random: new SeededRandom(1),
    mtu: 1200,
    cname: 'many',
    onActivity: () => undefined,
  });
  let now = 1000;
  const said: RtcpPacket[] = [];
  const drain = (): void => {
    const into: Bytes = new Uint8Array(2000);
    while (session.pollEvent() !== undefined);
    for (const source of session.sources) {
      for (let length = 1; length > 0;) {
        length = source.pollPacket(into, 0, now);
        if (source.kind === 'rtcp') said.push(...readRtcp(into.slice(0, length)).packets);
      }
    }
  };
  clock.advance(now, session);
  session.setMedia(made(), now);
  session.handlePath(
    { writable: true, largestDatagram: 1200, overhead: 37, roundTripTime: 20, generation: 1 },
    now,
  );
  for (let id = 0; id < STREAMS; id++) {
    session.sender(id)?.write({ payload: new Uint8Array(20), timestamp: 0, payloadType: 111 });
    session.handlePacket('rtp', rtp({ ssrc: 1 + id, mid: String(id), payloadType: 111 }), now);
  }
  drain();
  expect(session.sendRemb(100_000, now)).toBe(true);
  for (; now < 10_000; now += 100) {
    clock.advance(now, session);
    session.handleTimeout(now);
    drain();
  }
  const of = <T extends RtcpPacket['type']>(type: T): Extract<RtcpPacket, { type: T }>[] =>
    said.filter((packet): packet is Extract<RtcpPacket, { type: T }> => packet.type === type);
  expect(of('remb').map(({ ssrcs }) => ssrcs.length)).toEqual([64]);
  const reported = [...of('sender-report'), ...of('receiver-report')].flatMap(({ reports }) => reports);
  expect(new Set(reported.map(({ ssrc }) => ssrc)).size).toBe(STREAMS);
  session.close({ layer: 'rtc', code: 'local-close', message: 'over' }, now);
  drain();
  expect(
    of('bye')
      .flatMap(({ ssrcs }) => ssrcs)
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: STREAMS }, (_, id) => 10_000 + id));
  expect(session.inspect().counters['unsentRtcp']).toBe(0);
});
