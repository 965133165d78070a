import { describe, expect, test } from 'vitest';
import {
  acceptAnswer,
  answerOffer,
  applyOffer,
  closeNegotiation,
  inspectNegotiation,
  prepareOffer,
  receiveOffer,
  rollback,
} from '../../src/negotiation/index.ts';
import { codeOf, valid } from '../sdp/recorded.ts';
import { dataOf, DIGEST_A, DIGEST_B, exchange, LOCAL_A, LOCAL_B, newState, restarted } from './ends.ts';
import { addition } from './peer-description.ts';

const misuse = (code: string): unknown => expect.objectContaining({ code });

describe('a first exchange', () => {
  test('the offer, line by line', () => {
    const { sdp, mid, mLineIndex } = prepareOffer(newState(), LOCAL_A);
    expect(sdp.split('\r\n')).toEqual([
      'v=0',
      'o=- 4611686018427387904 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      'm=application 5001 UDP/DTLS/SCTP webrtc-datachannel',
      'c=IN IP4 192.0.2.1',
      'a=candidate:1 1 udp 2122260223 192.0.2.1 5001 typ host',
      'a=end-of-candidates',
      'a=ice-ufrag:aaaa',
      `a=ice-pwd:${LOCAL_A.ice.password}`,
      'a=ice-options:trickle',
      `a=fingerprint:sha-256 ${DIGEST_A}`,
      'a=setup:actpass',
      'a=mid:0',
      'a=sctp-port:5000',
      'a=max-message-size:262144',
      '',
    ]);
    expect({ mid, mLineIndex }).toEqual({ mid: '0', mLineIndex: 0 });
  });

  test('both ends plan the same connection from their sides', () => {
    const { offerer, answerer, answer, warnings } = exchange(newState(), newState());
    expect(offerer.plan.sections).toEqual([
      { kind: 'data', mid: '0', sctpPort: 5000, maxMessageSize: 262_144 },
    ]);
    expect(offerer.plan.transport).toEqual({
      ice: { ...LOCAL_B.ice, renomination: false },
      candidates: [],
      endOfCandidates: false,
      trickle: true,
      fingerprints: [{ algorithm: 'sha-256', value: DIGEST_B }],
      tlsId: undefined,
      dtlsRole: 'server',
      iceRole: 'controlling',
      localSetup: 'actpass',
      remoteSetup: 'active',
      mid: '0',
      mLineIndex: 0,
      iceRestart: false,
      dtlsRestart: false,
    });
    expect(answerer.plan.transport).toMatchObject({
      ice: { ...LOCAL_A.ice, renomination: false },
      candidates: LOCAL_A.candidates,
      endOfCandidates: true,
      dtlsRole: 'client',
      iceRole: 'controlled',
      localSetup: 'active',
      remoteSetup: 'actpass',
    });
    expect(answer).toContain('m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n');
    expect(warnings).toEqual([]);
  });

  test.each([
    ['auto', 'auto', 'server', 'client'],
    ['auto', 'passive', 'client', 'server'],
    ['active', 'auto', 'client', 'server'],
    ['passive', 'auto', 'server', 'client'],
    ['passive', 'active', 'server', 'client'],
  ] as const)(
    'F1a offerer prefers %s, answerer %s: DTLS %s and %s',
    (from, to, offererRole, answererRole) => {
      const { offerer, answerer } = exchange(newState({ dtlsSetup: from }), newState({ dtlsSetup: to }));
      expect([offerer.plan.transport.dtlsRole, answerer.plan.transport.dtlsRole]).toEqual([
        offererRole,
        answererRole,
      ]);
    },
  );

  test.each(['active', 'passive'] as const)(
    'F1a both ends insist on %s: the answerer says so',
    (dtlsSetup) => {
      const { sdp } = prepareOffer(newState({ dtlsSetup }), LOCAL_A);
      expect(receiveOffer(newState({ dtlsSetup }), sdp)).toMatchObject({
        code: 'role-config-conflict',
        mid: '0',
      });
    },
  );

  test('a lite end is controlled, whoever offers (RFC 8445 §6.1.1)', () => {
    const lite = { ...LOCAL_B, ice: { ...LOCAL_B.ice, lite: true } };
    const asAnswerer = exchange(newState(), newState(), LOCAL_A, lite);
    expect(asAnswerer.answer).toContain('a=ice-lite\r\n');
    expect([asAnswerer.offerer.plan.transport.iceRole, asAnswerer.answerer.plan.transport.iceRole]).toEqual([
      'controlling',
      'controlled',
    ]);
    const asOfferer = exchange(newState(), newState(), lite, LOCAL_A);
    expect([asOfferer.offerer.plan.transport.iceRole, asOfferer.answerer.plan.transport.iceRole]).toEqual([
      'controlled',
      'controlling',
    ]);
    expect(asOfferer.answerer.plan.transport.ice.lite).toBe(true);
  });

  test.each([
    [262_144, 262_144, '262144', 262_144],
    [65_536, 262_144, '65536', 65_536],
    [262_144, 1024, '1024', 1024],
    [Infinity, 262_144, '262144', 262_144],
    [Infinity, Infinity, '0', Infinity],
  ])('largest messages of %s and %s: the answer says %s', (offered, own, line, planned) => {
    const { answer, answerer, offerer } = exchange(
      newState(),
      newState(),
      { ...LOCAL_A, maxMessageSize: offered },
      { ...LOCAL_B, maxMessageSize: own },
    );
    expect(answer).toContain(`a=max-message-size:${line}\r\n`);
    expect(dataOf(answerer.plan).maxMessageSize).toBe(offered);
    expect(dataOf(offerer.plan).maxMessageSize).toBe(planned);
  });

  test('tls-id is answered where it was offered (RFC 8842 §5.3)', () => {
    const tlsId = 'a-tls-id-of-20-chars';
    const both = exchange(newState(), newState(), { ...LOCAL_A, tlsId }, { ...LOCAL_B, tlsId });
    expect(both.offer).toContain(`a=tls-id:${tlsId}\r\n`);
    expect(both.answer).toContain(`a=tls-id:${tlsId}\r\n`);
    expect(both.answerer.plan.transport.tlsId).toBe(tlsId);
    expect(exchange(newState(), newState(), LOCAL_A, { ...LOCAL_B, tlsId }).answer).not.toContain('tls-id');
  });

  test('F1e the state shows roles, setups and fingerprints, and no password', () => {
    const { state } = exchange(newState(), newState()).offerer;
    const inspection = inspectNegotiation(state);
    expect(inspection).toMatchObject({
      signalingState: 'stable',
      dtlsRole: 'server',
      iceRole: 'controlling',
      setups: { local: 'actpass', remote: 'active' },
      remoteFingerprints: [{ algorithm: 'sha-256', value: DIGEST_B }],
    });
    expect(JSON.stringify(inspection)).not.toContain(LOCAL_B.ice.password);
    expect(JSON.stringify(inspection)).not.toContain(LOCAL_A.ice.password);
  });
});

describe('later exchanges', () => {
  test('F1a B7/A13 whoever re-offers, roles and transport stay, versions count', () => {
    const first = exchange(newState(), newState());
    const second = exchange(first.answerer.state, first.offerer.state, LOCAL_B, LOCAL_A);
    expect(second.offer).toContain('a=setup:actpass\r\n');
    expect(second.answer).toContain('a=setup:passive\r\n');
    expect(second.offerer.plan.transport).toMatchObject({
      dtlsRole: 'client',
      iceRole: 'controlled',
      iceRestart: false,
      dtlsRestart: false,
    });
    expect(second.answerer.plan.transport).toMatchObject({ dtlsRole: 'server', iceRole: 'controlling' });
    expect(second.warnings).toEqual([]);
    expect(second.offer).toContain('o=- 4611686018427387904 2 ');
    expect(second.answer).toContain('o=- 4611686018427387904 2 ');
  });

  test('Firefox that is the server answers active for a section that was added alone: passed over, strict refuses', () => {
    for (const strict of [false, true]) {
      const before = exchange(newState(), newState({ strict }));
      const media = [addition('audio', 0)];
      const added = prepareOffer(before.answerer.state, LOCAL_B, { media, data: true });
      const { sdp } = answerOffer(valid(receiveOffer(before.offerer.state, added.sdp)), LOCAL_A);
      const mixed = sdp.replace(/(m=audio[^]*?)a=setup:passive/, '$1a=setup:active');
      expect(mixed).not.toBe(sdp);
      const result = acceptAnswer(added.next, mixed);
      if (strict) {
        expect(result).toMatchObject({ code: 'setup-mismatch' });
        continue;
      }
      const { plan, warnings } = valid(result);
      expect(warnings).toMatchObject([{ code: 'role-change-ignored' }]);
      expect(plan.transport).toMatchObject({ dtlsRole: 'client', dtlsRestart: false });
    }
  });

  test('F1a A14 Firefox answers active though it is the server: the role stays, strict refuses', () => {
    for (const strict of [false, true]) {
      const first = exchange(newState(), newState({ strict }));
      const reoffer = prepareOffer(first.answerer.state, LOCAL_B);
      const answer = answerOffer(valid(receiveOffer(first.offerer.state, reoffer.sdp)), LOCAL_A);
      const firefox = answer.sdp.replace('a=setup:passive', 'a=setup:active');
      const result = acceptAnswer(reoffer.next, firefox);
      if (strict) expect(result).toMatchObject({ code: 'role-changed' });
      else {
        const { plan, warnings } = valid(result);
        expect(plan.transport).toMatchObject({ dtlsRole: 'client', remoteSetup: 'active' });
        expect(warnings).toMatchObject([{ code: 'role-change-ignored', mid: '0' }]);
      }
    }
  });

  test('F1a B13 an ICE restart is seen by both ends and keeps the DTLS association', () => {
    const first = exchange(newState(), newState());
    const { offerer, answerer } = exchange(
      first.offerer.state,
      first.answerer.state,
      restarted(LOCAL_A),
      restarted(LOCAL_B),
    );
    expect(offerer.plan.transport).toMatchObject({
      iceRestart: true,
      dtlsRestart: false,
      dtlsRole: 'server',
    });
    expect(answerer.plan.transport).toMatchObject({
      iceRestart: true,
      dtlsRestart: false,
      dtlsRole: 'client',
    });
  });

  test('an answer restarts ICE exactly where the offer did (RFC 8839 §4.4)', () => {
    const first = exchange(newState(), newState());
    const { sdp, next } = prepareOffer(first.offerer.state, LOCAL_A);
    const { sdp: answer } = answerOffer(valid(receiveOffer(first.answerer.state, sdp)), LOCAL_B);
    const restarting = answer.replace('a=ice-ufrag:bbbb', 'a=ice-ufrag:cccc');
    expect(codeOf(acceptAnswer(next, restarting))).toBe('ice-restart-in-answer');

    const restart = prepareOffer(first.offerer.state, restarted(LOCAL_A));
    expect(codeOf(acceptAnswer(restart.next, answer))).toBe('ice-restart-unanswered');

    const received = valid(receiveOffer(first.answerer.state, restart.sdp));
    expect(() => answerOffer(received, LOCAL_B)).toThrow(misuse('ERR_BAD_ARGUMENT'));
    const unchanged = valid(receiveOffer(first.answerer.state, sdp));
    expect(() => answerOffer(unchanged, restarted(LOCAL_B))).toThrow(misuse('ERR_BAD_ARGUMENT'));
  });

  test('F1a A16/B12 another fingerprint without an ICE restart is refused, in offers and in answers', () => {
    const first = exchange(newState(), newState());
    const { sdp, next } = prepareOffer(first.offerer.state, LOCAL_A);
    const forged = sdp.replace(DIGEST_A, DIGEST_B);
    expect(receiveOffer(first.answerer.state, forged)).toMatchObject({
      code: 'dtls-restart-without-ice-restart',
      mid: '0',
    });
    const { sdp: answer } = answerOffer(valid(receiveOffer(first.answerer.state, sdp)), LOCAL_B);
    expect(codeOf(acceptAnswer(next, answer.replace(DIGEST_B, DIGEST_A)))).toBe(
      'dtls-restart-without-ice-restart',
    );
  });

  test('F1a a digest of the certificate by one more algorithm is no other certificate', () => {
    const { offerer, answerer } = exchange(newState(), newState());
    const sha512 = { algorithm: 'sha-512', value: `${DIGEST_A}:${DIGEST_A}` } as const;
    const both = { ...LOCAL_A, fingerprints: [...LOCAL_A.fingerprints, sha512] };
    const { sdp } = prepareOffer(offerer.state, both);
    expect(codeOf(receiveOffer(answerer.state, sdp))).toBe('accepted');
    const other = { ...LOCAL_A, fingerprints: [{ ...sha512 }] };
    expect(codeOf(receiveOffer(answerer.state, prepareOffer(offerer.state, other).sdp))).toBe(
      'dtls-restart-without-ice-restart',
    );
  });

  test('F1a B9 another fingerprint with an ICE restart is a new association', () => {
    const first = exchange(newState(), newState());
    const moved = { ...restarted(LOCAL_A), fingerprints: LOCAL_B.fingerprints };
    const { answerer } = exchange(first.offerer.state, first.answerer.state, moved, restarted(LOCAL_B));
    expect(answerer.plan.transport).toMatchObject({
      iceRestart: true,
      dtlsRestart: true,
      dtlsRole: 'client',
    });
  });

  test('a changed tls-id is another identity (RFC 8842)', () => {
    const tlsId = 'x'.repeat(20);
    const first = exchange(newState(), newState(), { ...LOCAL_A, tlsId }, { ...LOCAL_B, tlsId });
    const { sdp } = prepareOffer(first.offerer.state, { ...LOCAL_A, tlsId: 'y'.repeat(20) });
    expect(codeOf(receiveOffer(first.answerer.state, sdp))).toBe('dtls-restart-without-ice-restart');
  });

  test('an SCTP port stays as long as its association', () => {
    const first = exchange(newState(), newState());
    const { sdp } = prepareOffer(first.offerer.state, { ...LOCAL_A, sctpPort: 5001 });
    expect(codeOf(receiveOffer(first.answerer.state, sdp))).toBe('sctp-port-changed');
  });
});

describe('taking back', () => {
  test('F1a B14 a rollback restores everything but the version, which the peer may have seen', () => {
    const before = newState();
    const { next } = prepareOffer(before, LOCAL_A);
    expect(rollback(next)).toEqual({ ...before, nextVersion: 2 });

    const { state } = exchange(before, newState()).offerer;
    expect(rollback(prepareOffer(state, restarted(LOCAL_A)).next)).toEqual({
      ...state,
      nextVersion: state.nextVersion + 1,
    });
  });

  test('glare: an offer that meets ours is refused until one is rolled back', () => {
    const ours = prepareOffer(newState(), LOCAL_A);
    const theirs = prepareOffer(newState(), LOCAL_B);
    expect(codeOf(receiveOffer(ours.next, theirs.sdp))).toBe('glare');
    expect(codeOf(receiveOffer(rollback(ours.next), theirs.sdp))).toBe('accepted');
  });

  test('a refused answer leaves the offer pending', () => {
    const { sdp, next } = prepareOffer(newState(), LOCAL_A);
    expect(codeOf(acceptAnswer(next, 'v=0'))).toBe('origin-invalid');
    const { sdp: answer } = answerOffer(valid(receiveOffer(newState(), sdp)), LOCAL_B);
    expect(codeOf(acceptAnswer(next, answer))).toBe('accepted');
  });

  test('an offer that was received can be dropped, or be replaced by another', () => {
    const { sdp } = prepareOffer(newState(), LOCAL_A);
    const waiting = applyOffer(valid(receiveOffer(newState(), sdp)));
    expect(waiting.signalingState).toBe('have-remote-offer');
    expect(codeOf(receiveOffer(waiting, sdp))).toBe('accepted');
    expect(rollback(waiting)).toEqual(newState());
  });
});

describe('misuse throws before anything has changed', () => {
  const waiting = applyOffer(valid(receiveOffer(newState(), prepareOffer(newState(), LOCAL_B).sdp)));
  const closed = closeNegotiation(exchange(newState(), newState()).offerer.state);

  test.each([
    ['an offer while one of the peer waits', () => prepareOffer(waiting, LOCAL_A)],
    ['an answer without an offer', () => acceptAnswer(newState(), 'v=0')],
    ['a rollback without an offer', () => rollback(newState())],
    ['an offer after close', () => prepareOffer(closed, LOCAL_A)],
    ['a remote offer after close', () => receiveOffer(closed, 'v=0')],
  ])('%s: ERR_INVALID_STATE', (_, call) => {
    expect(call).toThrow(misuse('ERR_INVALID_STATE'));
  });

  test.each([
    ['a session id that is no number', () => newState({ sessionId: '12x' })],
    ['a session id of 2^63', () => newState({ sessionId: '9223372036854775808' })],
    [
      'a short ufrag',
      () => prepareOffer(newState(), { ...LOCAL_A, ice: { ...LOCAL_A.ice, usernameFragment: 'a' } }),
    ],
    [
      'a short password',
      () => prepareOffer(newState(), { ...LOCAL_A, ice: { ...LOCAL_A.ice, password: 'a' } }),
    ],
    ['no fingerprint', () => prepareOffer(newState(), { ...LOCAL_A, fingerprints: [] })],
    ['SCTP port 0', () => prepareOffer(newState(), { ...LOCAL_A, sctpPort: 0 })],
    ['a message size of 0', () => prepareOffer(newState(), { ...LOCAL_A, maxMessageSize: 0 })],
    ['a short tls-id', () => prepareOffer(newState(), { ...LOCAL_A, tlsId: 'x' })],
  ])('%s: ERR_BAD_ARGUMENT', (_, call) => {
    expect(call).toThrow(misuse('ERR_BAD_ARGUMENT'));
  });

  test('closing forgets the peer', () => {
    expect(JSON.stringify(closed)).not.toContain(LOCAL_B.ice.password);
    expect(inspectNegotiation(closed)).toMatchObject({ signalingState: 'closed', dtlsRole: null });
  });
});
