/**
 * The house rules of src/ as ESLint configuration: the layering, and what the core must not see or do. No rule here
 * needs types, so that test/tooling can run them on files that break each of them.
 */
import { layers } from './layers.mjs';

/** Files at the library's listed edges: the only ones that may see the host. */
const EDGES = ['src/node/**', 'src/cli/**', 'src/streams/**', 'src/crypto/node/**', 'src/certificate.ts'];

/** The second listed edge: it reads the platform's cryptographic generator, and nothing else. */
const PLATFORM_RANDOM = 'src/core/random.ts';

/** It asks whether the engine has WebAssembly: the same results either way, and nothing else of the host. */
const PLATFORM_WEBASSEMBLY = 'src/crypto/kernel/kernel.ts';

const AMBIENT = [
  'Buffer',
  'process',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'console',
  'window',
  'self',
  'global',
  'document',
  'navigator',
  'fetch',
  'TextEncoder',
  'TextDecoder',
  'structuredClone',
  'Promise',
  'Date',
];

/** `!` is for index reads under a bound checked before; `noUncheckedIndexedAccess` makes each of them optional. */
export const indexReadsOnly = {
  selector: "TSNonNullExpression:not([expression.type='MemberExpression'][expression.computed=true])",
  message: 'non-null assertions are for index reads alone: narrow the type instead',
};

const FORBIDDEN_SYNTAX = [
  indexReadsOnly,
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'randomness comes from the injected RandomSource',
  },
  {
    selector:
      'ThrowStatement > :matches(NewExpression, CallExpression)[callee.name=/^(?!RtcError$)([A-Z]\\w*)?Error$/]',
    message: 'throw an RtcError, with a code',
  },
  { selector: ':function[async=true]', message: 'the core is synchronous' },
  { selector: 'AwaitExpression', message: 'the core is synchronous' },
  { selector: 'ImportExpression', message: 'the core is synchronous' },
];

function restrictedGlobals(names) {
  return [
    'error',
    ...names.map((name) => ({
      name,
      message: 'the core is sans-IO: this comes from the host (see docs/architecture.md)',
    })),
  ];
}

export const sansIo = [
  {
    name: 'sans-io/layers',
    files: ['src/**/*.ts'],
    plugins: { 'sans-io': { rules: { layers } } },
    rules: { 'sans-io/layers': 'error' },
  },
  {
    name: 'sans-io/core',
    files: ['src/**/*.ts'],
    ignores: EDGES,
    rules: {
      'no-restricted-globals': restrictedGlobals([...AMBIENT, 'globalThis']),
      'no-restricted-syntax': ['error', ...FORBIDDEN_SYNTAX],
    },
  },
  {
    name: 'sans-io/platform',
    files: [PLATFORM_RANDOM, PLATFORM_WEBASSEMBLY],
    rules: { 'no-restricted-globals': restrictedGlobals(AMBIENT) },
  },
];
