/** Links of a folder of pages: each that stays within it leads to a file that is there, and to an id in it. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';

const unescape = (text) =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<');

/** What a page's links, pictures, scripts and style sheets name. */
function targetsOf(html) {
  const markup = html.replaceAll(/<script\b[^>]*>[\s\S]*?<\/script>/g, (script) =>
    script.slice(0, script.indexOf('>')),
  );
  return [...markup.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, target]) => unescape(target ?? ''));
}

/** What a page may be entered by. */
const idsOf = (html) =>
  new Set([...html.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id]) => unescape(id ?? '')));

/**
 * Dead links of the pages below `folder`, as `page: target`.
 *
 * @param {string} folder
 * @returns {string[]}
 */
export function deadLinks(folder) {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.html'))
    .sort();
  const texts = new Map();
  const ids = new Map();
  const read = (file) => {
    if (!texts.has(file)) texts.set(file, readFileSync(file, 'utf8'));
    return texts.get(file);
  };
  const dead = [];
  for (const page of pages) {
    const from = pathToFileURL(join(folder, page));
    for (const target of new Set(targetsOf(read(fileURLToPath(from))))) {
      const url = URL.canParse(target, from) ? new URL(target, from) : undefined;
      if (url !== undefined && url.protocol !== 'file:') continue;
      let file = url === undefined ? '' : fileURLToPath(new URL(url.pathname, from));
      if (existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html');
      if (!existsSync(file)) {
        dead.push(`${page}: ${target}: no such file`);
        continue;
      }
      const id = decodeURIComponent(url?.hash.slice(1) ?? '');
      if (id === '' || !file.endsWith('.html')) continue;
      if (!ids.has(file)) ids.set(file, idsOf(read(file)));
      if (!ids.get(file).has(id)) dead.push(`${page}: ${target}: no such place`);
    }
  }
  return dead;
}
