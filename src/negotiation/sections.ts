/**
 * The sections of a session, each of its kind, in the order of their `m=` lines, and what the connection has to do for them. What is
 * special to a kind stands in its file.
 *
 *   our offer      wishes.ts               what the session has, and what this end wants to change
 *   their offer    accepted-sections.ts    what becomes of each
 *   their answer   answered-sections.ts    the sections of our offer, each at its place
 */
import type { MediaDescription, SdpError } from '../sdp/index.ts';
import type { DataPlan, DataSection, LocalData } from './data-section.ts';
import { answeredData, checkDataChange, writeDataSection } from './data-section.ts';
import type { SectionTransport } from './local-transport.ts';
import type { MediaPlan } from './media.ts';
import type { MediaSection } from './media-section.ts';
import { writeMediaSection } from './media-section.ts';
import type { RejectedPlan, RejectedSection } from './rejected-section.ts';
import { writeRejectedSection } from './rejected-section.ts';
import type { SourceNaming } from './sources.ts';
import { withSources } from './sources.ts';

/** One section of the session, by its kind. */
export type Section = DataSection | MediaSection | RejectedSection;

/** What the connection has to do for one section. */
export type SectionPlan = DataPlan | MediaPlan | RejectedPlan;

/** Sections, and what the connection has to do for each. */
export interface PlannedSections {
  readonly sections: readonly Section[];
  readonly plans: readonly SectionPlan[];
}

/** The plans, with the sources of each media that is sent, where this end names them. */
export function withSentSources(
  plans: readonly SectionPlan[],
  naming: SourceNaming | undefined,
): readonly SectionPlan[] {
  if (naming === undefined) return plans;
  return plans.map((plan) => (plan.kind === 'media' ? withSources(plan, naming) : plan));
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
 * @param sources how this end names what it sends from, if it does
 */
export function writeSection(
  section: Section,
  offered: SectionPlan | undefined,
  transportOf: (section: Section) => SectionTransport,
  local: LocalData,
  sources: SourceNaming | undefined,
): MediaDescription {
  switch (section.kind) {
    case 'data': {
      const data = offered?.kind === 'data' ? answeredData(local, offered) : local;
      return writeDataSection(section, transportOf(section), data);
    }
    case 'media':
      return writeMediaSection(section, transportOf(section), sources, offered !== undefined);
    case 'rejected':
      return writeRejectedSection(section);
  }
}
