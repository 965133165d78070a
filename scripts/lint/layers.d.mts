import type { Rule } from 'eslint';

/** Room → the files, from its folder, by which others may enter it besides its `index.ts`. */
export declare const FACES: Readonly<Record<string, readonly string[]>>;
export declare const layers: Rule.RuleModule;
