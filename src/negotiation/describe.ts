/** Descriptions of our own, in the shape in which browsers write theirs (RFC 9429 §5.2, §5.3). */
import { attributeLine, sdpLine, writeSdp } from '../sdp/index.ts';
import type { LocalData } from './data-section.ts';
import { checkLocalData } from './data-section.ts';
import type { LocalTransport } from './local-transport.ts';
import { bundleOnlyTransport, checkLocalTransport, writeTransport } from './local-transport.ts';
import type { OfferSetup } from './role.ts';
import type { Section, SectionPlan } from './sections.ts';
import { writeSection } from './sections.ts';
import type { NegotiationState } from './state.ts';

/** What this end puts into a description. */
export interface LocalEnd extends LocalTransport, LocalData {}

/** What a description of ours says beyond that. */
export interface Description {
  readonly sections: readonly Section[];
  /** In an answer, what the offer says of each section. */
  readonly offered?: readonly SectionPlan[];
  /** The mids of the BUNDLE group, the tag first; empty for none. */
  readonly bundle: readonly string[];
  /** The indices of sections that have no transport of their own. */
  readonly bundleOnly?: ReadonlySet<number>;
  readonly setup: OfferSetup;
}

/** Writes a description, of the version that is next. Throws `ERR_BAD_ARGUMENT` for a `local` that could not be read back. */
export function describe(
  { config, nextVersion }: NegotiationState,
  { sections, offered, bundle, bundleOnly, setup }: Description,
  local: LocalEnd,
): string {
  checkLocalTransport(local);
  checkLocalData(local);
  const session = [sdpLine('s', '-'), sdpLine('t', '0 0')];
  if (bundle.length > 0) session.push(attributeLine('group', `BUNDLE ${bundle.join(' ')}`));
  if (local.ice.lite) session.push(attributeLine('ice-lite'));
  const transportAt =
    (index: number) =>
    ({ mid }: Section) =>
      bundleOnly?.has(index) === true
        ? bundleOnlyTransport(mid, setup, local)
        : writeTransport(mid, bundle, setup, local);
  return writeSdp({
    origin: {
      username: '-',
      sessionId: config.sessionId,
      sessionVersion: String(nextVersion),
      networkType: 'IN',
      addressType: 'IP4',
      // RFC 9429 §5.2.1: a meaningless address, so that the real one does not leak.
      address: '127.0.0.1',
    },
    lines: session,
    media: sections.map((section, index) =>
      writeSection(section, offered?.[index], transportAt(index), local, config.sources),
    ),
  });
}
