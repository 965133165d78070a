import type { Rule } from 'eslint';

/** Room → rooms it may import from. */
export declare const MAY_IMPORT: Readonly<Record<string, readonly string[]>>;

/** Room → the files, from its folder, by which others may enter it besides its `index.ts`. */
export declare const FACES: Readonly<Record<string, readonly string[]>>;
export declare const layers: Rule.RuleModule;
