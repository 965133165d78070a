/** What TypeDoc's markup lacks for readers without eyes or mouse: landmarks, names, an order of headings, tables that scroll by keys. */
import { PageEvent } from 'typedoc';

/** Headings one below the other: none is more than a level lower than the one before. They look as they did. */
function inOrder(html) {
  let before = 0;
  return html.replaceAll(/<h([1-6])( class="([^"]*)")?([^>]*)>([\s\S]*?)<\/h\1>/g, (whole, level, _, classes, rest, text) => {
    const was = Number(level);
    const is = Math.min(was, before + 1);
    before = is;
    if (is === was) return whole;
    return `<h${is} class="${classes === undefined ? '' : `${classes} `}site-h${was}"${rest}>${text}</h${is}>`;
  });
}

/** @param {string} html */
function improved(html) {
  return inOrder(
    html
      // One main landmark, and a way to it.
      .replace('<div class="col-content">', '<main class="col-content" id="content" tabindex="-1">')
      .replace(
        /<\/div>(\s*)<div class="col-sidebar">/,
        '</main>$1<aside class="col-sidebar" aria-label="Navigation">',
      )
      .replace(/<\/div><\/div>(\s*)<footer>/, '</aside></div>$1<footer>')
      .replace(
        '<header class="tsd-page-toolbar">',
        '<a class="site-skip" href="#content">To the content</a><header class="tsd-page-toolbar">',
      )
      .replace('id="tsd-sidebar-links"', 'id="tsd-sidebar-links" aria-label="Elsewhere"')
      .replace('<nav class="tsd-navigation">', '<nav class="tsd-navigation" aria-label="Site">')
      // Titles of folded parts of the sidebar and of an index are no headings of the page.
      .replaceAll(/<h3>(Settings|On This Page)<\/h3>/g, '<span class="site-h3">$1</span>')
      .replaceAll(
        /<h5 class="tsd-index-heading uppercase">(.*?)<\/h5>/g,
        '<span class="tsd-index-heading uppercase">$1</span>',
      )
      .replaceAll(/<h3 class="(tsd-index-heading[^"]*)"([\s\S]*?)<\/h3>/g, '<h2 class="site-index $1"$2</h2>')
      // A link within what folds and unfolds cannot be reached.
      .replaceAll(/<summary[\s\S]*?<\/summary>/g, (summary) =>
        summary.replaceAll(/<a [^>]*aria-label="Permalink"[\s\S]*?<\/a>/g, ''),
      )
      .replaceAll('<table>', '<div class="site-table" tabindex="0" role="group" aria-label="Table"><table>')
      .replaceAll('</table>', '</table></div>')
  );
}

/** @param {import('typedoc').Application} app */
export function improveMarkup(app) {
  app.renderer.on(PageEvent.END, (page) => {
    if (page.contents !== undefined) page.contents = improved(page.contents);
  });
}
