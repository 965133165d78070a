/** The project's tests in the order of `MUTANT_SUITES`, a JSON list of files: the sooner one fails, the sooner `--bail` ends a run. */
import { relative } from 'node:path';
import { mergeConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';
import project from '../../vitest.config.ts';

const suites = JSON.parse(process.env['MUTANT_SUITES'] ?? '[]') as string[];

class AsGiven extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number =>
      suites.indexOf(relative(process.cwd(), moduleId));
    return Promise.resolve([...files].sort((a, b) => place(a) - place(b)));
  }
}

export default mergeConfig(project, {
  // The installed packages are a link: what they keep for other runs is not to be written to.
  cacheDir: '.vitest-cache',
  test: { sequence: { sequencer: AsGiven } },
});
