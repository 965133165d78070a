/**
 * Foreign peers that a package manager brings: each with its version pinned, in a folder of its own outside of this package's
 * dependencies, where the next run finds it again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/interop/', import.meta.url));

/** Written last: a folder without it is of an installation that was cut short. */
const STAMP = 'complete';

/** What a command that installs may take, milliseconds; a first one has a compiler build everything. */
const PATIENCE = 540_000;

export type Installation =
  | { readonly folder: string; readonly missing?: undefined }
  | { readonly folder?: undefined; readonly missing: string };

/** Whether the folder `name` has been made. */
export function isInstalled(name: string): boolean {
  return existsSync(join(CACHE, name, STAMP));
}

/** Makes the folder `name` once, by `install`, which throws where it cannot. @param name with the versions in it */
export function installed(name: string, install: (folder: string) => void): Installation {
  const folder = join(CACHE, name);
  if (isInstalled(name)) return { folder };
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const start = performance.now();
    install(folder);
    console.log(`${name}: installed in ${Math.round((performance.now() - start) / 1000)} s`);
    writeFileSync(join(folder, STAMP), '');
    return { folder };
  } catch (error) {
    return {
      missing: `${name} cannot be installed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Runs a command to its end; throws with what it said when it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): void {
  const { status, error, stderr, stdout } = spawnSync(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    timeout: PATIENCE,
  });
  if (status === 0) return;
  throw new Error(
    `${command} ${args.join(' ')}: ${error?.message ?? `${stderr}${stdout}`.trim().slice(-600)}`,
  );
}

/** From npm, with what it depends on, and none of its scripts. */
export function fromNpm(name: string, version: string): Installation {
  return installed(`${name}-${version}`, (folder) => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${version}`];
    run('npm', args, { cwd: folder });
  });
}
