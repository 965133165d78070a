import { describe, expect, test } from 'vitest';
import type { AgreedExtension } from '../../src/negotiation/extensions.ts';
import { RID_EXTENSION } from '../../src/negotiation/extensions.ts';
import type { MediaEncoding } from '../../src/negotiation/media.ts';
import type { SimulcastLines } from '../../src/negotiation/simulcast.ts';
import {
  answeredSimulcast,
  matchAnsweredSimulcast,
  offeredEncodings,
  offeredSimulcast,
} from '../../src/negotiation/simulcast.ts';
import type { SdpRid, SdpSimulcastRid } from '../../src/sdp/index.ts';

const RID: readonly AgreedExtension[] = [{ id: 4, uri: RID_EXTENSION, direction: undefined }];
const VP8 = new Set([96]);

/** `send h,~m;l` as lists. */
function listOf(text: string): SdpSimulcastRid[][] {
  if (text === '') return [];
  return text
    .split(';')
    .map((stream) =>
      stream.split(',').map((rid) => ({ rid: rid.replace('~', ''), paused: rid.startsWith('~') })),
    );
}

/** `a=rid` lines as `h send pt=96 max-fps=30`, and the two lists. */
function lines(rids: readonly string[], lists: { send?: string; recv?: string } | undefined): SimulcastLines {
  return {
    rids: rids.map((text): SdpRid => {
      const [id = '', direction, ...rest] = text.split(' ');
      const parameters = rest.map((one) => one.split('='));
      const pt = parameters.find(([name]) => name === 'pt')?.[1];
      return {
        id,
        direction: direction === 'recv' ? 'recv' : 'send',
        payloadTypes: pt?.split(',').map(Number),
        restrictions: parameters
          .filter(([name]) => name !== 'pt')
          .map(([name = '', value]) => ({ name, value })),
      };
    }),
    simulcast:
      lists === undefined ? undefined : { send: listOf(lists.send ?? ''), recv: listOf(lists.recv ?? '') },
  };
}

function encodings(text: string): MediaEncoding[] {
  return listOf(text).flatMap(([first]) =>
    first === undefined ? [] : [{ rid: first.rid, active: !first.paused, restrictions: [] }],
  );
}

/** The lines of `what`, in the notation of `lines`. */
function written({ rids, simulcast }: SimulcastLines): unknown {
  const text = (list: readonly (readonly SdpSimulcastRid[])[]): string =>
    list.map((stream) => stream.map(({ rid, paused }) => (paused ? '~' : '') + rid).join(',')).join(';');
  return {
    rids: rids.map(({ id, direction }) => `${id} ${direction}`),
    simulcast: simulcast && { send: text(simulcast.send), recv: text(simulcast.recv) },
  };
}

describe('simulcast-answer', () => {
  const offer = lines(['foo recv', 'bar recv', 'baz recv'], { recv: 'foo;bar;baz' });

  test('has a rid line for each layer, and send for recv', () => {
    const answer = answeredSimulcast(offer, {}, VP8, RID);
    expect(written(answer)).toEqual({
      rids: ['foo send', 'bar send', 'baz send'],
      simulcast: { send: 'foo;bar;baz', recv: '' },
    });
    expect(answer.send).toEqual(encodings('foo;bar;baz'));
    expect(answer.receive).toEqual([]);
  });

  test('a stream that the peer pauses is agreed on, and not sent at first', () => {
    const paused = lines(['foo recv', 'bar recv'], { recv: 'foo;~bar' });
    const answer = answeredSimulcast(paused, {}, VP8, RID);
    expect(answer.send).toEqual(encodings('foo;~bar'));
    expect(written(answer)).toMatchObject({ simulcast: { send: 'foo;~bar' } });
  });

  test('has of our own encodings those that are asked for, in the order of the offer', () => {
    const answer = answeredSimulcast(offer, { send: encodings('baz;foo;more') }, VP8, RID);
    expect(written(answer)).toEqual({
      rids: ['foo send', 'baz send'],
      simulcast: { send: 'foo;baz', recv: '' },
    });
    expect(answeredSimulcast(offer, { send: [] }, VP8, RID)).toMatchObject({ rids: [], send: [] });
  });

  test('with one layer left says so, as browsers would else send their first without a rid', () => {
    const answer = answeredSimulcast(offer, { send: encodings('bar') }, VP8, RID);
    expect(written(answer)).toEqual({ rids: ['bar send'], simulcast: { send: 'bar', recv: '' } });
    expect(answer.send).toEqual(encodings('bar'));
  });

  test('layers that are not wanted are gone from both, and the order is ours', () => {
    const sent = lines(['l send', 'm send', 'h send'], { send: 'l;m;h' });
    const answer = answeredSimulcast(sent, { receive: ['h', 'none', 'l'] }, VP8, RID);
    expect(written(answer)).toEqual({ rids: ['h recv', 'l recv'], simulcast: { send: '', recv: 'h;l' } });
    expect(answer.receive).toEqual(encodings('h;l'));
    expect(answeredSimulcast(sent, { receive: [] }, VP8, RID)).toMatchObject({ rids: [], receive: [] });
  });

  test('without the header extension for rid there is no simulcast, and the result says why', () => {
    expect(answeredSimulcast(offer, {}, VP8, [])).toEqual({
      rids: [],
      simulcast: undefined,
      receive: [],
      send: [],
      lacksRidExtension: true,
    });
    expect(answeredSimulcast(lines([], undefined), {}, VP8, []).lacksRidExtension).toBe(false);
    // What Firefox offers: it says rids and reads none.
    const oneWay: AgreedExtension[] = [{ id: 9, uri: RID_EXTENSION, direction: 'recvonly' }];
    expect(answeredSimulcast(offer, {}, VP8, oneWay)).toMatchObject({ send: [], lacksRidExtension: true });
    const sent = lines(['l send', 'h send'], { send: 'l;h' });
    expect(answeredSimulcast(sent, {}, VP8, oneWay)).toMatchObject({ lacksRidExtension: false });
    expect(answeredSimulcast(sent, {}, VP8, oneWay).receive).toHaveLength(2);
  });
});

describe('simulcast-negotiate', () => {
  test('restrictions of rids survive', () => {
    const offer = lines(['1 recv max-fps=60', '2 recv max-fps=30;x'], { recv: '1;2' });
    const answer = answeredSimulcast(offer, {}, VP8, RID);
    expect(answer.rids.map(({ restrictions }) => restrictions)).toEqual(
      offer.rids.map(({ restrictions }) => restrictions),
    );
    expect(answer.send[0]?.restrictions).toEqual([{ name: 'max-fps', value: '60' }]);
  });

  test('formats of a rid are those that are answered; with none of them it is gone', () => {
    const offer = lines(['1 send pt=96,98', '2 send pt=98', '3 send'], { send: '1;2;3' });
    const answer = answeredSimulcast(offer, {}, VP8, RID);
    expect(answer.rids.map(({ id, payloadTypes }) => [id, payloadTypes])).toEqual([
      ['1', [96]],
      ['3', undefined],
    ]);
  });
});

describe('negotiation-encodings', () => {
  const offered = encodings('l;m;h');
  const all = ['l recv', 'm recv', 'h recv'];
  const accepted = (answer: SimulcastLines): readonly MediaEncoding[] =>
    matchAnsweredSimulcast(offeredSimulcast(offered), answer, RID).send;

  test('our offer has them in order; an inactive one is paused', () => {
    expect(written(offeredSimulcast(encodings('l;~m;h')))).toEqual({
      rids: ['l send', 'm send', 'h send'],
      simulcast: { send: 'l;~m;h', recv: '' },
    });
    expect(written(offeredSimulcast(encodings('l')))).toEqual({ rids: ['l send'], simulcast: undefined });
    expect(offeredSimulcast([])).toEqual({ rids: [], simulcast: undefined });
  });

  test('a later offer of ours says again what this end receives, and an answer can narrow it', () => {
    const sent = lines(['l send pt=96 max-fps=15', 'm send', 'h send'], { send: 'l;~m;h' });
    const answer = answeredSimulcast(sent, {}, VP8, RID);
    const again = offeredSimulcast(encodings('x;y'), answer);
    expect(written(again)).toEqual({
      rids: ['l recv', 'm recv', 'h recv', 'x send', 'y send'],
      simulcast: { send: 'x;y', recv: 'l;~m;h' },
    });
    expect(again.rids[0]).toEqual({ ...sent.rids[0], direction: 'recv' });
    expect(offeredSimulcast([], again).rids).toEqual(answer.rids);
    expect(matchAnsweredSimulcast(again, lines(['h send', 'l send'], { send: 'h;l' }), RID)).toEqual({
      send: [],
      receive: [{ ...answer.receive[0] }, { ...answer.receive[2] }],
      lacksRidExtension: false,
    });
  });

  test('an answer can narrow them, down to one that keeps its rid', () => {
    expect(accepted(lines(all, { recv: 'l;m;h' }))).toEqual(offered);
    expect(accepted(lines(['l recv', 'h recv'], { recv: 'l;h' }))).toEqual(encodings('l;h'));
    expect(accepted(lines(['m recv'], undefined))).toEqual(encodings('m'));
    expect(accepted(lines([], undefined))).toEqual([]);
  });

  test('an answer that puts them in another order changes nothing', () => {
    expect(accepted(lines(all, { recv: 'h;m;l' }))).toEqual(offered);
  });

  test('what was not offered, is not declared, comes again or goes the wrong way is passed over', () => {
    expect(accepted(lines([...all, 'x recv'], { recv: 'x;l;h;l' }))).toEqual(encodings('l;h'));
    expect(accepted(lines(['l recv'], { recv: 'l;m' }))).toEqual(encodings('l'));
    expect(accepted(lines(['l recv', 'l recv max-fps=1', 'h recv'], { recv: 'l;h' }))).toEqual(
      encodings('l;h'),
    );
    expect(accepted(lines(['l send', 'h send'], { send: 'l;h' }))).toEqual([]);
  });

  test('of alternatives the first usable one counts', () => {
    expect(accepted(lines(all, { recv: 'x,m,l;h' }))).toEqual(encodings('m;h'));
    const offer = lines(['a send pt=98', 'b send', 'c send'], { send: 'a,~b;c' });
    expect(answeredSimulcast(offer, {}, VP8, RID).receive).toEqual(encodings('~b;c'));
    expect(answeredSimulcast(offer, { receive: ['a', 'c'] }, VP8, RID).receive).toEqual(encodings('c'));
    expect(offeredEncodings(offer)).toEqual(encodings('a;c'));
  });

  test('what either end pauses is not sent at first', () => {
    expect(accepted(lines(all, { recv: 'l;~m;h' }))).toEqual(encodings('l;~m;h'));
    expect(
      matchAnsweredSimulcast(offeredSimulcast(encodings('~l;h')), lines(all, { recv: 'l;h' }), RID).send,
    ).toEqual(encodings('~l;h'));
  });

  test('without the header extension for rid one plain stream is left', () => {
    const offer = offeredSimulcast(offered);
    expect(matchAnsweredSimulcast(offer, lines(all, { recv: 'l;m;h' }), [])).toEqual({
      send: [],
      receive: [],
      lacksRidExtension: true,
    });
  });

  test("the answer's restrictions are what holds", () => {
    expect(accepted(lines(['l recv max-fps=15', 'h recv'], { recv: 'l;h' }))).toMatchObject([
      { restrictions: [{ name: 'max-fps', value: '15' }] },
      { restrictions: [] },
    ]);
  });
});
