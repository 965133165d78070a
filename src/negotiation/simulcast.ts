/** Simulcast of a section, as two ends agree on it (RFC 8853): none is agreed on yet. */
import type { MediaDescription, SdpError, SdpRid, SdpSimulcast, SdpWarning } from '../sdp/index.ts';
import { isSdpError, mediaRids, mediaSimulcast } from '../sdp/index.ts';
import type { MediaEncoding } from './media.ts';

/** What a section says of rids and simulcast. */
export interface SimulcastLines {
  readonly rids: readonly SdpRid[];
  readonly simulcast: SdpSimulcast | undefined;
}

/** One plain stream. */
export const NO_SIMULCAST: SimulcastLines = { rids: [], simulcast: undefined };

/** What this end sends and receives. */
export interface AgreedSimulcast {
  readonly send: readonly MediaEncoding[];
  readonly receive: readonly MediaEncoding[];
}

/** Reads what a section says. */
export function readSimulcast(media: MediaDescription, warnings: SdpWarning[]): SimulcastLines | SdpError {
  const simulcast = mediaSimulcast(media);
  if (isSdpError(simulcast)) return simulcast;
  return { rids: mediaRids(media, warnings), simulcast };
}

/** What an offer says of the encodings that are to be sent. */
export function offeredSimulcast(encodings: readonly MediaEncoding[]): SimulcastLines {
  return NO_SIMULCAST;
}

/** What an answer says. */
export function answeredSimulcast(
  _wanted: { readonly send: readonly MediaEncoding[]; readonly receive: readonly string[] | undefined },
  _offered: SimulcastLines,
): AgreedSimulcast & { readonly lines: SimulcastLines } {
  return { lines: NO_SIMULCAST, send: [], receive: [] };
}

/** What the peer's answer has made of it. */
export function matchAnsweredSimulcast(
  _offered: readonly MediaEncoding[],
  _answered: SimulcastLines,
): AgreedSimulcast {
  return { send: [], receive: [] };
}
