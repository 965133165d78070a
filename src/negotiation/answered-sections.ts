/** Answered sections: what the peer's answer has made of each section of an offer of ours, at its place (RFC 3264 §6). */
import type { SdpError, SdpWarning } from '../sdp/index.ts';
import { isSdpError, sdpError } from '../sdp/index.ts';
import { answeredDataSection, readDataPlan } from './data-section.ts';
import { answeredMedia } from './media-section.ts';
import { rejectedPlan, rejectedSection } from './rejected-section.ts';
import type { RemoteSection, RemoteSession } from './section.ts';
import type { PlannedSections, Section, SectionPlan } from './sections.ts';

/**
 * What an answer has made of each section of our offer.
 * @param warnings what is passed over is added here
 */
export function answeredSections(
  offered: readonly Section[],
  answer: RemoteSession,
  strict: boolean,
  warnings: SdpWarning[],
): PlannedSections | SdpError {
  const remote = answer.sections;
  if (remote.length !== offered.length) {
    const counts = `expected ${offered.length} sections as in the offer, got ${remote.length}`;
    return sdpError('section-count-mismatch', counts);
  }
  const mismatch = remote.map((section) => checkMirror(offered[section.index], section)).find(isSdpError);
  if (mismatch !== undefined) return mismatch;
  const sections: Section[] = [];
  const plans: SectionPlan[] = [];
  for (const [index, section] of offered.entries()) {
    const answered = answeredSection(section, remote[index]!, answer, strict, warnings); // as many as were offered
    if (isSdpError(answered)) return answered;
    sections.push(answered.section);
    plans.push(answered.plan);
  }
  return { sections, plans };
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

function answeredSection(
  offered: Section,
  section: RemoteSection,
  answer: RemoteSession,
  strict: boolean,
  warnings: SdpWarning[],
): { readonly section: Section; readonly plan: SectionPlan } | SdpError {
  if (section.isRejected || offered.kind === 'rejected') {
    const rejected = rejectedSection(offered);
    return { section: rejected, plan: rejectedPlan(rejected) };
  }
  if (offered.kind === 'media') return answeredMedia(offered, section, answer, warnings);
  const data = answeredDataSection(offered, section);
  if (isSdpError(data)) return data;
  const plan = readDataPlan(data, section, strict, warnings);
  return isSdpError(plan) ? plan : { section: data, plan };
}
