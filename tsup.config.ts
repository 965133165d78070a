import { defineConfig } from 'tsup';

/** One-file bundles for script tags and static pages; the package itself is built by plain `tsc`. */
export default defineConfig({
  entry: { sansrtc: 'src/index.ts' },
  outDir: 'dist/browser',
  format: ['esm', 'iife'],
  globalName: 'sansrtc',
  platform: 'browser',
  target: 'es2022',
  noExternal: [/.*/],
  minify: true,
  sourcemap: true,
  dts: false,
  tsconfig: 'tsconfig.json',
});
