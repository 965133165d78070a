/**
 * F1a: who is DTLS client and who is server, row by row, through the SDP of two real connections. The `a=setup` lines are
 * edited on their way, as another stack might have written them; where an association exists it is a living one on a
 * simulated network, and it must still be alive after every row.
 *
 * Rows that restart ICE with another certificate end here with `dtls-restart-unsupported`; what signalling makes of them is at
 * the end, on the functions of negotiation. A17 needs provisional answers, which are not taken.
 */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node/index.ts';
import type { RtcOptions } from '../../src/index.ts';
import { SdpRefusal } from '../../src/index.ts';
import {
  acceptAnswer,
  answerOffer,
  prepareOffer,
  receiveOffer,
  setupOf,
  type DtlsRole,
  type SetupPreference,
} from '../../src/negotiation/index.ts';
import type { Setup } from '../../src/sdp/index.ts';
import { isSdpError } from '../../src/sdp/index.ts';
import { DIGEST_B, LOCAL_A, LOCAL_B, exchange, newState, restarted } from '../negotiation/ends.ts';
import { valid } from '../sdp/recorded.ts';
import type { End, Pair } from './pair.ts';
import { certificates, channel, makeOpenPair, makeUnsignalledPair, runUntilOpen } from './pair.ts';

const crypto = nodeCrypto();

type Before = 'none' | DtlsRole;
type Edit = (sdp: string) => string;

function withSetup(setup: Setup | undefined): Edit {
  return (sdp) => sdp.replace(/a=setup:\w+\r\n/, setup === undefined ? '' : `a=setup:${setup}\r\n`);
}

const SAME: Edit = (sdp) => sdp;

/** Another certificate, and nothing else that would allow one. */
const OTHER_FINGERPRINT: Edit = (sdp) => sdp.replace(/(a=fingerprint:sha-256 )[0-9A-F:]+/, `$1${DIGEST_B}`);

/** New ICE credentials. */
const RESTARTED: Edit = (sdp) =>
  sdp
    .replace(/a=ice-ufrag:.*\r\n/, 'a=ice-ufrag:new0\r\n')
    .replace(/a=ice-pwd:.*\r\n/, 'a=ice-pwd:newPassword+newPassword\r\n');

/** What `step` has come to for `end`: the role, with the warning if there is one, or the code of the refusal. */
function outcome(end: End, step: () => void): string {
  const before = end.rtc.inspect().negotiation;
  try {
    step();
  } catch (error) {
    if (!(error instanceof SdpRefusal)) throw error;
    // Refused: the role that has been negotiated stands.
    expect(end.rtc.inspect().negotiation.dtlsRole).toBe(before.dtlsRole);
    return error.sdpCode;
  }
  const { dtlsRole } = end.rtc.inspect().negotiation;
  const warning = warningsOf(end).at(-1);
  return warning === undefined ? String(dtlsRole) : `${String(dtlsRole)} (${warning})`;
}

/** Drains what has been said so far, and answers the warnings in it. */
function warningsOf(end: End): string[] {
  const codes: string[] = [];
  for (let output = end.rtc.pollOutput(); output.type === 'event'; output = end.rtc.pollOutput()) {
    if (output.event.type === 'warning') codes.push(output.event.failure.code);
  }
  return codes;
}

/** The association has neither ended nor changed its roles, and carries data both ways. */
function expectAlive(pair: Pair, role: DtlsRole): void {
  const { net, offerer, answerer } = pair;
  for (const [end, expected] of [
    [offerer, role],
    [answerer, role === 'client' ? 'server' : 'client'],
  ] as const) {
    const { dtls, dtlsRole } = end.rtc.inspect();
    expect([dtls?.state, dtls?.role, dtlsRole]).toEqual(['connected', expected, expected]);
  }
  channel(offerer).send('still');
  channel(answerer).send('here');
  net.run({ limit: 200 });
  expect([answerer.messages.get('chat'), offerer.messages.get('chat')]).toEqual([['still'], ['here']]);
}

/** A living association in which the offerer, `pair.offerer`, has the role `before`. */
function living(before: DtlsRole, offerer: Partial<RtcOptions>, answerer: Partial<RtcOptions> = {}): Pair {
  const setup = before === 'client' ? 'passive' : 'active';
  return makeOpenPair({ crypto, offerer, answerer: { setup, ...answerer } });
}

// --- table A: we offer, the peer's answer is edited ---

/** [row, our preference, before, answer, lenient, strict if it differs, another edit] */
type RowA = readonly [
  string,
  SetupPreference,
  Before,
  Setup | undefined,
  string,
  (string | undefined)?,
  Edit?,
];

const TABLE_A: readonly RowA[] = [
  ['A1', 'auto', 'none', 'active', 'server'],
  ['A2', 'auto', 'none', 'passive', 'client'],
  ['A3', 'auto', 'none', 'actpass', 'setup-invalid-answer'],
  ['A4', 'auto', 'none', 'holdconn', 'setup-holdconn'],
  ['A5', 'auto', 'none', undefined, 'server (setup-missing)', 'setup-missing'],
  ['A6', 'active', 'none', 'passive', 'client'],
  ['A7', 'active', 'none', 'active', 'role-conflict-both-active'],
  ['A8', 'active', 'none', 'actpass', 'setup-invalid-answer'],
  ['A8', 'active', 'none', 'holdconn', 'setup-holdconn'],
  ['A9', 'passive', 'none', 'active', 'server'],
  ['A10', 'passive', 'none', 'passive', 'role-conflict-both-passive'],
  ['A11', 'auto', 'client', 'passive', 'client'],
  ['A12', 'auto', 'client', 'active', 'client (role-change-ignored)', 'role-changed'],
  ['A12 with new ICE', 'auto', 'client', 'active', 'ice-restart-in-answer', undefined, RESTARTED],
  ['A13', 'auto', 'server', 'active', 'server'],
  ['A14', 'auto', 'server', 'passive', 'server (role-change-ignored)', 'role-changed'],
  ['A14 with new ICE', 'auto', 'server', 'passive', 'ice-restart-in-answer', undefined, RESTARTED],
  ['A15', 'auto', 'client', 'actpass', 'setup-invalid-answer'],
  ['A15', 'auto', 'server', 'actpass', 'setup-invalid-answer'],
  ['A15', 'auto', 'client', 'holdconn', 'setup-holdconn'],
  ['A15', 'auto', 'server', 'holdconn', 'setup-holdconn'],
  ['A15', 'auto', 'client', undefined, 'client (setup-missing)', 'setup-missing'],
  ['A15', 'auto', 'server', undefined, 'server (setup-missing)', 'setup-missing'],
  ['A16', 'auto', 'client', 'passive', 'dtls-restart-without-ice-restart', undefined, OTHER_FINGERPRINT],
  ['A16', 'auto', 'client', 'active', 'dtls-restart-without-ice-restart', undefined, OTHER_FINGERPRINT],
  ['A16', 'auto', 'server', 'active', 'dtls-restart-without-ice-restart', undefined, OTHER_FINGERPRINT],
];

describe.each([false, true])('F1a table A: we offer, strict %s', (strictSdp) => {
  for (const [row, setup, before, answered, lenient, strict = lenient, edit = SAME] of TABLE_A) {
    const expected = strictSdp ? strict : lenient;
    const isRefused = !/^(client|server)/.test(expected);

    test(`F1a ${row}: offer ${setup}, role so far ${before}, answer ${answered ?? 'nothing'} → ${expected}`, () => {
      const ours = { setup, strictSdp };
      const pair = before === 'none' ? makeUnsignalledPair({ crypto, offerer: ours }) : living(before, ours);
      const { offerer, answerer } = pair;
      const draft = offerer.rtc.negotiation();
      if (before === 'none') draft.addChannel('chat');
      const offer = draft.offer();
      expect(offer.sdp).toContain(`a=setup:${setup === 'auto' ? 'actpass' : setup}\r\n`);
      const answer = answerer.rtc.receiveOffer(offer.sdp).answer();
      const result = outcome(offerer, () => {
        offer.accept(edit(withSetup(answered)(answer)));
      });
      expect(result).toBe(expected);
      expect(offerer.rtc.signalingState).toBe(isRefused ? 'have-local-offer' : 'stable');
      const { roleChangesIgnored, setups } = offerer.rtc.inspect().negotiation;
      expect(roleChangesIgnored).toBe(expected.includes('role-change-ignored') ? 1 : 0);
      if (before !== 'none') expectAlive(pair, before);
      // The refused answer has spoilt nothing: the one the peer meant is still taken.
      if (isRefused) offer.accept(answer);
      else expect(setups.remote).toBe(answered ?? null);
      if (before !== 'none') return;
      if (isRefused || withSetup(answered)(answer) === answer) runUntilOpen(pair);
    });
  }
});

// --- table B: the peer's offer is edited, we answer ---

/**
 * [row, offer, before, auto, active, passive, another edit]; undefined where an end of that preference cannot get into the
 * role that it should have had before.
 */
type Cell = string | undefined;
type RowB = readonly [string, Setup | undefined, Before, Cell, Cell, Cell, Edit?];

const REFUSED = 'dtls-restart-without-ice-restart';
const TLS_ID: Edit = (sdp) => sdp.replace('a=setup', `a=tls-id:${'x'.repeat(24)}\r\na=setup`);

const TABLE_B: readonly RowB[] = [
  ['B1', 'actpass', 'none', 'client', 'client', 'server'],
  ['B2', 'active', 'none', 'server', 'role-config-conflict', 'server'],
  ['B3', 'passive', 'none', 'client', 'client', 'role-config-conflict'],
  ['B4', 'holdconn', 'none', 'setup-holdconn', 'setup-holdconn', 'setup-holdconn'],
  ['B5', undefined, 'none', 'client (setup-missing)', 'client (setup-missing)', 'server (setup-missing)'],
  ['B5', undefined, 'client', 'client (setup-missing)', 'client (setup-missing)', undefined],
  ['B5', undefined, 'server', 'server (setup-missing)', undefined, 'server (setup-missing)'],
  ['B6', 'actpass', 'client', 'client', 'client', undefined],
  ['B7', 'actpass', 'server', 'server', undefined, 'server'],
  ['B8', 'passive', 'client', 'client', 'client', undefined],
  ['B9', 'active', 'client', 'role-changed', 'role-changed', undefined],
  ['B10', 'active', 'server', 'server', undefined, 'server'],
  ['B11', 'passive', 'server', 'role-changed', undefined, 'role-changed'],
  ['B12', 'actpass', 'client', REFUSED, REFUSED, undefined, OTHER_FINGERPRINT],
  ['B12', 'actpass', 'server', REFUSED, undefined, REFUSED, OTHER_FINGERPRINT],
  ['B13', 'actpass', 'client', 'client', 'client', undefined, RESTARTED],
  ['B13', 'actpass', 'server', 'server', undefined, 'server', RESTARTED],
];

describe.each([false, true])('F1a table B: we answer, strict %s', (strictSdp) => {
  for (const [row, offered, before, auto, active, passive, edit = SAME] of TABLE_B) {
    for (const [setup, lenient] of Object.entries({ auto, active, passive })) {
      if (lenient === undefined) continue;
      const expected = strictSdp && offered === undefined ? 'setup-missing' : lenient;
      const isRefused = !/^(client|server)/.test(expected);

      test(`F1a ${row}: offer ${offered ?? 'nothing'}, role so far ${before}, we prefer ${setup} → ${expected}`, () => {
        const ours = { setup: setup as SetupPreference, strictSdp };
        // Where we were the answerer before, our role is what the first offer left us.
        const first = before === 'client' ? 'passive' : setup === 'passive' ? 'auto' : 'active';
        const pair =
          before === 'none'
            ? makeUnsignalledPair({ crypto, answerer: ours })
            : makeOpenPair({ crypto, offerer: { setup: first }, answerer: ours });
        const { offerer, answerer } = pair;
        const draft = offerer.rtc.negotiation();
        if (before === 'none') draft.addChannel('chat');
        const offer = draft.offer();
        let answer = '';
        const result = outcome(answerer, () => {
          answer = answerer.rtc.receiveOffer(edit(withSetup(offered)(offer.sdp))).answer();
        });
        expect(result).toBe(expected);
        expect(answerer.rtc.signalingState).toBe('stable');
        if (!isRefused) {
          const role = expected.startsWith('client') ? 'client' : 'server';
          expect(answer).toContain(`a=setup:${setupOf(role)}\r\n`);
          expect(answerer.rtc.inspect().negotiation.setups).toEqual({
            local: setupOf(role),
            remote: offered ?? null,
          });
        }
        if (before !== 'none') {
          expectAlive(pair, before === 'client' ? 'server' : 'client');
        } else if (!isRefused) {
          offer.accept(answer);
          runUntilOpen(pair);
        }
      });
    }
  }

  test('F1a B12 another a=tls-id is another association too', () => {
    const pair = makeUnsignalledPair({ crypto, answerer: { strictSdp } });
    const { offerer, answerer } = pair;
    const draft = offerer.rtc.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    offer.accept(answerer.rtc.receiveOffer(TLS_ID(offer.sdp)).answer());
    runUntilOpen(pair);
    const again = offerer.rtc.negotiation().offer();
    const other = TLS_ID(again.sdp).replaceAll('x'.repeat(24), 'y'.repeat(24));
    expect(outcome(answerer, () => answerer.rtc.receiveOffer(other).answer())).toBe(REFUSED);
    expectAlive(pair, 'server');
  });

  test('F1a B14 after a rollback no role is left, and the next exchange is free to give any', () => {
    for (const [setup, role] of [
      ['active', 'server'],
      ['passive', 'client'],
    ] as const) {
      const pair = makeUnsignalledPair({ crypto, offerer: { setup, strictSdp }, answerer: { strictSdp } });
      const { offerer, answerer } = pair;
      answerer.rtc.negotiation().offer().rollback();
      expect(answerer.rtc.inspect().negotiation).toMatchObject({ dtlsRole: null, setups: { local: null } });
      const draft = offerer.rtc.negotiation();
      draft.addChannel('chat');
      const offer = draft.offer();
      offer.accept(answerer.rtc.receiveOffer(offer.sdp).answer());
      expect(answerer.rtc.inspect().negotiation.dtlsRole).toBe(role);
      runUntilOpen(pair);
    }
  });

  test('F1a B15 sections of one transport that disagree are refused', () => {
    const { offerer, answerer } = makeUnsignalledPair({ crypto, answerer: { strictSdp } });
    const { sdp } = offerer.rtc.negotiation().offer();
    const section = sdp.slice(sdp.indexOf('m=application'));
    const two = (setup: string): string =>
      sdp.replace('a=group:BUNDLE 0', 'a=group:BUNDLE 0 1') +
      section.replace('a=mid:0', 'a=mid:1').replace('a=setup:actpass', `a=setup:${setup}`);
    const receive = (text: string): string => outcome(answerer, () => answerer.rtc.receiveOffer(text));
    expect(receive(two('passive'))).toBe('setup-mismatch');
    expect(receive(two('actpass'))).toBe('null');
  });

  test('F1a B16 without a fingerprint there is no connection, and never plaintext', () => {
    const { offerer, answerer } = makeUnsignalledPair({ crypto, answerer: { strictSdp } });
    const { sdp } = offerer.rtc.negotiation().offer();
    const bare = sdp.replace(/a=fingerprint:.*\r\n/, '');
    expect(outcome(answerer, () => answerer.rtc.receiveOffer(bare))).toBe('fingerprint-missing');
    expect(answerer.rtc.inspect()).toMatchObject({ dtlsRole: null, dtls: null, connectionState: 'new' });
  });
});

test('F1a the role is given once: start() by hand after a description is refused', () => {
  const pair = living('client', {});
  const { offerer, answerer } = pair;
  const { ice, fingerprints } = answerer.rtc.localParameters;
  expect(() => {
    offerer.rtc.start({ ice, fingerprints, iceRole: 'controlling', dtlsRole: 'server' });
  }).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
  expectAlive(pair, 'client');
});

test('F1a A14 Firefox re-answers active for ever: counted each time, and the association lives', () => {
  // offerer server: its peer was active, and is asked to be so again; Firefox is the other way round.
  const pair = living('client', {});
  const { offerer, answerer } = pair;
  for (let count = 1; count <= 3; count++) {
    const offer = offerer.rtc.negotiation().offer();
    const answer = answerer.rtc.receiveOffer(offer.sdp).answer();
    expect(answer).toContain('a=setup:passive');
    offer.accept(answer.replace('a=setup:passive', 'a=setup:active'));
    expect(offerer.rtc.inspect().negotiation.roleChangesIgnored).toBe(count);
  }
  pair.net.run({ limit: 50 });
  const warnings = offerer.events.filter((event) => event.type === 'warning');
  expect(warnings.map(({ failure }) => failure.code)).toEqual(Array(3).fill('role-change-ignored'));
  expectAlive(pair, 'client');
});

test.each([
  ['A7', 'active', 'active', /"a=setup:passive", and its sender DTLS server/],
  ['A10', 'passive', 'passive', /"a=setup:active", and its sender DTLS client/],
] as const)('F1b %s the refusal says who should do what', (_, setup, answered, text) => {
  const { offerer, answerer } = makeUnsignalledPair({ crypto, offerer: { setup } });
  const offer = offerer.rtc.negotiation().offer();
  const answer = answerer.rtc.receiveOffer(offer.sdp).answer();
  expect(() => {
    offer.accept(withSetup(answered)(answer));
  }).toThrow(text);
});

// --- what an ICE restart allows, on the functions of negotiation: `Rtc` refuses to restart ICE ---

const REPLACED = [{ algorithm: 'sha-256', value: certificates[0].fingerprint.value }] as const;

/** [row, our role so far, the peer's certificate, answer, lenient, strict if it differs] */
const RESTARTS_A: readonly (readonly [string, DtlsRole, boolean, Setup, string, string?])[] = [
  ['A11', 'client', false, 'passive', 'client'],
  ['A12', 'client', false, 'active', 'client (role-change-ignored)', 'role-changed'],
  ['A12', 'client', true, 'active', 'new server'],
  ['A13', 'server', false, 'active', 'server'],
  ['A14', 'server', false, 'passive', 'server (role-change-ignored)', 'role-changed'],
  ['A14', 'server', true, 'passive', 'new client'],
];

describe.each([false, true])('F1a table A with an ICE restart, strict %s', (strict) => {
  for (const [row, before, isReplaced, answered, lenient, otherwise = lenient] of RESTARTS_A) {
    const identity = isReplaced ? 'another' : 'the same';
    test(`F1a ${row}: role so far ${before}, ${identity} certificate, answer ${answered} → ${strict ? otherwise : lenient}`, () => {
      const peer = newState({ dtlsSetup: before === 'client' ? 'passive' : 'auto' });
      const first = exchange(newState({ strict }), peer);
      expect(first.offerer.plan.transport.dtlsRole).toBe(before);
      const offer = prepareOffer(first.offerer.state, restarted(LOCAL_A));
      const theirs = { ...restarted(LOCAL_B), ...(isReplaced ? { fingerprints: REPLACED } : {}) };
      const { sdp } = answerOffer(valid(receiveOffer(first.answerer.state, offer.sdp)), theirs);
      const result = acceptAnswer(offer.next, withSetup(answered)(sdp));
      expect(shown(result)).toBe(strict ? otherwise : lenient);
    });
  }
});

/** [row, our role so far, the peer's certificate, offer, our preference, result] */
const RESTARTS_B: readonly (readonly [string, DtlsRole, boolean, Setup, SetupPreference, string])[] = [
  ['B9', 'client', false, 'active', 'auto', 'role-changed'],
  ['B9', 'client', true, 'active', 'auto', 'new server'],
  ['B9', 'client', true, 'active', 'active', 'role-config-conflict'],
  ['B11', 'server', false, 'passive', 'passive', 'role-changed'],
  ['B11', 'server', true, 'passive', 'auto', 'new client'],
  ['B11', 'server', true, 'passive', 'passive', 'role-config-conflict'],
  ['B13', 'client', false, 'actpass', 'auto', 'client'],
  ['B13', 'client', false, 'actpass', 'active', 'client'],
  ['B13', 'server', false, 'actpass', 'auto', 'server'],
  ['B13', 'server', false, 'actpass', 'passive', 'server'],
];

describe.each([false, true])('F1a table B with an ICE restart, strict %s', (strict) => {
  for (const [row, before, isReplaced, offered, dtlsSetup, expected] of RESTARTS_B) {
    const identity = isReplaced ? 'another' : 'the same';
    test(`F1a ${row}: role so far ${before}, ${identity} certificate, offer ${offered}, prefer ${dtlsSetup} → ${expected}`, () => {
      const peer = newState({ dtlsSetup: before === 'client' ? 'passive' : 'active' });
      const first = exchange(peer, newState({ dtlsSetup, strict }));
      expect(first.answerer.plan.transport.dtlsRole).toBe(before);
      const theirs = { ...restarted(LOCAL_A), ...(isReplaced ? { fingerprints: REPLACED } : {}) };
      const { sdp } = prepareOffer(first.offerer.state, theirs);
      expect(shown(receiveOffer(first.answerer.state, withSetup(offered)(sdp)))).toBe(expected);
    });
  }
});

function shown(
  result:
    | { readonly code: string; readonly message: string }
    | {
        readonly plan: { readonly transport: { readonly dtlsRole: DtlsRole; readonly dtlsRestart: boolean } };
        readonly warnings: readonly { readonly code: string }[];
      },
): string {
  if (isSdpError(result)) return result.code;
  if (!('plan' in result)) return 'no plan';
  const { transport } = result.plan;
  const suffix = result.warnings.map(({ code }) => ` (${code})`).join('');
  return `${transport.dtlsRestart ? 'new ' : ''}${transport.dtlsRole}${suffix}`;
}
