/** Consumers in TypeScript: the declarations of every entry point, by compilers old and new, with nothing left unchecked. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandOf, ROOT, run } from './machine.ts';
import type { Check } from './report.ts';
import type { Package } from './runtimes.ts';

export const COMPILERS: readonly Package[] = ['5.4.5', '5.9.3', '6.0.3', '7.0.2'].map((version) => ({
  name: 'typescript',
  version,
  command: 'tsc',
}));

/** How consumers have their modules resolved: by Node's rules, and by a bundler's. */
const RESOLUTIONS = { nodenext: 'nodenext', bundler: 'esnext' };

/** What some entry points need, as their documents say, with what that needs. A copy: compilers differ about links. */
const PEERS = ['@types/node', 'undici-types', 'fast-check', 'pure-rand', '@peculiar'];

const CHECK_WITHIN = 180_000;

/** Puts a consumer of every entry point, and the peers, into the project. */
export function writeConsumer(project: string): void {
  for (const peer of PEERS) {
    const from = join(ROOT, 'node_modules', peer);
    cpSync(from, join(project, 'node_modules', peer), { recursive: true, dereference: true });
  }
  const manifest = readFileSync(join(project, 'node_modules/sansrtc/package.json'), 'utf8');
  const { exports } = JSON.parse(manifest) as { exports: Record<string, unknown> };
  const entries = Object.keys(exports).filter((path) => !path.endsWith('.json'));
  const imports = entries.map((path, at) => `import * as e${at} from 'sansrtc${path.slice(1)}';`);
  writeFileSync(
    join(project, 'consumer.ts'),
    `${imports.join('\n')}
import { Rtc, selfSignedCertificate, type Output } from 'sansrtc';
export const all: readonly object[] = [${entries.map((_, at) => `e${at}`).join(', ')}];

/** What is typed stays so: an event by its type, and what it has. */
export function echo(output: Output): boolean | undefined {
  if (output.type !== 'event' || output.event.type !== 'message') return undefined;
  const data: string | Uint8Array = output.event.data;
  return output.event.channel.send(data);
}
export const nothing = echo(new Rtc({ certificate: selfSignedCertificate() }).pollOutput());

// @ts-expect-error what is not there is missed, so nothing has become any
e0.nothing;
`,
  );
}

/** @returns a check for each way of resolution. Rejects when the compiler cannot be had. */
export async function checkTypes(compiler: Package, project: string): Promise<Check[]> {
  const command = await commandOf(compiler);
  const checks: Check[] = [];
  for (const [moduleResolution, module] of Object.entries(RESOLUTIONS)) {
    const options = {
      strict: '',
      noEmit: '',
      target: 'es2022',
      lib: 'es2022,dom',
      types: 'node',
      module,
      moduleResolution,
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const start = performance.now();
    const error = await run(command, [...args.filter((arg) => arg !== ''), 'consumer.ts'], {
      cwd: project,
      within: CHECK_WITHIN,
    }).then(
      () => undefined,
      (reason: unknown) => String(reason),
    );
    const milliseconds = performance.now() - start;
    const name = `declarations, by the rules of ${moduleResolution}`;
    checks.push(error === undefined ? { name, milliseconds } : { name, milliseconds, error });
  }
  return checks;
}
