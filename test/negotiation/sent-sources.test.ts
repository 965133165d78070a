/** Sources that this end sends from: SSRCs in plans and descriptions (RFC 5576, RFC 9429 §5.2.1). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MediaPlan } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { sentSources } from '../../src/negotiation/sources.ts';
import { mediaSourceGroups, mediaSources, parseSdp } from '../../src/sdp/index.ts';
import { valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { addition } from './peer-description.ts';

const NAMING = { seed: 0x1234_5678, cname: 'of-this-end' };

const saidIn = (sdp: string): { sources: readonly unknown[]; groups: readonly unknown[] } => {
  const media = valid(parseSdp(sdp)).media[0]!;
  return { sources: mediaSources(media), groups: mediaSourceGroups(media) };
};

describe('sources', () => {
  test('of an offer and of its plan are the same, and go to the peer', () => {
    const offered = prepareOffer(newState({ sources: NAMING }), LOCAL_A, {
      media: [addition('video', 0)],
      data: false,
    });
    const received = valid(receiveOffer(newState({ sources: { ...NAMING, seed: 9 } }), offered.sdp));
    const answer = answerOffer(
      valid(chooseSections(received, [{ index: 0, direction: 'sendrecv' }])),
      LOCAL_B,
    );
    const here = valid(acceptAnswer(offered.next, answer.sdp)).plan.sections[0] as MediaPlan;
    const there = answer.plan.sections[0] as MediaPlan;
    const [source] = here.send.sources ?? [];
    expect(source).toMatchObject({ ssrc: expect.any(Number), rtxSsrc: expect.any(Number) });
    const attributes = [{ name: 'cname', value: 'of-this-end' }];
    expect(saidIn(offered.sdp)).toEqual({
      sources: [
        { ssrc: source?.ssrc, attributes },
        { ssrc: source?.rtxSsrc, attributes },
      ],
      groups: [{ semantics: 'FID', ssrcs: [source?.ssrc, source?.rtxSsrc] }],
    });
    expect(there.receive.sources.map(({ ssrc }) => ssrc)).toEqual([source?.ssrc, source?.rtxSsrc]);
    expect(here.receive.sources.map(({ ssrc }) => ssrc)).toEqual(
      (there.send.sources ?? []).flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]),
    );
  });

  test('are not said where nothing is sent, or where nobody has asked for names', () => {
    const receiving = prepareOffer(newState({ sources: NAMING }), LOCAL_A, {
      media: [addition('audio', 0, { direction: 'recvonly' })],
      data: false,
    });
    expect(saidIn(receiving.sdp)).toEqual({ sources: [], groups: [] });
    const unnamed = prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0)], data: false });
    expect(saidIn(unnamed.sdp)).toEqual({ sources: [], groups: [] });
  });

  test('of a simulcast are told by their rids alone', () => {
    const encodings = ['l', 'h'].map((rid) => ({ rid, active: true, restrictions: [] }));
    const offered = prepareOffer(newState({ sources: NAMING }), LOCAL_A, {
      media: [addition('video', 0, { encodings })],
      data: false,
    });
    expect(saidIn(offered.sdp)).toEqual({ sources: [], groups: [] });
    const received = valid(receiveOffer(newState(), offered.sdp));
    const answer = answerOffer(
      valid(chooseSections(received, [{ index: 0, direction: 'recvonly' }])),
      LOCAL_B,
    );
    const plan = valid(acceptAnswer(offered.next, answer.sdp)).plan.sections[0] as MediaPlan;
    expect(plan.send.sources?.map(({ rid }) => rid)).toEqual(['l', 'h']);
  });

  test('stay what they are over later exchanges', () => {
    const state = newState({ sources: NAMING });
    const first = prepareOffer(state, LOCAL_A, { media: [addition('audio', 0)], data: false });
    const answer = answerOffer(valid(receiveOffer(newState(), first.sdp)), LOCAL_B);
    const { next } = valid(acceptAnswer(first.next, answer.sdp));
    const again = prepareOffer(next, LOCAL_A, { media: [addition('video', 2)], data: false });
    expect(saidIn(again.sdp)).toEqual(saidIn(first.sdp));
  });

  test('no two of a session are the same, nor 0', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (seed) => {
        const all = Array.from({ length: 200 }, (_, id) =>
          sentSources({ ...NAMING, seed }, id, ['l', 'm', 'h'], true),
        );
        const ssrcs = all.flat().flatMap(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]);
        // By chance two of the 200 media are neighbours once in 20,000 seeds; then up to six of their sources are the same.
        expect(new Set(ssrcs).size).toBeGreaterThanOrEqual(ssrcs.length - 6);
        expect(ssrcs).not.toContain(0);
      }),
    );
  });
});
