import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Rules that need types want a file that TypeScript knows; the snippets of the other rules stand in files that don't exist. */
const withoutTypes = new ESLint({
  cwd: root,
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-misused-promises': 'off',
      '@typescript-eslint/await-thenable': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'off',
    },
  },
});
const withTypes = new ESLint({ cwd: root });

async function brokenRules(eslint: ESLint, file: string, code: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: `${root}${file}` });
  return result!.messages.map((message) => (message.fatal ? message.message : message.ruleId));
}

interface Case {
  law: string;
  rule: string;
  eslint?: ESLint;
  bad: [file: string, code: string][];
  good: [file: string, code: string][];
}

const use = (specifier: string): string => `import * as it from '${specifier}';\nexport const used = it;\n`;
const useType = (specifier: string): string => `export type { It } from '${specifier}';\n`;
/** Some real file of src, for the rules that need types. */
const known = 'src/db/process-identity.ts';

const CASES: Case[] = [
  {
    law: 'secrets are compared in a time that tells nothing',
    rule: 'no-restricted-syntax',
    bad: [
      ['src/services/codes.ts', 'export const same = (given: string, secret: string) => given === secret;\n'],
      ['src/services/codes.ts', 'export const other = (row: { refreshToken: string }, given: string) => row.refreshToken !== given;\n'],
      ['src/services/codes.ts', 'export const wrong = (row: { challenge: string }, given: string) => row.challenge !== given;\n'],
      ['src/services/codes.ts', 'export const wrong = (row: { challenge: string }, given: string) => row.challenge !== given.trim();\n'],
      ['src/services/codes.ts', 'export const changed = (row: { passwordHash: string }, given: string) => given !== row.passwordHash;\n'],
      ['src/services/codes.ts', 'export const found = (row: { codeHash: Buffer }, hash: Buffer) => row.codeHash.equals(hash);\n'],
      ['src/services/codes.ts', 'export const found = (rows: { hash: Buffer }[], hash: Buffer) => rows.some((row) => hash.equals(row.hash));\n'],
    ],
    good: [
      ['src/services/codes.ts', `export const none = (secret: string | null | undefined) => secret === null || secret === undefined || secret === '';\n`],
      ['src/services/codes.ts', 'export const same = (a: string, b: string) => a === b;\n'],
      ['src/services/codes.ts', 'export const again = (row: { input_hash: Buffer }, input: Buffer) => row.input_hash.equals(input);\n'],
    ],
  },
  {
    law: 'a lower layer never imports a higher one',
    rule: 'house/imports',
    bad: [
      ['src/services/chat.ts', use('../resolvers/chat.js')],
      ['src/services/loaders/chat.ts', use('../../server/context.js')],
      ['src/resolvers/chat.ts', use('../server/http.js')],
      ['src/services/chat.ts', use('../jobs/thumbnails.js')],
      ['src/server/http.ts', use('../container.js')],
      ['src/services/chat.ts', useType('../container.js')],
      ['src/services/chat.ts', `export const later = () => import('../resolvers/chat.js');\n`],
      ['src/services/chat.ts', `export * from '../schema/chat.js';\n`],
      ['src/services/chat.ts', `export type Chat = import('../schema/chat.js').Chat;\n`],
      ['src/db/pages.ts', use('../services/chat.js')],
      ['src/lib/clock.ts', use('../db/database.js')],
      ['src/storage/s3.ts', use('../db/database.js')],
    ],
    good: [
      ['src/server/http.ts', use('../resolvers/chat.js')],
      ['src/server/http.ts', useType('../container.js')],
      ['src/resolvers/chat.ts', use('../services/chat.js')],
      ['src/resolvers/chat.ts', use('../schema/chat.js')],
      ['src/services/chat.ts', use('../policies/chat.js')],
      ['src/services/loaders/chat.ts', use('../../db/loaders.js')],
      ['src/services/chat.ts', use('./member.js')],
      ['src/storage/s3.ts', use('../lib/logger.js')],
      ['src/container.ts', use('./server/http.js')],
      ['src/main.ts', use('./container.js')],
    ],
  },
  {
    law: 'jobs call services',
    rule: 'house/imports',
    bad: [['src/jobs/thumbnails.ts', use('../resolvers/media.js')]],
    good: [['src/jobs/thumbnails.ts', use('../services/media.js')]],
  },
  {
    law: 'services know no GraphQL',
    rule: 'house/imports',
    bad: ['graphql', 'type-graphql', '@apollo/server', '@apollo/server/errors', 'graphql-scalars', 'graphql/error/index.js'].map((name) => ['src/services/chat.ts', use(name)]),
    good: [
      ['src/services/chat.ts', use('typeorm')],
      ['src/resolvers/chat.ts', use('type-graphql')],
      ['src/schema/chat.ts', use('graphql-scalars')],
      ['src/server/http.ts', use('@apollo/server')],
    ],
  },
  {
    law: 'the edge knows no TypeORM, so no @Entity stands in schema/',
    rule: 'house/imports',
    bad: [
      ['src/resolvers/chat.ts', use('typeorm')],
      ['src/schema/chat.ts', `import { Entity } from 'typeorm';\n@Entity()\nexport class Chat {}\n`],
    ],
    good: [['src/entities/chat.ts', `import { Entity } from 'typeorm';\n@Entity()\nexport class Chat {}\n`]],
  },
  {
    law: 'no @ObjectType stands in entities/',
    rule: 'house/imports',
    bad: [['src/entities/chat.ts', use('type-graphql')]],
    good: [['src/schema/chat.ts', use('type-graphql')]],
  },
  {
    law: 'media and ml import lib alone',
    rule: 'house/imports',
    bad: [
      ['src/media/room.ts', use('../db/database.js')],
      ['src/media/room.ts', useType('../config.js')],
      ['src/media/room.ts', use('typeorm')],
      ['src/ml/clusters.ts', use('../entities/message.js')],
      ['src/ml/clusters.ts', use('graphql')],
    ],
    good: [
      ['src/media/room.ts', use('../lib/logger.js')],
      ['src/media/room.ts', use('mediasoup')],
      ['src/ml/clusters.ts', use('@tensorflow/tfjs')],
    ],
  },
  {
    law: 'only events/ and server/limits touch Redis',
    rule: 'house/imports',
    bad: [
      ['src/services/chat.ts', use('ioredis')],
      ['src/server/http.ts', use('ioredis')],
      ['src/services/chat.ts', use('graphql-redis-subscriptions')],
      ['src/resolvers/chat.ts', use('graphql-redis-subscriptions')],
      ['src/server/http.ts', use('rate-limiter-flexible')],
    ],
    good: [
      ['src/events/redis-bus.ts', use('ioredis')],
      ['src/events/redis-bus.ts', use('graphql-redis-subscriptions')],
      ['src/server/limits.ts', use('rate-limiter-flexible')],
      ['src/server/limits/redis.ts', use('ioredis')],
    ],
  },
  {
    law: 'media knows no database and no GraphQL, and nobody else knows mediasoup',
    rule: 'house/imports',
    bad: [
      ['src/services/calls/calls.ts', use('mediasoup')],
      ['src/media/room.ts', use('../db/database.js')],
      ['src/media/room.ts', use('graphql')],
    ],
    good: [
      ['src/media/room.ts', use('mediasoup')],
      ['src/services/calls/calls.ts', use('../../media/contract.js')],
    ],
  },
  {
    law: 'mails leave by messaging/',
    rule: 'house/imports',
    bad: [
      ['src/services/recovery.ts', use('nodemailer')],
      ['src/messaging/smtp.ts', use('../db/database.js')],
    ],
    good: [
      ['src/messaging/smtp.ts', use('nodemailer')],
      ['src/services/recovery.ts', useType('../messaging/messaging.js')],
    ],
  },
  {
    law: 'traces are made by the server',
    rule: 'house/imports',
    bad: [['src/db/database.ts', use('@opentelemetry/api')]],
    good: [['src/server/tracing.ts', use('@opentelemetry/api')]],
  },
  {
    law: 'requests to what others have addressed leave by outbound/',
    rule: 'house/imports',
    bad: [
      ['src/services/news/feeds.ts', use('undici')],
      ['src/push/web-push.ts', use('undici')],
      ['src/services/learning/trainer.ts', use('@tensorflow/tfjs')],
      ['src/outbound/outbound.ts', use('../db/database.js')],
    ],
    good: [
      ['src/outbound/outbound.ts', use('undici')],
      ['src/push/web-push.ts', use('../outbound/outbound.js')],
      ['src/services/news/feeds.ts', use('../../outbound/outbound.js')],
    ],
  },
  {
    law: 'policies import lib, and entities as types',
    rule: 'house/imports',
    bad: [
      ['src/policies/chat.ts', use('../entities/chat.js')],
      ['src/policies/chat.ts', use('../db/database.js')],
    ],
    good: [
      ['src/policies/chat.ts', useType('../entities/chat.js')],
      ['src/policies/chat.ts', use('../lib/errors.js')],
    ],
  },
  {
    law: 'the SDK imports nothing of src',
    rule: 'house/imports',
    bad: [
      ['sdk/client.ts', use('../src/lib/ids.js')],
      ['sdk/calls/peer.ts', useType('../../src/schema/call.js')],
    ],
    good: [['sdk/calls/peer.ts', use('../client.js')]],
  },
  {
    law: 'the SDK imports nothing of Node: it runs in browsers too',
    rule: 'no-restricted-imports',
    bad: [
      ['sdk/client.ts', use('node:crypto')],
      ['sdk/connection.ts', use('ws')],
    ],
    good: [
      ['sdk/connection.ts', use('graphql-ws')],
      ['sdk/client.spec.ts', use('node:net')],
    ],
  },
  {
    law: 'nor does it use what Node alone has',
    rule: 'no-restricted-globals',
    bad: [['sdk/client.ts', `export const bytes = Buffer.from('x');\n`]],
    good: [['sdk/client.ts', `export const text = atob('eA');\n`]],
  },
  {
    law: 'only src/config.ts reads the environment',
    rule: 'no-restricted-syntax',
    bad: [
      ['src/server/http.ts', 'export const port = process.env.PORT;\n'],
      ['src/server/http.ts', `export const port = process['env'].PORT;\n`],
      ['src/server/http.ts', 'const { env } = process;\nexport const port = env.PORT;\n'],
    ],
    good: [
      ['src/config.ts', 'export const port = process.env.PORT;\n'],
      ['test/testkit/app.ts', 'export const url = process.env.TEST_DATABASE_URL;\n'],
    ],
  },
  {
    law: 'nor is the environment imported',
    rule: 'no-restricted-imports',
    bad: [['src/server/http.ts', `import { env } from 'node:process';\nexport const port = env.PORT;\n`]],
    good: [['src/server/http.ts', `import { pid } from 'node:process';\nexport const own = pid;\n`]],
  },
  {
    law: 'no focused tests',
    rule: 'no-restricted-syntax',
    bad: [
      ['test/e2e/chat.spec.ts', `it.only('works', () => undefined);\n`],
      ['src/lib/clock.spec.ts', `describe.only('clock', () => undefined);\n`],
    ],
    good: [['test/e2e/chat.spec.ts', `it('works', () => undefined);\n`]],
  },
  {
    law: 'no unused variables',
    rule: '@typescript-eslint/no-unused-vars',
    bad: [['src/lib/clock.ts', 'const left = 1;\nexport {};\n']],
    good: [['src/lib/clock.ts', 'export const first = (_left: number, right: number) => right;\n']],
  },
  {
    law: 'no explicit any',
    rule: '@typescript-eslint/no-explicit-any',
    bad: [['src/lib/clock.ts', 'export const now: any = 1;\n']],
    good: [['src/lib/clock.ts', 'export const now: unknown = 1;\n']],
  },
  {
    law: 'the server logs through its logger',
    rule: 'no-console',
    bad: [['src/services/chat.ts', `console.log('sent');\n`]],
    good: [['scripts/print-schema.ts', `console.log('type Query');\n`]],
  },
  {
    law: 'a file stays short enough to read',
    rule: 'max-lines',
    bad: [['src/services/chat.ts', 'export {};\n'.repeat(401)]],
    good: [['src/services/chat.ts', 'export {};\n'.repeat(400)]],
  },
  {
    law: 'every promise is waited for',
    rule: '@typescript-eslint/no-floating-promises',
    eslint: withTypes,
    bad: [[known, 'export function send(): void {\n  Promise.resolve();\n}\n']],
    good: [[known, 'export function send(): void {\n  void Promise.resolve();\n}\n']],
  },
  {
    law: 'a promise is never a condition',
    rule: '@typescript-eslint/no-misused-promises',
    eslint: withTypes,
    bad: [[known, 'export const both = (one: Promise<boolean>): number => (one ? 1 : 0);\n']],
    good: [[known, 'export const both = async (one: Promise<boolean>): Promise<number> => ((await one) ? 1 : 0);\n']],
  },
];

describe('lint rules', function () {
  this.timeout(120_000);

  for (const { law, rule, eslint = withoutTypes, bad, good } of CASES) {
    it(law, async () => {
      for (const [file, code] of bad) assert.deepEqual(await brokenRules(eslint, file, code), [rule], `${file} should break it:\n${code}`);
      for (const [file, code] of good) assert.deepEqual(await brokenRules(eslint, file, code), [], `${file} should keep it:\n${code}`);
    });
  }
});
