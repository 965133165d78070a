/**
 * Schedule of one generation: what is due, and what follows from the facts.
 *
 *     an input changes facts ─▶ runDue: the timers that are due ─▶ proceed: nominate, check, choose the active pair, arm timers
 *                                          │                            │
 *                                          └─▶ a gate has expired:      └─▶ again, until nothing is due any more
 *                                              `failure`, all released
 */
import type { Failure } from '../core/errors.ts';
import { randomUnit } from '../core/random.ts';
import { keepBackups, leaveSilentPair } from './backups.ts';
import { retransmitDue, sendConsentCheck, sendNextCheck } from './checks.ts';
import { followPeer } from './following.ts';
import type { Generation, IceTimer } from './generation.ts';
import { checkFailed, nominateBest, ordinaryChecks, selectBetweenLites } from './selection.ts';

/** How long, at the least, the connect gate stands open after the host stood still. Milliseconds. */
const CONNECT_GRACE = 10_000;

/** Runs the timers that are due. Once one of them has set `failure` the generation is over and holds nothing. */
export function runDue(generation: Generation): void {
  const { timers, host } = generation;
  for (let due = timers.takeDue(host.now); due !== undefined; due = timers.takeDue(host.now)) {
    fire(generation, due);
    if (generation.failure !== undefined) return;
  }
}

/** Does what follows from the facts as they are now, and arms the timers. */
export function proceed(generation: Generation): void {
  const { host, remote, timers, checklist } = generation;
  selectBetweenLites(generation);
  timers.arm('nameResolution', askForNames(generation));
  leaveSilentPair(generation);
  timers.arm('nomination', nominateBest(generation));
  timers.arm('pairSwitch', followPeer(generation));
  const mayCheck = remote !== undefined && !host.isLite;
  timers.arm(
    'checkPacing',
    mayCheck ? sendNextCheck(generation, remote, ordinaryChecks(generation)) : Infinity,
  );
  generation.activate(generation.selected ?? checklist.bestValid());
  timers.arm('backupCheck', mayCheck ? keepBackups(generation, remote) : Infinity);
  timers.arm('checkRetransmit', generation.transactions.nextTimeout());
  armConsent(generation);
  if (generation.active !== undefined || remote === undefined) {
    timers.disarm('iceConnect');
  } else if (!timers.isArmed('iceConnect')) {
    generation.connectingSince = host.now;
    timers.arm('iceConnect', host.now + host.settings.connectTimeout);
  }
}

/** The host stood still for `missed` milliseconds: what was awaited is awaited anew, and nothing is caught up on. */
export function thawGeneration(generation: Generation, missed: number): void {
  const { host, timers, transactions, consent } = generation;
  const { now } = host;
  transactions.resume(now);
  generation.names.resume(now);
  timers.arm('nameResolution', generation.names.nextTimeout());
  consent?.resume(now);
  armConsent(generation);
  if (!timers.isArmed('iceConnect')) return;
  timers.arm('iceConnect', Math.max(timers.deadline('iceConnect') + missed, now + CONNECT_GRACE));
}

function fire(generation: Generation, timer: IceTimer): void {
  const { host, remote, active, consent } = generation;
  switch (timer) {
    case 'iceConnect':
      fail(generation, connectTimeout(generation));
      break;
    case 'nameResolution':
      host.counters.add('name-unresolved', generation.names.expire(host.now));
      break;
    case 'checkPacing':
    case 'nomination':
    case 'pairSwitch':
    case 'backupCheck':
    case 'restartOverlap':
      // What is to be done follows from the facts: `proceed` does it, and generations.ts.
      break;
    case 'checkRetransmit':
      for (const unanswered of retransmitDue(generation)) checkFailed(generation, unanswered);
      break;
    case 'consentCheck': {
      if (active === undefined || remote === undefined) break;
      // The controlling end says each time which pair it uses, as Chromium does: the peer may see another address now.
      const nominate = active === generation.selected && generation.role === 'controlling';
      sendConsentCheck(generation, remote, active, nominate);
      consent?.checkSent(host.now, randomUnit(host.random));
      break;
    }
    case 'disconnected':
      consent?.disconnect();
      break;
    case 'iceConsent':
      if (consent !== undefined) fail(generation, consentExpired(generation, consent.grantedAt));
      break;
  }
}

/** The peer is known, and so is what belongs to it. @returns when the next name is given up */
function askForNames({ host, remote, names }: Generation): number {
  if (remote === undefined) return Infinity;
  for (const name of names.takeUnasked(host.now)) host.events.push({ type: 'resolve', name });
  return names.nextTimeout();
}

function armConsent({ timers, consent }: Generation): void {
  timers.arm('consentCheck', consent?.nextCheckAt ?? Infinity);
  timers.arm('disconnected', consent?.disconnectsAt ?? Infinity);
  timers.arm('iceConsent', consent?.expiresAt ?? Infinity);
}

function fail(generation: Generation, failure: Failure): void {
  generation.failure = failure;
  generation.release();
}

function connectTimeout({ host, heardAt, connectingSince, remotes }: Generation): Failure {
  const { now, counters, locals } = host;
  const elapsed = now - connectingSince;
  const wasHeard = heardAt > -Infinity;
  const notTried = counters.get('candidate-not-tried');
  const aside = notTried === 0 ? '' : ` (${notTried} not tried: see remoteAddressClasses)`;
  const facts = `${locals.all.length} local and ${remotes.all.length} remote candidates${aside}`;
  const hint = wasHeard
    ? 'the peer was heard, but answered no check'
    : 'nothing valid was heard from the peer';
  return {
    layer: 'ice',
    code: 'connect-timeout',
    message: `no candidate pair worked: ${facts}; ${hint}`,
    gate: 'iceConnect',
    elapsed,
    peerSilentFor: wasHeard ? now - heardAt : elapsed,
  };
}

function consentExpired({ host, heardAt }: Generation, grantedAt: number): Failure {
  return {
    layer: 'ice',
    code: 'consent-expired',
    message: 'the peer answered no consent check on the pair in use',
    gate: 'iceConsent',
    elapsed: host.now - grantedAt,
    peerSilentFor: host.now - heardAt,
  };
}
