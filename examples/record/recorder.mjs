/**
 * Recorder: the audio and the video of one connection, put in order, made into frames, laid on one clock, and written to a file.
 *
 *   rtp ─▶ ReorderBuffer ─▶ OpusDepacketizer │ Vp8Depacketizer ─▶ frames wait ─▶ Timeline ─▶ WebmFile
 *                                                                 until both streams have a sender report, or HOLD is over
 */
import { OpusDepacketizer, ReorderBuffer, Vp8Depacketizer } from 'sansrtc/media';
import { Timeline } from './timeline.mjs';
import { WebmFile } from './webm.mjs';

/** How long frames wait for the sender reports that lay audio and video on one clock, ms. Browsers send the first within 5 s. */
const HOLD = 6000;
