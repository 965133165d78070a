/** A codec that this end can do, as the application says it: judged, and as the format that it is. */
import { badArgument } from '../../core/errors.ts';
import type { CodecCapability, MediaKind } from '../media.ts';
import type { Format } from './format.ts';
import { encodingName } from './format.ts';

/** What a `fmtp` of ours may be long: a line of a description has a bound (`maxLineLength`). */
const MAX_FMTP_LENGTH = 4096;

/** Values of RTCP feedback a codec. */
const MAX_FEEDBACK = 32;

const MIME_TYPE = /^(audio|video)\/[!#$%&'*+\-.^_`{|}~A-Za-z0-9]{1,64}$/i;
const FEEDBACK = /^[!#$%&'*+\-.^_`{|}~A-Za-z0-9]{1,64}(?: [!-~]{1,64}){0,4}$/;
/** Visible ASCII and single blanks between. */
const FMTP = /^[!-~]+(?: [!-~]+)*$/;

/**
 * Throws `ERR_BAD_ARGUMENT` unless `value` is a `CodecCapability`, of the kind `media` if that is given. `rtx` is none: a capability says
 * `rtx: true`, and its retransmissions have numbers by themselves.
 * @param name of the argument, for the sentence: `codecs[2]`
 */
export function checkCapability(
  value: unknown,
  name: string,
  media?: MediaKind,
): asserts value is CodecCapability {
  if (typeof value !== 'object' || value === null) throw badArgument(name, 'a codec', value);
  const capability: Partial<Record<keyof CodecCapability, unknown>> = value;
  const { mimeType, clockRate, channels, sdpFmtpLine, rtcpFeedback, rtx } = capability;
  if (typeof mimeType !== 'string' || !MIME_TYPE.test(mimeType)) {
    throw badArgument(`${name}.mimeType`, 'a type such as "audio/opus" or "video/VP8"', mimeType);
  }
  const lower = mimeType.toLowerCase();
  if (media !== undefined && !lower.startsWith(`${media}/`)) {
    throw badArgument(`${name}.mimeType`, `a type of "${media}"`, mimeType);
  }
  if (lower.endsWith('/rtx')) {
    throw badArgument(`${name}.mimeType`, 'a codec: "rtx: true" of one adds its retransmissions', mimeType);
  }
  if (!isInteger(clockRate, 1, 0xffff_ffff)) {
    throw badArgument(`${name}.clockRate`, 'an integer from 1 to 4294967295', clockRate);
  }
  if (channels !== undefined && !isInteger(channels, 1, 255)) {
    throw badArgument(`${name}.channels`, 'an integer from 1 to 255', channels);
  }
  if (sdpFmtpLine !== undefined && !isFmtp(sdpFmtpLine)) {
    throw badArgument(
      `${name}.sdpFmtpLine`,
      `visible characters, ${String(MAX_FMTP_LENGTH)} at most, such as "minptime=10"`,
      sdpFmtpLine,
    );
  }
  if (rtcpFeedback !== undefined && !isFeedback(rtcpFeedback)) {
    throw badArgument(
      `${name}.rtcpFeedback`,
      `at most ${String(MAX_FEEDBACK)} texts such as "nack" or "nack pli"`,
      rtcpFeedback,
    );
  }
  if (rtx !== undefined && typeof rtx !== 'boolean') throw badArgument(`${name}.rtx`, 'a boolean', rtx);
}

/** The format that a capability is offered as. */
export function formatOf({ mimeType, clockRate, channels, sdpFmtpLine }: CodecCapability): Format {
  return { name: encodingName(mimeType), clockRate, channels, fmtp: sdpFmtpLine };
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function isFmtp(value: unknown): boolean {
  return typeof value === 'string' && value.length <= MAX_FMTP_LENGTH && FMTP.test(value);
}

function isFeedback(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= MAX_FEEDBACK &&
    value.every((one) => typeof one === 'string' && FEEDBACK.test(one))
  );
}
