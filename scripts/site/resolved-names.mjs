/** Types that are read off a list (`(typeof COUNTERS)[number]`) are shown as what they are, the names in it: the lists are no API. */
import { Converter, LiteralType, ReflectionKind, UnionType } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function resolveNames(app) {
  const names = new Map();
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (reflection.kind !== ReflectionKind.TypeAlias) return;
    const symbol = context.getSymbolFromReflection(reflection);
    if (symbol === undefined) return;
    const type = context.checker.getDeclaredTypeOfSymbol(symbol);
    const members = type.isUnion() ? type.types : [type];
    if (members.every((member) => member.isStringLiteral()))
      names.set(
        reflection,
        members.map((member) => member.value),
      );
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, () => {
    for (const [reflection, values] of names) {
      if (!(reflection.type?.toString() ?? '').includes('typeof ')) continue;
      const literals = values.map((value) => new LiteralType(value));
      reflection.type = literals.length === 1 ? literals[0] : new UnionType(literals);
    }
  });
}
