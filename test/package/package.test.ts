/** The package as `npm pack` makes it of a build: what is in it, what its entry points load, and that nothing is there twice. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAX_UNPACKED_BYTES = 3_400_000;
const MAX_FILES = 200;
/** Of our own: Node's loader takes half a millisecond for each. */
const MAX_FILES_LOADED = 9;
/** Of a bundle made of the package, against one made of the sources: what a user's bundler can leave out is the same. */
const MAX_EXCESS = 1.02;

const root = fileURLToPath(new URL('../../', import.meta.url));
const src = join(root, 'src');
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies?: Record<string, string>;
  exports: Record<string, string | { types: string; default: string }>;
};
const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [{ path, name: `sansrtc${path.slice(1)}`, ...target }],
);

/** Every script but the one-file bundles, which are whole by themselves. */
const scripts = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.js') && !file.startsWith('browser'),
);

/** What a script imports, in any form but `import()`. */
function imports(file: string): string[] {
  const code = readFileSync(file, 'utf8');
  return [...code.matchAll(/\b(?:from|import)\s*"([^"\s]+)"/g)].map(([, target]) => target ?? '');
}

/** The files and the packages that loading `file` loads. */
function loaded(file: string, files: Set<string> = new Set(), packages: Set<string> = new Set()) {
  files.add(file);
  for (const target of imports(file)) {
    const path = join(dirname(file), target);
    if (!target.startsWith('.')) packages.add(target.replace(/^((?:@[^/]+\/)?[^/]+).*/, '$1'));
    else if (!files.has(path)) loaded(path, files, packages);
  }
  return { files: [...files], packages: [...packages].sort() };
}

/** How often a class of each name is declared; the bundler sets numbers behind names that it meets twice. */
function classes(folder: string, files: string[], declaration: RegExp): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (const [, name = ''] of readFileSync(join(folder, file), 'utf8').matchAll(declaration))
      counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

let home: string;
let packed: { unpackedSize: number; files: { path: string }[] };

/** A project that has installed the package and nothing else. */
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sansrtc-'));
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', home], {
    cwd: root,
    encoding: 'utf8',
  });
  const [tarball] = JSON.parse(answer) as [typeof packed & { filename: string }];
  packed = tarball;
  const modules = join(home, 'node_modules');
  mkdirSync(join(modules, 'sansrtc'), { recursive: true });
  execFileSync('tar', ['-xzf', tarball.filename, '-C', 'node_modules/sansrtc', '--strip-components=1'], {
    cwd: home,
  });
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

/** Runs a module in the project. */
function run(code: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { cwd: home, encoding: 'utf8' });
}

describe('what is packed', () => {
  test('stays small', () => {
    console.info(
      `package: ${String(packed.unpackedSize)} bytes unpacked, ${String(packed.files.length)} files`,
    );
    expect(packed.unpackedSize).toBeLessThanOrEqual(MAX_UNPACKED_BYTES);
    expect(packed.files.length).toBeLessThanOrEqual(MAX_FILES);
  });

  test('is what was built: no sources, no documents, no maps, no tests', () => {
    const folders = new Set(packed.files.map(({ path }) => path.replace(/\/.*/, '/')));
    expect([...folders].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/',
      'dist/',
      'package.json',
    ]);
    expect(packed.files.filter(({ path }) => /\.map$|\.(?<!\.d\.)ts$/.test(path))).toEqual([]);
  });

  test('has the script and the declarations of each entry point', () => {
    const paths = packed.files.map(({ path }) => `./${path}`);
    expect(paths).toEqual(expect.arrayContaining(entries.flatMap((entry) => [entry.types, entry.default])));
  });

  test('depends on nothing', () => {
    expect(manifest.dependencies).toBeUndefined();
  });
});

/** Bytes of a bundle, minified and compressed. */
async function weight(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

describe("a user's bundler", () => {
  test.each([
    ['{ Rtc }', 'index'],
    ['*', 'stun/index'],
    ['*', 'sdp/index'],
  ])('takes no more than it needs for %s of %s', async (what, entry) => {
    const ours = await weight(`export ${what} from './src/${entry}.ts'`);
    const built = await weight(`export ${what} from './dist/${entry}.js'`);
    expect(built / ours).toBeLessThan(MAX_EXCESS);
  });
});

describe('an entry point', () => {
  test.each(entries)('$name loads few files', (entry) => {
    expect(loaded(join(root, entry.default)).files.length).toBeLessThanOrEqual(MAX_FILES_LOADED);
  });

  test.each(entries)('$name needs no package but those its documents name', (entry) => {
    const optional = {
      './certificate': ['@peculiar/x509', 'reflect-metadata'],
      './sim/fast-check': ['fast-check'],
    };
    const { packages } = loaded(join(root, entry.default));
    const foreign = packages.filter((name) => !name.startsWith('node:'));
    expect(foreign).toEqual(entry.path in optional ? optional[entry.path as keyof typeof optional] : []);
  });

  test('loads where nothing else is installed; one that needs a peer says which', () => {
    for (const { name, path } of entries) {
      const { status, stderr } = run(`await import('${name}')`);
      const missing = { './certificate': 'reflect-metadata', './sim/fast-check': 'fast-check' }[path];
      if (missing === undefined) expect(stderr).toBe('');
      else expect(stderr).toContain(`Cannot find package '${missing}'`);
      expect(status, name).toBe(missing === undefined ? 0 : 1);
    }
  });
});

describe('one copy', () => {
  test('of each class', () => {
    const built = classes(dist, scripts, /\b(\w+?)\d*\s?=\s?class\b/g);
    const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    );
    const written = classes(src, sources, /^(?:export )?(?:abstract )?class (\w+?)\d*\b/gm);
    expect(built.size).toBeGreaterThan(100);
    // What is not ours is noble's.
    expect([...built].filter(([name, count]) => count > (written.get(name) ?? Infinity))).toEqual([]);
  });

  test('of errors and of module state, whichever entry point they come by', () => {
    const { stdout, stderr } = run(`
      import { Rtc, RtcError, jsCrypto, selfSignedCertificate } from 'sansrtc';
      import * as crypto from 'sansrtc/crypto';
      import * as dtls from 'sansrtc/dtls';
      import { nodeCrypto } from 'sansrtc/crypto/node';
      import { UdpDriver } from 'sansrtc/node';
      import { Network } from 'sansrtc/sim';
      const thrown = [];
      for (const misuse of [
        () => nodeCrypto().aead('aes-128-gcm', new Uint8Array(1)),
        () => new Network({ seed: 'none' }),
        () => UdpDriver.listen({ address: 5 }),
      ]) {
        try {
          await misuse();
        } catch (error) {
          thrown.push(error.constructor === RtcError);
        }
      }
      const rtc = new Rtc({ certificate: selfSignedCertificate({ crypto: nodeCrypto() }), crypto: nodeCrypto() });
      console.log(thrown.join(), crypto.jsCrypto === jsCrypto, dtls.selfSignedCertificate === selfSignedCertificate, rtc instanceof Rtc);
    `);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('true,true,true true true true');
  });

  test('classes keep their names, for traces and logs', () => {
    const names = entries.filter(({ path }) => !['./certificate', './sim/fast-check'].includes(path));
    const { stdout } = run(`
      const wrong = [];
      for (const name of ${JSON.stringify(names.map(({ name }) => name))}) {
        for (const [key, value] of Object.entries(await import(name))) {
          if (/^class\\b/.test(String(value)) && value.name !== key) wrong.push([name, key, value.name]);
        }
      }
      console.log(JSON.stringify(wrong));
    `);
    expect(JSON.parse(stdout)).toEqual([]);
  });
});
