/** A copy of plain data: arrays and own members, each leaf (text, number, bytes, …) as `leaf` gives it back. */
export function mapPlain<T>(value: T, leaf: (value: unknown, key: string) => unknown, key = ''): T {
  return map(value, leaf, key) as T;
}

function map(value: unknown, leaf: (value: unknown, key: string) => unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return leaf(value, key);
  if (Array.isArray(value)) return value.map((item: unknown) => map(item, leaf, key));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, map(member, leaf, name)]));
}
