/** Media as a connection is handed them: SRTP for its transport, and the machine that uses the path. */
import { ownOptions } from '../core/options.ts';
import { srtpSupport } from '../srtp/index.ts';
import type { MediaSupport } from './contract.ts';
import { MediaSession } from './media-session.ts';
import type { MediaOptions } from './options.ts';
import { mediaSettings } from './options.ts';

/**
 * Media for the option `media` of an `Rtc`, an `Endpoint` or a driver; any number of connections share it. Throws `ERR_BAD_ARGUMENT` for
 * an option that is unknown or out of its range.
 *
 * ```ts
 * const rtc = new Rtc({ certificate, media: rtpMedia() });
 * ```
 */
export function rtpMedia(options: MediaOptions = {}): MediaSupport {
  const settings = mediaSettings(options);
  const own = ownOptions(options);
  return {
    options: own,
    srtp: srtpSupport(own.srtp),
    create: (environment) => new MediaSession(environment, settings),
  };
}
