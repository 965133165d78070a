/** Directions: what an answer may say, and what each end is left with (RFC 3264 §6.1, RFC 9429 §4.2.3–§4.2.5, §5.3.1). */
import { describe, expect, test } from 'vitest';
import type { Direction } from '../../src/sdp/index.ts';
import type { NegotiationState, StableState } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { isSdpError } from '../../src/sdp/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import { addition, ANSWERED, described } from './peer-description.ts';

const DIRECTIONS: readonly Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
const CODEC = ['a=rtcp-mux', 'a=rtpmap:111 opus/48000/2'];

const audio = (direction: Direction | undefined, transport?: readonly string[]): string =>
  described([
    {
      media: 'audio',
      mid: '0',
      lines: direction === undefined ? CODEC : [...CODEC, `a=${direction}`],
      ...(transport === undefined ? {} : { transport }),
    },
  ]);

/** The direction that is agreed on for the only section. */
function current(state: NegotiationState): Direction | undefined {
  const [section] = state.agreement?.plan.sections ?? [];
  return section?.kind === 'media' ? section.direction : undefined;
}

const can = (direction: Direction): { readonly send: boolean; readonly receive: boolean } => ({
  send: direction.startsWith('send'),
  receive: direction === 'sendrecv' || direction === 'recvonly',
});

/** Both ends from the start: one offers what it wants, the other answers what it wants. */
function agree(wanted: Direction, chosen: Direction): readonly [StableState, StableState] {
  const offered = prepareOffer(newState(), LOCAL_A, {
    media: [addition('audio', 0, { direction: wanted })],
    data: false,
  });
  const received = valid(
    chooseSections(valid(receiveOffer(newState(), offered.sdp)), [{ index: 0, direction: chosen }]),
  );
  const answered = answerOffer(received, LOCAL_B);
  expectMirror(offered.sdp, answered.sdp);
  return [valid(acceptAnswer(offered.next, answered.sdp)).next, answered.next];
}

describe.each(DIRECTIONS)('%s is offered', (offered) => {
  test.each(DIRECTIONS)(
    'and %s is wanted: the answer says what both want, and both ends see it from their side',
    (wanted) => {
      const [offerer, answerer] = agree(offered, wanted);
      const send = can(wanted).send && can(offered).receive;
      const receive = can(wanted).receive && can(offered).send;
      const name = (sends: boolean, receives: boolean): string =>
        sends ? (receives ? 'sendrecv' : 'sendonly') : receives ? 'recvonly' : 'inactive';
      expect(current(answerer)).toBe(name(send, receive));
      expect(current(offerer)).toBe(name(receive, send));
    },
  );

  test.each(DIRECTIONS)(
    'and an answer says %s: taken if it does no more than the offer lets it, else refused',
    (answered) => {
      const { next } = prepareOffer(newState(), LOCAL_A, {
        media: [addition('audio', 0, { direction: offered })],
        data: false,
      });
      const isAllowed =
        (!can(answered).send || can(offered).receive) && (!can(answered).receive || can(offered).send);
      expect(codeOf(acceptAnswer(next, audio(answered, ANSWERED)))).toBe(
        isAllowed ? 'accepted' : 'direction-mismatch',
      );
    },
  );
});

describe('where it stands', () => {
  test('nowhere: sendrecv', () => {
    expect(valid(receiveOffer(newState(), audio(undefined))).media).toMatchObject([
      { direction: 'sendrecv' },
    ]);
  });

  test('at the session level, as Firefox has it; the section has the last word', () => {
    const section = { media: 'audio', mid: '0', lines: CODEC };
    const own = { ...section, mid: '1', lines: [...CODEC, 'a=sendonly'] };
    const offer = described([section, own], { lines: ['a=inactive'] });
    expect(valid(receiveOffer(newState(), offer)).media.map(({ direction }) => direction)).toEqual([
      'inactive',
      'sendonly',
    ]);
  });

  test('in a section of data channels, where it means nothing', () => {
    const data = { media: 'application', mid: '0', lines: ['a=recvonly', 'a=sctp-port:5000'] };
    expect(valid(receiveOffer(newState(), described([data]))).plan.sections).toMatchObject([
      { kind: 'data' },
    ]);
  });

  test('twice, and not the same: refused, or read as the first, never as something else', () => {
    const offer = described([{ media: 'audio', mid: '0', lines: [...CODEC, 'a=sendonly', 'a=inactive'] }]);
    const received = receiveOffer(newState(), offer);
    if (isSdpError(received)) expect(received.code).toBe('duplicate-attribute');
    else expect(received.media).toMatchObject([{ direction: 'sendonly' }]);
  });
});

describe('wanted and current', () => {
  test('what is wanted stays over an answer that gives less, and is offered again', () => {
    const [offerer] = agree('sendrecv', 'inactive');
    expect(current(offerer)).toBe('inactive');
    expect(prepareOffer(offerer, LOCAL_A, { media: [], data: false }).sdp).toContain('a=sendrecv');
  });

  test('what was chosen in an answer is wanted from then on: the next offer of this end says it', () => {
    const [, answerer] = agree('recvonly', 'sendrecv');
    expect(current(answerer)).toBe('sendonly');
    expect(prepareOffer(answerer, LOCAL_B, { media: [], data: false }).sdp).toContain('a=sendrecv');
  });

  test('whoever likes lifts it from inactive, not only who has made it', () => {
    const [offerer, answerer] = agree('inactive', 'inactive');
    const media = [{ type: 'set', id: 1, wish: { direction: 'recvonly' } }] as const;
    const offered = prepareOffer(answerer, LOCAL_B, { media, data: false });
    const received = valid(
      chooseSections(valid(receiveOffer(offerer, offered.sdp)), [{ index: 0, direction: 'sendrecv' }]),
    );
    const { sdp, next } = answerOffer(received, LOCAL_A);
    expectMirror(offered.sdp, sdp);
    expect([current(next), current(valid(acceptAnswer(offered.next, sdp)).next)]).toEqual([
      'sendonly',
      'recvonly',
    ]);
  });

  test('an answer says for each flow which codecs go, also of media that wait', () => {
    const [offerer] = agree('sendrecv', 'recvonly');
    expect(offerer.agreement?.plan.sections[0]).toMatchObject({
      direction: 'sendonly',
      send: {
        codecs: expect.arrayContaining([expect.objectContaining({ mimeType: 'audio/opus' })]) as unknown,
      },
    });
  });
});
