/** Types that are read off a list (`(typeof COUNTERS)[number]`) are shown as what they are, the names in it: the lists are no API. */
import { Converter, ReflectionKind } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function resolveNames(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.TypeAlias) return;
    const text = reflection.type?.toString() ?? '';
    if (!text.includes('typeof ')) return;
    const symbol = context.getSymbolFromReflection(reflection);
    if (symbol === undefined) return;
    const type = context.checker.getDeclaredTypeOfSymbol(symbol);
    const members = type.isUnion() ? type.types : [type];
    if (members.every((member) => member.isStringLiteral()))
      reflection.type = context.converter.convertType(context.withScope(reflection), type);
  });
}
