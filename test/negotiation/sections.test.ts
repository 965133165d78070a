import { describe, expect, test } from 'vitest';
import type { Section } from '../../src/negotiation/index.ts';
import {
  acceptAnswer,
  answerOffer,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../../src/negotiation/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import type { PeerSection } from './browser-end.ts';
import { groupIn, sectionsIn, written } from './browser-end.ts';
import { LOCAL_A, exchange, newState } from './ends.ts';

const section = (mid: string, media: PeerSection['media'], isLive = true): PeerSection => ({
  mid,
  media,
  isLive,
});
const kinds = (sections: readonly { readonly kind: string }[]): string[] => sections.map(({ kind }) => kind);

describe('sections of several kinds', () => {
  const offer = written(
    [section('v', 'video'), section('s', 'smell'), section('a', 'audio'), section('d', 'application')],
    'actpass',
  );
  const answered = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_A);

  test('keep their order, in the state, the plan and every description', () => {
    expect(kinds(answered.next.sections)).toEqual(['media', 'rejected', 'media', 'data']);
    expect(answered.plan.sections).toMatchObject([
      { kind: 'media', id: 1, mid: 'v', direction: 'inactive' },
      { kind: 'rejected', mid: 's' },
      { kind: 'media', id: 3, mid: 'a', direction: 'inactive' },
      { kind: 'data', mid: 'd', sctpPort: 5000, maxMessageSize: 65_536 },
    ]);
    const ours = prepareOffer(answered.next, LOCAL_A);
    for (const sdp of [answered.sdp, ours.sdp]) {
      expect(sectionsIn(sdp).map(({ mid, isLive }) => [mid, isLive])).toEqual([
        ['v', true],
        ['s', false],
        ['a', true],
        ['d', true],
      ]);
      expect(groupIn(sdp)).toEqual(['v', 'a', 'd']);
    }
  });

  test('the tag goes to the next that is in use, and with it the transport', () => {
    const changed = written(
      [
        section('v', 'video', false),
        section('b', 'audio'),
        section('a', 'audio', false),
        section('d', 'application'),
      ],
      'actpass',
    );
    const { plan, next } = answerOffer(valid(receiveOffer(answered.next, changed)), LOCAL_A);
    expect(kinds(next.sections)).toEqual(['rejected', 'media', 'rejected', 'data']);
    expect(plan.transport).toMatchObject({ mid: 'b', mLineIndex: 1 });
  });
});

describe('recycling (RFC 9429 §5.2.2)', () => {
  const first = written([section('a', 'smell'), section('d', 'application')], 'actpass');
  const { next: state } = answerOffer(valid(receiveOffer(newState(), first)), LOCAL_A);

  test('the peer puts another section into a rejected place', () => {
    const again = written([section('b', 'video'), section('d', 'application')], 'actpass');
    const { next, plan } = answerOffer(valid(receiveOffer(state, again)), LOCAL_A);
    expect(next.sections).toMatchObject([
      { kind: 'media', mid: 'b', media: 'video' },
      { kind: 'data', mid: 'd' },
    ]);
    expect(plan.sections).toMatchObject([{ kind: 'media', mid: 'b' }, { kind: 'data' }]);
  });

  test('a second data section there is rejected again', () => {
    const again = written([section('e', 'application'), section('d', 'application')], 'actpass');
    const { next } = answerOffer(valid(receiveOffer(state, again)), LOCAL_A);
    expect(kinds(next.sections)).toEqual(['rejected', 'data']);
  });

  test('a place in use is not to be had', () => {
    const again = written([section('a', 'smell', false), section('e', 'video')], 'actpass');
    expect(codeOf(receiveOffer(state, again))).toBe('section-mismatch');
  });

  test('an offer of ours puts a new section into the first rejected place, under a mid of its own', () => {
    const rejected: Section = {
      kind: 'rejected',
      mid: '0',
      media: 'video',
      protocol: 'UDP/TLS/RTP/SAVPF',
      formats: ['96'],
    };
    const { sdp, next, mid, mLineIndex } = prepareOffer(
      { ...newState(), sections: [rejected, { ...rejected, mid: 'x' }] },
      LOCAL_A,
    );
    expect({ mid, mLineIndex }).toEqual({ mid: '1', mLineIndex: 0 });
    expect(next.offer.sections).toMatchObject([
      { kind: 'data', mid: '1', media: 'application' },
      { kind: 'rejected', mid: 'x' },
    ]);
    expect(sectionsIn(sdp).map(({ mid: said }) => said)).toEqual(['1', 'x']);
  });
});

describe('taking back', () => {
  test('a rollback restores sections and agreement exactly, and what follows is as if it had not been', () => {
    const { offerer, answerer } = exchange(newState(), newState());
    const pending = prepareOffer(offerer.state, LOCAL_A);
    expect(codeOf(acceptAnswer(pending.next, 'v=0'))).toBe('origin-invalid');
    const back = rollback(pending.next);
    expect({ ...back, nextVersion: 0 }).toEqual({ ...offerer.state, nextVersion: 0 });
    const again = exchange({ ...back, nextVersion: offerer.state.nextVersion }, answerer.state);
    const straight = exchange(offerer.state, answerer.state);
    expect(again).toEqual(straight);
  });
});
