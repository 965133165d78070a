/** The checker of answers itself: it finds nothing in what browsers answer to each other, and each rule that is broken. */
import { describe, expect, test } from 'vitest';
import { recorded, recordedFiles } from '../sdp/recorded.ts';
import { expectMirror, mirrorFaults } from './mirror.ts';

const AV_OFFER = recorded('av-data-host.chromium-to-firefox.offer.sdp');
const AV_ANSWER = recorded('av-data-host.chromium-to-firefox.answer.sdp');
const SIMULCAST_OFFER = recorded('simulcast-3-rids.chromium-to-chromium.offer.sdp');
const SIMULCAST_ANSWER = recorded('simulcast-3-rids.chromium-to-chromium.answer.sdp');
const OFFERS = recordedFiles.filter((name) => name.endsWith('.offer.sdp'));

/** The text with one thing changed, which must be there. */
function changed(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, to);
  expect(result).not.toBe(text);
  return result;
}

/** An answer of Firefox's with one section rejected as it should be. */
const REJECTED = changed(AV_ANSWER, 'BUNDLE 0 1 2', 'BUNDLE 0 1').replace(
  /m=application[^]*/,
  'm=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n',
);

describe('answers of browsers', () => {
  test.each(OFFERS)('%s was answered by the rules', (name) => {
    // Chromium answers `a=rtcp-xr` where it is asked for it; nothing here asks.
    const answer = recorded(name.replace('.offer.', '.answer.')).replaceAll(/a=rtcp-xr:.*\r\n/g, '');
    expectMirror(recorded(name), answer);
  });

  test('one with a rejected section, too', () => {
    expectMirror(AV_OFFER, REJECTED);
  });
});

describe('each rule that is broken is found', () => {
  const broken: readonly (readonly [rule: number, what: string, answer: string])[] = [
    [1, 'a section less', changed(AV_ANSWER, 'BUNDLE 0 1 2', 'BUNDLE 0 1').replace(/m=application[^]*/, '')],
    [
      1,
      'another order',
      changed(changed(AV_ANSWER, 'a=mid:0', 'a=mid:x'), 'a=mid:1', 'a=mid:0').replace('mid:x', 'mid:1'),
    ],
    [1, 'another protocol', changed(AV_ANSWER, 'UDP/TLS/RTP/SAVPF 111', 'RTP/SAVPF 111')],
    [2, 'formats gone', changed(REJECTED, '0 UDP/DTLS/SCTP webrtc-datachannel', '0 UDP/DTLS/SCTP 0')],
    [2, 'no c= line', changed(REJECTED, 'c=IN IP4 0.0.0.0\r\na=mid:2', 'a=mid:2')],
    [2, 'still in the group', changed(REJECTED, 'BUNDLE 0 1', 'BUNDLE 0 1 2')],
    [2, 'a transport left', `${REJECTED}a=setup:active\r\n`],
    [3, 'bundle-only', `${AV_ANSWER}a=bundle-only\r\n`],

    [4, 'another order in the group', changed(AV_ANSWER, 'BUNDLE 0 1 2', 'BUNDLE 1 0 2')],
    [4, 'one less in the group', changed(AV_ANSWER, 'BUNDLE 0 1 2', 'BUNDLE 0 1')],
    [4, 'no group', changed(AV_ANSWER, 'a=group:BUNDLE 0 1 2\r\n', '')],
    [5, 'no credentials', changed(AV_ANSWER, /a=ice-pwd:.*\r\n/, '')],
    [5, 'no fingerprint', changed(AV_ANSWER, /a=fingerprint:.*\r\n/, '')],
    [6, 'actpass', AV_ANSWER.replaceAll('a=setup:active', 'a=setup:actpass')],
    [8, 'no port of SCTP', changed(AV_ANSWER, 'a=sctp-port:5000\r\n', '')],
    [8, 'no size of messages', changed(AV_ANSWER, /a=max-message-size:.*\r\n/, '')],
    [9, 'a number that was not offered', changed(AV_ANSWER, 'SAVPF 111 9', 'SAVPF 111 100 9')],
    [9, 'another codec by a number', changed(AV_ANSWER, 'rtpmap:96 VP8', 'rtpmap:96 H264')],
    [9, 'feedback that was not offered', changed(AV_ANSWER, 'rtcp-fb:96 nack pli', 'rtcp-fb:96 ack sli')],
    [9, 'rtx of nothing', changed(AV_ANSWER, 'apt=96', 'apt=95')],
    [9, 'an extension that was not offered', changed(AV_ANSWER, 'extmap:1 urn', 'extmap:9 urn')],
    [12, 'an attribute nobody knows', `${AV_ANSWER}a=key-mgmt:mikey x\r\n`],
  ];

  test.each(broken)('rule %d: %s', (rule, _, answer) => {
    expect(mirrorFaults(AV_OFFER, answer).map((fault) => Number.parseInt(fault, 10))).toContain(rule);
  });

  test('rule 3: more than the other end sends and receives', () => {
    const offer = AV_OFFER.replaceAll('a=sendrecv', 'a=sendonly');
    expectMirror(offer, AV_ANSWER);
    const answer = changed(AV_ANSWER, 'tcptype active\r\na=recvonly', 'tcptype active\r\na=sendrecv');
    expect(mirrorFaults(offer, answer)).toEqual(['3: section 0 is sendrecv, offered was sendonly']);
    expect(mirrorFaults(AV_OFFER.replaceAll('a=sendrecv', 'a=recvonly'), AV_ANSWER)).toHaveLength(2);
  });

  test('rule 3: what was not offered is answered', () => {
    const offer = changed(AV_OFFER, /m=application \d+/, 'm=application 0').replace(
      'BUNDLE 0 1 2',
      'BUNDLE 0 1',
    );
    expect(mirrorFaults(offer, AV_ANSWER)).toContain('3: section 2 was not offered, and is answered');
  });

  test('rule 6: the same part on both sides, and another than the association runs with', () => {
    const active = AV_OFFER.replaceAll('a=setup:actpass', 'a=setup:active');
    expect(mirrorFaults(active, AV_ANSWER)).toEqual(['6: a=setup:active on both sides']);
    const passive = AV_ANSWER.replaceAll('a=setup:active', 'a=setup:passive');
    const again = changed(passive, '532874547501076500 0', '532874547501076500 1');
    expect(mirrorFaults(AV_OFFER, again, { ours: AV_ANSWER, theirs: AV_OFFER })).toEqual([
      '6: a=setup:passive, the association runs as active',
    ]);
  });

  test('rule 7: a restart that is not answered, and one that was not asked for', () => {
    const earlier = { ours: AV_ANSWER, theirs: AV_OFFER };
    const offer = AV_OFFER.replaceAll(/a=ice-pwd:.*/g, 'a=ice-pwd:0123456789012345678901');
    const answer = AV_ANSWER.replaceAll(/a=ice-pwd:.*/g, 'a=ice-pwd:0123456789012345678902');
    const next = changed(answer, '532874547501076500 0', '532874547501076500 1');
    expect(mirrorFaults(offer, AV_ANSWER, earlier)).toEqual([
      '7: the offer restarts ICE, the answer differs',
    ]);
    expect(mirrorFaults(AV_OFFER, next, earlier)).toEqual([
      '7: the offer does not restart ICE, the answer differs',
    ]);
    expectMirror(offer, next, earlier);
  });

  test('rule 4: a group that was not offered, and two at once', () => {
    const two = changed(AV_OFFER, 'BUNDLE 0 1 2', 'BUNDLE 0 1\r\na=group:BUNDLE 2');
    const answer = changed(AV_ANSWER, 'BUNDLE 0 1 2', 'BUNDLE 0 1\r\na=group:BUNDLE 2');
    expect(mirrorFaults(two, AV_ANSWER)[0]).toBe('4: the group 0 1 2 is no part of one that was offered');
    expect(mirrorFaults(two, answer)).toContain('4: there are several groups');
  });

  test('rule 10: the same way, a rid that simulcast does not list, one that has no line', () => {
    const wanted = ['l', 'm', 'h'].map((rid) => `a=rid:${rid} recv\r\n`).join('');
    const answer = `${SIMULCAST_ANSWER}${wanted}a=simulcast:recv l;m;h\r\n`.replace(/a=rtcp-xr:.*\r\n/, '');
    const faults = (text: string): string[] => mirrorFaults(SIMULCAST_OFFER, text);
    expectMirror(SIMULCAST_OFFER, answer);
    expectMirror(SIMULCAST_OFFER, changed(changed(answer, 'recv l;m;h', 'recv l;h'), 'a=rid:m recv\r\n', ''));
    expect(faults(changed(answer, 'a=rid:l recv', 'a=rid:l send'))[0]).toContain(
      '10: section 0 has rid l send',
    );
    expect(faults(changed(answer, 'l;m;h', 'l'))).toEqual([
      '10: section 0 has rid m and no a=simulcast of it',
      '10: section 0 has rid h and no a=simulcast of it',
    ]);
    expect(faults(changed(answer, 'a=rid:m recv\r\n', ''))).toEqual(['10: section 0 lists m without a=rid']);
  });

  test('rule 11: another session, and a version that stands still', () => {
    const earlier = { ours: AV_ANSWER, theirs: AV_OFFER };
    expectMirror(AV_OFFER, AV_ANSWER, earlier);
    expect(mirrorFaults(AV_OFFER, `${AV_ANSWER}a=ptime:20\r\n`, earlier)).toEqual([
      '11: sess-version has not grown',
    ]);
    expect(mirrorFaults(AV_OFFER, changed(AV_ANSWER, '532874547501076500', '1'), earlier)).toEqual([
      '11: another sess-id',
    ]);
  });

  test('rule 12: a source of the peer', () => {
    const [line] = /a=ssrc:.*\r\n/.exec(AV_OFFER) ?? [''];
    expect(mirrorFaults(AV_OFFER, changed(AV_ANSWER, 'a=mid:1\r\n', `a=mid:1\r\n${line}`))).toHaveLength(1);
  });
});
