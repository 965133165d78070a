/** MediaStreams: `a=msid` read and written (RFC 8830, RFC 9429 §5.2.1, §5.2.2, §5.8.2). */
import { describe, expect, test } from 'vitest';
import {
  acceptAnswer,
  answerOffer,
  chooseSections,
  prepareOffer,
  receiveOffer,
} from '../../src/negotiation/index.ts';
import { valid } from '../sdp/recorded.ts';
import { LOCAL_A, LOCAL_B, newState } from './ends.ts';
import { addition, ANSWERED, described } from './peer-description.ts';

const section = (...lines: readonly string[]): { media: string; mid: string; lines: readonly string[] } => ({
  media: 'audio',
  mid: '0',
  lines: ['a=rtcp-mux', 'a=rtpmap:111 opus/48000/2', ...lines],
});
const streamsOf = (...lines: readonly string[]): readonly string[] | undefined =>
  valid(receiveOffer(newState(), described([section(...lines)]))).media[0]?.streams;
const written = (sdp: string): readonly string[] =>
  (sdp.match(/^a=msid:\S+/gm) ?? []).map((line) => line.slice('a=msid:'.length));

describe('read', () => {
  test.each<readonly [what: string, lines: readonly string[], streams: readonly string[]]>([
    ['none', [], []],
    ['none by name', ['a=msid:- track'], []],
    ['one', ['a=msid:stream track'], ['stream']],
    ['one without the name of a track', ['a=msid:stream'], ['stream']],
    ['two', ['a=msid:one track', 'a=msid:two track'], ['one', 'two']],
    ['two, one of them no stream', ['a=msid:- track', 'a=msid:two track'], ['two']],
    ['one that is repeated', ['a=msid:one a', 'a=msid:one b', 'a=msid:one'], ['one']],
    ['braces, as Firefox has them', ['a=msid:{c537f11b-6e61} {6367c7c1-d3be}'], ['{c537f11b-6e61}']],
    ['with a source, as Plan B had it', ['a=ssrc:1 msid:plan track'], ['plan']],
    ['what reads as data', ['a=msid:__proto__ constructor'], ['__proto__']],
  ])('%s', (_, lines, streams) => {
    expect(streamsOf(...lines)).toEqual(streams);
  });

  test('what is malformed costs its own line', () => {
    expect(streamsOf('a=msid:', 'a=msid', 'a=msid:\u0001 x', 'a=msid:one track')).toEqual(['one']);
  });

  test('of an answer, they are in the plan', () => {
    const { next } = prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0)], data: false });
    const answer = described([{ ...section('a=msid:theirs t'), transport: ANSWERED }]);
    expect(valid(acceptAnswer(next, answer)).plan.sections).toMatchObject([
      { receive: { streams: ['theirs'] } },
    ]);
  });
});

describe('written', () => {
  const offer = (
    streams: readonly string[],
    direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' = 'sendrecv',
  ): string =>
    prepareOffer(newState(), LOCAL_A, { media: [addition('audio', 0, { streams, direction })], data: false })
      .sdp;

  test.each<readonly [what: string, streams: readonly string[], lines: readonly string[]]>([
    ['none', [], ['-']],
    ['one', ['one'], ['one']],
    ['two', ['one', 'two'], ['one', 'two']],
    ['one twice', ['one', 'one'], ['one']],
  ])('%s', (_, streams, lines) => {
    expect(written(offer(streams))).toEqual(lines);
  });

  test('where something is sent, and only there', () => {
    expect(written(offer(['one'], 'sendonly'))).toEqual(['one']);
    expect(written(offer(['one'], 'recvonly'))).toEqual([]);
    expect(written(offer(['one'], 'inactive'))).toEqual([]);
  });

  test('in an answer, where it sends', () => {
    const received = valid(receiveOffer(newState(), described([section('a=msid:theirs t')])));
    const answer = (direction: 'sendrecv' | 'recvonly'): string =>
      answerOffer(valid(chooseSections(received, [{ index: 0, direction, streams: ['ours'] }])), LOCAL_B).sdp;
    expect(written(answer('sendrecv'))).toEqual(['ours']);
    expect(written(answer('recvonly'))).toEqual([]);
  });

  test('the same in every later offer, and gone with the section', () => {
    const first = prepareOffer(newState(), LOCAL_A, {
      media: [addition('audio', 0, { streams: ['one'] })],
      data: false,
    });
    const answer = answerOffer(valid(receiveOffer(newState(), first.sdp)), LOCAL_B);
    const { next } = valid(acceptAnswer(first.next, answer.sdp));
    const lines = (sdp: string): readonly string[] | null => sdp.match(/^a=msid:.*/gm);
    expect(lines(prepareOffer(next, LOCAL_A, { media: [], data: false }).sdp)).toEqual(lines(first.sdp));
    const stopped = prepareOffer(next, LOCAL_A, { media: [{ type: 'stop', id: 0 }], data: true });
    expect(lines(stopped.sdp)).toBeNull();
  });

  test('no name of a stream can break out of its line', () => {
    for (const stream of ['a b', 'a\r\na=crypto:1', '', 'x'.repeat(65)])
      expect(() => offer([stream])).toThrow(expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }));
  });
});
