/** Size: what is installed, what of it is the package itself, and bundles where there can be any. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const run = promisify(execFile);

export const size = {
  name: 'size',
  title: 'Size',
  cases: [{ name: '' }],
  measures: {
    own: 'the package, unpacked, MB',
    ownFiles: 'files of the package',
    packages: 'packages installed with it, itself included',
    installed: 'all of them, MB',
    bundle: 'bundle of a peer with channels, minified, kB',
    bundleGzip: 'the same, gzip, kB',
    stunGzip: 'bundle of STUN alone, gzip, kB',
    sdpGzip: 'bundle of SDP alone, gzip, kB',
  },
  rounds: () => 1,

  async run({ stack }) {
    const own =
      stack.checkout === undefined ? onDisk(packageFolder(stack.folder, stack.name)) : await packed(stack);
    const others = [...dependencies(stack.checkout ?? packageFolder(stack.folder, stack.name))].map(onDisk);
    const [whole, stun, sdp] = await Promise.all(
      [stack.bundles?.whole, stack.bundles?.stun, stack.bundles?.sdp].map((source) => bundled(stack, source)),
    );
    return {
      own: own.bytes / 1e6,
      ownFiles: own.files,
      packages: 1 + others.length,
      installed: others.reduce((sum, { bytes }) => sum + bytes, own.bytes) / 1e6,
      bundle: whole?.bytes / 1000,
      bundleGzip: whole?.gzip / 1000,
      stunGzip: stun?.gzip / 1000,
      sdpGzip: sdp?.gzip / 1000,
    };
  },
};

/** As npm would publish it. */
async function packed({ checkout }) {
  // A string, as npm is a script of the shell's on Windows.
  const { stdout } = await run('npm pack --dry-run --json --ignore-scripts', {
    cwd: checkout,
    shell: true,
    maxBuffer: 64 * 1024 * 1024,
  });
  const [{ unpackedSize, entryCount }] = Object.values(JSON.parse(stdout));
  return { bytes: unpackedSize, files: entryCount };
}

function onDisk(folder) {
  let bytes = 0;
  let files = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'node_modules') continue; // other packages
    const path = join(folder, entry.name);
    const more = entry.isDirectory() ? onDisk(path) : { bytes: statSync(path).size, files: 1 };
    bytes += more.bytes;
    files += more.files;
  }
  return { bytes, files };
}

/** The folders of all that a package needs, those of its optional dependencies that have been installed among them. */
function dependencies(folder, found = new Set()) {
  const { dependencies: needed = {}, optionalDependencies: optional = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  for (const name of Object.keys({ ...needed, ...optional })) {
    const place = packageFolder(folder, name);
    if (place === undefined || found.has(place)) continue;
    found.add(place);
    dependencies(place, found);
  }
  return found;
}

/** Where Node finds a package from a folder. */
function packageFolder(from, name) {
  for (let folder = realpathSync(from); ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(place)) return realpathSync(place);
    if (folder === dirname(folder)) return undefined;
  }
}

async function bundled({ folder }, source) {
  if (source === undefined) return undefined;
  const { contents, platform } = source;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    platform,
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  const [{ contents: bytes }] = outputFiles;
  return { bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}
