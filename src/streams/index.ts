/**
 * Promises, async iterables and web streams over data channels.
 *
 * @module
 */
export { StreamsError } from './errors.ts';
export { drained, opened } from './opened.ts';
export type {
  DrainedOptions,
  ReadOptions,
  SendWaitOptions,
  WaitOptions,
  WritableOptions,
} from './options.ts';
export { send, writable } from './outbox.ts';
export type { Message } from './reader.ts';
export { messages, readable } from './reader.ts';
export { shutdown } from './shutdown.ts';
