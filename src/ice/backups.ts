/**
 * Backups: a few pairs beside the selected one that are kept alive, so that a path that has died can be left before its consent
 * expires.
 *
 *     there are too few of them      a check over another pair every second, twice each
 *     the selected pair answers      a check over each backup every 25 s
 *     it has not for a second        every second
 *     it has not for 5 s, and a backup has since: that one is used     controlling: nominated      controlled: used at once
 *
 * A controlled agent that has moved on its own goes where the peer nominates as soon as it does (selection.ts).
 */
import { sendConsentCheck } from './checks.ts';
import type { Credentials, Generation } from './generation.ts';
import type { Pair } from './pair.ts';
import { moveTo } from './selection.ts';

/** Between two checks over a backup while the selected pair is silent, and when one of its own is unanswered. Milliseconds. */
const URGENT_INTERVAL = 1000;
const RETRY_INTERVAL = 2500;

/** Checks over a pair that has never answered, to find out whether it is a backup. */
const TRIES = 2;

/** Leaves the selected pair for a backup if it has gone silent and the backup has not. */
export function leaveSilentPair(generation: Generation): void {
  const { host, consent, nominating } = generation;
  if (consent?.disconnected !== true || nominating !== undefined) return;
  const { waitingSince } = consent;
  const alive = backupsOf(generation).find((pair) => pair.answeredAt > waitingSince);
  if (alive === undefined) return;
  host.counters.add('path-left');
  generation.leftAt = host.now;
  moveTo(generation, alive);
}

/** Keeps the backups alive. @returns when to look again, `Infinity` if there is nothing to wait for */
export function keepBackups(generation: Generation, remote: Credentials): number {
  const { host, consent } = generation;
  if (consent === undefined || !hasSettled(generation)) return Infinity;
  const backups = backupsOf(generation);
  let next = backups.length < host.settings.maxBackupPairs ? tryAnother(generation, remote) : Infinity;
  for (const pair of backups) {
    if (dueAt(generation, pair) <= host.now) sendConsentCheck(generation, remote, pair, false);
    next = Math.min(next, dueAt(generation, pair));
  }
  return next === Infinity ? Infinity : Math.min(next, consent.doubtfulAt(host.now));
}

/** A pair that nobody has had time to check before another one was selected. @returns when the next one has its turn */
function tryAnother(generation: Generation, remote: Credentials): number {
  const { host, checklist, selected, selectedAt } = generation;
  const untried = (): Pair | undefined =>
    checklist.pairs.find((pair) => pair !== selected && pair.state === 'waiting' && pair.sends < TRIES);
  const pair = untried();
  if (pair === undefined) return Infinity;
  const at = Math.max(selectedAt, generation.triedAt) + URGENT_INTERVAL;
  if (host.now < at) return at;
  generation.triedAt = host.now;
  sendConsentCheck(generation, remote, pair, false);
  return untried() === undefined ? Infinity : host.now + URGENT_INTERVAL;
}

/** A pair is selected, and ICE is not being restarted. */
function hasSettled({ host, selected, active, stage }: Generation): boolean {
  return !host.isLite && stage === 'current' && selected !== undefined && selected === active;
}

/** The best that have answered lately. */
function backupsOf(generation: Generation): Pair[] {
  const { checklist, host, selected } = generation;
  if (!hasSettled(generation)) return [];
  return checklist.pairs
    .filter((pair) => pair !== selected && pair.valid && generation.hasConsent(pair))
    .slice(0, host.settings.maxBackupPairs);
}

function dueAt({ host, consent }: Generation, pair: Pair): number {
  const { backupInterval } = host.settings;
  if (consent?.isDoubtful(host.now) === true)
    return pair.checkedAt + Math.min(URGENT_INTERVAL, backupInterval);
  const isAnswered = pair.answeredAt >= pair.checkedAt;
  return pair.checkedAt + (isAnswered ? backupInterval : Math.min(RETRY_INTERVAL, backupInterval));
}
