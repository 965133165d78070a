/** Every view of a description, over all of it: for tests that nothing throws, and of what that costs. */
import type { SdpWarning, SessionDescription } from '../../src/sdp/index.ts';
import {
  allowsMixedExtensions,
  hasEndOfCandidates,
  hasReducedSizeRtcp,
  hasRtcpMux,
  isDataChannelSection,
  isIceLite,
  isRejected,
  isRtcpMuxOnly,
  isSdpError,
  mediaBandwidths,
  mediaCandidates,
  mediaCodecs,
  mediaDirection,
  mediaExtensions,
  mediaFingerprints,
  mediaIce,
  mediaIceOptions,
  mediaImageAttributes,
  mediaMaxMessageSize,
  mediaMaxPacketTime,
  mediaPacketTime,
  mediaRids,
  mediaRtcp,
  mediaSctpMap,
  mediaSctpPort,
  mediaSetup,
  mediaSimulcast,
  mediaSourceGroups,
  mediaSources,
  mediaStreams,
  mediaTlsId,
  parseFormatParameters,
  readBundles,
  readMids,
} from '../../src/sdp/index.ts';

/** Asks them all, and lets go of what they say of a section before it asks of the next. */
export function everyView(session: SessionDescription): void {
  const warnings: SdpWarning[] = [];
  const bundles = readBundles(session);
  readMids(session);
  isIceLite(session);
  for (const media of session.media) {
    const codecs = mediaCodecs(media, warnings);
    if (!isSdpError(codecs)) for (const { fmtp } of codecs) parseFormatParameters(fmtp ?? '');
    mediaExtensions(session, media, warnings);
    allowsMixedExtensions(session, media);
    mediaSources(media, warnings);
    mediaSourceGroups(media, warnings);
    mediaStreams(media, warnings);
    mediaRids(media, warnings);
    mediaSimulcast(media);
    mediaRtcp(media, warnings);
    hasRtcpMux(media);
    isRtcpMuxOnly(media);
    hasReducedSizeRtcp(media);
    mediaBandwidths(media, warnings);
    mediaPacketTime(media, warnings);
    mediaMaxPacketTime(media, warnings);
    mediaImageAttributes(media, warnings);
    mediaDirection(session, media);
    isRejected(media, isSdpError(bundles) ? [] : bundles);
    mediaIce(session, media);
    mediaIceOptions(session, media);
    mediaCandidates(media);
    hasEndOfCandidates(session, media);
    mediaFingerprints(session, media);
    mediaSetup(session, media);
    mediaTlsId(session, media);
    isDataChannelSection(media);
    mediaSctpMap(media);
    mediaSctpPort(media);
    mediaMaxMessageSize(media);
  }
}
