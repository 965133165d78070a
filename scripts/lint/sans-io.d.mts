import type { Linter } from 'eslint';

/** The rules of src/, as blocks of a flat configuration: layering, core, and the core's one edge. */
export declare const sansIo: readonly (Linter.Config & { readonly rules: Linter.RulesRecord })[];
export declare const indexReadsOnly: { readonly selector: string; readonly message: string };
