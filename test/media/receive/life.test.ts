/** The life of a received stream: it begins, pauses, goes on, ends. */
import { describe, expect, test } from 'vitest';
import { AUDIO, OPUS, Rig, SIMULCAST, VIDEO, packetsOf, rtp, typesOf } from './rig.ts';

/** Audio from source 1, every 20 ms. */
function talk(rig: Rig, from: number, count: number): void {
  for (let sequence = from; sequence < from + count; sequence++) {
    rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence, timestamp: 960 * sequence }, 20);
  }
}

describe('a stream', () => {
  test('pauses after 1.5 s of nothing, and resumes', () => {
    const rig = new Rig([AUDIO]);
    talk(rig, 1, 10);
    rig.wait(1499);
    expect(rig.drain()).toEqual([]);
    expect(rig.receiver.timeoutReason()).toBe('streamPause');
    rig.wait(1);
    expect(rig.drain()).toMatchObject([
      {
        type: 'rtpstreampause',
        stream: { ssrc: 1, mediaId: 1, mid: '0' },
        failure: {
          layer: 'media',
          code: 'stream-silent',
          gate: 'streamPause',
          elapsed: 1500,
          peerSilentFor: 1500,
        },
      },
    ]);
    expect(rig.receiver.timeoutReason()).toBe('streamSilence');
    expect(typesOf(rig.take({ ssrc: 1, payloadType: 111, sequence: 11 }, 1000))).toEqual([
      'rtpstreamresume',
      'rtp',
    ]);
  });

  test('a packet from before the pause is dropped, and does not resume it', () => {
    const rig = new Rig([AUDIO]);
    talk(rig, 1, 5);
    talk(rig, 7, 1);
    rig.wait(2000);
    rig.drain();
    expect(rig.take({ ssrc: 1, payloadType: 111, sequence: 6 })).toEqual([]);
    expect(rig.receiver.counters.get('latePackets')).toBe(1);
    expect(rig.receiver.stats()[0]?.packetsDiscarded).toBe(1);
  });

  test('ends after 30 s of nothing, and begins anew if something comes after all, where it was bound to', () => {
    const rig = new Rig([SIMULCAST]);
    rig.take({ ssrc: 5, mid: '1', rid: 'h' });
    rig.wait(29_999);
    expect(typesOf(rig.drain())).toEqual(['rtpstreampause']);
    rig.wait(1);
    expect(rig.drain()).toMatchObject([
      {
        type: 'rtpstreamend',
        stream: { ssrc: 5, rid: 'h' },
        failure: { code: 'stream-timeout', gate: 'streamSilence', elapsed: 30_000, peerSilentFor: 30_000 },
      },
    ]);
    expect(rig.receiver.inspect()).toMatchObject({ streams: [], remembered: 1 });
    // Browsers name a layer no more once it was acknowledged, and switch it off for minutes.
    const events = rig.take({ ssrc: 5, sequence: 900 }, 60_000);
    expect(typesOf(events)).toEqual(['rtpstreamstart', 'rtp']);
    expect(packetsOf(events)).toMatchObject([{ stream: { rid: 'h' } }]);
  });

  test('ends by BYE; its packets that are still under way do not bring it back', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1' });
    rig.receiver.handleBye({ type: 'bye', ssrcs: [5, 6], reason: 'done' }, rig.now);
    expect(rig.drain()).toMatchObject([{ type: 'rtpstreamend', failure: { code: 'stream-bye' } }]);
    expect(rig.take({ ssrc: 5, mid: '1', sequence: 2 }, 999)).toEqual([]);
    expect(rig.receiver.counters.snapshot()).toMatchObject({ unknownReports: 1, retiredSourcePackets: 1 });
    expect(typesOf(rig.take({ ssrc: 5, mid: '1', sequence: 3 }, 1))).toEqual(['rtpstreamstart', 'rtp']);
  });

  test('a host that stood still has not heard silence', () => {
    const rig = new Rig([AUDIO]);
    talk(rig, 1, 1);
    rig.drain();
    rig.now += 20_000;
    rig.receiver.handleTimeout(rig.now);
    rig.check();
    expect(rig.drain()).toEqual([]);
    rig.wait(2999);
    expect(rig.drain()).toEqual([]);
    rig.wait(1);
    expect(rig.drain()).toMatchObject([{ type: 'rtpstreampause', failure: { peerSilentFor: 23_000 } }]);
  });

  test('a time earlier than the last one counts as that one', () => {
    const rig = new Rig([AUDIO]);
    talk(rig, 1, 1);
    const deadline = rig.receiver.nextTimeout();
    rig.receiver.handleRtp(rtp({ ssrc: 1, payloadType: 111, sequence: 2 }), rig.now - 500);
    expect(rig.receiver.nextTimeout()).toBe(deadline);
  });

  test('media time that goes backwards does no harm', () => {
    const rig = new Rig([AUDIO]);
    const times = [90_000, 80_000, 4_294_967_000, 96_000].map((timestamp, index) => {
      const events = rig.take({ ssrc: 1, mid: '0', payloadType: 111, sequence: index, timestamp }, 20);
      return (packetsOf(events)[0]?.time ?? 0) - 2 ** 32;
    });
    expect(times).toEqual([90_000, 80_000, -296, 96_000]);
  });

  test('nothing is left once it is closed', () => {
    const rig = new Rig([AUDIO, VIDEO]);
    talk(rig, 1, 3);
    rig.take({ ssrc: 5, mid: '1' });
    rig.receiver.close();
    rig.check();
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
    rig.drain();
    rig.receiver.setMedia([AUDIO], rig.now);
    expect(rig.take({ ssrc: 1, mid: '0', payloadType: 111 })).toEqual([]);
    expect(rig.receiver.requestKeyframe(2, undefined, rig.now)).toBe(false);
    expect(rig.receiver.inspect()).toMatchObject({ streams: [], remembered: 0 });
  });
});

describe('events that nobody takes', () => {
  test('are bounded by their number; what marks the life of a stream is never lost', () => {
    const rig = new Rig([AUDIO, VIDEO], { maxQueuedPackets: 10 });
    for (let sequence = 1; sequence <= 100; sequence++) {
      rig.receiver.handleRtp(rtp({ ssrc: 1, mid: '0', payloadType: 111, sequence }), rig.now);
    }
    // No room for its packets: it does not begin.
    rig.receiver.handleRtp(rtp({ ssrc: 5, mid: '1' }), rig.now);
    expect(rig.events.size).toBe(10);
    expect(rig.receiver.counters.get('unqueuedPackets')).toBe(92);
    rig.wait(60_000);
    const types = typesOf(rig.drain());
    expect(types.slice(0, 2)).toEqual(['rtpstreamstart', 'rtp']);
    expect(types.slice(-2)).toEqual(['rtpstreampause', 'rtpstreamend']);
  });

  test('are bounded by the bytes of their packets', () => {
    const rig = new Rig([AUDIO], { maxQueuedBytes: 3000 });
    const payload = new Uint8Array(988);
    for (let sequence = 1; sequence <= 100; sequence++) {
      rig.receiver.handleRtp(rtp({ ssrc: 1, payloadType: 111, sequence, payload }), rig.now);
    }
    expect(rig.events.bytes).toBe(3000);
    rig.events.shift();
    rig.events.shift();
    expect(rig.events.bytes).toBe(2000);
    rig.events.clear();
    expect(rig.events.hasRoom).toBe(true);
  });
});

test('several codecs in one stream are told packet by packet', () => {
  const rig = new Rig([AUDIO]);
  rig.take({ ssrc: 1, mid: '0', payloadType: 111 });
  const payload = Uint8Array.of(1, 0, 0, 160);
  expect(packetsOf(rig.take({ ssrc: 1, payloadType: 126, sequence: 2, payload }))[0]?.codec.mimeType).toBe(
    'audio/telephone-event',
  );
  expect(packetsOf(rig.take({ ssrc: 1, payloadType: 111, sequence: 3 }))[0]?.codec).toEqual(OPUS);
});
