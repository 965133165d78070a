/** Payload types and identifiers of header extensions in a session, as exchanges follow each other (RFC 3264 §5.1, §6.1, §8.3.2; RFC 9143 §9.1). */
import { describe, expect, test } from 'vitest';
import type { MediaPlan, StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { attributes, mediaCodecs, parseSdp } from '../../src/sdp/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import { addition, ANSWERED, described } from './peer-description.ts';

const RTP = 'a=rtcp-mux';
const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

const mediaOf = ({ agreement }: StableState, index = 0): MediaPlan => {
  const plan = agreement?.plan.sections[index];
  return plan?.kind === 'media' ? plan : expect.unreachable('no media there');
};
const numbersOf = (sdp: string, index = 0): readonly string[] => {
  const media = valid(parseSdp(sdp)).media[index] ?? expect.unreachable();
  return valid(mediaCodecs(media)).map(({ payloadType, name }) => `${payloadType} ${name}`);
};

/** An offer with one section for audio, answered both ways. */
function answerTo(state: StableState, offer: string): { readonly sdp: string; readonly next: StableState } {
  const received = valid(receiveOffer(state, offer));
  const choices = received.media.map(({ index }) => ({ index, direction: 'sendrecv' }) as const);
  const answered = answerOffer(valid(chooseSections(received, choices)), LOCAL_B);
  expectMirror(offer, answered.sdp);
  return answered;
}

describe('numbers of the peer', () => {
  const offer = described([
    { media: 'audio', mid: '0', formats: '102 0', lines: [RTP, 'a=rtpmap:102 opus/48000/2'] },
    {
      media: 'video',
      mid: '1',
      formats: '111 112',
      lines: [RTP, 'a=rtpmap:111 VP8/90000', 'a=rtpmap:112 rtx/90000', 'a=fmtp:112 apt=111'],
    },
  ]);

  test('are those of the answer, and of every offer of ours that follows', () => {
    const { sdp, next } = answerTo(newState(), offer);
    expect(numbersOf(sdp)).toEqual(['102 opus', '0 PCMU']);
    expect(numbersOf(sdp, 1)).toEqual(['111 VP8', '112 rtx']);
    const later = prepareOffer(next, LOCAL_B, {
      media: [addition('audio', 0), addition('video', 2)],
      data: false,
    }).sdp;
    expect(numbersOf(later).slice(0, 2)).toEqual(['102 opus', '0 PCMU']);
    expect(numbersOf(later, 2)[0]).toBe('102 opus');
    expect(numbersOf(later, 3).slice(0, 2)).toEqual(['111 VP8', '112 rtx']);
    // One number, one meaning, in the whole group.
    const meanings = new Map<string, string>();
    for (const index of [0, 1, 2, 3])
      for (const entry of numbersOf(later, index)) {
        const [number = '', name = ''] = entry.split(' ');
        expect(meanings.get(number) ?? name).toBe(name);
        meanings.set(number, name);
      }
  });

  test('in a later section may be others for the same codec: the answer has those of its section', () => {
    const { next } = answerTo(newState(), offer);
    const more = `${offer}${['m=audio 9 UDP/TLS/RTP/SAVPF 105', 'c=IN IP4 0.0.0.0', 'a=mid:2', RTP, 'a=rtpmap:105 opus/48000/2', ''].join('\r\n')}`;
    const grouped = more.replace('BUNDLE 0 1', 'BUNDLE 0 1 2');
    expect(numbersOf(answerTo(next, grouped).sdp, 2)).toEqual(['105 opus']);
  });

  test('that mean two codecs in one group: the later one is not taken, with a warning, and refused when strict', () => {
    const twice = offer.replaceAll('111', '102').replaceAll('112', '103');
    const { warnings, accepted } = valid(receiveOffer(newState(), twice));
    expect(warnings).toMatchObject([{ code: 'payload-type-conflict', mid: '1' }]);
    expect(accepted.sections.map(({ kind }) => kind)).toEqual(['media', 'rejected']);
    expect(codeOf(receiveOffer(newState({ strict: true }), twice))).toBe('payload-type-conflict');
  });

  test('may all be used up by the peer: an offer of ours takes those that no section has', () => {
    const numbers = [...Array(32).keys()].map((n) => 96 + n).concat([...Array(29).keys()].map((n) => 35 + n));
    const lines = numbers.map((n) => `a=rtpmap:${n} ${n === 96 ? 'opus/48000/2' : `x${n}/8000`}`);
    const all = described([{ media: 'audio', mid: '0', formats: numbers.join(' '), lines: [RTP, ...lines] }]);
    const { next } = answerTo(newState(), all);
    const ours = prepareOffer(next, LOCAL_B, { media: [addition('video', 0)], data: false });
    expect(numbersOf(ours.sdp, 0)).toContain('96 opus');
    expect(numbersOf(ours.sdp, 1)).toContain('97 VP8');
    expect(codeOf(receiveOffer(newState(), ours.sdp))).toBe('accepted');
  });

  test('may all be in use: what cannot have one is offered as rejected', () => {
    const codecs = [...Array(61).keys()].map((n) => ({ mimeType: `audio/x${n}`, clockRate: 8000 }));
    const wish = {
      direction: 'sendrecv',
      codecs,
      headerExtensions: undefined,
      encodings: [],
      streams: [],
    } as const;
    const media = [{ type: 'add', id: 0, media: 'audio', wish } as const, addition('video', 2)];
    const { sdp } = prepareOffer(newState(), LOCAL_A, { media, data: false });
    expect(sdp).toContain('m=video 0 UDP/TLS/RTP/SAVPF 0\r\n');
    expect(codeOf(parseSdp(sdp))).toBe('accepted');
  });

  test('of a section that Firefox adds to ours may be those that we gave to others: what is left is taken', () => {
    const ours = prepareOffer(newState(), LOCAL_A, { media: [addition('video', 0)], data: false });
    const number = (name: string): string =>
      (numbersOf(ours.sdp).find((one) => one.endsWith(` ${name}`)) ?? expect.unreachable()).split(' ')[0] ??
      '';
    const peer = answerOffer(valid(receiveOffer(newState(), ours.sdp)), LOCAL_B);
    const { next } = valid(acceptAnswer(ours.next, peer.sdp));
    const again = prepareOffer(peer.next, LOCAL_B, { media: [], data: false });
    const added = [
      `m=video 9 UDP/TLS/RTP/SAVPF ${number('AV1')} 60`,
      'c=IN IP4 0.0.0.0',
      'a=mid:9',
      RTP,
      `a=rtpmap:${number('AV1')} VP9/90000`,
      'a=rtpmap:60 VP8/90000',
      '',
    ];
    const offer = `${again.sdp}${added.join('\r\n')}`.replace('BUNDLE 0', 'BUNDLE 0 9');
    const received = valid(receiveOffer(next, offer));
    expect(received.warnings).toMatchObject([{ code: 'payload-type-conflict', mid: '9' }]);
    expect(numbersOf(answerOffer(received, LOCAL_A).sdp, 1)).toEqual(['60 VP8']);
  });

  test('that mean two codecs, of which one is not taken, are fine: Firefox gives red a number of another section', () => {
    const red = offer
      .replace(/^(m=video .*)$/m, '$1 102')
      .replace(/^a=mid:1$/m, 'a=mid:1\r\na=rtpmap:102 red/90000');
    expect(red).not.toBe(offer);
    const answer = answerTo(newState(), red);
    expect([numbersOf(answer.sdp, 0), numbersOf(answer.sdp, 1)]).toEqual([
      numbersOf(answerTo(newState(), offer).sdp, 0),
      numbersOf(answerTo(newState(), offer).sdp, 1),
    ]);
  });

  test('that mean two codecs in sections which share nothing are fine: one of them is rejected', () => {
    const apart = offer
      .replaceAll('111', '102')
      .replaceAll('112', '103')
      .replace(/a=group.*\r\n/, '');
    expect(answerTo(newState(), apart).next.sections.map(({ kind }) => kind)).toEqual(['media', 'rejected']);
  });

  test.each(['200', '128', '-1', '64', '95', '72', '1e2', '0x60', '999999999999', 'x'])(
    '%s is none: refused, and nothing has changed',
    (number) => {
      const state = newState();
      const before = JSON.stringify(state);
      const bad = described([
        { media: 'audio', mid: '0', formats: `${number} 0`, lines: [RTP, `a=rtpmap:${number} opus/48000/2`] },
      ]);
      expect(codeOf(receiveOffer(state, bad))).toBe('payload-type-invalid');
      expect(JSON.stringify(state)).toBe(before);
    },
  );

  test.each(['96', '127', '35', '63', '0', '8'])('%s is one', (number) => {
    const good = described([
      { media: 'audio', mid: '0', formats: number, lines: [RTP, `a=rtpmap:${number} opus/48000/2`] },
    ]);
    expect(codeOf(receiveOffer(newState(), good))).toBe('accepted');
  });

  test('rtx of another clock rate than its codec is none (RFC 4588 §4.3)', () => {
    const lines = [
      RTP,
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 rtx/9',
      'a=fmtp:97 apt=96',
      'a=rtpmap:98 rtx/90000',
      'a=fmtp:98 apt=96',
    ];
    const { sdp } = answerTo(
      newState(),
      described([{ media: 'video', mid: '0', formats: '96 97 98', lines }]),
    );
    expect(numbersOf(sdp)).toEqual(['96 VP8', '98 rtx']);
  });

  test('rtx of a codec that is not there is left out, and so is what nobody knows', () => {
    const lines = [
      RTP,
      'a=rtpmap:96 VP8/90000',
      'a=rtpmap:97 rtx/90000',
      'a=fmtp:97 apt=99',
      'a=rtpmap:98 rtx/90000',
      'a=rtpmap:100 daala/90000',
    ];
    const { sdp } = answerTo(
      newState(),
      described([{ media: 'video', mid: '0', formats: '96 97 98 100', lines }]),
    );
    expect(numbersOf(sdp)).toEqual(['96 VP8']);
  });
});

describe('the answer of the peer', () => {
  const offered = prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0)], data: false });
  const answer = (formats: string, ...lines: readonly string[]): string =>
    described([{ media: 'audio', mid: '0', formats, lines: [RTP, ...lines], transport: ANSWERED }]);
  const opus = numbersOf(offered.sdp)[0]?.split(' ')[0] ?? '';

  test('has the order by which this end sends', () => {
    const { next } = valid(
      acceptAnswer(offered.next, answer(`8 0 ${opus}`, `a=rtpmap:${opus} opus/48000/2`)),
    );
    expect(mediaOf(next).send.codecs.map(({ mimeType }) => mimeType)).toEqual([
      'audio/PCMA',
      'audio/PCMU',
      'audio/opus',
    ]);
    // Our next offer has the order in which this end prefers to receive: that of its own last description.
    expect(numbersOf(prepareOffer(next, LOCAL_A, { media: [], data: false }).sdp)).toEqual(
      numbersOf(offered.sdp),
    );
  });

  test('has numbers of its own: this end sends by those, and receives by the ones it has offered', () => {
    const { next } = valid(acceptAnswer(offered.next, answer('120', 'a=rtpmap:120 opus/48000/2')));
    expect(mediaOf(next).send.codecs).toMatchObject([{ payloadType: 120, mimeType: 'audio/opus' }]);
    expect(mediaOf(next).receive.codecs).toMatchObject([
      { payloadType: Number(opus), mimeType: 'audio/opus' },
    ]);
  });

  test('leaves codecs out: they are offered again under the numbers they had', () => {
    const before = numbersOf(offered.sdp);
    const { next } = valid(acceptAnswer(offered.next, answer('0')));
    expect(mediaOf(next).send.codecs.map(({ mimeType }) => mimeType)).toEqual(['audio/PCMU']);
    expect([...numbersOf(prepareOffer(next, LOCAL_A, { media: [], data: false }).sdp)].sort()).toEqual(
      [...before].sort(),
    );
  });

  test('has none of the codecs: refused, and the offer stays', () => {
    expect(codeOf(acceptAnswer(offered.next, answer('120', 'a=rtpmap:120 speex/8000')))).toBe(
      'codec-mismatch',
    );
    expect(codeOf(acceptAnswer(offered.next, answer('0')))).toBe('accepted');
  });

  test('gives feedback that was not offered: it is not agreed on (RFC 9429 §5.11)', () => {
    const { next } = valid(
      acceptAnswer(offered.next, answer('0', 'a=rtcp-fb:0 x-unheard-of', 'a=rtcp-fb:0 nack pli')),
    );
    expect(mediaOf(next).receive.codecs[0]?.rtcpFeedback).toEqual([]);
  });
});

describe('identifiers of header extensions', () => {
  const offer = (...lines: readonly string[]): string =>
    described([{ media: 'audio', mid: '0', lines: [RTP, 'a=rtpmap:111 opus/48000/2', ...lines] }]);
  const idsOf = (sdp: string): readonly string[] =>
    valid(parseSdp(sdp)).media.flatMap(({ lines }) => attributes(lines, 'extmap').map(({ value }) => value));

  test("are the peer's, in the answer and in later offers of ours; what nobody knows is left out", () => {
    const { sdp, next } = answerTo(
      newState(),
      offer(`a=extmap:7 ${MID}`, 'a=extmap:8 urn:x:unheard-of', `a=extmap:13 ${LEVEL}`),
    );
    expect(idsOf(sdp)).toEqual([`7 ${MID}`, `13 ${LEVEL}`]);
    const later = idsOf(prepareOffer(next, LOCAL_B, { media: [addition('audio', 0)], data: false }).sdp);
    expect(later).toEqual(expect.arrayContaining([`7 ${MID}`, `13 ${LEVEL}`]));
    expect(new Set(later.map((value) => value.split(' ')[0])).size).toBe(new Set(later).size);
  });

  test('answered in part: the rest is not used', () => {
    const offered = prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0)], data: false });
    const [first = ''] = idsOf(offered.sdp);
    const answer = described([
      { media: 'audio', mid: '0', formats: '0', lines: [RTP, `a=extmap:${first}`], transport: ANSWERED },
    ]);
    const { next } = valid(acceptAnswer(offered.next, answer));
    expect(mediaOf(next).send.headerExtensions.map(({ id, uri }) => `${id} ${uri}`)).toEqual([first]);
  });

  test('mean one thing: another meaning later is refused, and two meanings at once', () => {
    const { next } = answerTo(newState(), offer(`a=extmap:7 ${MID}`));
    expect(codeOf(receiveOffer(next, offer(`a=extmap:7 ${LEVEL}`)))).toBe('extension-remapped');
    const twice = offer(`a=extmap:7 ${MID}`, `a=extmap:7 ${LEVEL}`);
    expect(codeOf(receiveOffer(newState(), twice))).toBe('extmap-duplicate');
    const sections = ['0', '1'].map((mid) => ({
      media: 'audio',
      mid,
      lines: [RTP, 'a=rtpmap:111 opus/48000/2', `a=extmap:7 ${mid === '0' ? MID : LEVEL}`],
    }));
    expect(codeOf(receiveOffer(newState(), described(sections)))).toBe('extension-conflict');
  });
});
