/** What the receiver asks of the peer: packets again, keyframes, and how often. */
import { describe, expect, test } from 'vitest';
import type { RtcpPacket } from '../../../src/rtp/index.ts';
import type { ReceiveOptions } from '../../../src/media/receive/options.ts';
import {
  AUDIO,
  OPUS,
  OWN_SSRC,
  Rig,
  SIMULCAST,
  VIDEO,
  VP8,
  VP8_KEYFRAME,
  media,
  packetsOf,
  rtp,
  typesOf,
} from './rig.ts';

/** Video from source 5, up to number `sequence`. */
function video(options: ReceiveOptions = {}, sequence = 1): Rig {
  const rig = new Rig([VIDEO], options);
  rig.take({ ssrc: 5, mid: '1', sequence, payload: VP8_KEYFRAME });
  return rig;
}

/** The numbers that are asked for, packet by packet. */
function asked(packets: readonly RtcpPacket[]): number[][] {
  return packets.flatMap((packet) => (packet.type === 'nack' ? [[...packet.sequenceNumbers]] : []));
}

describe('NACK', () => {
  test('asks for exactly what is missing, once it is not just late', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 3 });
    rig.take({ ssrc: 5, sequence: 6 });
    expect(rig.wait(9)).toEqual([]);
    expect(rig.wait(1)).toEqual([
      { type: 'nack', senderSsrc: OWN_SSRC, mediaSsrc: 5, sequenceNumbers: [2, 4, 5] },
    ]);
  });

  test('asks for nothing that comes out of its order within 10 ms', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 3 });
    const [late] = packetsOf(rig.take({ ssrc: 5, sequence: 2 }, 9));
    expect(late).toMatchObject({ sequence: 65_538, isRecovered: false });
    expect(rig.wait(500)).toEqual([]);
  });

  test('asks again after a round trip, ten times, and gives up', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 3 });
    const times: number[] = [];
    for (let at = 0; at < 1000; at++) if (asked(rig.wait(1)).length > 0) times.push(at + 1);
    expect(times).toEqual([10, 50, 90, 130, 170, 210, 250, 290, 330, 370]);
    expect(rig.receiver.counters.get('unrecoveredPackets')).toBe(1);
  });

  test('asks every 20 ms on a shorter round trip', () => {
    const rig = video();
    rig.receiver.setPath({
      writable: true,
      largestDatagram: 1200,
      overhead: 0,
      roundTripTime: 1,
      generation: 1,
    });
    rig.take({ ssrc: 5, sequence: 3 });
    expect(asked(rig.wait(49))).toHaveLength(2);
  });

  test('a packet that is never answered is given up by its gate, however long the round trip', () => {
    const rig = video({ nackTimeout: 300 });
    rig.receiver.setPath({
      writable: true,
      largestDatagram: 1200,
      overhead: 0,
      roundTripTime: 200,
      generation: 1,
    });
    rig.take({ ssrc: 5, sequence: 3 });
    expect(asked(rig.wait(299))).toHaveLength(2);
    expect(rig.receiver.timeoutReason()).toBe('nack');
    expect(asked(rig.wait(1))).toEqual([]);
    expect(rig.receiver.counters.get('unrecoveredPackets')).toBe(1);
    expect(rig.receiver.timeoutReason()).toBe('keyframe');
  });

  test('what is sent again as it was is recovered, and stops the asking', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 3 });
    rig.wait(10);
    expect(packetsOf(rig.take({ ssrc: 5, sequence: 2 }))).toMatchObject([{ isRecovered: true }]);
    expect(rig.wait(400)).toEqual([]);
    expect(rig.receiver.counters.get('recoveredPackets')).toBe(1);
  });

  test('counts over 65535', () => {
    const rig = video({}, 65_534);
    rig.take({ ssrc: 5, sequence: 1 });
    expect(asked(rig.wait(10))).toEqual([[65_535, 0]]);
  });

  test('is not sent where it is not agreed on', () => {
    const rig = new Rig([AUDIO]);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence: 1 });
    rig.take({ ssrc: 1, payloadType: 111, sequence: 5 });
    expect(rig.wait(1000)).toEqual([]);
  });

  test('is sent for audio where it is agreed on', () => {
    const rig = new Rig([media(1, '0', 'audio', [{ ...OPUS, rtcpFeedback: ['nack'] }])]);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence: 1 });
    rig.take({ ssrc: 1, payloadType: 111, sequence: 3 });
    expect(asked(rig.wait(10))).toEqual([[2]]);
  });

  test('keeps the newest window alone: what falls out of it is given up for a keyframe', () => {
    const rig = video({ nackWindow: 16 });
    for (let sequence = 3; sequence <= 30; sequence += 2) rig.take({ ssrc: 5, sequence });
    const packets = rig.wait(10);
    expect(packets.map(({ type }) => type)).toEqual(['pli', 'nack']);
    expect(asked(packets)).toEqual([[14, 16, 18, 20, 22, 24, 26, 28]]);
    expect(rig.receiver.counters.get('nackOverflows')).toBe(6);
  });

  test('a gap beyond the window is answered by a keyframe alone', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 600 });
    expect([...rig.feedback(), ...rig.wait(400)].map(({ type }) => type)).toEqual(['pli']);
  });

  test('a stream that has ended asks for nothing', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 9 });
    rig.receiver.handleBye({ type: 'bye', ssrcs: [5] }, rig.now);
    expect(rig.wait(1000)).toEqual([]);
  });

  test('what a source that counts anew has left out is not asked for', () => {
    const rig = video();
    rig.take({ ssrc: 5, sequence: 4 });
    rig.take({ ssrc: 5, sequence: 20_000 });
    rig.take({ ssrc: 5, sequence: 20_001 });
    expect(rig.wait(1000)).toEqual([]);
    expect(rig.receiver.counters.get('sequenceRestarts')).toBe(1);
    expect(rig.receiver.stats()[0]?.packetsLost).toBe(2);
  });

  test('stands still while the path carries nothing', () => {
    const rig = video();
    const facts = { largestDatagram: 1200, overhead: 0, roundTripTime: 40, generation: 1 };
    rig.take({ ssrc: 5, sequence: 3 });
    rig.receiver.setPath({ ...facts, writable: false });
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
    expect(rig.wait(60_000)).toEqual([]);
    rig.receiver.handleTimeout(rig.now);
    rig.receiver.setPath({ ...facts, writable: true });
    expect(rig.wait(9)).toEqual([]);
    expect(asked(rig.wait(1))).toEqual([[2]]);
    expect(rig.drain()).toEqual([]);
  });
});

/** Lets time go by while packets come: `sequence` goes on, one each 100 ms. @returns the types of the feedback */
function goOn(rig: Rig, sequence: number, milliseconds: number): string[] {
  const types: string[] = [];
  for (let at = 0; at < milliseconds; at += 100) {
    rig.take({ ssrc: 5, sequence: sequence + at / 100 });
    types.push(...rig.feedback().map(({ type }) => type), ...rig.wait(100).map(({ type }) => type));
  }
  return types;
}

describe('a keyframe in place of what is lost for good', () => {
  const PATIENT = { pauseTimeout: 60_000 };

  test('is asked for once the last request for a packet was in vain', () => {
    const rig = video(PATIENT);
    rig.take({ ssrc: 5, sequence: 3 });
    expect(rig.wait(409).map(({ type }) => type)).toEqual(Array.from({ length: 10 }, () => 'nack'));
    expect(rig.wait(1)).toEqual([{ type: 'pli', senderSsrc: OWN_SSRC, mediaSsrc: 5 }]);
    expect(rig.receiver.counters.get('keyframesForLoss')).toBe(1);
    expect(rig.receiver.timeoutReason()).toBe('keyframe');
  });

  test('is asked for once the time of a packet is over', () => {
    const rig = video({ ...PATIENT, nackTimeout: 25 });
    rig.take({ ssrc: 5, sequence: 3 });
    expect(rig.wait(24).map(({ type }) => type)).toEqual(['nack']);
    expect(rig.wait(1).map(({ type }) => type)).toEqual(['pli']);
  });

  test('is asked for together with packets that may still come', () => {
    const rig = video({ ...PATIENT, maxNacks: 1 });
    rig.take({ ssrc: 5, sequence: 3 });
    rig.wait(40);
    rig.take({ ssrc: 5, sequence: 5 });
    expect(rig.wait(10).map(({ type }) => type)).toEqual(['nack', 'pli']);
  });

  test('is asked for until it comes, however many packets are given up meanwhile, and then no more', () => {
    const rig = video({ ...PATIENT, maxNacks: 1 });
    for (let sequence = 3; sequence < 40; sequence += 2) rig.take({ ssrc: 5, sequence }, 10);
    goOn(rig, 40, 1000);
    expect(rig.receiver.stats()[0]?.pliCount).toBe(2);
    rig.take({ ssrc: 5, sequence: 50, timestamp: 90_000, payload: VP8_KEYFRAME });
    expect(goOn(rig, 51, 5000)).toEqual([]);
    expect(rig.receiver.counters.get('keyframesForLoss')).toBe(1);
  });

  test('is not asked for where one has begun since the loss', () => {
    const rig = video(PATIENT);
    rig.take({ ssrc: 5, sequence: 3 });
    rig.take({ ssrc: 5, sequence: 4, timestamp: 90_000, payload: VP8_KEYFRAME }, 20);
    expect(rig.wait(1000).some(({ type }) => type === 'pli')).toBe(false);
    expect(rig.receiver.counters.get('unrecoveredPackets')).toBe(1);
  });

  test('is asked for where a part of that one is lost as well', () => {
    const rig = video(PATIENT);
    rig.take({ ssrc: 5, sequence: 3 });
    rig.take({ ssrc: 5, sequence: 4, timestamp: 90_000, payload: VP8_KEYFRAME }, 20);
    rig.take({ ssrc: 5, sequence: 6, timestamp: 90_000 });
    expect(rig.wait(1000).filter(({ type }) => type === 'pli')).toHaveLength(2);
    expect(rig.receiver.counters.get('unrecoveredPackets')).toBe(2);
  });

  test('is not asked for where it ends the gap that is too large to be asked for', () => {
    const rig = video(PATIENT);
    rig.take({ ssrc: 5, sequence: 600, timestamp: 90_000, payload: VP8_KEYFRAME });
    expect([...rig.feedback(), ...rig.wait(1000)]).toEqual([]);
  });

  test('is told by its gate when it does not come, and asked for again at the next loss', () => {
    const rig = video({ ...PATIENT, maxNacks: 1, keyframeTimeout: 1000 });
    rig.take({ ssrc: 5, sequence: 3 });
    expect(goOn(rig, 4, 3000)).toEqual(['nack', 'pli', 'pli']);
    expect(rig.receiver.counters.get('keyframeTimeouts')).toBe(1);
    rig.take({ ssrc: 5, sequence: 35 });
    expect(goOn(rig, 36, 500)).toEqual(['nack', 'pli']);
  });

  test('is not that of one that was sent before the loss, and comes late', () => {
    const rig = video({ ...PATIENT, maxNacks: 1 });
    rig.take({ ssrc: 5, sequence: 3 });
    rig.take({ ssrc: 5, sequence: 5 });
    expect(rig.wait(50).map(({ type }) => type)).toEqual(['nack', 'pli']);
    rig.take({ ssrc: 5, sequence: 2, timestamp: 9000, payload: VP8_KEYFRAME });
    expect(rig.wait(500).map(({ type }) => type)).toEqual(['pli']);
    rig.take({ ssrc: 5, sequence: 6, timestamp: 90_000, payload: VP8_KEYFRAME });
    expect(rig.wait(2000)).toEqual([]);
  });

  test('is not asked for of audio', () => {
    const rig = new Rig([media(1, '0', 'audio', [{ ...OPUS, rtcpFeedback: ['nack', 'nack pli'] }])], PATIENT);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence: 1 });
    rig.take({ ssrc: 1, payloadType: 111, sequence: 3 });
    expect(rig.wait(1000).every(({ type }) => type === 'nack')).toBe(true);
    expect(rig.receiver.counters.snapshot()).toMatchObject({ unrecoveredPackets: 1, keyframesForLoss: 0 });
  });

  test('is left to the host by an option, of gaps beyond the window too', () => {
    const rig = video({ ...PATIENT, keyframeAfterLoss: false });
    rig.take({ ssrc: 5, sequence: 3 });
    expect(rig.wait(1000).every(({ type }) => type === 'nack')).toBe(true);
    rig.take({ ssrc: 5, sequence: 600 });
    expect([...rig.feedback(), ...rig.wait(400)]).toEqual([]);
    expect(rig.receiver.requestKeyframe(2, undefined, rig.now)).toBe(true);
    expect(rig.feedback()).toHaveLength(1);
  });
});

describe('a keyframe', () => {
  test('is asked for by PLI at once, and again, twice as long each time, until one comes', () => {
    const rig = video();
    expect(rig.receiver.requestKeyframe(2, undefined, rig.now)).toBe(true);
    expect(rig.feedback()).toEqual([{ type: 'pli', senderSsrc: OWN_SSRC, mediaSsrc: 5 }]);
    const times: number[] = [];
    for (let at = 10; at <= 4000; at += 10) {
      rig.take({ ssrc: 5, sequence: 1 + at / 10 });
      if (rig.wait(10).length > 0) times.push(at);
    }
    expect(times).toEqual([500, 1500, 3500]);
    rig.take({ ssrc: 5, sequence: 402, timestamp: 90_000, payload: VP8_KEYFRAME });
    expect(rig.wait(1400)).toEqual([]);
    expect(rig.receiver.stats()[0]).toMatchObject({ pliCount: 4, keyFramesReceived: 2 });
  });

  test('is asked for by FIR where that alone is agreed on: one number a wish', () => {
    const rig = new Rig([media(2, '1', 'video', [{ ...VP8, rtcpFeedback: ['ccm fir'] }])]);
    rig.take({ ssrc: 5, mid: '1' });
    const fir = (sequenceNumber: number) => [
      { type: 'fir', senderSsrc: OWN_SSRC, entries: [{ ssrc: 5, sequenceNumber }] },
    ];
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    expect(rig.feedback()).toEqual(fir(0));
    expect(rig.wait(500)).toEqual(fir(0));
    rig.take({ ssrc: 5, sequence: 2, timestamp: 9000, payload: VP8_KEYFRAME });
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    expect(rig.wait(500)).toEqual(fir(1));
  });

  test('is not asked for more often than every 500 ms, whoever wants it', () => {
    const rig = video();
    for (let at = 0; at < 450; at += 50) {
      rig.receiver.requestKeyframe(2, undefined, rig.now);
      rig.take({ ssrc: 5, sequence: 2 + at / 50, timestamp: at, payload: VP8_KEYFRAME }, 50);
    }
    expect(rig.receiver.stats()[0]?.pliCount).toBe(0);
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    expect(rig.wait(0).length + rig.feedback().length).toBe(1);
    rig.take({ ssrc: 5, sequence: 11, timestamp: 1000, payload: VP8_KEYFRAME });
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    expect(rig.feedback()).toEqual([]);
    expect(rig.wait(499)).toEqual([]);
    expect(rig.wait(1)).toHaveLength(1);
  });

  test('that never comes is told by its gate, and asked for no more', () => {
    const rig = video();
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    rig.feedback();
    for (let at = 0; at < 9900; at += 100) {
      rig.take({ ssrc: 5, sequence: 2 + at / 100 }, 100);
      rig.receiver.requestKeyframe(2, undefined, rig.now);
    }
    rig.take({ ssrc: 5, sequence: 101 });
    rig.wait(100);
    expect(rig.drain()).toMatchObject([
      {
        type: 'keyframetimeout',
        stream: { ssrc: 5 },
        failure: {
          layer: 'media',
          code: 'keyframe-timeout',
          gate: 'keyframe',
          elapsed: 10_000,
          peerSilentFor: 100,
        },
      },
    ]);
    expect(rig.wait(1000)).toEqual([]);
  });

  test('is asked for of each encoding, or of one', () => {
    const rig = new Rig([SIMULCAST]);
    rig.take({ ssrc: 5, mid: '1', rid: 'h' });
    rig.take({ ssrc: 6, mid: '1', rid: 'l' });
    rig.receiver.requestKeyframe(2, 'l', rig.now);
    expect(rig.feedback()).toMatchObject([{ type: 'pli', mediaSsrc: 6 }]);
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    expect(rig.feedback()).toMatchObject([{ type: 'pli', mediaSsrc: 5 }]);
  });

  test('cannot be asked for of audio, of what is not heard, and where nothing is agreed on', () => {
    const rig = new Rig([
      AUDIO,
      media(2, '1', 'video', [{ ...VP8, rtcpFeedback: ['nack'] }]),
      media(3, '2', 'video', [VP8]),
    ]);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111 });
    rig.take({ ssrc: 2, mid: '1' });
    for (const id of [1, 2, 3, 4]) expect(rig.receiver.requestKeyframe(id, undefined, rig.now)).toBe(false);
    expect(rig.feedback()).toEqual([]);
  });

  test('the wish for one ends with its stream', () => {
    const rig = video();
    rig.receiver.requestKeyframe(2, undefined, rig.now);
    rig.receiver.setMedia([], rig.now);
    expect(rig.feedback()).toEqual([]);
    expect(typesOf(rig.drain())).toEqual(['rtpstreamend']);
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
  });
});

describe('transport-wide feedback', () => {
  test('tells of every packet that has come, of audio, video, RTX and probes alike, after 100 ms', () => {
    const rig = new Rig([AUDIO, VIDEO]);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111, transportSequence: 10 });
    rig.take({ ssrc: 5, mid: '1', transportSequence: 11 }, 10);
    rig.take({ ssrc: 50, mid: '1', payloadType: 97, transportSequence: 13, padding: 100 }, 10);
    rig.take({ ssrc: 0, padding: 100, transportSequence: 14 }, 10);
    expect(rig.receiver.timeoutReason()).toBe('transportFeedback');
    expect(rig.wait(69)).toEqual([]);
    expect(rig.wait(1)).toMatchObject([
      {
        type: 'transport-feedback',
        senderSsrc: OWN_SSRC,
        mediaSsrc: 0,
        baseSequenceNumber: 10,
        feedbackCount: 0,
        deltas: [expect.any(Number), 40, null, 40, 40],
      },
    ]);
    expect(rig.wait(500)).toEqual([]);
  });

  test('is not given where it is not agreed on', () => {
    const rig = new Rig([media(2, '1', 'video', [{ ...VP8, rtcpFeedback: ['nack'] }])]);
    rig.take({ ssrc: 5, mid: '1', transportSequence: 10 });
    expect(rig.wait(500)).toEqual([]);
  });

  test('says nothing of packets that the host left no room for', () => {
    const rig = new Rig([VIDEO], { maxQueuedPackets: 1 });
    rig.receiver.handleRtp(rtp({ ssrc: 5, mid: '1', transportSequence: 10 }), rig.now);
    rig.receiver.handleRtp(rtp({ ssrc: 5, sequence: 2, transportSequence: 11 }), rig.now);
    expect(rig.wait(100)).toMatchObject([{ deltas: [expect.any(Number)] }]);
  });

  test('that was not polled is no deadline, and is there later', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1', transportSequence: 10 });
    rig.now += 200;
    rig.receiver.handleTimeout(rig.now);
    rig.check();
    expect(rig.receiver.timeoutReason()).toBe('streamPause');
    expect(rig.feedback()).toHaveLength(1);
  });

  test('is over when all is closed', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1', transportSequence: 10 });
    rig.receiver.close();
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
    expect(rig.feedback()).toEqual([]);
  });
});
