/** What axe-core finds wrong with a page: labels, contrast, roles, what a keyboard cannot reach. */
import { readFileSync } from 'node:fs';
import type { ExamplePage } from './example-page.ts';

const source = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

interface Axe {
  run(options: object): Promise<{
    readonly violations: readonly {
      readonly id: string;
      readonly help: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
    }[];
  }>;
}

/** A line for each finding; none is what a test expects. */
export async function findings(page: ExamplePage): Promise<string[]> {
  await page.script(source);
  return page.run(async () => {
    const { axe } = globalThis as unknown as { axe: Axe };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(
        ({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 160)} ${failureSummary ?? ''}`,
      ),
    );
  }, undefined);
}
