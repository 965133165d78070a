import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { sansIo } from './scripts/lint/sans-io.mjs';

/** Files at the library's listed edges: the only ones that may see the host. */
const EDGES = ['src/node/**', 'src/crypto/node/**', 'src/certificate.ts'];

const amongTheHost = [
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
  'document',
  'fetch',
  'Promise',
  'Date',
];

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'test/tooling/fixtures/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: ['./tsconfig.json', './tsconfig.node.json'] } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
      // `!` is for index reads under a bound checked before (noUncheckedIndexedAccess makes each read optional);
      // anywhere else it is refused by the selector below.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "TSNonNullExpression:not([expression.type='MemberExpression'][expression.computed=true])",
          message: 'non-null assertions are for index reads alone: narrow the type instead',
        },
      ],
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A class of static members or an empty interface never appears; assertions after a bound check do.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { 'sans-io': sansIo },
    rules: { 'sans-io/layers': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    ignores: EDGES,
    rules: {
      'no-restricted-globals': [
        'error',
        ...amongTheHost.map((name) => ({
          name,
          message: 'the core is sans-IO: this comes from the host (see docs/architecture.md)',
        })),
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [{ regex: '^node:', message: 'only src/node and src/crypto/node may import from Node' }],
        },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "TSNonNullExpression:not([expression.type='MemberExpression'][expression.computed=true])",
          message: 'non-null assertions are for index reads alone: narrow the type instead',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'randomness comes from the injected RandomSource',
        },
        {
          selector: "ThrowStatement > NewExpression[callee.name='Error']",
          message: 'throw an RtcError, with a code',
        },
        { selector: ':function[async=true]', message: 'the core is synchronous' },
        { selector: 'AwaitExpression', message: 'the core is synchronous' },
        { selector: 'ImportExpression', message: 'the core is synchronous' },
        { selector: "MemberExpression[object.name='globalThis']", message: 'the core sees nothing ambient' },
      ],
    },
  },
  {
    // The second listed edge: the platform's cryptographic generator.
    files: ['src/core/random.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts', '*.config.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
);
