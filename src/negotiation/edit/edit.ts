/** Edits of a description of ours as data: what its caller has made of it before it is applied. */
import type { SdpError, SdpIceParameters, SdpPlace } from '../../sdp/index.ts';
import { sdpError } from '../../sdp/index.ts';
import type { ReadMedia } from '../media-description.ts';
import type { OfferSetup } from '../role.ts';
import type { RemoteSection, RemoteSession } from '../section.ts';

/** What an edited description of ours says. */
export interface LocalEdit {
  /** Other credentials than were written; `undefined` for the same. */
  readonly ice: SdpIceParameters | undefined;
  /** `undefined` where no section is in use. */
  readonly setup: OfferSetup | undefined;
  /** One a section. */
  readonly sections: readonly SectionEdit[];
}

/** What is left of a section, by what it is for; `rejected` is one that is not in use. */
export type SectionEdit = MediaEdit | DataEdit | { readonly kind: 'rejected' };

/** What an edited section for data channels says. */
export interface DataEdit {
  readonly kind: 'data';
  /** Largest message that this end takes, bytes; `Infinity` for no limit. */
  readonly maxMessageSize: number;
}

/** What an edited section for media says: codecs in their order now, with what is said of them now; encodings; a direction. */
export interface MediaEdit extends ReadMedia {
  readonly kind: 'media';
  /** The identifiers of the MediaStreams that what is sent belongs to. */
  readonly streams: readonly string[];
}

/** A description of ours as it was written, and as its caller has edited it. */
export interface EditedPair {
  readonly written: RemoteSession;
  readonly edited: RemoteSession;
}

/** A section of both. */
export interface EditedSection {
  readonly written: RemoteSection;
  readonly edited: RemoteSection;
}

/** Where an edited section is, for an error. */
export function placeOf({ edited, written }: EditedSection): SdpPlace {
  return { line: edited.media.number, mid: written.mid };
}

/** The error of a change that is more than an edit. `what` names it; no value of the description is in it. */
export function changed(what: string, place: SdpPlace = {}): SdpError {
  return sdpError('local-description-changed', `${what}: an edit says what was written, or less`, place);
}

/** The words of an attribute, however far apart. */
export function words(value: string): readonly string[] {
  return value.split(/[ \t]+/).filter((word) => word !== '');
}
