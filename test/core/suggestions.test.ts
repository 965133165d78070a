/** Suggestions of src/core/options.ts: which known name an unknown one was meant to be. */
import { describe, expect, test } from 'vitest';
import { checkOptions, flag } from '../../src/core/options.ts';

/** What is suggested for `key`. */
function suggestion(key: string, ...known: readonly string[]): string | undefined {
  const rules = Object.fromEntries(known.map((name) => [name, flag]));
  try {
    checkOptions('f', { [key]: true }, rules);
  } catch (error) {
    return /did you mean "(.*)"/.exec(String(error))?.[1];
  }
  throw new Error(`"${key}" was taken`);
}

describe('suggestions', () => {
  test.each([
    ['a letter left out', 'bundlPolicy', 'bundlePolicy'],
    ['a letter too many', 'bundlePollicy', 'bundlePolicy'],
    ['a letter for another', 'bundlePolizy', 'bundlePolicy'],
    ['the first letter', 'vundlePolicy', 'bundlePolicy'],
    ['the last letter', 'bundlePolicz', 'bundlePolicy'],
    ['two letters that changed places', 'oredred', 'ordered'],
    ['a third of its letters', 'orxxred', 'ordered'],
    ['one letter of a short name', 'id', 'is'],
    ['a part of it', 'bundle', 'bundlePolicy'],
    ['more than it', 'theBundlePolicy', 'bundlePolicy'],
    ['other capitals', 'BUNDLEPOLICY', 'bundlePolicy'],
  ])('%s', (_, key, known) => {
    expect(suggestion(key, known)).toBe(known);
  });

  test.each([
    ['more than a third of its letters', 'xxxered', 'ordered'],
    ['three letters that are a part of it', 'pol', 'bundlePolicy'],
    ['two letters of a short name', 'xy', 'is'],
    ['letters in another order', 'deredro', 'ordered'],
    ['more than forty letters', `ordered${'x'.repeat(34)}`, 'ordered'],
  ])('none for %s', (_, key, known) => {
    expect(suggestion(key, known)).toBeUndefined();
  });

  test('the nearest of several, the first of equals, a part before anything else', () => {
    expect(suggestion('maxRetransmitz', 'maxRetransmis', 'maxRetransmits')).toBe('maxRetransmits');
    expect(suggestion('gate', 'date', 'gaze')).toBe('date');
    expect(suggestion('timeout', 'timeouz', 'handshakeTimeout')).toBe('handshakeTimeout');
  });

  test('an unknown name is repeated, its first forty letters of it', () => {
    const said = (length: number): string | undefined => {
      try {
        checkOptions('f', { ['x'.repeat(length)]: 1 }, {});
        return undefined;
      } catch (error) {
        return /"(x+…?)"/.exec(String(error))?.[1];
      }
    };
    expect([said(40), said(41)]).toEqual(['x'.repeat(40), `${'x'.repeat(40)}…`]);
  });
});
