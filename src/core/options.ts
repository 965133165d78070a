/**
 * Options objects, judged in one place: every public constructor and function that takes one asks here first, before
 * anything changes. A table has one rule for each key of the option's type, so the compiler misses the rule of a key that
 * was forgotten; keys without a rule are refused by name, for a misspelt option would else be the default in silence.
 *
 *   const RULES: OptionRules<SctpOptions> = { mtu: integer(512, 65_532), interleaving: flag, … }
 *   checkOptions('SctpAssociation', options, RULES)
 *     "SctpAssociation" has no option "interleave"; did you mean "interleaving"?
 *     "mtu" expected an integer from 512 to 65532, got NaN
 *
 * An option that is left out or `undefined` has its default; `required` refuses that too. What is used after the call is copied
 * (`ownOptions`): what the caller changes afterwards does not count.
 */
import { copyBytes } from './bytes.ts';
import { badArgument, RtcError } from './errors.ts';

/** Judges one value. Throws `ERR_BAD_ARGUMENT` with `name`, the option's path (`gates.sctpConnect`), in the sentence. */
export interface OptionRule {
  (value: unknown, name: string): void;
  /** Asked also where the option is left out. */
  readonly isRequired?: true;
}

/** One rule for every key of `T`. */
export type OptionRules<T> = { readonly [Name in keyof T]-?: OptionRule };

/** What to say of options that other libraries have, by name: a sentence after `"Rtc" has no option "iceServers": …`. */
export type OptionHints = ReadonlyMap<string, string>;

/**
 * Throws `ERR_BAD_ARGUMENT` unless `options` is an object with keys of `rules` alone, each with a value that will do.
 * @param owner who takes them, for the sentence: `Rtc`, `createChannel`
 */
export function checkOptions<T>(
  owner: string,
  options: unknown,
  rules: OptionRules<T>,
  hints?: OptionHints,
): void {
  judge(owner, '', options, rules, hints);
}

/**
 * As `checkOptions`, for data that may say more than is read here: a candidate, an address. Keys without a rule are not
 * looked at.
 */
export function checkFields<T>(owner: string, value: unknown, rules: OptionRules<T>): void {
  judgeValues(`${owner}.`, objectOf(owner, 'an object', value), rules);
}

/** A rule for such data inside of something else. */
export function fields<T>(rules: OptionRules<T>): OptionRule {
  return (value, name) => {
    checkFields(name, value, rules);
  };
}

/** A rule for an object of options inside another one. */
export function nested<T>(rules: OptionRules<T>): OptionRule {
  return (value, name) => {
    judge(name, `${name}.`, value, rules, undefined);
  };
}

/** The rules without those of `names`: for an owner that decides these itself. */
export function without<T, Name extends keyof T>(
  rules: OptionRules<T>,
  ...names: readonly Name[]
): OptionRules<Omit<T, Name>> {
  const left = Object.entries<OptionRule>(rules).filter(([name]) => !names.includes(name as Name));
  return Object.fromEntries(left) as unknown as OptionRules<Omit<T, Name>>;
}

/** `given` over `defaults`; what is `undefined` there has its default too. */
export function withDefaults<T extends object>(
  defaults: T,
  given: { readonly [Name in keyof T]?: T[Name] | undefined } | undefined,
): T {
  const chosen = { ...defaults };
  for (const key in given) if (given[key] !== undefined) chosen[key] = given[key];
  return chosen;
}

/**
 * A copy of options that nobody changes any more: lists, bytes and plain objects all the way down, frozen. What has functions (a clock, a
 * budget) and instances of classes are the caller's own, as they are.
 */
export function ownOptions<T extends object>(options: T): T {
  return isPlain(options) ? frozenCopy(options) : options;
}

function frozenCopy<T extends object>(object: T): T {
  const members = Object.entries(object).map(([name, member]) => [name, owned(member)] as const);
  return Object.freeze(Object.fromEntries(members)) as T;
}

function owned(value: unknown): unknown {
  if (isBytes(value)) return copyBytes(value);
  if (Array.isArray(value)) return Object.freeze(value.map(owned));
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  const hasFunctions = Object.values(value).some((member) => typeof member === 'function');
  return hasFunctions ? value : frozenCopy(value);
}

/** Made by `{}`, here or in another realm. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The rules of `names` alone. */
export function only<T, Name extends keyof T>(
  rules: OptionRules<T>,
  ...names: readonly Name[]
): OptionRules<Pick<T, Name>> {
  return Object.fromEntries(names.map((name) => [name, rules[name]])) as unknown as OptionRules<
    Pick<T, Name>
  >;
}

function judge(
  owner: string,
  path: string,
  options: unknown,
  rules: Readonly<Record<string, OptionRule>>,
  hints: OptionHints | undefined,
): void {
  const given = objectOf(owner, 'an object of options', options);
  for (const key in given) if (!Object.hasOwn(rules, key)) throw unknownOption(owner, key, rules, hints);
  judgeValues(path, given, rules);
}

function objectOf(owner: string, expected: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badArgument(owner, expected, value);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** By rule and not by key: an option may come from a getter of a class, which no loop over keys shows. */
function judgeValues(
  path: string,
  given: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, OptionRule>>,
): void {
  for (const key in rules) {
    const value = given[key];
    const rule = rules[key];
    if (rule !== undefined && (value !== undefined || rule.isRequired === true)) rule(value, path + key);
  }
}

function unknownOption(
  owner: string,
  key: string,
  rules: Readonly<Record<string, OptionRule>>,
  hints: OptionHints | undefined,
): RtcError {
  const hint = hints?.get(key);
  const near = hint === undefined ? nearest(key, Object.keys(rules)) : undefined;
  const advice = hint !== undefined ? `: ${hint}` : near === undefined ? '' : `; did you mean "${near}"?`;
  const shown = JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
  return new RtcError('ERR_BAD_ARGUMENT', `"${owner}" has no option ${shown}${advice}`);
}

// --- rules ---

/** A whole number from `min` to `max`. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule {
  return (value, name) => {
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `${min} up` : `${min} to ${max}`;
      throw badArgument(name, `an integer from ${range}`, value);
    }
  };
}

/** A number from `min` to `max`; `Infinity` only where `max` is. */
export function number(min: number, max: number = Number.MAX_VALUE): OptionRule {
  return (value, name) => {
    if (typeof value !== 'number' || !(value >= min && value <= max)) {
      const range = max >= Number.MAX_VALUE ? `${min} up` : `${min} to ${max}`;
      throw badArgument(name, `a number from ${range}`, value);
    }
  };
}

/** A wait in milliseconds, above 0; `Infinity` for no end. */
export const wait: OptionRule = (value, name) => {
  if (typeof value !== 'number' || !(value > 0)) {
    throw badArgument(name, 'milliseconds above 0', value);
  }
};

/** `true` or `false`, and nothing that passes for either. */
export const flag: OptionRule = (value, name) => {
  if (typeof value !== 'boolean') throw badArgument(name, 'true or false', value);
};

/** Text of `min` to `max` characters. */
export function text(min: number = 0, max: number = Infinity): OptionRule {
  return (value, name) => {
    if (typeof value !== 'string' || value.length < min || value.length > max) {
      const length = max === Infinity ? '' : ` of ${min} to ${max} characters`;
      throw badArgument(name, `a string${length}`, value);
    }
  };
}

/** One of these strings. */
export function oneOf(values: readonly string[]): OptionRule {
  return (value, name) => {
    if (typeof value !== 'string' || !values.includes(value)) {
      throw badArgument(name, values.map((one) => JSON.stringify(one)).join(', '), value);
    }
  };
}

/** An array, each element of which `rule` takes; `min` of them at least. */
export function listOf(rule: OptionRule, min: number = 0): OptionRule {
  return (value, name) => {
    if (!Array.isArray(value)) throw badArgument(name, 'an array', value);
    if (value.length < min) throw badArgument(name, `at least ${min} of them`, value.length);
    for (const [index, element] of value.entries()) rule(element, `${name}[${index}]`);
  };
}

/** A function; what it takes and answers cannot be seen from here. */
export const callback: OptionRule = (value, name) => {
  if (typeof value !== 'function') throw badArgument(name, 'a function', value);
};

/** Bytes, of this realm or another one. */
export const bytes: OptionRule = (value, name) => {
  if (!isBytes(value)) throw badArgument(name, 'a Uint8Array', value);
};

/** An object that has these functions; `what` it is, for people. */
export function having(what: string, methods: readonly string[]): OptionRule {
  return (value, name) => {
    // Arrays have a fill(), too, and mean something else by it.
    const isObject = typeof value === 'object' || typeof value === 'function';
    if (!isObject || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
      throw badArgument(name, what, value);
    }
    const object = value as Readonly<Record<string, unknown>>;
    const missing = methods.find((method) => typeof object[method] !== 'function');
    if (missing !== undefined) throw badArgument(name, `${what} with ${missing}()`, value);
  };
}

/** This value, or what `rule` takes. */
export function or(constant: unknown, rule: OptionRule): OptionRule {
  return (value, name) => {
    if (value !== constant) rule(value, name);
  };
}

/** As `rule`, and it may not be left out. */
export function required(rule: OptionRule): OptionRule {
  return Object.assign((value: unknown, name: string) => rule(value, name), { isRequired: true as const });
}

/** True for a `Uint8Array`, of this realm or another one. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

// --- what was meant ---

/** The known name that one contains the other of, or that is at most a third of its letters away. */
function nearest(key: string, known: readonly string[]): string | undefined {
  if (key.length > 40) return undefined;
  const wanted = key.toLowerCase();
  let best: string | undefined;
  let least = Infinity;
  for (const name of known) {
    const other = name.toLowerCase();
    const contained =
      Math.min(wanted.length, other.length) >= 4 && (wanted.includes(other) || other.includes(wanted));
    const distance = contained ? 0.5 : editDistance(wanted, other);
    if (distance < least && distance <= Math.max(1, Math.floor(other.length / 3))) {
      best = name;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein's: letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, replaced));
    }
    row = next;
  }
  return row[b.length]!;
}
