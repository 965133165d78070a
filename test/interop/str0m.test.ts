/** str0m: ICE, DTLS and SCTP of its own in Rust, a state machine without sockets as this library is. Built here from its crates. */
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeForeign } from './availability.ts';
import { startProcess } from './child-process.ts';
import { installed, isInstalled, run, type Installation } from './installed.ts';
import { describeTrials } from './trials.ts';

const SOURCE = fileURLToPath(new URL('./str0m/', import.meta.url));
const NAME = 'str0m-0.24.1';

/** What str0m asks for. */
const RUST = [1, 85] as const;

function isRecent(): boolean {
  const { stdout } = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
  const [, major = 0, minor = 0] = /^cargo (\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > RUST[0] || (Number(major) === RUST[0] && Number(minor) >= RUST[1]);
}

function build(): Installation {
  if (!isRecent()) return { missing: `it needs cargo ${RUST.join('.')} or later` };
  if (!isInstalled(NAME) && process.env['INTEROP_STR0M'] !== '1')
    return { missing: 'its first build takes minutes: INTEROP_STR0M=1 asks for it' };
  return installed(NAME, (into) => {
    cpSync(SOURCE, into, { recursive: true });
    run('cargo', ['build', '--release', '--locked', '--target-dir', 'target'], { cwd: into });
  });
}

const installation = build();

describeForeign(
  'str0m',
  installation.missing,
  () => {
    const program = join(installation.folder ?? '', 'target/release/peer');
    // It makes no chunk of an empty message of its own.
    describeTrials({ name: 'str0m', start: () => startProcess(program), sendsEmpty: false });
  },
  { isOptional: true },
);
