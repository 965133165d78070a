/** What becomes of the descriptions of other implementations (test/fixtures/sdp/dialects; its README says what is peculiar to each). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { SectionPlan } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { parseSdp } from '../../src/sdp/index.ts';
import { codeOf, dialect, dialectNames, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import { addition } from './peer-description.ts';

/** What an offer comes to where media is wanted both ways. */
interface Expected {
  /** Each section: its kind, for media the direction and the codecs by their numbers, with that of retransmission behind a slash. */
  readonly sections: readonly string[];
  /** Who speaks for the transport: mid and index. */
  readonly tag: readonly [mid: string | undefined, index: number];
  /** The usual one is `active`, as the peer leaves it open. */
  readonly setup?: 'passive';
  /** The peer's end is lite, so that this one is in control. */
  readonly lite?: true;
  /** Candidates that ICE can use. */
  readonly candidates: number;
  /** Of the peer's MediaStreams, all of them. */
  readonly streams?: readonly string[];
}

const OFFERS: Readonly<Record<string, Expected>> = {
  aiortc: {
    sections: ['audio sendrecv: 96 opus, 9 G722, 0 PCMU, 8 PCMA', 'data'],
    tag: ['0', 0],
    candidates: 2,
    streams: ['9b1f6a02-2f5e-4d0c-8a55-7d8e0c3e1f10'],
  },
  'chrome-stopped': {
    sections: [
      'audio sendrecv: 111 opus, 9 G722, 0 PCMU, 8 PCMA, 110 telephone-event, 126 telephone-event',
      'rejected',
      'video recvonly: 96/97 VP8',
      'data',
    ],
    tag: ['0', 0],
    candidates: 3,
    streams: ['5f3d2c1e'],
  },
  'ffmpeg-whip': {
    sections: ['audio recvonly: 111 opus', 'video recvonly: 106/105 H264'],
    tag: ['0', 0],
    candidates: 0,
    streams: ['FFmpeg'],
  },
  'firefox-removed-audio': {
    sections: ['rejected', 'video sendonly: 120/124 VP8, 126/127 H264', 'data'],
    tag: ['1', 1],
    candidates: 4,
    streams: ['{c537f11b-6e61-4346-a4b1-95392ba94d70}'],
  },
  freeswitch: {
    sections: ['audio sendrecv: 102 opus, 0 PCMU, 8 PCMA, 103 telephone-event, 101 telephone-event'],
    tag: [undefined, 0],
    candidates: 1,
    streams: ['KrHqAnnOdtzj5A2WEBnDah1w1XtC0XfA'],
  },
  // Each section would have a transport of its own, and there is one.
  'gstreamer-webrtcbin': {
    sections: ['video sendrecv: 97/100 VP8', 'rejected'],
    tag: ['video0', 0],
    candidates: 0,
    streams: ['user1672718228@host-e685f0ce'],
  },
  janus: {
    sections: ['audio recvonly: 111 opus', 'video recvonly: 107/108 H264'],
    tag: ['audio', 0],
    candidates: 2,
    streams: ['janus'],
  },
  libdatachannel: { sections: ['data'], tag: ['0', 0], candidates: 0 },
  'libp2p-webrtc-direct': { sections: ['data'], tag: ['0', 0], candidates: 0 },
  livekit: { sections: ['data'], tag: ['0', 0], lite: true, candidates: 0 },
  'mediasoup-client': {
    sections: ['video recvonly: 101/102 VP8', 'data', 'video recvonly: 127 VP8'],
    tag: ['0', 0],
    lite: true,
    candidates: 2,
    streams: ['ebeab586', 'probator'],
  },
  'obs-whip': {
    sections: ['audio recvonly: 111 opus', 'video recvonly: 96 H264'],
    tag: ['0', 0],
    candidates: 3,
    streams: ['XmQSKutZo7zYcEQl'],
  },
  pion: {
    sections: ['audio sendrecv: 111 opus, 0 PCMU, 8 PCMA', 'video sendrecv: 102 H264', 'data'],
    tag: ['0', 0],
    candidates: 2,
    streams: ['abc'],
  },
  rawrtc: { sections: ['data'], tag: ['rawrtc-sctp-dc', 0], candidates: 1 },
  // Two sections without BUNDLE: the first alone.
  rtpengine: {
    sections: ['audio sendrecv: 0 PCMU, 8 PCMA, 101 telephone-event', 'rejected'],
    tag: [undefined, 0],
    candidates: 1,
    streams: [],
  },
  'safari-stray-lf': {
    sections: [
      'audio sendrecv: 111 opus, 9 G722, 0 PCMU, 8 PCMA, 110 telephone-event',
      'video sendrecv: 96/97 H264, 98/99 H264, 100/101 VP8',
      'data',
    ],
    tag: ['0', 0],
    candidates: 0,
    streams: ['13bbf5b2-5a11-4b2f-8e20-5e7c3b4f7e11'],
  },
  'simple-peer': { sections: ['data'], tag: ['data', 0], candidates: 1 },
  str0m: {
    sections: ['audio sendrecv: 111 opus', 'video inactive: 96/97 VP8'],
    tag: ['jaK', 0],
    candidates: 1,
    streams: [],
  },
  werift: { sections: ['video sendonly: 96/97 VP8', 'data'], tag: ['0', 0], candidates: 0, streams: [] },
};

/** What cannot be: the code that says so. */
const REFUSED: Readonly<Record<string, string>> = {
  // Without rtcp-mux RTCP would need a path of its own.
  asterisk: 'no-application-section',
  // SHA-1 alone (RFC 8122 §5 asks for better).
  'node-webrtc-2015': 'fingerprint-unsupported',
};

/** What is recorded of their answers. */
const ANSWERS: ReadonlySet<string> = new Set(['ring']);

test('there is an expectation of each, and a line about it', () => {
  expect([...Object.keys(OFFERS), ...Object.keys(REFUSED), ...ANSWERS].sort()).toEqual(
    [...dialectNames].sort(),
  );
  const readme = readFileSync(new URL('../fixtures/sdp/dialects/README.md', import.meta.url), 'utf8');
  for (const name of dialectNames) expect(readme).toContain(`\`${name}\``);
});

describe.each(Object.entries(OFFERS))('%s offers', (name, expected) => {
  const offer = dialect(name);
  const received = valid(receiveOffer(newState(), offer));

  test('and is answered with media both ways', () => {
    const choices = received.media.map(
      ({ index }) => ({ index, direction: 'sendrecv', streams: ['s'] }) as const,
    );
    const { sdp, plan } = answerOffer(valid(chooseSections(received, choices)), LOCAL_B);
    expectMirror(offer, sdp);
    expect(plan.sections.map(shownPlan)).toEqual(expected.sections);
    const { mid, mLineIndex, localSetup, ice, iceRole, candidates } = plan.transport;
    expect([mid, mLineIndex]).toEqual(expected.tag);
    expect(localSetup).toBe(expected.setup ?? 'active');
    expect([ice.lite, iceRole]).toEqual(
      expected.lite === true ? [true, 'controlling'] : [false, 'controlled'],
    );
    expect(candidates).toHaveLength(expected.candidates);
    expect(received.warnings).toEqual([]);
    expect([...new Set(received.media.flatMap(({ streams }) => streams))]).toEqual(expected.streams ?? []);
  });

  test('and is answered without a choice: the same sections, and media waits', () => {
    const { sdp, plan } = answerOffer(received, LOCAL_B);
    expectMirror(offer, sdp);
    expect(plan.sections.map(shownPlan)).toEqual(
      expected.sections.map((section) => section.replace(/send\w+|recvonly/, 'inactive')),
    );
  });

  test('and takes part in what comes later: our offer has its sections', () => {
    const { sdp, next } = answerOffer(received, LOCAL_B);
    const shape = (text: string): readonly string[] => valid(parseSdp(text)).media.map(({ kind }) => kind);
    const again = prepareOffer(next, LOCAL_B, { media: [], data: false });
    expect(shape(again.sdp)).toEqual(shape(sdp));
  });
});

test.each(Object.entries(REFUSED))('%s offers what cannot be: %s', (name, code) => {
  const state = newState();
  const before = JSON.stringify(state);
  expect(codeOf(receiveOffer(state, dialect(name)))).toBe(code);
  expect(JSON.stringify(state)).toBe(before);
});

test('ring answers: the second section has no transport of its own, and numbers that are not ours', () => {
  const media = [
    addition('audio', 0, { direction: 'sendrecv' }),
    addition('video', 2, { direction: 'recvonly' }),
  ];
  const { next } = prepareOffer(newState(), LOCAL_A, { media, data: false });
  const { plan, warnings } = valid(acceptAnswer(next, dialect('ring')));
  expect(warnings).toEqual([]);
  expect(plan.transport).toMatchObject({ mid: '0', dtlsRole: 'server', iceRole: 'controlling' });
  expect(plan.sections).toMatchObject([
    {
      media: 'audio',
      direction: 'sendrecv',
      send: { codecs: [{ payloadType: 96, mimeType: 'audio/opus' }] },
    },
    { media: 'video', direction: 'recvonly', receive: { codecs: [{ mimeType: 'video/H264' }] } },
  ]);
});

function shownPlan(plan: SectionPlan): string {
  if (plan.kind !== 'media') return plan.kind;
  const codecs = plan.receive.codecs.map(({ payloadType, rtxPayloadType, mimeType }) => {
    const numbers = rtxPayloadType === undefined ? `${payloadType}` : `${payloadType}/${rtxPayloadType}`;
    return `${numbers} ${mimeType.split('/')[1] ?? ''}`;
  });
  return `${plan.media} ${plan.direction}: ${codecs.join(', ')}`;
}
