/** Codecs and payload types: what two ends agree on in one section, and what numbers mean in a session. Pure. */
export type { AgreedCodecs } from './agreed-codecs.ts';
export { answeredCodecs, matchAnswer } from './agreed-codecs.ts';
export { checkCapability } from './capability.ts';
export { DEFAULT_CAPABILITIES } from './defaults.ts';
export { CONGESTION_FEEDBACK, hasCongestionFeedback } from './feedback.ts';
export type { OfferedCodecs } from './offered-codecs.ts';
export { offeredCodecs } from './offered-codecs.ts';
export type { PayloadTypeMeaning, PayloadTypes } from './payload-types.ts';
export { meaningOf, NO_PAYLOAD_TYPES, notePayloadTypes } from './payload-types.ts';
export { fromSdpCodecs, toSdpCodecs } from './sdp-codecs.ts';
