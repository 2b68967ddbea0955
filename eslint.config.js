// Flat configuration of eslint 9, run by `make lint`. The packages live below build/, where
// Node's own search from this folder would not find them.
import { createRequire } from 'node:module';

const require = createRequire(new URL('./build/package.json', import.meta.url));
const js = require('@eslint/js');
const globals = require('globals');

const rules = {
  'array-callback-return': 'error',
  'consistent-return': 'error',
  curly: ['error', 'multi-line'],
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-constructor-return': 'error',
  'no-else-return': 'error',
  'no-eval': 'error',
  'no-implicit-globals': 'error',
  'no-implied-eval': 'error',
  'no-new-func': 'error',
  'no-param-reassign': 'error',
  'no-promise-executor-return': 'off',
  'no-restricted-properties': ['error',
    { property: 'innerHTML', message: 'text reaches the page through textContent or lit-html' },
    { property: 'outerHTML', message: 'text reaches the page through textContent or lit-html' },
    { property: 'insertAdjacentHTML', message: 'text reaches the page through textContent' }],
  'no-self-compare': 'error',
  'no-shadow': 'error',
  'no-template-curly-in-string': 'error',
  'no-throw-literal': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
  'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'prefer-promise-reject-errors': 'error',
};

export default [
  { ignores: ['build/**', 'public_html/vendor/**', '**/node_modules/**'] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2022, sourceType: 'module' },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules,
  },
  {
    files: ['public_html/**/*.js'],
    languageOptions: { globals: { ...globals.browser } },
  },
  {
    // The SDK touches no DOM: `document` is no global there.
    files: ['public_html/klatch/**/*.js'],
    languageOptions: { globals: { document: 'off' } },
    rules: { 'no-console': 'error' },
  },
  {
    files: ['public_html/sw.js', 'public_html/**/*-worker.js'],
    languageOptions: { globals: { ...globals.serviceworker } },
  },
  {
    // Tests also hold functions that run inside the page.
    files: ['tests/**/*.{js,mjs}', 'deploy/**/*.{js,mjs}', '*.{js,mjs}'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
    rules: {
      'no-restricted-properties': 'off',
      'no-param-reassign': 'off',
      'consistent-return': 'off',
    },
  },
];
