/**
 * Documents as TypeDoc takes them: copied to a folder beside each other as they are in the repository, with a title, without what is
 * for the checks alone, and with links to files that are no pages made links to the repository.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Where the repository's files are for a reader of the site. */
export const REPOSITORY = 'https://github.com/sansrtc/sansrtc/blob/main/';

const FENCE = /^( *)(`{3,})[\s\S]*?^\1\2 *$/gm;
/** Splits a document: every other part is a block of code. */
const FENCED = /(^ *`{3,}[^\n]*\n[\s\S]*?^ *`{3,} *$)/m;
const LINK = /(!?\[(?:[^\]\\]|\\.)*\]\()([^()\s]+)(\))/g;

/** Applies `change` to what is not code. */
function inProse(markdown, change) {
  const kept = [];
  const keep = (code) => `\uE000${kept.push(code) - 1}\uE000`;
  const prose = markdown.replaceAll(FENCE, keep).replaceAll(/`[^`\n]+`/g, keep);
  // A fence may hold what looks like code in a line, and is put back first.
  return change(prose).replaceAll(/\uE000(\d+)\uE000/g, (_, at) => kept[Number(at)]);
}

/** Headings without marks of code: TypeDoc makes anchors and the list of headings from the text beside the code. */
function withPlainHeadings(markdown) {
  return markdown
    .split(FENCED)
    .map((part, i) =>
      i % 2 === 1
        ? part
        : part.replaceAll(/^#+ .*`.*$/gm, (heading) =>
            heading.replaceAll(/`([^`]+)`/g, (_, code) => code.replaceAll(/[<>*_[\]\\]/g, '\\$&')),
          ),
    )
    .join('');
}

/** The first heading, as text. */
export function titleOf(markdown) {
  const [, heading = ''] = /^# (.*)$/m.exec(markdown) ?? [];
  return heading.replaceAll('`', '');
}

/** @param {ReadonlySet<string>} pages paths of all that are pages */
function rewritten(path, markdown, pages, pictures) {
  const target = (link) => {
    const own = link.startsWith(REPOSITORY) ? `/${link.slice(REPOSITORY.length)}` : link;
    if (/^[a-z]+:/.test(own) || own.startsWith('#')) return link;
    const [file = '', hash = ''] = own.split(/(?=#)/);
    const found = file.startsWith('/')
      ? file.slice(1)
      : posix.normalize(posix.join(posix.dirname(path), file));
    if (/\.(svg|png|jpg|webp)$/.test(found)) {
      pictures.add(found);
      return posix.relative(posix.dirname(path), found);
    }
    const page = pages.has(found)
      ? found
      : pages.has(`${found.replace(/\/$/, '')}/README.md`)
        ? `${found.replace(/\/$/, '')}/README.md`
        : undefined;
    return page === undefined
      ? `${REPOSITORY}${found}${hash}`
      : `${posix.relative(posix.dirname(path), page)}${hash}`;
  };
  return inProse(markdown, (prose) =>
    prose
      .replaceAll(/^<!--[\s\S]*?-->\n*/gm, '')
      .replaceAll(LINK, (_, before, link, after) => before + target(link) + after),
  );
}

/**
 * Copies the documents to `folder`, which is emptied before.
 *
 * @param {string} folder
 * @param {readonly string[]} paths from the root of the repository
 * @returns {Map<string, string>} their titles by their paths
 */
export function stage(folder, paths) {
  rmSync(folder, { recursive: true, force: true });
  const pages = new Set(paths);
  const pictures = new Set();
  const titles = new Map();
  for (const path of paths) {
    const markdown = readFileSync(join(root, path), 'utf8');
    const title = titleOf(markdown);
    titles.set(path, title);
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      `---\ntitle: ${JSON.stringify(title)}\n---\n\n${withPlainHeadings(rewritten(path, markdown, pages, pictures))}`,
    );
  }
  for (const picture of pictures) {
    if (!existsSync(join(root, picture))) throw new Error(`no picture ${picture}`);
    mkdirSync(dirname(join(folder, picture)), { recursive: true });
    copyFileSync(join(root, picture), join(folder, picture));
  }
  return titles;
}
