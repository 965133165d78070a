/**
 * What a description means, in calls that do not know of SDP: the difference between what both ends have agreed on and what runs.
 *
 *   transport    the first time it starts; later ICE restarts, where the peer's credentials are new
 *   media        what there is from now on
 *   data         opened, closed, or of another largest message
 *   candidates   those that the description names
 */
import type { IceCandidate, IceParameters } from '../ice/index.ts';
import type { MediaPlan, SectionPlan, SessionPlan } from '../negotiation/index.ts';
import type { DataParameters, TransportParameters } from './parameters.ts';

/** The calls that a plan comes to, each as the method of `Rtc` of that name; none fails for what a plan says. */
export interface PlainCalls {
  readonly isStarted: boolean;
  /** Data is agreed on. */
  readonly hasData: boolean;
  start(parameters: TransportParameters): void;
  setRemoteIceParameters(parameters: IceParameters): void;
  setMedia(plans: readonly MediaPlan[]): void;
  openData(parameters: DataParameters): void;
  closeData(): void;
  setRemoteMaxMessageSize(size: number): void;
  addRemoteCandidate(candidate: IceCandidate): void;
  endOfRemoteCandidates(): void;
}

/**
 * Does what `plan` says and is not done yet.
 * @param before what was carried out last
 * @param isProvisional a provisional answer takes nothing away: the final one may agree on it after all
 */
export function carryOut(
  calls: PlainCalls,
  plan: SessionPlan,
  before: SessionPlan | undefined,
  isProvisional: boolean = false,
): void {
  const { transport, sections } = plan;
  const { ice, iceRole, dtlsRole, fingerprints, localSetup, remoteSetup } = transport;
  const data = sections.find((section) => section.kind === 'data');
  if (!calls.isStarted) {
    const roles = { iceRole, dtlsRole, localSetup, remoteSetup };
    calls.start({ ice, fingerprints, ...roles, data: data !== undefined, ...parametersOf(data) });
  } else if (transport.iceRestart) {
    calls.setRemoteIceParameters(ice);
  }
  calls.setMedia(sections.filter((section) => section.kind === 'media'));
  if (data === undefined) {
    const isOver = calls.hasData || refusesData(sections, before?.sections);
    if (isOver && !isProvisional) calls.closeData();
  } else if (calls.hasData) {
    calls.setRemoteMaxMessageSize(data.maxMessageSize);
  } else {
    calls.openData(parametersOf(data));
  }
  for (const candidate of transport.candidates) calls.addRemoteCandidate(candidate);
  if (transport.endOfCandidates) calls.endOfRemoteCandidates();
}

function parametersOf(data: Extract<SectionPlan, { kind: 'data' }> | undefined): DataParameters {
  return { sctpPort: data?.sctpPort, maxMessageSize: data?.maxMessageSize };
}

/**
 * A data section was offered, and is rejected: channels that wait for it have been refused. One that was rejected before, under
 * the same mid, says nothing new: they wait for the next that is offered.
 */
function refusesData(sections: readonly SectionPlan[], before: readonly SectionPlan[] = []): boolean {
  return sections.some((section, index) => {
    if (section.kind !== 'rejected' || section.isForData !== true) return false;
    const last = before[index];
    return last?.kind !== 'rejected' || last.mid !== section.mid;
  });
}
