/**
 * Parameters: `name=value` with semicolons between, as `fmtp` of most codecs (RFC 8866 §6.15) and `rid` (RFC 8851 §4) have them. Order,
 * names that nobody here knows and names that come twice are kept: it is a list, never an object with the peer's names for keys.
 */
import { badArgument } from '../core/errors.ts';
import { isTrimmed, withoutSpaceAround } from './token.ts';

/** One `name=value` of an attribute, in the order in which they stand. A name alone has no value. */
export interface SdpParameter {
  readonly name: string;
  readonly value: string | undefined;
}

/** What `fmtp` says, in order. What has no `=` is a name alone: the `0-15` of `telephone-event`, the `111/111` of `red`. */
export function parseFormatParameters(fmtp: string): SdpParameter[] {
  const parameters: SdpParameter[] = [];
  for (const part of fmtp.split(';')) {
    const text = withoutSpaceAround(part);
    if (text === '') continue;
    const equals = text.indexOf('=');
    if (equals < 0) parameters.push({ name: text, value: undefined });
    else {
      const name = withoutSpaceAround(text.slice(0, equals));
      parameters.push({ name, value: withoutSpaceAround(text.slice(equals + 1)) });
    }
  }
  return parameters;
}

/** The text of these. Throws `ERR_BAD_ARGUMENT` for a name or value that would not be read back as it is. */
export function writeFormatParameters(parameters: readonly SdpParameter[]): string {
  return parameters
    .map(({ name, value }) => {
      if (!isPart(name) || name.includes('=') || (name === '' && value === undefined))
        throw badArgument('name', 'text without ";" and "="', name);
      if (value !== undefined && !isPart(value)) throw badArgument('value', 'text without ";"', value);
      return value === undefined ? name : `${name}=${value}`;
    })
    .join(';');
}

function isPart(text: string): boolean {
  return !text.includes(';') && isTrimmed(text);
}
