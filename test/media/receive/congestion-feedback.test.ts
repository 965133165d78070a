/** Congestion control feedback (RFC 8888) in place of transport-wide feedback, where media have agreed on it (`ack ccfb`). */
import { describe, expect, test } from 'vitest';
import type { CongestionFeedback, RtcpPacket } from '../../../src/rtp/index.ts';
import { middleOf, ntpOf } from '../../../src/rtp/index.ts';
import type { MediaParameters } from '../../../src/media/parameters.ts';
import { AUDIO, NTP_OFFSET, OWN_SSRC, Rig, VP8, media } from './rig.ts';

/** Video that has agreed on both, as nobody should. */
const VIDEO: MediaParameters = media(2, '1', 'video', [
  { ...VP8, rtcpFeedback: [...VP8.rtcpFeedback, 'ack ccfb'] },
]);

function reports(packets: readonly RtcpPacket[]): CongestionFeedback[] {
  return packets.filter((packet): packet is CongestionFeedback => packet.type === 'congestion-feedback');
}

describe('congestion control feedback', () => {
  test('tells of packets by source and number, RTX among them (§6), on the clock of reports (§3.1)', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1', sequence: 65_535, transportSequence: 7 });
    rig.take({ ssrc: 5, sequence: 1, transportSequence: 8 }, 5);
    rig.take({ ssrc: 50, mid: '1', payloadType: 97, sequence: 9, repairs: 0, transportSequence: 9 }, 5);
    const packets = rig.wait(90);
    const { seconds, fraction } = ntpOf(rig.now + NTP_OFFSET);
    expect(reports(packets)).toEqual([
      {
        type: 'congestion-feedback',
        senderSsrc: OWN_SSRC,
        reportTimestamp: middleOf(seconds, fraction),
        streams: [
          {
            ssrc: 5,
            firstSequenceNumber: 65_535,
            packets: [{ ecn: 0, arrivedBefore: 102 }, null, { ecn: 0, arrivedBefore: 97 }],
          },
          { ssrc: 50, firstSequenceNumber: 9, packets: [{ ecn: 0, arrivedBefore: 92 }] },
        ],
      },
    ]);
    // Never both, though both are agreed on and the packets have numbers for both.
    expect(packets.some(({ type }) => type === 'transport-feedback')).toBe(false);
  });

  test('is a wait with a name, and over once it is polled', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1' });
    expect(rig.receiver.timeoutReason()).toBe('congestionFeedback');
    expect(rig.receiver.nextTimeout()).toBe(rig.now + 100);
    expect(reports(rig.wait(100))).toHaveLength(1);
    expect(rig.receiver.timeoutReason()).toBe('streamPause');
    expect(rig.wait(500)).toEqual([]);
  });

  test('is given on the media that have agreed on it alone', () => {
    const rig = new Rig([AUDIO, VIDEO]);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111, transportSequence: 1 });
    rig.take({ ssrc: 5, mid: '1' });
    const packets = rig.wait(100);
    expect(packets.map(({ type }) => type)).toEqual(['transport-feedback', 'congestion-feedback']);
    expect(reports(packets)[0]?.streams.map(({ ssrc }) => ssrc)).toEqual([5]);
  });

  test('tells nothing of sources that are not bound, nor of those that are over', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1' });
    rig.take({ ssrc: 6, mid: 'x' });
    rig.take({ ssrc: 0, padding: 10 });
    rig.receiver.handleBye({ type: 'bye', ssrcs: [5] }, rig.now);
    expect(rig.wait(500)).toEqual([]);
    rig.take({ ssrc: 7, mid: '1' });
    expect(reports(rig.wait(100))[0]?.streams.map(({ ssrc }) => ssrc)).toEqual([7]);
  });

  test('a thousand sources, each in place of the one before, leave room for the next', () => {
    const rig = new Rig([VIDEO], { feedback: { maxStreams: 4 } });
    for (let ssrc = 1; ssrc <= 1000; ssrc++) rig.take({ ssrc, mid: '1' });
    rig.wait(100);
    rig.take({ ssrc: 2000, mid: '1' });
    expect(reports(rig.wait(100))[0]?.streams.map(({ ssrc }) => ssrc)).toEqual([2000]);
  });

  test('ends with what is agreed on', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1' });
    rig.receiver.setMedia([media(2, '1', 'video', [VP8])], rig.now);
    rig.take({ ssrc: 5, sequence: 2, transportSequence: 3 });
    rig.wait(100);
    rig.take({ ssrc: 5, sequence: 3, transportSequence: 4 });
    expect(rig.wait(100).map(({ type }) => type)).toEqual(['transport-feedback']);
  });

  test('stands still while the path carries nothing, and is over when all is closed', () => {
    const rig = new Rig([VIDEO]);
    const facts = { largestDatagram: 1200, overhead: 0, roundTripTime: 40, generation: 1 };
    rig.take({ ssrc: 5, mid: '1' });
    rig.receiver.setPath({ ...facts, writable: false });
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
    expect(rig.wait(5000)).toEqual([]);
    rig.receiver.setPath({ ...facts, writable: true });
    expect(reports(rig.feedback())).toHaveLength(1);
    rig.take({ ssrc: 5, sequence: 2 });
    rig.receiver.close();
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
    expect(rig.feedback()).toEqual([]);
  });
});
