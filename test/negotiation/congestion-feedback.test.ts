/** Congestion control feedback (RFC 8888 §6) in offers and answers: for all formats, and one mechanism in an answer. */
import { describe, expect, test } from 'vitest';
import type {
  CodecCapability,
  MediaPlan,
  MediaWish,
  NegotiationOptions,
} from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  DEFAULT_CAPABILITIES,
  judgeAnswerEdit,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { TRANSPORT_SEQUENCE_URI } from '../../src/rtp/index.ts';
import { valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';

const LINE = 'a=rtcp-fb:* ack ccfb\r\n';

const WISH: MediaWish = {
  direction: 'sendrecv',
  codecs: undefined,
  headerExtensions: undefined,
  encodings: [],
  streams: [],
};

/** The codecs of browsers; those that `says` is true for have congestion control feedback, too. */
function capabilities(says: (mimeType: string) => boolean = () => true): Partial<NegotiationOptions> {
  const withFeedback = (codec: CodecCapability): CodecCapability =>
    says(codec.mimeType) ? { ...codec, rtcpFeedback: [...(codec.rtcpFeedback ?? []), 'ack ccfb'] } : codec;
  const { audio, video } = DEFAULT_CAPABILITIES;
  return {
    newMediaDirection: 'sendrecv',
    codecs: { audio: audio.map(withFeedback), video: video.map(withFeedback) },
  };
}

interface Outcome {
  readonly offer: string;
  readonly answer: string;
  /** Of each end, both flows of its audio and its video. */
  readonly flows: readonly MediaPlan['send'][];
}

/** @param edit what becomes of the offer on its way */
function negotiate(
  ours: Partial<NegotiationOptions>,
  theirs: Partial<NegotiationOptions>,
  edit: (sdp: string) => string = (sdp) => sdp,
): Outcome {
  const media = (['audio', 'video'] as const).map((kind, index) => {
    return { type: 'add' as const, id: 2 * index, media: kind, wish: WISH };
  });
  const offered = prepareOffer(newState(ours), LOCAL_A, { media, data: false });
  const answered = answerOffer(valid(receiveOffer(newState(theirs), edit(offered.sdp))), LOCAL_B);
  expectMirror(offered.sdp, answered.sdp);
  const { plan } = valid(acceptAnswer(offered.next, answered.sdp));
  const sections = [...plan.sections, ...answered.plan.sections];
  const flows = sections.flatMap((section) =>
    section.kind === 'media' ? [section.send, section.receive] : [],
  );
  expect(flows).toHaveLength(8);
  return { offer: offered.sdp, answer: answered.sdp, flows };
}

function feedbackOf({ codecs }: MediaPlan['send']): string[] {
  return codecs.flatMap(({ rtcpFeedback }) => [...rtcpFeedback]);
}

describe('congestion control feedback', () => {
  test('is not offered, and not answered, unless codecs say so', () => {
    const plain = negotiate({ newMediaDirection: 'sendrecv' }, capabilities());
    expect(plain.offer + plain.answer).not.toContain('ccfb');
    const asked = negotiate(capabilities(), { newMediaDirection: 'sendrecv' });
    expect(asked.answer).not.toContain('ccfb');
    for (const { flows, answer } of [plain, asked]) {
      expect(answer).toContain('transport-cc');
      expect(flows.every((flow) => feedbackOf(flow).includes('transport-cc'))).toBe(true);
      expect(flows.some((flow) => feedbackOf(flow).includes('ack ccfb'))).toBe(false);
    }
  });

  test('is offered beside transport-cc, for all formats of each section', () => {
    const { offer } = negotiate(capabilities(), capabilities());
    expect(offer.split(LINE)).toHaveLength(3);
    expect(offer).not.toMatch(/a=rtcp-fb:\d+ ack/);
    expect(offer).toContain(' transport-cc\r\n');
    expect(offer).toContain(TRANSPORT_SEQUENCE_URI);
  });

  test('is answered in place of transport-cc and its header extension', () => {
    const { answer, flows } = negotiate(capabilities(), capabilities());
    expect(answer.split(LINE)).toHaveLength(3);
    expect(answer).not.toContain('transport-cc\r\n');
    expect(answer).not.toContain(TRANSPORT_SEQUENCE_URI);
    for (const flow of flows) {
      for (const { rtcpFeedback } of flow.codecs) {
        expect(rtcpFeedback).toContain('ack ccfb');
        expect(rtcpFeedback).not.toContain('transport-cc');
      }
      expect(flow.headerExtensions.map(({ uri }) => uri)).not.toContain(TRANSPORT_SEQUENCE_URI);
    }
  });

  test('what one codec says counts for all of its section, at both ends', () => {
    const { answer, flows } = negotiate(
      capabilities((mimeType) => mimeType === 'video/VP8'),
      capabilities((mimeType) => mimeType === 'video/AV1' || mimeType === 'audio/opus'),
    );
    expect(answer.split(LINE)).toHaveLength(2);
    const having = flows.filter((flow) => feedbackOf(flow).includes('ack ccfb'));
    expect(having).toHaveLength(4);
    for (const { codecs } of having) {
      expect(codecs.every(({ rtcpFeedback }) => rtcpFeedback.includes('ack ccfb'))).toBe(true);
      expect(codecs.some(({ rtcpFeedback }) => rtcpFeedback.includes('transport-cc'))).toBe(false);
    }
  });

  test('is taken where an offer has it of formats, and answered for all of them', () => {
    const { answer } = negotiate(capabilities(), capabilities(), (sdp) =>
      sdp.replaceAll(LINE, '').replaceAll(/(a=rtpmap:(\d+) VP8.*\r\n)/g, '$1a=rtcp-fb:$2 ack ccfb\r\n'),
    );
    expect(answer.split(LINE)).toHaveLength(2);
  });

  test('goes with its line from an answer that is edited', () => {
    const offered = prepareOffer(newState(capabilities()), LOCAL_A, {
      media: [{ type: 'add', id: 0, media: 'video', wish: WISH }],
      data: false,
    });
    const received = valid(receiveOffer(newState(capabilities()), offered.sdp));
    const written = answerOffer(received, LOCAL_B);
    const edited = valid(judgeAnswerEdit(received, written, written.sdp.replace(LINE, '')));
    const { plan } = valid(acceptAnswer(offered.next, edited.sdp));
    for (const { sections } of [edited.plan, plan]) {
      for (const section of sections) {
        expect(section.kind === 'media' && feedbackOf(section.send).includes('ack ccfb')).toBe(false);
      }
    }
  });
});
