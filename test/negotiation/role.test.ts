import { describe, expect, test } from 'vitest';
import type {
  AnswererRoleInput,
  AssociationState,
  DtlsRole,
  OffererRoleInput,
  OfferSetup,
  SetupPreference,
} from '../../src/negotiation/index.ts';
import {
  offerSetup,
  resolveAnswererRole,
  keptIceRole,
  resolveIceRole,
  resolveOffererRole,
  setupOf,
} from '../../src/negotiation/index.ts';
import type { SdpError, Setup } from '../../src/sdp/index.ts';
import { isSdpError } from '../../src/sdp/index.ts';
import type { RoleDecision } from '../../src/negotiation/index.ts';

/** What is known of the association before the row: nothing, a living one, one that the peer replaces. */
type Before = 'none' | 'client' | 'server';

const SETUPS: readonly (Setup | undefined)[] = ['actpass', 'active', 'passive', 'holdconn', undefined];
const BEFORE: readonly Before[] = ['none', 'client', 'server'];

/** The peer's identity: the same; changed with an ICE restart; changed without; ICE restart alone. */
const CHANGES = {
  same: { identityChanged: false, iceRestart: false },
  replaced: { identityChanged: true, iceRestart: true },
  forged: { identityChanged: true, iceRestart: false },
  restart: { identityChanged: false, iceRestart: true },
};
type Change = keyof typeof CHANGES;

function association(before: Before, change: Change, strict: boolean): AssociationState {
  return { current: before === 'none' ? undefined : before, ...CHANGES[change], strict };
}

/** `client`, `new server`, `server (setup-missing)`, or the error's code. */
function show(result: RoleDecision | SdpError): string {
  if (isSdpError(result)) return result.code;
  const role = result.newAssociation ? `new ${result.role}` : result.role;
  return result.warning === undefined ? role : `${role} (${result.warning})`;
}

/** [row, our offer, before, change, answer, lenient, strict if it differs] */
type OffererRow = readonly [string, OfferSetup, Before, Change, Setup | undefined, string, string?];

const TABLE_A: readonly OffererRow[] = [
  ['A1', 'actpass', 'none', 'same', 'active', 'server'],
  ['A2', 'actpass', 'none', 'same', 'passive', 'client'],
  ['A3', 'actpass', 'none', 'same', 'actpass', 'setup-invalid-answer'],
  ['A4', 'actpass', 'none', 'same', 'holdconn', 'setup-holdconn'],
  ['A5', 'actpass', 'none', 'same', undefined, 'server (setup-missing)', 'setup-missing'],
  ['A6', 'active', 'none', 'same', 'passive', 'client'],
  ['A7', 'active', 'none', 'same', 'active', 'role-conflict-both-active'],
  ['A8', 'active', 'none', 'same', 'actpass', 'setup-invalid-answer'],
  ['A8', 'active', 'none', 'same', 'holdconn', 'setup-holdconn'],
  ['A8', 'active', 'none', 'same', undefined, 'client (setup-missing)', 'setup-missing'],
  ['A9', 'passive', 'none', 'same', 'active', 'server'],
  ['A9', 'passive', 'none', 'same', undefined, 'server (setup-missing)', 'setup-missing'],
  ['A10', 'passive', 'none', 'same', 'passive', 'role-conflict-both-passive'],
  ['A11', 'actpass', 'client', 'same', 'passive', 'client'],
  ['A11', 'actpass', 'client', 'restart', 'passive', 'client'],
  ['A12', 'actpass', 'client', 'same', 'active', 'client (role-change-ignored)', 'role-changed'],
  ['A12', 'actpass', 'client', 'restart', 'active', 'client (role-change-ignored)', 'role-changed'],
  ['A12', 'actpass', 'client', 'replaced', 'active', 'new server'],
  ['A13', 'actpass', 'server', 'same', 'active', 'server'],
  ['A13', 'actpass', 'server', 'restart', 'active', 'server'],
  ['A14', 'actpass', 'server', 'same', 'passive', 'server (role-change-ignored)', 'role-changed'],
  ['A14', 'actpass', 'server', 'restart', 'passive', 'server (role-change-ignored)', 'role-changed'],
  ['A14', 'actpass', 'server', 'replaced', 'passive', 'new client'],
  ['A15', 'actpass', 'client', 'same', 'actpass', 'setup-invalid-answer'],
  ['A15', 'actpass', 'server', 'same', 'holdconn', 'setup-holdconn'],
  ['A15', 'actpass', 'client', 'same', undefined, 'client (setup-missing)', 'setup-missing'],
  ['A15', 'actpass', 'server', 'same', undefined, 'server (setup-missing)', 'setup-missing'],
  ['A16', 'actpass', 'client', 'forged', 'passive', 'dtls-restart-without-ice-restart'],
  ['A16', 'actpass', 'server', 'forged', 'active', 'dtls-restart-without-ice-restart'],
  // A17: a provisional answer has fixed the role, `current` holds it.
  ['A17', 'actpass', 'server', 'same', 'active', 'server'],
  ['A17', 'actpass', 'server', 'replaced', 'active', 'new server'],
];

/** [row, offer, before, change, auto, active, passive] */
type AnswererRow = readonly [string, Setup | undefined, Before, Change, string, string, string];

const TABLE_B: readonly AnswererRow[] = [
  ['B1', 'actpass', 'none', 'same', 'client', 'client', 'server'],
  ['B2', 'active', 'none', 'same', 'server', 'role-config-conflict', 'server'],
  ['B3', 'passive', 'none', 'same', 'client', 'client', 'role-config-conflict'],
  ['B4', 'holdconn', 'none', 'same', 'setup-holdconn', 'setup-holdconn', 'setup-holdconn'],
  ['B6', 'actpass', 'client', 'same', 'client', 'client', 'client'],
  ['B7', 'actpass', 'server', 'same', 'server', 'server', 'server'],
  ['B8', 'passive', 'client', 'same', 'client', 'client', 'client'],
  ['B9', 'active', 'client', 'same', 'role-changed', 'role-changed', 'role-changed'],
  ['B9', 'active', 'client', 'restart', 'role-changed', 'role-changed', 'role-changed'],
  ['B9', 'active', 'client', 'replaced', 'new server', 'role-config-conflict', 'new server'],
  ['B10', 'active', 'server', 'same', 'server', 'server', 'server'],
  ['B11', 'passive', 'server', 'same', 'role-changed', 'role-changed', 'role-changed'],
  ['B11', 'passive', 'server', 'replaced', 'new client', 'new client', 'role-config-conflict'],
  ...BEFORE.slice(1).flatMap((before): AnswererRow[] => {
    const refused = 'dtls-restart-without-ice-restart';
    return [
      ['B12', 'actpass', before, 'forged', refused, refused, refused],
      ['B13', 'actpass', before, 'restart', before, before, before],
    ];
  }),
];

/** B5: `a=setup` is missing. [before, preference, lenient]; strict refuses them all. */
const TABLE_B5: readonly (readonly [Before, SetupPreference, string])[] = [
  ['none', 'auto', 'client (setup-missing)'],
  ['none', 'active', 'client (setup-missing)'],
  ['none', 'passive', 'server (setup-missing)'],
  ['client', 'auto', 'client (setup-missing)'],
  ['server', 'auto', 'server (setup-missing)'],
];

describe('F1a table A: we offered', () => {
  for (const [row, offered, before, change, answered, lenient, strict = lenient] of TABLE_A) {
    const name = `F1a ${row}: offer ${offered}, answer ${answered ?? 'nothing'}, before ${before}, identity ${change}`;
    test(`${name} → ${lenient}`, () => {
      const input: OffererRoleInput = { offered, answered, ...association(before, change, false) };
      expect(show(resolveOffererRole(input))).toBe(lenient);
    });
    test(`${name} → ${strict}, strict`, () => {
      const input: OffererRoleInput = { offered, answered, ...association(before, change, true) };
      expect(show(resolveOffererRole(input))).toBe(strict);
    });
  }
});

describe('F1a table B: we answer', () => {
  for (const [row, offered, before, change, ...results] of TABLE_B) {
    for (const [i, preference] of (['auto', 'active', 'passive'] as const).entries()) {
      const expected = results[i] ?? expect.unreachable();
      const name = `F1a ${row}: offer ${offered ?? 'nothing'}, before ${before}, identity ${change}, prefer ${preference}`;
      test(`${name} → ${expected}, lenient and strict`, () => {
        for (const strict of [false, true]) {
          const input: AnswererRoleInput = { offered, preference, ...association(before, change, strict) };
          expect(show(resolveAnswererRole(input))).toBe(expected);
        }
      });
    }
  }

  test.each(TABLE_B5)(
    'F1a B5: no a=setup, before %s, prefer %s → %s, strict setup-missing',
    (before, preference, lenient) => {
      const input = { offered: undefined, preference };
      expect(show(resolveAnswererRole({ ...input, ...association(before, 'same', false) }))).toBe(lenient);
      expect(show(resolveAnswererRole({ ...input, ...association(before, 'same', true) }))).toBe(
        'setup-missing',
      );
    },
  );
});

describe('F1a every combination', () => {
  const combinations = SETUPS.flatMap((setup) =>
    BEFORE.flatMap((before) =>
      (Object.keys(CHANGES) as Change[]).flatMap((change) =>
        [false, true].map((strict) => ({ setup, before, change, strict })),
      ),
    ),
  );

  test('F1a two ends of one exchange never take the same role: one refuses, or they differ', () => {
    for (const preference of ['auto', 'active', 'passive'] as const) {
      for (const offerer of ['auto', 'active', 'passive'] as const) {
        for (const before of BEFORE) {
          for (const change of Object.keys(CHANGES) as Change[]) {
            const mirrored = before === 'none' ? 'none' : opposite(before);
            const offered = offerSetup(offerer);
            const answerer = resolveAnswererRole({
              offered,
              preference,
              ...association(mirrored, change, true),
            });
            if (isSdpError(answerer)) continue;
            const answered = setupOf(answerer.role);
            const ours = resolveOffererRole({ offered, answered, ...association(before, change, true) });
            if (!isSdpError(ours)) expect(ours.role).toBe(opposite(answerer.role));
          }
        }
      }
    }
  });

  test('F1a a living association never changes its role', () => {
    for (const { setup, before, change, strict } of combinations) {
      const state = association(before, change, strict);
      const results = [
        ...(['actpass', 'active', 'passive'] as const).map((offered) =>
          resolveOffererRole({ offered, answered: setup, ...state }),
        ),
        ...(['auto', 'active', 'passive'] as const).map((preference) =>
          resolveAnswererRole({ offered: setup, preference, ...state }),
        ),
      ];
      for (const result of results) {
        if (isSdpError(result) || before === 'none') continue;
        expect(result.newAssociation).toBe(change === 'replaced');
        if (!result.newAssociation) expect(result.role).toBe(before);
      }
    }
  });
});

test('ICE roles (RFC 8445 §6.1.1)', () => {
  const role = (offerer: boolean, localLite: boolean, remoteLite: boolean): string =>
    resolveIceRole({ offerer, localLite, remoteLite });
  expect(role(true, false, false)).toBe('controlling');
  expect(role(false, false, false)).toBe('controlled');
  expect(role(true, true, false)).toBe('controlled');
  expect(role(false, false, true)).toBe('controlling');
  expect(role(true, true, true)).toBe('controlling');
  expect(role(false, true, true)).toBe('controlled');
});

test('ICE roles persist over restarts, unless one end is lite now and the other is not (RFC 8445 §6.1.1)', () => {
  for (const before of ['controlling', 'controlled'] as const) {
    for (const offerer of [false, true]) {
      const kept = (localLite: boolean, remoteLite: boolean): string =>
        keptIceRole(before, { offerer, localLite, remoteLite });
      expect(kept(false, false)).toBe(before);
      expect(kept(true, true)).toBe(before);
      expect(kept(true, false)).toBe('controlled');
      expect(kept(false, true)).toBe('controlling');
    }
  }
});

function opposite(role: DtlsRole): DtlsRole {
  return role === 'client' ? 'server' : 'client';
}
