/**
 * Connection ids: how both ends agree on them (RFC 9146 §3, RFC 9147 §9). Each end chooses the id that it wants to see in the
 * protected records that are sent to it, so that it can tell of which association they are, wherever they come from.
 *
 *     client ─ connection_id: its id, empty if it wants none → server, which answers only if it can do with them
 *     client ← connection_id: likewise                       ─ server, in ServerHello
 *
 * What is agreed on stays, but for DTLS 1.3's NewConnectionId (v13/session.ts). A direction without an id looks as if nothing
 * had been agreed on.
 */
import type { Bytes } from '../core/bytes.ts';
import { copyBytes, equalBytes } from '../core/bytes.ts';
import { isFailure } from '../core/decode.ts';
import type { OptionRule } from '../core/options.ts';
import { bytes, integer, nested, required } from '../core/options.ts';
import type { RandomSource } from '../core/random.ts';
import { randomBytes } from '../core/random.ts';
import { decodeConnectionId, encodeConnectionId } from './messages/connection-id.ts';
import type { Extension } from './messages/extensions.ts';
import { ExtensionType, findExtension } from './messages/extensions.ts';
import type { Problem } from './problem.ts';
import { illegalParameter, malformed } from './problem.ts';
import type { Epochs } from './record/epochs.ts';

/** Bytes of the longest id, ours or one that we put into every record for the peer. RFC 9146 would allow 255. */
export const MAX_CONNECTION_ID_LENGTH = 20;

/** The connection id that an association asks its peer for. */
export interface ConnectionIdOptions {
  /** Bytes of it, 0 … 20. With 0 we want none, and put one into our records if the peer wants that. */
  readonly length: number;
  /** What it begins with; random bytes follow. In an `Rtc` that is its username fragment. */
  readonly prefix?: Uint8Array | undefined;
}

/** What the option must be. */
export const connectionIdRule: OptionRule = nested<ConnectionIdOptions>({
  length: required(integer(0, MAX_CONNECTION_ID_LENGTH)),
  prefix: bytes,
});

/** The ids agreed on; an empty one stands for none in that direction. */
export interface ConnectionIds {
  /** Ours: in what the peer sends. */
  readonly local: Bytes;
  /** The peer's: in what we send. */
  readonly remote: Bytes;
}

/** What the hellos negotiate of connection ids. */
interface Agreement {
  /** The id that we want; `undefined`: no word of them. */
  readonly connectionId: Bytes | undefined;
  /** Once both have spoken of them. */
  connectionIds: ConnectionIds | undefined;
  readonly epochs: Epochs;
}

/** Makes an id. Without randomness where the prefix is long enough. */
export function makeConnectionId({ length, prefix }: ConnectionIdOptions, random: RandomSource): Bytes {
  const known = Math.min(length, prefix?.length ?? 0);
  const id = new Uint8Array(length);
  if (prefix !== undefined) id.set(prefix.subarray(0, known));
  if (known < length) id.set(randomBytes(random, length - known), known);
  return id;
}

/** What a ClientHello says of ours. */
export function offeredConnectionId({ connectionId, epochs }: Readonly<Agreement>): readonly Extension[] {
  if (connectionId === undefined) return [];
  // Records may overtake the ServerHello: they are told apart, and kept for it.
  epochs.connectionId = connectionId;
  return [extensionOf(connectionId)];
}

/** The server's choice. Whoever asks for an id that is too long for us goes without: the answer is its own to give. */
export function chooseConnectionIds(
  agreement: Agreement,
  extensions: readonly Extension[],
): Problem | undefined {
  const data = findExtension(extensions, ExtensionType.connectionId);
  const { connectionId, epochs } = agreement;
  if (data === undefined || connectionId === undefined) return undefined;
  const remote = decodeConnectionId(data);
  if (isFailure(remote)) return malformed(remote.reason);
  if (remote.length > MAX_CONNECTION_ID_LENGTH) return undefined;
  agreement.connectionIds = { local: connectionId, remote: copyBytes(remote) };
  epochs.connectionId = connectionId;
  return undefined;
}

/** What a ServerHello answers. */
export function chosenConnectionId({ connectionIds }: Readonly<Agreement>): readonly Extension[] {
  return connectionIds === undefined ? [] : [extensionOf(connectionIds.local)];
}

/** The client takes the server's answer. */
export function takeConnectionIds(
  agreement: Agreement,
  extensions: readonly Extension[],
): Problem | undefined {
  const data = findExtension(extensions, ExtensionType.connectionId);
  const { connectionId, epochs } = agreement;
  if (data === undefined || connectionId === undefined) {
    epochs.connectionId = undefined;
    return undefined;
  }
  const remote = decodeConnectionId(data);
  if (isFailure(remote)) return malformed(remote.reason);
  if (remote.length > MAX_CONNECTION_ID_LENGTH) {
    return illegalParameter(
      `The server wants a connection id of ${remote.length} bytes in every record; ${MAX_CONNECTION_ID_LENGTH} are the most here.`,
    );
  }
  agreement.connectionIds = { local: connectionId, remote: copyBytes(remote) };
  return undefined;
}

/** RFC 8446 §4.1.2: a second ClientHello repeats what the first has said of them. */
export function isSameConnectionId(first: readonly Extension[], second: readonly Extension[]): boolean {
  const before = findExtension(first, ExtensionType.connectionId);
  const after = findExtension(second, ExtensionType.connectionId);
  return before === undefined || after === undefined ? before === after : equalBytes(before, after);
}

function extensionOf(id: Uint8Array): Extension {
  return { type: ExtensionType.connectionId, data: encodeConnectionId(id) };
}
