/** How much a search tries: a part of it in `npm test`, all of it in `npm run test:long`. */

/** Whether this is the project `long`, which vitest.config.ts sets it for. */
export const IS_LONG = process.env['SANSRTC_LONG'] === '1';

/** A file that asks is run by both projects. */
export function howMany(part: number, all: number): number {
  return IS_LONG ? all : part;
}
