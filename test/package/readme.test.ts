/**
 * The README as a newcomer follows it: the commands of "Install" make a project, into which each program is pasted, once as `.js` and once as
 * `.mjs`, and run by `node`. The package comes from `npm pack` in place of the registry.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../free-port.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The blocks of a section in one language, one behind the other as a reader pastes them. */
function pasted(heading: string, language: string): string {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const blocks = [...section.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))];
  if (blocks.length === 0) throw new Error(`no ${language} under "${heading}"`);
  return blocks.map(([, code]) => code).join('\n');
}

let home: string;
let project: string;
let port: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  port = String(await freePort());
  home = mkdtempSync(join(tmpdir(), 'sansrtc-readme-'));
  const answer = execFileSync('npm', ['pack', '--json', '--pack-destination', home], {
    cwd: root,
    encoding: 'utf8',
  });
  const [tarball] = JSON.parse(answer) as [{ filename: string }];
  const commands = pasted('Install', 'sh');
  expect(commands).toContain('npm install sansrtc');
  // The last line shows where the commands have led to.
  const script = `${commands.replace('npm install sansrtc', `npm install --offline ${join(home, tarball.filename)}`)}\npwd\n`;
  const lines = execFileSync('bash', ['-euc', script], { cwd: home, encoding: 'utf8' }).trimEnd().split('\n');
  project = lines.at(-1) ?? '';
});

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

/** A program of the README under way. */
interface Program {
  /** Everything printed so far, of both streams. */
  readonly printed: string;
  /** Settles when all of `words` is printed; rejects when the program ends without. */
  prints(words: string): Promise<void>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

function start(file: string, code: string): Program {
  writeFileSync(join(project, file), code.replaceAll('8080', port));
  const child = spawn(process.execPath, [file], { cwd: project, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let printed = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    get printed() {
      return printed;
    },
    ended,
    prints: (words) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (printed.includes(words)) resolve();
        };
        listeners.add(look);
        look();
        void ended.then(() => {
          reject(new Error(`ended without "${words}": ${printed}`));
        });
      }),
  };
}

describe.each(['js', 'mjs'])('as .%s', (extension) => {
  test('two peers, no network', async () => {
    const program = start(`peers.${extension}`, pasted('Two peers, no network', 'js'));
    expect(await program.ended, program.printed).toBe(0);
    expect(program.printed).toMatch(/^"hello" after \d+ ms of virtual time\n$/);
  });

  test('a server, and a process that talks to it', async () => {
    const server = start(`server.${extension}`, pasted('A server and a page', 'js'));
    await server.prints(`http://127.0.0.1:${port}/`);
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('new RTCPeerConnection()');
    const refused = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'no offer' });
    expect(refused.status).toBe(400);
    const client = start(`client.${extension}`, pasted('Two processes', 'js'));
    expect(await client.ended, client.printed).toBe(0);
    expect(client.printed).toMatch(/^"hello from a process" after \d+ ms\n$/);
    await server.prints('one left: ');
  });

  test('the loop inside', async () => {
    const program = start(`loop.${extension}`, pasted('The loop inside', 'js'));
    expect(await program.ended, program.printed).toBe(0);
    expect(program.printed).toBe('over real UDP\n');
  });
});
