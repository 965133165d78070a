/** TypeDoc's default theme with a navigation of our own, and addresses that say where a page is from. */
import { DefaultTheme, KindRouter, ReflectionKind } from 'typedoc';

/** `docs/guides/streams.md` is at `guides/streams.html`, `Rtc` of `sansrtc` at `api/sansrtc/Rtc.html`. */
export function router(sources) {
  return class SiteRouter extends KindRouter {
    getIdealBaseName(reflection) {
      const source = sources.get(reflection);
      if (source !== undefined)
        return source
          .replace(/^docs\//, '')
          .replace(/(^|\/)README\.md$/, '$1index')
          .replace(/\.md$/, '')
          .toLowerCase();
      if (reflection.kind === ReflectionKind.Module) return `api/${reflection.name}`;
      const names = [];
      for (let each = reflection; !each.isProject(); each = each.parent) names.unshift(each.name);
      return `api/${names.join('/')}`.replaceAll(/[^\w./-]/g, '_');
    }
  };
}

/**
 * @param {() => readonly { title: string, pages: readonly import('typedoc').DocumentReflection[] }[]} groups
 * @param {readonly { text: string, path: string }[]} more at the end
 */
export function theme(groups, more) {
  return class SiteTheme extends DefaultTheme {
    buildNavigation(project) {
      const modules = super
        .buildNavigation(project)
        .filter(({ kind }) => kind === ReflectionKind.Module)
        // A title that folds is no link as well: who has no mouse could not reach it. The page is the first below it.
        .map(({ path, kind, ...module }) => ({
          ...module,
          children: [{ text: 'Overview', path, kind }, ...(module.children ?? [])],
        }));
      const documents = groups().map(({ title, pages }) => ({
        text: title,
        children: pages.map((page) => ({
          text: page.name,
          path: this.router.getFullUrl(page),
          kind: page.kind,
        })),
      }));
      const at = documents.findIndex(({ text }) => text === 'Reference') + 1;
      documents.splice(at, 0, { text: 'API', children: modules });
      return [...documents, ...more];
    }
  };
}
