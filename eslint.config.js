import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { houseImports } from './scripts/lint/house-imports.mjs';

const NODE_GLOBALS = ['process', 'console', 'URL', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'fetch', 'Buffer', 'performance', 'AbortSignal', 'WebSocket'];

const FOCUSED_TEST = {
  selector: "MemberExpression[object.name=/^(describe|context|suite|it|specify|test)$/][property.name='only']",
  message: 'A focused test silences all others: take the .only away.',
};
const SECRET = '/(secret|token|signature|hmac|password|apiKey|otp|challenge|verifier|hash)$/i';
/** An `input_hash` is none of these: it is of what one has said oneself. */
const HASH_OF_SECRET = '/(^|code|key|password|secret|token)_?hash$/i';
const SECRETS_APART = 'Secrets are compared by timingSafeEqual (src/lib/secrets.ts), of their hashes where the lengths may differ.';
/** How long `===` takes tells how much of a guess is right. (What has no name counts as named 'undefined' here: a call, a property.) */
const COMPARES_SECRETS = ['left', 'right'].flatMap((side) => [`${side}.name`, `${side}.property.name`]).map((name) => ({
  selector: `BinaryExpression[operator=/^[!=]==?$/][${name}=${SECRET}]:not([left.type='Literal']):not([right.type='Literal']):not([right.type='Identifier'][right.name='undefined'])`,
  message: SECRETS_APART,
}));
const COMPARES_HASHES = ['name', 'property.name'].map((name) => ({ selector: `CallExpression[callee.property.name='equals'][callee.object.${name}=${HASH_OF_SECRET}]`, message: SECRETS_APART }));
const READS_ENVIRONMENT = [
  "MemberExpression[object.name='process'][property.name='env']",
  "MemberExpression[object.name='process'][property.value='env']",
  "VariableDeclarator[init.name='process'] > ObjectPattern > Property[key.name='env']",
].map((selector) => ({ selector, message: 'Only src/config.ts reads the environment: take a setting from it, passed in.' }));

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.omnitalk/', 'sdk/generated/', 'src/ml/assembly/', 'src/ml/binary.ts', 'bench/peers/', 'bench/var/', 'bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      'no-restricted-syntax': ['error', FOCUSED_TEST],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])) },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }] },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      // The rules that need types, and are worth their time: a promise that nobody waits for loses its error.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.ts', 'sdk/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    plugins: { house: { rules: { imports: houseImports } } },
    rules: { 'house/imports': 'error', 'no-console': 'error', 'max-lines': ['error', 400] },
  },
  {
    // The SDK runs in browsers too.
    files: ['sdk/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*', 'ws'], message: 'The SDK runs in browsers too: nothing of Node.' }] }],
      'no-restricted-globals': ['error', ...['Buffer', 'process', 'global', 'setImmediate', 'require'].map((name) => ({ name, message: 'The SDK runs in browsers too: nothing of Node.' }))],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.spec.ts', 'src/config.ts'],
    rules: {
      'no-restricted-syntax': ['error', FOCUSED_TEST, ...READS_ENVIRONMENT, ...COMPARES_SECRETS, ...COMPARES_HASHES],
      'no-restricted-imports': ['error', { paths: ['process', 'node:process'].map((name) => ({ name, importNames: ['env'], message: 'Only src/config.ts reads the environment.' })) }],
    },
  },
);
