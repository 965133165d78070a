/**
 * The pages of the site: which document is where in the navigation. A document in docs/ that stands in none of these lists ends the
 * build; guides, migrations and examples that are not listed come last, by their names.
 */
import { existsSync, readdirSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** The landing page. */
export const LANDING = 'docs/README.md';

/**
 * Groups in the order of the navigation; `folder` adds what else is in it.
 *
 * @type {readonly { title: string, pages: readonly string[], folder?: RegExp }[]}
 */
const GROUPS = [
  {
    title: 'Start',
    pages: ['docs/guides/getting-started.md', 'docs/how-it-works.md', 'docs/faq.md', 'docs/glossary.md'],
  },
  {
    title: 'Guides',
    pages: [
      'docs/guides/channels.md',
      'docs/guides/streams.md',
      'docs/guides/file-transfer.md',
      'docs/guides/audio-and-video.md',
      'docs/guides/game-server.md',
      'docs/guides/many-peers.md',
      'docs/guides/reconnecting.md',
      'docs/guides/client-behind-nat.md',
      'docs/guides/behind-1to1-nat.md',
      'docs/guides/browsers-through-turn.md',
      'docs/guides/deploy-docker-kubernetes.md',
      'docs/guides/trickle.md',
      'docs/guides/whip-whep-sfu.md',
      'docs/guides/recording.md',
      'docs/guides/testing-your-protocol.md',
      'docs/guides/debugging.md',
      'docs/guides/workers.md',
      'docs/guides/runtimes-and-bundlers.md',
    ],
    folder: /^docs\/guides\//,
  },
  { title: 'Migrate', pages: [], folder: /^docs\/migrate\// },
  { title: 'Examples', pages: ['examples/README.md'], folder: /^examples\/.*\/README\.md$/ },
  {
    title: 'Reference',
    pages: [
      'docs/errors.md',
      'docs/deadlines.md',
      'docs/operations.md',
      'docs/security.md',
      'docs/trace.md',
      'docs/cli.md',
      'docs/negotiation.md',
      'docs/media.md',
      'docs/ice.md',
      'docs/dtls.md',
      'docs/sctp.md',
      'docs/testing.md',
      'docs/performance.md',
    ],
  },
  {
    title: 'Project',
    pages: ['docs/architecture.md', 'docs/dependencies.md', 'CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md'],
  },
];

/** Every document there is, by its path from the root. */
function documents() {
  const within = ['docs', 'examples'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((name) => name.endsWith('.md')),
  );
  return within.sort();
}

/**
 * The groups, with the pages that are there.
 *
 * @returns {{ title: string, pages: string[] }[]}
 */
export function groups() {
  const all = documents();
  const left = new Set(all);
  left.delete(LANDING);
  const found = GROUPS.map(({ title, pages, folder }) => {
    const listed = pages.filter((name) => existsSync(new URL(name, root)));
    for (const name of listed) left.delete(name);
    const others = folder === undefined ? [] : [...left].filter((name) => folder.test(name));
    for (const name of others) left.delete(name);
    return { title, pages: [...listed, ...others] };
  });
  if (left.size > 0)
    throw new Error(`scripts/site/pages.mjs does not say where these go: ${[...left].join(', ')}`);
  return found.filter(({ pages }) => pages.length > 0);
}
