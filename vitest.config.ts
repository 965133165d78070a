import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The package's own names, so that the README's code and the examples run from the sources. */
const alias = Object.fromEntries(
  [
    '/node',
    '/sim/fast-check',
    '/sim',
    '/trace',
    '/crypto/node',
    '/crypto',
    '/stun',
    '/ice',
    '/dtls',
    '/sctp',
    '/channel',
    '/sdp',
    '/rtp',
    '/media',
    '/streams',
    '/negotiation',
    '',
  ].map((name) => [`sansrtc${name}`, fileURLToPath(new URL(`./src${name}/index.ts`, import.meta.url))]),
);

/** The unit tests that try a part of what they could, and all of it in the project `long`: those that ask how many. */
const searches = readdirSync(new URL('./test/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .filter((file) => readFileSync(new URL(file, import.meta.url), 'utf8').includes('/how-many.ts'));

/** So long that no machine is too slow: what must not hang has a bound of its own. */
const PATIENCE = 600_000;

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/interop/**', 'test/package/**'],
          isolate: false,
          setupFiles: ['./test/fast-check.setup.ts'],
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: searches,
          env: { SANSRTC_LONG: '1' },
          isolate: false,
          setupFiles: ['./test/fast-check.setup.ts'],
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/*.test.ts'],
          testTimeout: PATIENCE,
          hookTimeout: PATIENCE,
        },
      },
      {
        extends: true,
        test: {
          name: 'cut',
          include: ['test/cut/*.cut.ts'],
          testTimeout: PATIENCE,
        },
      },
      {
        extends: true,
        test: {
          name: 'soak',
          include: ['test/soak/*.soak.ts'],
          testTimeout: 1_800_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
