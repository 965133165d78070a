/** Import: what a start pays before anything has happened, in a new process each time. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Relative to what else a start takes, an import is short. */
const REPETITIONS = 3;

const run = promisify(execFile);

export const imports = {
  name: 'import',
  title: 'Import',
  cases: [
    { name: 'the main entry', entries: 'main' },
    { name: 'all that a server needs', entries: 'server' },
  ],
  measures: { time: 'ms' },
  rounds: (rounds) => rounds * REPETITIONS,

  async run({ stack }, { entries }) {
    const list = stack.entries[entries].map((entry) => `import(${JSON.stringify(entry)})`);
    const script = `
      const start = performance.now();
      await Promise.all([${list.join(', ')}]);
      console.log(performance.now() - start);
      process.exit();`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: stack.folder,
      timeout: 20_000,
    });
    return { time: Number(stdout) };
  },
};
