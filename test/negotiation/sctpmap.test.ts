/**
 * Data channels as they were offered before RFC 8841: the SCTP port as the format of the `m=` line, and `a=sctpmap`.
 * aiortc still does; browsers did until about 2019. The answer has the same form, an offer of ours never begins with it.
 */
import { describe, expect, test } from 'vitest';
import { acceptAnswer, answerOffer, prepareOffer, receiveOffer } from '../../src/negotiation/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { dataOf, LOCAL_A, LOCAL_B, exchange, newState, restarted } from './ends.ts';

const text = (...lines: readonly string[]): string => [...lines, ''].join('\r\n');

const FINGERPRINT =
  'a=fingerprint:sha-256 F2:74:14:86:B6:BC:10:A9:51:71:A1:3D:B6:EB:74:AF:B1:C1:59:C1:DF:42:61:AF:6A:2E:6B:AD:27:67:FC:FA';

/** As aiortc 1.4.0 wrote it, with one channel. */
const AIORTC = text(
  'v=0',
  'o=- 4004204526 4004204526 IN IP4 0.0.0.0',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=msid-semantic:WMS *',
  'm=application 34739 DTLS/SCTP 5000',
  'c=IN IP4 127.0.0.1',
  'a=mid:0',
  'a=sctpmap:5000 webrtc-datachannel 65535',
  'a=max-message-size:65536',
  'a=candidate:16572de626da4e5384a0ce2d0d93678a 1 udp 2130706431 127.0.0.1 34739 typ host',
  'a=end-of-candidates',
  'a=ice-ufrag:pNRe',
  'a=ice-pwd:EKspNJABDSfksDQnseratv',
  FINGERPRINT,
  'a=setup:actpass',
);

/** In the manner of Chromium then: after media, no maximum message size, a bandwidth. */
const AFTER_AUDIO = text(
  'v=0',
  'o=- 2785540270768578609 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE audio data',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:YPDN',
  'a=ice-pwd:q/zuV7eeznoIHjN1m/cfI2B0',
  FINGERPRINT,
  'a=setup:actpass',
  'a=mid:audio',
  'm=application 9 DTLS/SCTP 5001',
  'c=IN IP4 0.0.0.0',
  'b=AS:30',
  'a=ice-ufrag:YPDN',
  'a=ice-pwd:q/zuV7eeznoIHjN1m/cfI2B0',
  FINGERPRINT,
  'a=setup:actpass',
  'a=mid:data',
  'a=sctpmap:5001 webrtc-datachannel 1024',
);

describe('an offer with a=sctpmap', () => {
  test('of aiortc: the answer, line by line', () => {
    const received = valid(receiveOffer(newState({ strict: true }), AIORTC));
    expect(received.warnings).toEqual([]);
    const { sdp, plan } = answerOffer(received, { ...LOCAL_B, sctpPort: 6000 });
    expect(dataOf(plan)).toMatchObject({ sctpPort: 5000, maxMessageSize: 65_536, mid: '0' });
    expect(plan.transport).toMatchObject({ dtlsRole: 'client', mid: '0' });
    expect(sdp.split('\r\n')).toEqual([
      'v=0',
      'o=- 4611686018427387904 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      'm=application 9 DTLS/SCTP 6000',
      'c=IN IP4 0.0.0.0',
      `a=ice-ufrag:${LOCAL_B.ice.usernameFragment}`,
      `a=ice-pwd:${LOCAL_B.ice.password}`,
      'a=ice-options:trickle',
      `a=fingerprint:sha-256 ${LOCAL_B.fingerprints[0]?.value ?? ''}`,
      'a=setup:active',
      'a=mid:0',
      'a=sctpmap:6000 webrtc-datachannel 65535',
      'a=max-message-size:65536',
      '',
    ]);
  });

  test('of a browser, beside media: answered at its place, 65536 bytes where it does not say', () => {
    const received = valid(receiveOffer(newState({ strict: true }), AFTER_AUDIO));
    const { sdp, plan } = answerOffer(received, LOCAL_B);
    expect(plan.sections).toEqual([
      { kind: 'rejected', mid: 'audio' },
      { kind: 'data', mid: 'data', sctpPort: 5001, maxMessageSize: 65_536 },
    ]);
    expect(plan.transport).toMatchObject({ mLineIndex: 1, mid: 'data' });
    expect(sdp.match(/^[ma]=(?:audio|application|sctp|max).*$/gm)).toEqual([
      'm=audio 0 UDP/TLS/RTP/SAVPF 111',
      'm=application 9 DTLS/SCTP 5000',
      'a=sctpmap:5000 webrtc-datachannel 65535',
      'a=max-message-size:65536',
    ]);
  });

  test.each(['UDP/DTLS/SCTP', 'TCP/DTLS/SCTP'])('under %s: the answer repeats it', (protocol) => {
    const received = valid(receiveOffer(newState(), AIORTC.replace('DTLS/SCTP', protocol)));
    expect(answerOffer(received, LOCAL_B).sdp).toContain(`m=application 9 ${protocol} 5000\r\n`);
  });

  test.each([
    ['malformed', 'a=sctpmap:5000 webrtc-datachannel lots', 'sctpmap-invalid'],
    ['of another port', 'a=sctpmap:5001 webrtc-datachannel 65535', 'sctpmap-invalid'],
    ['of something else', 'a=sctpmap:5000 clue 65535', 'no-application-section'],
  ])('%s: refused', (_, line, code) => {
    const offer = AIORTC.replace('a=sctpmap:5000 webrtc-datachannel 65535', line);
    const refusal = receiveOffer(newState(), offer);
    expect(codeOf(refusal)).toBe(code);
    if (code === 'sctpmap-invalid') expect(refusal).toMatchObject({ line: 10, mid: '0' });
  });

  test('without the attribute: data channels, with a warning; strict: refused', () => {
    const offer = AIORTC.replace('a=sctpmap:5000 webrtc-datachannel 65535\r\n', '');
    const { warnings, plan } = valid(receiveOffer(newState(), offer));
    expect(warnings).toEqual([expect.objectContaining({ code: 'sctpmap-missing', line: 7, mid: '0' })]);
    expect(dataOf(plan).sctpPort).toBe(5000);
    expect(codeOf(receiveOffer(newState({ strict: true }), offer))).toBe('sctpmap-missing');
  });
});

describe('the form belongs to the session', () => {
  test('an offer of ours begins with the form of RFC 8841', () => {
    expect(prepareOffer(newState(), LOCAL_A).sdp).not.toContain('sctpmap');
  });

  test('a re-offer of ours keeps the form in use: the peer may know no other', () => {
    const { next } = answerOffer(valid(receiveOffer(newState(), AIORTC)), LOCAL_B);
    const { sdp, next: pending } = prepareOffer(next, LOCAL_B);
    expect(sdp).toContain('m=application 9 DTLS/SCTP 5000\r\n');
    expect(sdp).toContain('a=sctpmap:5000 webrtc-datachannel 65535\r\n');
    const answer = AIORTC.replace('actpass', 'passive');
    const { plan } = valid(acceptAnswer(pending, answer));
    expect(dataOf(plan).sctpPort).toBe(5000);
    expect(plan.transport.dtlsRole).toBe('client');
  });

  test('a peer that restarts ICE in it keeps its association; another port is another one', () => {
    const first = answerOffer(valid(receiveOffer(newState(), AIORTC)), LOCAL_B);
    const restart = AIORTC.replace('pNRe', 'qORf').replace('EKspNJ', 'FLtqOK');
    const { plan, next } = answerOffer(valid(receiveOffer(first.next, restart)), restarted(LOCAL_B));
    expect(plan.transport).toMatchObject({ iceRestart: true, dtlsRestart: false });
    expect(codeOf(receiveOffer(next, restart.replaceAll('5000', '5001')))).toBe('sctp-port-changed');
  });

  test('two of our own never use it', () => {
    const { offer, answer } = exchange(newState(), newState());
    expect(offer + answer).not.toContain('sctpmap');
  });
});
