import { describe, expect, test } from 'vitest';
import type { StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import type { Direction } from '../../src/sdp/index.ts';
import { recorded, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';

const OFFER = recorded('simulcast-3-rids.chromium-to-chromium.offer.sdp');

/** The lines of simulcast in a description. */
function simulcastIn(sdp: string): string[] {
  return sdp.split('\r\n').filter((line) => /^a=(?:rid|simulcast):/.test(line));
}

/** Ours, with what Chromium's offer of three streams has come to. */
function answered(direction: Direction, encodings?: string[]): { answer: string; state: StableState } {
  const received = valid(receiveOffer(newState(), OFFER));
  const chosen = valid(chooseSections(received, [{ index: 0, direction, encodings }]));
  const { sdp, next } = answerOffer(chosen, LOCAL_B);
  return { answer: sdp, state: next };
}

describe('simulcast over several exchanges', () => {
  const all = ['a=rid:l recv', 'a=rid:m recv', 'a=rid:h recv', 'a=simulcast:recv l;m;h'];

  test('is answered, and said again in every later offer of who receives it', () => {
    const { answer, state } = answered('recvonly');
    expect(simulcastIn(answer)).toEqual(all);
    const offered = prepareOffer(state, LOCAL_B);
    expect(simulcastIn(offered.sdp)).toEqual(all);
  });

  test('being answered as inactive does not disable it', () => {
    expect(simulcastIn(answered('inactive').answer)).toEqual(all);
  });

  test('is narrowed by the answer, and stays so', () => {
    const { answer, state } = answered('recvonly', ['h', 'l']);
    const narrowed = ['a=rid:h recv', 'a=rid:l recv', 'a=simulcast:recv h;l'];
    expect(simulcastIn(answer)).toEqual(narrowed);
    expect(simulcastIn(prepareOffer(state, LOCAL_B).sdp)).toEqual(narrowed);
  });

  test('of ours is offered while we send, whatever the peer made of it', () => {
    const restrictions = [{ name: 'max-fps', value: '15' }];
    const wish = {
      direction: 'sendonly' as const,
      codecs: undefined,
      headerExtensions: undefined,
      encodings: [
        { rid: 'l', active: true, restrictions },
        { rid: 'h', active: true, restrictions: [] },
      ],
      streams: [],
    };
    const lines = ['a=rid:l send max-fps=15', 'a=rid:h send', 'a=simulcast:send l;h'];
    const offered = prepareOffer(newState(), LOCAL_A, {
      media: [{ type: 'add', id: 0, media: 'video', wish }],
      data: false,
    });
    expect(simulcastIn(offered.sdp)).toEqual(lines);
    const received = valid(receiveOffer(newState(), offered.sdp));
    const choice = { index: 0, direction: 'recvonly' as const, encodings: ['h'] };
    const there = answerOffer(valid(chooseSections(received, [choice])), LOCAL_B);
    expect(simulcastIn(there.sdp)).toEqual(['a=rid:h recv', 'a=simulcast:recv h']);
    const here = valid(acceptAnswer(offered.next, there.sdp));
    expect(here.plan.sections[0]).toMatchObject({ send: { encodings: [{ rid: 'h', active: true }] } });
    expect(simulcastIn(prepareOffer(here.next, LOCAL_A, { media: [], data: false }).sdp)).toEqual(lines);
    const paused = { type: 'set' as const, id: 0, wish: { direction: 'inactive' as const } };
    const inactive = prepareOffer(here.next, LOCAL_A, { media: [paused], data: false });
    expect(simulcastIn(inactive.sdp)).toEqual([]);
    const again = { type: 'set' as const, id: 0, wish: { direction: 'sendonly' as const } };
    expect(simulcastIn(prepareOffer(inactive.next, LOCAL_A, { media: [again], data: false }).sdp)).toEqual(
      lines,
    );
  });

  test("what was chosen of the peer's is chosen again when it offers again", () => {
    const wish = {
      direction: 'sendonly' as const,
      codecs: undefined,
      headerExtensions: undefined,
      encodings: ['l', 'm', 'h'].map((rid) => ({ rid, active: true, restrictions: [] })),
      streams: [],
    };
    const media = [{ type: 'add' as const, id: 0, media: 'video' as const, wish }];
    const offered = prepareOffer(newState(), LOCAL_A, { media, data: false });
    const received = valid(receiveOffer(newState(), offered.sdp));
    const choice = { index: 0, direction: 'recvonly' as const, encodings: ['m'] };
    const there = answerOffer(valid(chooseSections(received, [choice])), LOCAL_B);
    const here = valid(acceptAnswer(offered.next, there.sdp));
    const again = prepareOffer(here.next, LOCAL_A, { media: [], data: false });
    const answer = answerOffer(valid(receiveOffer(there.next, again.sdp)), LOCAL_B);
    expect(simulcastIn(answer.sdp)).toEqual(['a=rid:m recv', 'a=simulcast:recv m']);
  });
});
