#!/usr/bin/env node
/**
 * Builds the playground into a folder of static files: `node examples/playground/build.mjs [FOLDER] [--serve] [--port PORT]`.
 * It is bundled from the sources, so nothing has to be built before.
 */
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.map': 'application/json',
};

const { values, positionals } = parseArgs({
  options: { serve: { type: 'boolean', default: false }, port: { type: 'string', default: '8082' } },
  allowPositionals: true,
});
const folder = resolve(positionals[0] ?? join(root, 'site/playground'));

/** `sansrtc/sim` is `src/sim/index.ts`, and so on: what package.json exports, where it is built from. */
const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const alias = Object.fromEntries(
  Object.entries(exports).flatMap(([name, target]) =>
    typeof target === 'string'
      ? []
      : [
          [
            `sansrtc${name.slice(1)}`,
            join(root, target.default.replace('./dist/', 'src/').replace(/js$/, 'ts')),
          ],
        ],
  ),
);
const started = performance.now();
await mkdir(folder, { recursive: true });
await build({
  entryPoints: [join(here, 'src/main.js'), join(here, 'src/trace-worker.js')],
  outdir: folder,
  bundle: true,
  alias,
  format: 'esm',
  platform: 'browser',
  target: ['es2022'],
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
});
for (const name of ['index.html', 'style.css']) await copyFile(join(here, name), join(folder, name));
console.log(`playground: built into ${folder} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
if (values.serve) serve();
else console.log('playground: any file server shows it, for example "npm run playground -- --serve"');

/** A small file server, for this machine alone. */
function serve() {
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.writeHead(404).end('not found\n'));
  });
  server.once('error', (error) => {
    console.error(
      `playground: ${error.code === 'EADDRINUSE' ? `port ${values.port} is in use: choose another --port` : error.message}`,
    );
    process.exit(1);
  });
  server.listen(Number(values.port), '127.0.0.1', () =>
    console.log(`playground: open http://localhost:${server.address().port}/ ; Ctrl+C ends it`),
  );
}

async function respond(request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const path = join(folder, decodeURIComponent(pathname === '/' ? '/index.html' : pathname));
  if (!path.startsWith(folder + sep) || !(await stat(path)).isFile()) throw new Error('not found');
  response.writeHead(200, {
    'content-type': `${TYPES[extname(path)] ?? 'application/octet-stream'}; charset=utf-8`,
  });
  createReadStream(path).pipe(response);
}
