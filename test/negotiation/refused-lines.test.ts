/** Single lines of an offer that are refused, each by its code, and those that are passed over. */
import { describe, expect, test } from 'vitest';
import { answerOffer, receiveOffer } from '../../src/negotiation/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { DIGEST_A, DIGEST_B, LOCAL_B, newState } from './ends.ts';
import { expectMirror } from './mirror.ts';
import { described } from './peer-description.ts';

const MEDIA = described([
  { media: 'audio', mid: '0' },
  { media: 'application', mid: '1' },
]);
const changed = (from: string | RegExp, to: string): string => {
  expect(MEDIA).toMatch(from);
  return MEDIA.replace(from, to);
};
const judged = (offer: string): string => {
  const state = newState();
  const before = JSON.stringify(state);
  const code = codeOf(receiveOffer(state, offer));
  expect(JSON.stringify(state)).toBe(before);
  return code;
};
const having = (line: string): string => changed('a=mid:0\r\n', `a=mid:0\r\n${line}\r\n`);

describe('refused', () => {
  test.each<readonly [what: string, offer: () => string, code: string]>([
    ['ice-char', () => changed('a=ice-ufrag:peer', 'a=ice-ufrag:pe er'), 'ice-credentials-invalid'],
    ['a user name of three', () => changed('a=ice-ufrag:peer', 'a=ice-ufrag:abc'), 'ice-credentials-invalid'],
    [
      'a short password',
      () => changed(/a=ice-pwd:.*/, 'a=ice-pwd:012345678901234567890'),
      'ice-credentials-invalid',
    ],
    [
      'a long password',
      () => changed(/a=ice-pwd:.*/, `a=ice-pwd:${'x'.repeat(257)}`),
      'ice-credentials-invalid',
    ],
    ['two user names that differ', () => having('a=ice-ufrag:another'), 'duplicate-attribute'],
    ['two mids', () => having('a=mid:9'), 'duplicate-attribute'],
    ['one mid for two sections', () => changed('a=mid:1', 'a=mid:0'), 'mid-duplicate'],
    [
      'a mid that is no token',
      () => MEDIA.replaceAll('a=mid:1', 'a=mid:a b').replace('BUNDLE 0 1', 'BUNDLE 0'),
      'mid-invalid',
    ],
    ['holdconn', () => MEDIA.replaceAll('a=setup:actpass', 'a=setup:holdconn'), 'setup-holdconn'],
    ['two parts in one group', () => changed('a=setup:actpass', 'a=setup:active'), 'setup-mismatch'],
    ['a part that is none', () => changed('a=setup:actpass', 'a=setup:both'), 'setup-invalid'],
    ['two parts', () => having('a=setup:active'), 'duplicate-attribute'],
    [
      'a digest that is cut',
      () => changed(/a=fingerprint:.*/, 'a=fingerprint:sha-256 AA:BB'),
      'fingerprint-invalid',
    ],
    [
      'MD5 alone',
      () => changed(/a=fingerprint:.*/, `a=fingerprint:md5 ${DIGEST_A.slice(0, 47)}`),
      'fingerprint-unsupported',
    ],
    [
      'SHA-1 alone',
      () => changed(/a=fingerprint:.*/, `a=fingerprint:sha-1 ${DIGEST_A.slice(0, 59)}`),
      'fingerprint-unsupported',
    ],
    [
      'a port of SCTP beyond all',
      () => changed('a=sctp-port:5000', 'a=sctp-port:65536'),
      'sctp-port-invalid',
    ],
    ['a negative size', () => `${MEDIA}a=max-message-size:-1\r\n`, 'max-message-size-invalid'],
    [
      'a rtpmap that does not read',
      () => changed('a=rtpmap:111 opus/48000/2', 'a=rtpmap:111 opus'),
      'rtpmap-invalid',
    ],
    [
      'simulcast twice',
      () => having('a=rid:a send\r\na=simulcast:send a\r\na=simulcast:send b'),
      'duplicate-attribute',
    ],
    ['a line without a letter', () => changed('a=mid:0', 'mid:0'), 'line-malformed'],
    ['a lone CR', () => changed('a=mid:0', 'a=mid\r:0'), 'line-malformed'],
    ['a byte of nothing', () => changed('a=mid:0', 'a=mid:0\0'), 'line-malformed'],
    ['a line over the end', () => having(`a=x:${'x'.repeat(20_000)}`), 'line-too-long'],
  ])('%s', (_, offer, code) => {
    expect(judged(offer())).toBe(code);
  });
});

describe('passed over', () => {
  test.each([
    [
      'a line of SDES: it is no key (RFC 8827 §6.5)',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj',
    ],
    ['an attribute nobody knows', 'a=x-unheard-of:1'],
    ['one whose name begins like another', 'a=midi:7'],
    ['a source that is no number', 'a=ssrc:x cname:y'],
    ['a source by the name of what is in every object', 'a=ssrc:1 __proto__:x'],
    ['feedback of nothing', 'a=rtcp-fb'],
    ['parameters of nothing', 'a=fmtp:111'],
    ['parameters of a format that is not there', 'a=fmtp:77 a=b'],
    ['a rid of nothing', 'a=rid'],
    ['an extension of nothing', 'a=extmap'],
    ['bandwidth that is none', 'b=AS:x'],
    ['bandwidth twice', 'b=AS:10\r\nb=TIAS:1000'],
    ['an image of no size', 'a=imageattr:111 send'],
    ['a candidate that is garbage', 'a=candidate:garbage'],
    ['a stream of nothing', 'a=msid:'],
    ['the same line again', 'a=ice-ufrag:peer'],
  ])('%s', (_, line) => {
    const offer = having(line);
    const { sdp, plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expectMirror(offer, sdp);
    expect(plan.sections.map(({ kind }) => kind)).toEqual(['media', 'data']);
    expect(sdp).not.toContain('crypto');
  });

  test.each(['active', 'passive', 'actpass'])('a=setup:%s of a first offer, and the answer fits', (setup) => {
    const offer = MEDIA.replaceAll('actpass', setup);
    expectMirror(offer, answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B).sdp);
  });

  test('a digest nobody knows beside one that counts', () => {
    const offer = MEDIA.replaceAll('a=fingerprint', `a=fingerprint:sha-9000 ${DIGEST_A}\r\na=fingerprint`);
    const { plan } = answerOffer(valid(receiveOffer(newState(), offer)), LOCAL_B);
    expect(plan.transport.fingerprints.map(({ value }) => value)).toEqual([DIGEST_B]);
  });
});

describe('another certificate', () => {
  const first = answerOffer(valid(receiveOffer(newState(), MEDIA)), LOCAL_B);
  const other = MEDIA.replaceAll(DIGEST_B, DIGEST_A);

  test('without new ICE credentials is refused, and with them it is a new association', () => {
    expect(codeOf(receiveOffer(first.next, other))).toBe('dtls-restart-without-ice-restart');
    const restart = other.replaceAll('a=ice-ufrag:peer', 'a=ice-ufrag:anew');
    expect(valid(receiveOffer(first.next, restart)).plan.transport).toMatchObject({
      iceRestart: true,
      dtlsRestart: true,
    });
  });
});
