/** Every case of every search with one crypto provider: `npm run test:cut`, a file a provider so that two cores share. */
import { afterAll, describe, test } from 'vitest';
import { searches } from './scenarios.ts';
import type { Materials } from './stage.ts';

export function testEveryCase(crypto: Materials): void {
  describe(`cut anywhere, every case, ${crypto.name} crypto`, () => {
    let cases = 0;
    afterAll(() => {
      console.log(`cut anywhere, ${crypto.name} crypto: ${cases} cases`);
    });
    test.each(searches(crypto).map((search) => [search.name, search] as const))('%s', (_, search) => {
      const report = search.run({ seed: 1 });
      cases += report.cases;
      const directions = report.datagrams.map(({ count }) => count).join(' + ');
      console.log(`${report.scenario}: ${report.cases} cases over ${directions} datagrams`);
    });
  });
}
