/**
 * Redundant audio (RED, RFC 2198): its `fmtp` names the numbers of the formats inside, `111/111`, so it is agreed on only together with
 * them. Without one it holds anything, as `red` of video does.
 */
import type { Format } from './format.ts';
import { isMediaFormat } from './format.ts';

/** Copies in one packet where the application does not say: the new and one old. */
const DEFAULT_COPIES = 2;

/** Whether a format is RED. */
export function isRedundancy({ name }: Pick<Format, 'name'>): boolean {
  return name.toLowerCase() === 'red';
}

/** The numbers that the `fmtp` of RED names; `undefined` where it names none. */
export function redundantPayloadTypes(fmtp: string | undefined): readonly number[] | undefined {
  if (fmtp === undefined || !/^\d{1,3}(?:\/\d{1,3})*$/.test(fmtp)) return undefined;
  return fmtp.split('/').map(Number);
}

/**
 * The `fmtp` of RED in an offer: the first codec of the same clock rate and channels, as many times as the capability's own has numbers,
 * which mean nothing. `undefined`: there is no codec for it to hold.
 */
export function offeredRedundancy(
  red: Format,
  offered: readonly { readonly format: Format; readonly payloadType: number }[],
): string | undefined {
  const held = offered.find(
    ({ format }) =>
      isMediaFormat(format) &&
      format.clockRate === red.clockRate &&
      (format.channels ?? 1) === (red.channels ?? 1),
  );
  if (held === undefined) return undefined;
  const copies = redundantPayloadTypes(red.fmtp)?.length ?? DEFAULT_COPIES;
  return Array.from({ length: copies }, () => String(held.payloadType)).join('/');
}
