/** Which stream a packet belongs to: RFC 8843 §9.2, RFC 9143 §9.2, RFC 8852. */
import { describe, expect, test } from 'vitest';
import type { MediaStreamEvent } from '../../../src/media/contract.ts';
import type { SourceDescription } from '../../../src/rtp/index.ts';
import {
  AUDIO,
  OPUS,
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

/** Where the last packet of some events went. */
function streamOf(
  events: readonly MediaStreamEvent[],
): { mediaId: number; rid: string | undefined; ssrc: number } | undefined {
  const stream = packetsOf(events).at(-1)?.stream;
  return stream && { mediaId: stream.mediaId, rid: stream.rid, ssrc: stream.ssrc };
}

/** The counters that are not 0. */
function counted(rig: Rig): Record<string, number> {
  return Object.fromEntries(
    Object.entries(rig.receiver.counters.snapshot()).filter(([, count]) => count > 0),
  );
}

describe('a packet finds its media', () => {
  test('by mid only, and its source stays bound when later packets have none', () => {
    const rig = new Rig([VIDEO, media(3, '2', 'video', [VP8])]);
    const first = rig.take({ ssrc: 5, mid: '2' });
    expect(typesOf(first)).toEqual(['rtpstreamstart', 'rtp']);
    expect(streamOf(first)).toEqual({ mediaId: 3, rid: undefined, ssrc: 5 });
    expect(streamOf(rig.take({ ssrc: 5, sequence: 2 }))).toEqual({ mediaId: 3, rid: undefined, ssrc: 5 });
  });

  test('by SSRC only, as signalling tells it', () => {
    const rig = new Rig([VIDEO, media(3, '2', 'video', [VP8], { sources: [{ ssrc: 9 }] })]);
    expect(streamOf(rig.take({ ssrc: 9 }))?.mediaId).toBe(3);
  });

  test('by a payload type of one media alone, as of a publisher without extensions', () => {
    const rig = new Rig([AUDIO, VIDEO]);
    expect(streamOf(rig.take({ ssrc: 8, payloadType: 111 }))?.mediaId).toBe(1);
    expect(streamOf(rig.take({ ssrc: 9, payloadType: 96 }))?.mediaId).toBe(2);
  });

  test('a mid goes before what signalling tells of the source', () => {
    const rig = new Rig([
      media(1, '0', 'video', [VP8], { sources: [{ ssrc: 9 }] }),
      media(2, '1', 'video', [VP8]),
    ]);
    expect(streamOf(rig.take({ ssrc: 9, mid: '1' }))?.mediaId).toBe(2);
  });

  test('a source that names another media ends where it was and begins there', () => {
    const rig = new Rig([media(1, '0', 'video', [VP8]), media(2, '1', 'video', [VP8])]);
    rig.take({ ssrc: 9, mid: '0' });
    const events = rig.take({ ssrc: 9, mid: '1', sequence: 2 });
    expect(typesOf(events)).toEqual(['rtpstreamend', 'rtpstreamstart', 'rtp']);
    expect(streamOf(events)?.mediaId).toBe(2);
  });

  test('what nobody can tell is dropped and counted', () => {
    const rig = new Rig([
      VIDEO,
      media(3, '2', 'video', [VP8]),
      media(4, '3', 'audio', [OPUS], { direction: 'sendonly' }),
    ]);
    rig.take({ ssrc: 1 });
    rig.take({ ssrc: 2, mid: 'nobody' });
    rig.take({ ssrc: 3, mid: '3', payloadType: 111 });
    rig.take({ ssrc: 4, mid: '1', payloadType: 100 });
    rig.take({ ssrc: 5, payloadType: 100 });
    expect(counted(rig)).toEqual({ unknownSources: 2, unknownMids: 2, unknownPayloadTypes: 1 });
    expect(rig.receiver.inspect().streams).toEqual([]);
  });

  test('a payload type that was never agreed on is dropped of a bound source, too', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 1, mid: '1' });
    expect(rig.take({ ssrc: 1, sequence: 2, payloadType: 111 })).toEqual([]);
    expect(counted(rig)).toEqual({ unknownPayloadTypes: 1 });
  });

  test('an id of an extension that means another thing elsewhere names no media', () => {
    const other = media(3, '2', 'video', [VP8], { headerExtensions: [{ id: 4, uri: 'urn:other' }] });
    const rig = new Rig([VIDEO, other]);
    rig.take({ ssrc: 1, mid: '2' });
    expect(counted(rig)).toEqual({ unknownMids: 1 });
  });

  test('a probe from SSRC 0 makes no stream', () => {
    const rig = new Rig([VIDEO]);
    expect(rig.take({ ssrc: 0, mid: '1', padding: 200 })).toEqual([]);
    expect(counted(rig)).toEqual({ probes: 1 });
  });

  test('padding alone is a packet of its stream, without payload', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 1, mid: '1' });
    const [packet] = packetsOf(rig.take({ ssrc: 1, sequence: 2, padding: 200 }));
    expect(packet?.packet.payload.length).toBe(0);
    expect(rig.receiver.stats()[0]).toMatchObject({ packetsLost: 0, bytesReceived: 3 });
  });
});

describe('within a media', () => {
  test('a packet finds its encoding by mid and rid, and without them once it is bound', () => {
    const rig = new Rig([SIMULCAST]);
    expect(streamOf(rig.take({ ssrc: 5, mid: '1', rid: 'h' }))).toEqual({ mediaId: 2, rid: 'h', ssrc: 5 });
    expect(streamOf(rig.take({ ssrc: 6, mid: '1', rid: 'l' }))).toEqual({ mediaId: 2, rid: 'l', ssrc: 6 });
    expect(streamOf(rig.take({ ssrc: 5, sequence: 2 }))?.rid).toBe('h');
  });

  test('a rid that is not agreed on, or none, makes no stream', () => {
    const rig = new Rig([SIMULCAST]);
    rig.take({ ssrc: 5, mid: '1', rid: 'x' });
    rig.take({ ssrc: 6, mid: '1' });
    expect(counted(rig)).toEqual({ unknownRids: 1, unknownSources: 1 });
  });

  test('a source that RTCP has named finds its encoding without a word', () => {
    const rig = new Rig([SIMULCAST, AUDIO]);
    const chunk = (ssrc: number, mid: string, ...items: SourceDescription['chunks'][number]['items']) => ({
      ssrc,
      items: [{ type: 'mid' as const, text: mid }, ...items],
    });
    const chunks = [
      chunk(5, '1', { type: 'rtp-stream-id', text: 'h' }),
      chunk(50, '1', { type: 'repaired-rtp-stream-id', text: 'h' }),
      chunk(6, '1'),
      chunk(7, 'x', { type: 'rtp-stream-id', text: 'l' }),
      { ssrc: 8, items: [{ type: 'cname' as const, text: 'somebody' }] },
    ];
    rig.receiver.handleSourceDescription({ type: 'source-description', chunks }, rig.now);
    expect(rig.receiver.inspect()).toMatchObject({ streams: [], remembered: 2 });
    expect(streamOf(rig.take({ ssrc: 5, sequence: 1 }))?.rid).toBe('h');
    rig.take({ ssrc: 5, sequence: 3 });
    expect(streamOf(rig.take({ ssrc: 50, payloadType: 97, repairs: 2 }))?.rid).toBe('h');
  });

  test('several sources that are told are streams of their own', () => {
    const rig = new Rig([media(2, '1', 'video', [VP8], { sources: [{ ssrc: 5 }, { ssrc: 6 }] })]);
    rig.take({ ssrc: 5 });
    rig.take({ ssrc: 6, mid: '1' });
    expect(rig.receiver.stats().map(({ ssrc }) => ssrc)).toEqual([5, 6]);
  });

  test('another source on the same rid takes the place of the one before', () => {
    const rig = new Rig([SIMULCAST]);
    rig.take({ ssrc: 5, mid: '1', rid: 'h' });
    const events = rig.take({ ssrc: 7, mid: '1', rid: 'h', sequence: 900 });
    expect(typesOf(events)).toEqual(['rtpstreamend', 'rtpstreamstart', 'rtp']);
    expect(events[0]).toMatchObject({
      stream: { ssrc: 5 },
      failure: { layer: 'media', code: 'stream-replaced' },
    });
    // Late ones of the old source do not bring it back; a second later it may return.
    expect(rig.take({ ssrc: 5, mid: '1', rid: 'h', sequence: 2 })).toEqual([]);
    expect(counted(rig)).toEqual({ retiredSourcePackets: 1 });
    expect(typesOf(rig.take({ ssrc: 5, mid: '1', rid: 'h', sequence: 3 }, 1000))).toContain('rtpstreamstart');
  });
});

describe('RTX finds what it repairs', () => {
  const FID = {
    sources: [{ ssrc: 5 }, { ssrc: 50 }],
    sourceGroups: [{ semantics: 'FID', ssrcs: [5, 50] }],
  };

  test('by an FID group', () => {
    const rig = new Rig([media(2, '1', 'video', [VP8], FID)]);
    rig.take({ ssrc: 5, sequence: 1 });
    rig.take({ ssrc: 5, sequence: 3 });
    const [recovered] = packetsOf(
      rig.take({ ssrc: 50, payloadType: 97, sequence: 700, repairs: 2, payload: VP8_KEYFRAME }),
    );
    expect(recovered).toMatchObject({ sequence: 65_538, isRecovered: true, codec: { payloadType: 96 } });
    expect(recovered?.packet).toMatchObject({ ssrc: 5, payloadType: 96, sequenceNumber: 2 });
    expect([...(recovered?.packet.payload ?? [])]).toEqual([...VP8_KEYFRAME]);
  });

  test('by its repaired rid, and without it once it is bound', () => {
    const rig = new Rig([SIMULCAST]);
    for (const sequence of [1, 4]) {
      rig.take({ ssrc: 5, mid: '1', rid: 'h', sequence });
      rig.take({ ssrc: 6, mid: '1', rid: 'l', sequence });
    }
    const first = rig.take({
      ssrc: 60,
      payloadType: 97,
      mid: '1',
      repairedRid: 'l',
      sequence: 9,
      repairs: 2,
    });
    expect(streamOf(first)?.rid).toBe('l');
    expect(streamOf(rig.take({ ssrc: 60, payloadType: 97, sequence: 10, repairs: 3 }))?.rid).toBe('l');
  });

  test('by an FID group, where rids say which source is which', () => {
    const rig = new Rig([
      media(2, '1', 'video', [VP8], {
        encodings: SIMULCAST.receive.encodings,
        sources: [{ ssrc: 6 }, { ssrc: 5 }, { ssrc: 60 }, { ssrc: 50 }],
        sourceGroups: [
          { semantics: 'FID', ssrcs: [6, 60] },
          { semantics: 'FID', ssrcs: [5, 50] },
        ],
      }),
    ]);
    for (const sequence of [1, 3]) {
      rig.take({ ssrc: 5, mid: '1', rid: 'h', sequence });
      rig.take({ ssrc: 6, mid: '1', rid: 'l', sequence });
    }
    expect(streamOf(rig.take({ ssrc: 60, payloadType: 97, repairs: 2 }))?.rid).toBe('l');
    expect(streamOf(rig.take({ ssrc: 50, payloadType: 97, repairs: 2 }))?.rid).toBe('h');
  });

  test('by its payload type where the media has one stream', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 5, mid: '1', sequence: 1 });
    rig.take({ ssrc: 5, sequence: 3 });
    expect(streamOf(rig.take({ ssrc: 50, payloadType: 97, repairs: 2 }))?.ssrc).toBe(5);
  });

  test('by the packet that one stream alone misses (RFC 4588 §5.3)', () => {
    const rig = new Rig([SIMULCAST]);
    rig.take({ ssrc: 5, mid: '1', rid: 'h', sequence: 1 });
    rig.take({ ssrc: 6, mid: '1', rid: 'l', sequence: 1 });
    rig.take({ ssrc: 6, sequence: 3 });
    expect(streamOf(rig.take({ ssrc: 60, mid: '1', payloadType: 97, repairs: 2 }))?.rid).toBe('l');
  });

  test('not where two streams miss it: nobody can tell', () => {
    const rig = new Rig([SIMULCAST]);
    for (const sequence of [1, 3]) {
      rig.take({ ssrc: 5, mid: '1', rid: 'h', sequence });
      rig.take({ ssrc: 6, mid: '1', rid: 'l', sequence });
    }
    expect(rig.take({ ssrc: 61, mid: '1', payloadType: 97, repairs: 2 })).toEqual([]);
    expect(counted(rig)).toEqual({ unpairedRepairs: 1 });
  });

  test('after the source of its media has changed it repairs the new one', () => {
    const rig = new Rig([media(2, '1', 'video', [VP8], FID)]);
    rig.take({ ssrc: 5, sequence: 1 });
    rig.take({ ssrc: 50, payloadType: 97, repairs: 1 });
    rig.take({ ssrc: 6, mid: '1', sequence: 1000 });
    rig.take({ ssrc: 6, sequence: 1002 });
    expect(streamOf(rig.take({ ssrc: 50, payloadType: 97, sequence: 2, repairs: 1001 }))?.ssrc).toBe(6);
  });

  test('lies of RTX are dropped: no stream, nothing in it, a number of nowhere, twice the same', () => {
    const rig = new Rig([VIDEO]);
    rig.take({ ssrc: 50, mid: '1', payloadType: 97, repairs: 1 });
    rig.take({ ssrc: 5, mid: '1', sequence: 1 });
    rig.take({ ssrc: 5, sequence: 3 });
    rig.take({ ssrc: 50, payloadType: 97, sequence: 2, padding: 100 });
    rig.take({ ssrc: 50, payloadType: 97, sequence: 3, repairs: 30_000 });
    rig.take({ ssrc: 50, payloadType: 97, sequence: 4, repairs: 2 });
    rig.take({ ssrc: 50, payloadType: 97, sequence: 5, repairs: 2 });
    rig.take({ ssrc: 50, payloadType: 97, sequence: 5, repairs: 2 });
    rig.take({ ssrc: 50, payloadType: 96, sequence: 6 });
    expect(counted(rig)).toEqual({
      unpairedRepairs: 1,
      probes: 1,
      latePackets: 1,
      recoveredPackets: 1,
      duplicatePackets: 2,
      unknownPayloadTypes: 1,
    });
  });
});

describe('what is agreed on changes', () => {
  test('streams of a media that is not received any more end, the others stay', () => {
    const rig = new Rig([AUDIO, VIDEO]);
    rig.take({ ssrc: 1, mid: '0', payloadType: 111 });
    rig.take({ ssrc: 2, mid: '1' });
    rig.receiver.setMedia([AUDIO, { ...VIDEO, direction: 'inactive' }], rig.now);
    const events = rig.drain();
    expect(events).toMatchObject([
      { type: 'rtpstreamend', stream: { ssrc: 2 }, failure: { code: 'stream-not-agreed' } },
    ]);
    expect(typesOf(rig.take({ ssrc: 1, sequence: 2, payloadType: 111 }))).toEqual(['rtp']);
  });

  test('a rid that is gone ends its stream alone', () => {
    const rig = new Rig([SIMULCAST]);
    rig.take({ ssrc: 5, mid: '1', rid: 'h' });
    rig.take({ ssrc: 6, mid: '1', rid: 'l' });
    rig.receiver.setMedia(
      [media(2, '1', 'video', [VP8], { encodings: [{ rid: 'l', active: true }] })],
      rig.now,
    );
    expect(rig.drain()).toMatchObject([{ type: 'rtpstreamend', stream: { rid: 'h' } }]);
    rig.check();
  });

  test('a source that signalling moves to another media ends where it was', () => {
    const rig = new Rig([VIDEO, AUDIO]);
    rig.take({ ssrc: 5, mid: '1' });
    rig.receiver.setMedia([VIDEO, media(3, '2', 'video', [VP8], { sources: [{ ssrc: 5 }] })], rig.now);
    expect(typesOf(rig.drain())).toEqual(['rtpstreamend']);
    expect(streamOf(rig.take({ ssrc: 5, sequence: 2 }))?.mediaId).toBe(3);
  });

  test('the handle of a stream shows extensions that are agreed on later', () => {
    const rig = new Rig([VIDEO]);
    const [packet] = packetsOf(rig.take({ ssrc: 5, mid: '1' }));
    const headerExtensions = [...VIDEO.receive.headerExtensions, { id: 6, uri: 'urn:later' }];
    rig.receiver.setMedia([{ ...VIDEO, receive: { ...VIDEO.receive, headerExtensions } }], rig.now);
    expect(packet?.stream.extensionIds.get('urn:later')).toBe(6);
  });
});

describe('the number of sources is bounded', () => {
  test('65,535 SSRCs make no more streams than are allowed, and cost the others nothing', () => {
    const rig = new Rig([VIDEO, AUDIO], { maxStreams: 4 });
    rig.take({ ssrc: 99, mid: '0', payloadType: 111 });
    for (let ssrc = 100; ssrc < 65_635; ssrc++) {
      rig.receiver.handleRtp(rtp({ ssrc, mid: '1' }), rig.now);
      if (ssrc % 64 === 0) rig.drain();
    }
    rig.check();
    rig.drain();
    expect(rig.receiver.inspect()).toMatchObject({ streams: [{ ssrc: 99 }, {}], remembered: 4 });
    expect(packetsOf(rig.take({ ssrc: 99, sequence: 2, payloadType: 111 }))).toHaveLength(1);
  });

  test('a stream for which there is no room is refused', () => {
    const rig = new Rig([AUDIO, VIDEO], { maxStreams: 1 });
    rig.take({ ssrc: 1, mid: '0', payloadType: 111 });
    rig.take({ ssrc: 2, mid: '1' });
    expect(counted(rig)).toEqual({ refusedStreams: 1 });
  });

  test('unknown sources in a flood are counted and leave nothing', () => {
    const rig = new Rig([VIDEO]);
    for (let ssrc = 1; ssrc <= 65_535; ssrc++)
      rig.receiver.handleRtp(rtp({ ssrc, payloadType: 33 }), rig.now);
    expect(counted(rig)).toEqual({ unknownSources: 65_535 });
    expect(rig.receiver.inspect()).toMatchObject({ streams: [], remembered: 0 });
    expect(rig.receiver.nextTimeout()).toBe(Infinity);
  });
});
