import { describe, expect, test } from 'vitest';
import { acceptAnswer, answerOffer, prepareOffer, receiveOffer } from '../../src/negotiation/index.ts';
import { parseCandidateLine, parseSdp } from '../../src/sdp/index.ts';
import { codeOf, recorded, recordedFiles, valid } from '../sdp/recorded.ts';
import { dataOf, exchange, LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';

const pending = prepareOffer(newState(), LOCAL_A);
const answer = answerOffer(valid(receiveOffer(newState(), pending.sdp)), LOCAL_B).sdp;

describe('recorded answers', () => {
  const dataOnly = recordedFiles.filter((name) => /^data-(host|mdns|trickle|restart).*answer/.test(name));

  test.each(dataOnly)('%s answers our offer', (name) => {
    const { plan } = valid(acceptAnswer(pending.next, recorded(name)));
    expect(plan.transport).toMatchObject({
      dtlsRole: 'server',
      iceRole: 'controlling',
      remoteSetup: 'active',
      mid: '0',
    });
    expect(dataOf(plan).maxMessageSize).toBe(name.includes('-to-firefox') ? 1_073_741_823 : 262_144);
  });

  test('one with more sections does not', () => {
    const name = 'data-then-video.chromium-to-chromium.answer.sdp';
    expect(codeOf(acceptAnswer(pending.next, recorded(name)))).toBe('section-count-mismatch');
  });
});

describe('an answer must mirror the offer (RFC 3264 §6)', () => {
  test.each([
    ['itself', answer, 'accepted'],
    [
      'without its mid (legacy)',
      answer.replace('a=mid:0\r\n', '').replace('a=group:BUNDLE 0\r\n', ''),
      'accepted',
    ],
    ['without its group', answer.replace('a=group:BUNDLE 0\r\n', ''), 'accepted'],
    [
      'with another mid',
      answer.replace('a=mid:0', 'a=mid:1').replace('BUNDLE 0', 'BUNDLE 1'),
      'mid-mismatch',
    ],
    ['with another kind', answer.replace('m=application', 'm=audio'), 'section-mismatch'],
    ['with another protocol', answer.replace('UDP/DTLS/SCTP', 'UDP/BFCP'), 'section-mismatch'],
    ['rejected', answer.replace('m=application 9', 'm=application 0'), 'application-rejected'],
    [
      'with no section',
      answer.slice(0, answer.indexOf('m=')).replace('a=group:BUNDLE 0\r\n', ''),
      'section-count-mismatch',
    ],
    ['F1a A3 saying actpass', answer.replace('setup:active', 'setup:actpass'), 'setup-invalid-answer'],
    ['F1a A4 saying holdconn', answer.replace('setup:active', 'setup:holdconn'), 'setup-holdconn'],
    ['without a fingerprint', answer.replace(/a=fingerprint.*\r\n/, ''), 'fingerprint-missing'],
  ])('%s', (_, text, code) => {
    expect(codeOf(acceptAnswer(pending.next, text))).toBe(code);
  });

  test.each(['active', 'passive'] as const)('F1a A7/A10 offered %s, answered %s', (dtlsSetup) => {
    const { next } = prepareOffer(newState({ dtlsSetup }), LOCAL_A);
    const text = answer.replace('setup:active', `setup:${dtlsSetup}`);
    expect(codeOf(acceptAnswer(next, text))).toBe(`role-conflict-both-${dtlsSetup}`);
  });
});

describe('the default candidate (RFC 8445 §5.1.4)', () => {
  const candidate = (text: string): ReturnType<typeof valid<unknown>> =>
    valid(parseCandidateLine(`candidate:${text}`));
  const V4 = '1 1 udp 9 192.0.2.1 1001 typ host';
  const V6 = '2 1 udp 9 2001:db8::1 1002 typ host';
  const RELAY = '3 1 udp 1 203.0.113.5 1003 typ relay raddr 192.0.2.1 rport 1001';
  const TCP = '4 1 tcp 9 192.0.2.1 9 typ host tcptype active';

  test.each([
    ['none', [], '9', 'IP4 0.0.0.0'],
    ['TCP alone', [TCP], '9', 'IP4 0.0.0.0'],
    ['IPv6 alone', [V6], '1002', 'IP6 2001:db8::1'],
    ['both families', [V6, V4], '1001', 'IP4 192.0.2.1'],
    ['a relayed one', [V6, V4, RELAY], '1003', 'IP4 203.0.113.5'],
  ])('%s', (_, lines, port, connection) => {
    const candidates = lines.map((line) => candidate(line)) as typeof LOCAL_A.candidates;
    const { sdp } = prepareOffer(newState(), { ...LOCAL_A, candidates });
    expect(sdp).toContain(`m=application ${port} UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN ${connection}\r\n`);
  });
});

test('every description we write reads back', () => {
  for (const text of [pending.sdp, answer]) expect(codeOf(parseSdp(text))).toBe('accepted');
});

test('an answer that rejects every section of an offer that restarts ICE leaves the transport as it is', () => {
  const first = exchange(newState(), newState());
  const before = first.offerer.state.agreement;
  const offer = prepareOffer(first.offerer.state, restarted(LOCAL_A));
  const { sdp } = answerOffer(valid(receiveOffer(first.answerer.state, offer.sdp)), restarted(LOCAL_B));
  const rejected = sdp.replace('a=group:BUNDLE 0\r\n', '').replace(/m=application \d+/, 'm=application 0');
  const { plan, next } = valid(acceptAnswer(offer.next, rejected));
  expect(plan.transport).toMatchObject({ ...before?.plan.transport, iceRestart: false, dtlsRestart: false });
  expect(next.agreement?.localIce).toEqual(before?.localIce);
  // The credentials of before are said again, and are no restart.
  expect(prepareOffer(next, LOCAL_A).next.offer.restartsIce).toBe(false);
});
