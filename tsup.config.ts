/**
 * The package's files: an entry point each in ES modules with what they share in chunks, so that every class and every
 * module's state is there once; the declarations, rolled up likewise; and one-file bundles for browsers.
 *
 * `npm run build` has put tsc's declarations into build/ before.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';
import { defineConfig, type Options } from 'tsup';

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

/** `dist/NAME.js` is built from `src/NAME.ts`: what package.json exports, and what the commands in bin/ run. */
const names = Object.values(exports)
  .flatMap((target) => (typeof target === 'string' ? [] : [target.default]))
  .concat('./dist/cli/index.js')
  .map((path) => path.replace(/^\.\/dist\/(.*)\.js$/, '$1'));

const entries = (source: (name: string) => string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, source(name)]));

/** Entry points that are of use without the rest, and small: they keep chunks of their own. */
const SMALL = ['stun/index', 'sdp/index'];

/**
 * A chunk holds what the same entry points reach, and a loader pays for each file. So all others reach the whole of
 * `sansrtc`, which is then one chunk in place of twenty.
 */
const oneChunk: Plugin = {
  name: 'one chunk',
  setup(build) {
    const sources = names.filter((name) => !SMALL.includes(name)).map((name) => `/src/${name}.ts`);
    const face = new URL('src/index.ts', import.meta.url).pathname;
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path === face || !sources.some((source) => path.endsWith(source))) return undefined;
      // The import does nothing (`sideEffects` is false): reaching is all that counts.
      return { contents: `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(face)};`, loader: 'ts' };
    });
  },
};

/**
 * What people read of the files are stack traces: names and lines stay as they are. Documentation is in the declarations, and
 * is taken out here. esbuild turns a class `X` that names itself into `X = class _X`: `X` again, for traces and logs have its name.
 */
const readable: Options['plugins'] = [
  {
    name: 'readable',
    renderChunk(bundled) {
      const code = bundled.replace(/^[ \t]*\/\*\*[^]*?\*\/\n/gm, '');
      const renamed = [...code.matchAll(/\b(\w+)\s?=\s?class _\1\b/g)].map(([, name]) => name);
      if (renamed.length === 0) return { code };
      return { code: code.replace(new RegExp(`\\b_(${renamed.join('|')})\\b`, 'g'), '$1') };
    },
  },
];

export default defineConfig([
  {
    entry: entries((name) => `src/${name}.ts`),
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    tsconfig: 'tsconfig.json',
    removeNodeProtocol: false,
    splitting: true,
    esbuildPlugins: [oneChunk],
    plugins: readable,
    esbuildOptions(options) {
      options.logOverride = { 'ignored-bare-import': 'silent' };
    },
  },
  {
    entry: entries((name) => `build/${name}.d.ts`),
    format: 'esm',
    tsconfig: 'tsconfig.build.json',
    dts: { only: true },
  },
  {
    entry: { sansrtc: 'src/index.ts' },
    outDir: 'dist/browser',
    format: ['esm', 'iife'],
    globalName: 'sansrtc',
    platform: 'browser',
    target: 'es2022',
    tsconfig: 'tsconfig.json',
    noExternal: [/.*/],
    minify: true,
  },
]);
