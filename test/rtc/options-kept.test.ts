/** Options that their caller changes after the call: what was given counts, wherever in a connection's life it is used. */
import { describe, expect, test } from 'vitest';
import type { RtcOptions } from '../../src/index.ts';
import type { MediaOptions } from '../../src/media/index.ts';
import { rtpMedia } from '../../src/media/index.ts';
import type { Pair } from './pair.ts';
import { makeUnsignalledPair } from './pair.ts';

/** Every option that is a list or an object, with what would show. */
function options(): Partial<RtcOptions> {
  return {
    codecs: {
      audio: [{ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, rtcpFeedback: ['transport-cc'] }],
      video: [{ mimeType: 'video/VP8', clockRate: 90_000, rtcpFeedback: ['nack', 'nack pli'] }],
    },
    headerExtensions: { audio: ['urn:ietf:params:rtp-hdrext:sdes:mid'], video: [] },
    pathMtu: { max: 1400 },
    ice: { remoteCandidateFilter: { types: ['host'], deny: ['203.0.113.0/24'] } },
    dtls: {
      versions: { min: '1.2', max: '1.2' },
      groups: ['secp256r1'],
      cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
      connectionId: { length: 4 },
    },
    sctp: { gates: { sctpConnect: 20_000 }, streams: 100 },
    channels: { limits: { maxLabelLength: 100 } },
  };
}

function mediaOptions(): MediaOptions {
  return {
    srtp: { maxSources: 64 },
    receive: { feedback: { interval: 200 } },
    send: { historyPackets: 100 },
  };
}

/** Empties every list, and makes every number and text another. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    value.forEach(spoil);
    value.length = 0;
    return;
  }
  const members = value as Record<string, unknown>;
  for (const [name, member] of Object.entries(members)) {
    if (typeof member === 'number') members[name] = 1;
    else if (typeof member === 'string') members[name] = 'spoilt';
    else spoil(member);
  }
}

/** What a connection does under these options; both ends send what there is. */
function course(isSpoilt: boolean): {
  readonly digest: string;
  readonly states: unknown;
  readonly pair: Pair;
} {
  const given = [options(), options()] as const;
  const media = mediaOptions();
  const pair = makeUnsignalledPair({
    seed: 5,
    offerer: { ...given[0], media: rtpMedia(media) },
    answerer: { ...given[1], media: rtpMedia(media) },
  });
  const { offerer, answerer, net } = pair;
  if (isSpoilt) {
    for (const one of given) spoil(one);
    spoil(media);
  }
  const draft = offerer.rtc.negotiation();
  draft.addChannel('chat');
  const encodings = [{ rid: 'h', restrictions: [{ name: 'max-width', value: '640' }] }, { rid: 'l' }];
  const streams = ['camera'];
  const videoExtensions = [
    'urn:ietf:params:rtp-hdrext:sdes:mid',
    'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  ];
  const audio = draft.addMedia('audio', { direction: 'sendrecv' });
  draft.addMedia('video', { direction: 'sendonly', encodings, streams, headerExtensions: videoExtensions });
  if (isSpoilt) spoil([encodings, streams, videoExtensions]);
  const pending = draft.offer();
  const received = answerer.rtc.receiveOffer(pending.sdp);
  for (const one of received.media) one.direction = 'sendrecv';
  pending.accept(received.answer());
  net.advance(3000);
  for (let i = 0; i < 20; i++) {
    audio.sender()?.write({ payload: new Uint8Array(50), timestamp: 960 * i });
    net.advance(20);
  }
  net.advance(2000);
  const sdp = [pending.sdp, answerer.rtc.inspect().media];
  return { digest: net.digest(), states: [sdp, offerer.rtc.inspect(), answerer.rtc.inspect()], pair };
}

describe('options changed after they were given', () => {
  test('count as they were', () => {
    const calm = course(false);
    const spoilt = course(true);
    expect(calm.pair.offerer.rtc.connectionState).toBe('connected');
    expect(spoilt.states).toEqual(calm.states);
    expect(spoilt.digest).toBe(calm.digest);
  });

  test('what media say they were made with, for a trace, is that too', () => {
    const given = mediaOptions();
    const media = rtpMedia(given);
    spoil(given);
    expect(media.options).toEqual(mediaOptions());
    expect(Object.isFrozen(media.options)).toBe(true);
  });

  test('what media were handed without SDP counts as it was', () => {
    const { pair } = course(false);
    const { rtc } = pair.offerer;
    const plans = structuredClone(rtc.inspect().media) as Parameters<typeof rtc.setMedia>[0][number][];
    rtc.setMedia(plans);
    const before = JSON.stringify(rtc.inspect());
    spoil(plans);
    expect(JSON.stringify(rtc.inspect())).toBe(before);
  });
});
