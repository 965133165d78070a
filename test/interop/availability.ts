/**
 * Whether a foreign peer is on this machine. Where it is not, its tests are skipped and say why; with
 * `INTEROP_REQUIRED=1`, as in .ci/run, its absence is a failure.
 */
import { describe, expect, test } from 'vitest';

/**
 * `missing`: why the peer cannot run here, `undefined` when it can. `isOptional`: it needs a newer compiler than Debian's,
 * so that its absence is never a failure.
 */
export function describeForeign(
  name: string,
  missing: string | undefined,
  tests: () => void,
  { isOptional = false }: { readonly isOptional?: boolean } = {},
): void {
  if (missing === undefined) {
    describe(name, tests);
    return;
  }
  if (process.env['INTEROP_REQUIRED'] === '1' && !isOptional) {
    test(`${name} is installed`, () => expect(missing).toBeUndefined());
    return;
  }
  console.warn(`${name} is skipped: ${missing}`);
  test.skip(`${name}: ${missing}`, () => undefined);
}
