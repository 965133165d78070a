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
    '/negotiation',
    '',
  ].map((name) => [`sansrtc${name}`, fileURLToPath(new URL(`./src${name}/index.ts`, import.meta.url))]),
);

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**', 'test/interop/**'],
          isolate: false,
          setupFiles: ['./test/fast-check.setup.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'cut',
          include: ['test/cut/*.cut.ts'],
          testTimeout: 120_000,
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
