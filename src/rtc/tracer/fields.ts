/**
 * Fields: how plain data stands in JSON, member by member: the table of a type's fields writes it, reads it back and says where
 * a file departs from it. JSON has neither bytes nor infinity: bytes are hexadecimal, infinite times are `null`.
 */
import type { Bytes } from '../../core/bytes.ts';
import { NO_BYTES } from '../../core/bytes.ts';
import { RtcError } from '../../core/errors.ts';
import { fromHex, toHex } from '../../core/text.ts';

/** A trace that cannot be read, or cannot be used as asked: an `RtcError` (`ERR_TRACE`), thrown at the call that was given it. */
export class TraceRefusal extends RtcError {
  /** Line of the file, from 1; `undefined` when the trouble is with the whole. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super('ERR_TRACE', line === undefined ? message : `line ${line}: ${message}`);
    this.name = 'TraceRefusal';
    this.line = line;
  }
}

/** How one type is written to JSON and read back. */
export interface Field<T> {
  write(value: T): unknown;
  /** Throws a `TraceRefusal` naming `path` for anything else than `write` gives. */
  read(json: unknown, path: string): T;
}

/** One field for every member of `T`, in the order in which they are written. */
export type Fields<T> = { readonly [Key in keyof T]-?: Field<T[Key]> };

/** Text, as it is. */
export const text: Field<string> = field('text', (json) => (typeof json === 'string' ? json : undefined));

/** `true` or `false`. */
export const flag: Field<boolean> = field('true or false', (json) =>
  typeof json === 'boolean' ? json : undefined,
);

/** A whole number from 0. */
export const count: Field<number> = field('a whole number from 0', (json) =>
  Number.isSafeInteger(json) && Number(json) >= 0 ? Number(json) : undefined,
);

/** Milliseconds. */
export const time: Field<number> = field('a time', (json) => (typeof json === 'number' ? json : undefined));

/** Milliseconds, or `Infinity` for never. */
export const deadline: Field<number> = {
  write: (value) => (value === Infinity ? null : value),
  read: (json, path) => (json === null ? Infinity : time.read(json, path)),
};

/** Bytes, as hexadecimal. */
export const bytes: Field<Bytes> = {
  write: toHex,
  read: (json, path) => {
    const value = typeof json === 'string' ? fromHex(json) : undefined;
    return value ?? mismatch(path, 'bytes in hexadecimal', json);
  },
};

/** What an application sends: bytes, or text within an object that says so. */
export const payload: Field<string | Uint8Array> = {
  write: (value) => (typeof value === 'string' ? { text: value } : toHex(value)),
  read: (json, path) => {
    if (typeof json === 'string') return bytes.read(json, path);
    return text.read(members(json, path)['text'], `${path}.text`);
  },
};

/** Plain data of the API's own types, whose constructor checks it when it is used. */
export function plain<T>(): Field<T> {
  return {
    write: tagged,
    read: (json, path) => {
      if (json === undefined) mismatch(path, 'a value', json);
      return revive(json) as T;
    },
  };
}

/** Tags the numbers that JSON does not have. */
const NUMBER = '$number';
/** Tags bytes, as hexadecimal. */
const BYTES = '$bytes';

function tagged(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { [NUMBER]: String(value) };
  if (value instanceof Uint8Array) return { [BYTES]: toHex(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(tagged);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, tagged(member)]));
}

function revive(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(revive);
  if (NUMBER in json) return Number(json[NUMBER]);
  if (BYTES in json && typeof json[BYTES] === 'string') return fromHex(json[BYTES]) ?? NO_BYTES;
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, revive(member)]));
}

/** One of these values, and no other. */
export function oneOf<T extends string | number>(...values: readonly T[]): Field<T> {
  const expected = values.map((value) => JSON.stringify(value)).join(' or ');
  return field(expected, (json) => values.find((value) => value === json));
}

/** A member that may be missing. */
export function optional<T>(inner: Field<T>): Field<T | undefined> {
  return {
    write: (value) => (value === undefined ? undefined : inner.write(value)),
    read: (json, path) => (json === undefined ? undefined : inner.read(json, path)),
  };
}

/** A member that is left out where it is `usual`: files from before there was another have none. */
export function unlessUsual<T>(inner: Field<T>, usual: T): Field<T> {
  return {
    write: (value) => (value === usual ? undefined : inner.write(value)),
    read: (json, path) => (json === undefined ? usual : inner.read(json, path)),
  };
}

/**
 * An object with these members: all of `T`'s that are not optional must be there, others in the file are passed over.
 */
export function object<T extends object>(fields: Fields<T>): Field<T> {
  return {
    write: (value) =>
      Object.fromEntries(entriesOf(fields).map(([name, inner]) => [name, inner.write(value[name])])),
    read: (json, path) => {
      const given = members(json, path);
      const value: Partial<T> = {};
      for (const [name, inner] of entriesOf(fields)) {
        const member = inner.read(
          given[String(name)],
          path === '' ? String(name) : `${path}.${String(name)}`,
        );
        if (member !== undefined) value[name] = member;
      }
      return value as T;
    },
  };
}

/** The variants of a union, told apart by the text in member `tag`, which is written first. */
export function variants<Tag extends string, T extends Readonly<Record<Tag, string>>>(
  tag: Tag,
  fields: { readonly [Name in T[Tag]]: Fields<Omit<Extract<T, Readonly<Record<Tag, Name>>>, Tag>> },
): Field<T> {
  const table = new Map<unknown, Field<object>>(
    Object.entries<Fields<object>>(fields).map(([name, inner]) => [name, object(inner)]),
  );
  return {
    write: (value) => ({ [tag]: value[tag], ...(table.get(value[tag])?.write(value) as object) }),
    read: (json, path) => {
      const given = members(json, path);
      const inner = table.get(given[tag]);
      if (inner === undefined)
        return mismatch(path === '' ? tag : `${path}.${tag}`, 'one of the known', given[tag]);
      return { [tag]: given[tag], ...inner.read(json, path) } as T;
    },
  };
}

function field<T>(expected: string, check: (json: unknown) => T | undefined): Field<T> {
  return {
    write: (value) => value,
    read: (json, path) => check(json) ?? mismatch(path, expected, json),
  };
}

function entriesOf<T extends object>(fields: Fields<T>): [keyof T, Field<T[keyof T]>][] {
  return Object.entries(fields) as [keyof T, Field<T[keyof T]>][];
}

function members(json: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  return mismatch(path === '' ? 'entry' : path, 'an object', json);
}

/** Longest piece of a file that an error quotes, in characters. */
const QUOTED = 40;

function mismatch(path: string, expected: string, json: unknown): never {
  const got = json === undefined ? 'nothing' : JSON.stringify(json);
  throw new TraceRefusal(
    `"${path}" expected ${expected}, got ${got.length > QUOTED ? `${got.slice(0, QUOTED)}…` : got}`,
  );
}
