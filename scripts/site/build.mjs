/**
 * `npm run docs`: the site, into `site/` or the folder that is named. Pages are the documents and the API of every entry point, by
 * TypeDoc; the playground is put beside them. A warning is an error: a link that leads nowhere, a type that is exported by no entry,
 * a name or member without a docstring.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { deadLinks } from './links.mjs';
import { LANDING, groups } from './pages.mjs';
import { improveMarkup } from './markup.mjs';
import { resolveNames } from './resolved-names.mjs';
import { stage } from './stage.mjs';
import { router, theme } from './theme.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const strict = process.env.DOCS_LENIENT === undefined;
const staged = `${root}node_modules/.site/`;
const out = process.argv[2] ?? `${root}site`;

const began = performance.now();
const say = (text) => process.stderr.write(`${((performance.now() - began) / 1000).toFixed(1)} s  ${text}\n`);

/** The entry points: the name that is imported, by the source it is made of. */
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const entries = new Map(
  Object.entries(exports).flatMap(([name, target]) =>
    typeof target === 'string'
      ? []
      : [[target.default.replace('./dist/', `${root}src/`).replace(/js$/, 'ts'), `sansrtc${name.slice(1)}`]],
  ),
);

const navigation = groups();
const pages = navigation.flatMap((group) => group.pages);
say(`${pages.length + 1} documents, ${entries.size} entry points`);
stage(staged, [LANDING, ...pages]);

const app = await Application.bootstrap({
  name: 'sansrtc',
  entryPoints: [...entries.keys()],
  tsconfig: `${root}tsconfig.build.json`,
  readme: `${staged}${LANDING}`,
  projectDocuments: pages.map((page) => `${staged}${page}`),
  out,
  basePath: root,
  sort: ['source-order'],
  sortEntryPoints: false,
  router: 'site',
  theme: 'site',
  excludeInternal: true,
  excludePrivate: true,
  disableGit: true,
  gitRevision: 'main',
  sourceLinkTemplate: 'https://github.com/sansrtc/sansrtc/blob/{gitRevision}/src/{path}#L{line}',
  headings: { readme: false, document: false },
  searchInDocuments: true,
  navigation: { includeFolders: false },
  navigationLeaves: [],
  customCss: fileURLToPath(new URL('style.css', import.meta.url)),
  customJs: fileURLToPath(new URL('page.js', import.meta.url)),
  includeHierarchySummary: false,
  cacheBust: false,
  cleanOutputDir: true,
  githubPages: false,
  navigationLinks: {
    GitHub: 'https://github.com/sansrtc/sansrtc',
    npm: 'https://www.npmjs.com/package/sansrtc',
  },
  highlightLanguages: [
    'js',
    'ts',
    'html',
    'css',
    'json',
    'sh',
    'diff',
    'docker',
    'go',
    'ini',
    'rust',
    'toml',
    'yaml', // prettier-ignore
  ],
  ignoredHighlightLanguages: ['text', 'sdp', 'mermaid', 'dockerfile'],
  validation: {
    notExported: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    notDocumented: true,
    unusedMergeModuleWith: true,
  },
  // Of one generic type each, which only the table of calls is made with.
  intentionallyNotExported: ['OfChannel', 'OfSignaling'],
  requiredToBeDocumented: [
    'Variable',
    'Function',
    'Class',
    'Interface',
    'Property',
    'Method',
    'Accessor',
    'TypeAlias', // prettier-ignore
  ],
  treatWarningsAsErrors: strict,
});

/** Members that had no docstring when this began. The list only shrinks: TypeDoc warns of a name on it that has one by now. */
const listFile = new URL('undocumented.json', import.meta.url);
const isListed = process.env.UPDATE_DOCS === undefined && existsSync(listFile);
if (isListed) app.options.setValue('intentionallyNotDocumented', JSON.parse(readFileSync(listFile, 'utf8')));
const undocumented = [];
if (!isListed) {
  const { warn } = app.logger;
  app.logger.warn = (text, ...rest) => {
    const [, name] = /^(\S+) \(\w+\), defined in .*, does not have any documentation$/.exec(String(text)) ?? [];
    if (name === undefined) warn.call(app.logger, text, ...rest);
    else undocumented.push(name);
  };
}

resolveNames(app);
improveMarkup(app);

/** Where each document's reflection is from. */
const sources = new Map();

app.renderer.defineRouter('site', router(sources));
app.renderer.defineTheme(
  'site',
  theme(
    () =>
      navigation.map((group) => ({
        title: group.title,
        pages: group.pages.map((page) => [...sources].find(([, source]) => source === page)?.[0]),
      })),
    existsSync(`${root}examples/playground/build.mjs`) ? [{ text: 'Playground', path: 'playground/index.html' }] : [],
  ),
);

const project = await app.convert();
if (project === undefined) throw new Error('TypeDoc could not read the sources');
for (const reflection of Object.values(project.reflections)) {
  const file = project.files.getReflectionPath(reflection);
  if (file === undefined) continue;
  if (reflection.isDocument()) sources.set(reflection, file.slice(staged.length));
  else if (entries.has(file)) reflection.name = entries.get(file);
}
say('sources and documents read');
app.validate(project);
if (process.env.UPDATE_DOCS !== undefined)
  writeFileSync(listFile, `${JSON.stringify([...new Set(undocumented)].sort(), null, 2)}\n`);
await app.generateOutputs(project);
if (app.logger.hasErrors() || (strict && app.logger.hasWarnings())) process.exit(1);
say('pages written');

const playground = `${root}examples/playground/build.mjs`;
if (existsSync(playground)) {
  execFileSync(process.execPath, [playground, `${out}/playground`], { stdio: ['ignore', 'ignore', 'inherit'] });
  say('playground built');
}

const dead = deadLinks(out);
for (const each of dead) console.error(each);
if (dead.length > 0) process.exit(1);
say(`no dead link; open ${out}/index.html`);
