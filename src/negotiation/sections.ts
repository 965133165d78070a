/**
 * The sections of a session, each of its kind, in the order of their `m=` lines: what they are in an offer, in an answer, and
 * what the connection has to do for them. What is special to a kind stands in its file; here are the rules for all.
 *
 *   our offer     offeredSections     what the session has, and data channels
 *   their offer   checkHistory        sections keep their place; one in use keeps its kind and its mid (RFC 3264 §8)
 *                 acceptedSections    what becomes of each
 *   their answer  answeredSections    the sections of our offer, each at its place (RFC 3264 §6)
 *   after both    bundleOf            the group whose transport is the connection's
 *                 planSections        a plan a section
 */
import type { MediaDescription, SdpError, SdpWarning } from '../sdp/index.ts';
import { isSdpError, sdpError } from '../sdp/index.ts';
import type { DataPlan, DataSection, LocalData } from './data-section.ts';
import {
  answeredData,
  answeredDataSection,
  checkDataChange,
  chooseDataSection,
  dataSection,
  newDataSection,
  readDataPlan,
  writeDataSection,
} from './data-section.ts';
import type { SectionTransport } from './local-transport.ts';
import type { MediaPlan, MediaSection } from './media-section.ts';
import { answeredMediaSection, keptMediaSection, mediaPlan, writeMediaSection } from './media-section.ts';
import type { RejectedPlan, RejectedSection } from './rejected-section.ts';
import { rejectedPlan, rejectedSection, writeRejectedSection } from './rejected-section.ts';
import type { RemoteSection, RemoteSession } from './section.ts';
import { lineOf } from './section.ts';

/** One section of the session, by its kind. */
export type Section = DataSection | MediaSection | RejectedSection;

/** What the connection has to do for one section. */
export type SectionPlan = DataPlan | MediaPlan | RejectedPlan;

/** The sections that share the transport of the connection. */
export interface Bundle {
  /** Their mids in the order of the group, the tag first; empty for a section without a group. */
  readonly mids: readonly string[];
  /** The index of the section that speaks for the transport: the one with the tag, or the only one. */
  readonly speaker: number;
}

/** The sections of an offer of ours: those of the session, and one for data channels if there is none. */
export function offeredSections(sections: readonly Section[]): readonly Section[] {
  if (sections.some(({ kind }) => kind === 'data')) return sections;
  return placed(sections, newDataSection(freeMid(sections)));
}

/** The BUNDLE group of our offers: whatever is in use. */
export function offeredBundle(sections: readonly Section[]): Bundle {
  const mids = sections.flatMap(({ kind, mid }) => (kind === 'rejected' || mid === undefined ? [] : [mid]));
  return { mids, speaker: sections.findIndex(({ kind }) => kind !== 'rejected') };
}

/** A later offer may add sections and reuse the places of rejected ones, nothing else. */
export function checkHistory(
  before: readonly Section[],
  offered: readonly RemoteSection[],
): SdpError | undefined {
  if (offered.length < before.length) {
    const counts = `expected at least the ${before.length} sections negotiated so far, got ${offered.length}`;
    return sdpError('section-count-mismatch', counts);
  }
  for (const [index, old] of before.entries()) {
    const section = offered[index];
    if (section === undefined || old.kind === 'rejected') continue;
    const place = { mid: section.mid };
    if (section.media.kind !== old.media) {
      return sdpError('section-mismatch', `section ${index} was "${old.media}" and is still in use`, place);
    }
    if (section.mid !== old.mid) {
      return sdpError('mid-mismatch', `section ${index} is in use under another "a=mid"`, place);
    }
  }
  return undefined;
}

/** What becomes of each section of an offer. What does not share the transport of the data channels is rejected. */
export function acceptedSections(
  before: readonly Section[],
  offered: readonly RemoteSection[],
): readonly Section[] | SdpError {
  const data = chooseDataSection(
    before.findIndex(({ kind }) => kind === 'data'),
    offered,
  );
  if (isSdpError(data)) return data;
  return offered.map((section, index) => {
    if (section === data) return dataSection(section);
    const wasKept = before[index]?.kind === 'media';
    return keptMediaSection(section, data.group, wasKept) ?? rejectedSection(lineOf(section));
  });
}

/** What an answer has made of each section of our offer. */
export function answeredSections(
  offered: readonly Section[],
  answer: readonly RemoteSection[],
): readonly Section[] | SdpError {
  if (answer.length !== offered.length) {
    const counts = `expected ${offered.length} sections as in the offer, got ${answer.length}`;
    return sdpError('section-count-mismatch', counts);
  }
  const mismatch = answer.map((section) => checkMirror(offered[section.index], section)).find(isSdpError);
  if (mismatch !== undefined) return mismatch;
  const sections: Section[] = [];
  for (const [index, section] of offered.entries()) {
    const answered = answeredSection(section, answer[index]!); // as many as were offered
    if (isSdpError(answered)) return answered;
    sections.push(answered);
  }
  return sections;
}

/**
 * The sections in use that share the transport of the connection. The tag is on the first of the group that is in use: where
 * one that has it is rejected it moves to the next (RFC 9143 §7.3.1).
 */
export function bundleOf({ sections: remote }: RemoteSession, sections: readonly Section[]): Bundle {
  const indices = new Map(remote.map(({ mid, index }) => [mid, index]));
  const anchor = sections.findIndex(({ kind }) => kind === 'data');
  const group = remote[anchor]?.group ?? [];
  const mids = group.filter((mid) => sections[indices.get(mid) ?? -1]?.kind !== 'rejected');
  const [tag] = mids;
  return { mids, speaker: (tag === undefined ? undefined : indices.get(tag)) ?? anchor };
}

/**
 * Reads what the peer says of each section.
 * @param warnings what is passed over is added here
 */
export function planSections(
  sections: readonly Section[],
  remote: readonly RemoteSection[],
  strict: boolean,
  warnings: SdpWarning[],
): readonly SectionPlan[] | SdpError {
  const plans: SectionPlan[] = [];
  for (const [index, section] of sections.entries()) {
    const plan = planSection(section, remote[index]!, strict, warnings); // as many as there are sections
    if (isSdpError(plan)) return plan;
    plans.push(plan);
  }
  return plans;
}

/**
 * What a later exchange may not change in a section that goes on.
 * @param newAssociation a new DTLS association replaces the one that the plans before were for
 */
export function checkChanges(
  before: readonly SectionPlan[],
  now: readonly SectionPlan[],
  newAssociation: boolean,
): SdpError | undefined {
  for (const [index, plan] of now.entries()) {
    const old = before[index];
    if (plan.kind !== 'data' || old?.kind !== 'data') continue;
    const error = checkDataChange(old, plan, newAssociation);
    if (error !== undefined) return error;
  }
  return undefined;
}

/**
 * Writes a section of ours.
 * @param offered in an answer, what the offer says of it
 */
export function writeSection(
  section: Section,
  offered: SectionPlan | undefined,
  transportOf: (section: Section) => SectionTransport,
  local: LocalData,
): MediaDescription {
  switch (section.kind) {
    case 'data': {
      const data = offered?.kind === 'data' ? answeredData(local, offered) : local;
      return writeDataSection(section, transportOf(section), data);
    }
    case 'media':
      return writeMediaSection(section, transportOf(section));
    case 'rejected':
      return writeRejectedSection(section);
  }
}

/** RFC 3264 §6: an answer has the offer's sections, each at its place. */
function checkMirror(
  offered: Section | undefined,
  { index, mid, media }: RemoteSection,
): SdpError | undefined {
  const place = { line: media.number, mid };
  if (media.kind !== offered?.media) {
    return sdpError(
      'section-mismatch',
      `section ${index} of the offer is "${String(offered?.media)}"`,
      place,
    );
  }
  if (mid !== undefined && mid !== offered.mid) {
    return sdpError('mid-mismatch', 'the answer repeats the "a=mid" of the offer', place);
  }
  return undefined;
}

function answeredSection(offered: Section, answer: RemoteSection): Section | SdpError {
  switch (offered.kind) {
    case 'data':
      return answeredDataSection(offered, answer);
    case 'media':
      return answeredMediaSection(offered, answer) ?? rejectedSection(offered);
    case 'rejected':
      return offered;
  }
}

function planSection(
  section: Section,
  remote: RemoteSection,
  strict: boolean,
  warnings: SdpWarning[],
): SectionPlan | SdpError {
  switch (section.kind) {
    case 'data':
      return readDataPlan(section, remote, strict, warnings);
    case 'media':
      return mediaPlan(section);
    case 'rejected':
      return rejectedPlan(section);
  }
}

/** RFC 9429 §5.2.2: a new section takes the place of the first rejected one, under a mid of its own, or is appended. */
function placed(sections: readonly Section[], section: Section): readonly Section[] {
  const place = sections.findIndex(({ kind }) => kind === 'rejected');
  return place < 0 ? [...sections, section] : sections.map((old, i) => (i === place ? section : old));
}

function freeMid(sections: readonly Section[]): string {
  const used = new Set(sections.map(({ mid }) => mid));
  let number = 0;
  while (used.has(String(number))) number++;
  return String(number);
}
