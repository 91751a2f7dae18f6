import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { Kind, print, type DocumentNode } from 'graphql';
import * as generated from '../sdk/generated/graphql.js';

/**
 * Writes the SDK's operations as a file for PERSISTED_OPERATIONS: SHA-256 to text, just as the SDK sends it. With
 * --check, fails when the file differs instead.
 */
const file = new URL('../sdk/generated/persisted-operations.json', import.meta.url);
const texts = (Object.values(generated) as DocumentNode[])
  .filter((document) => document.definitions.some(({ kind }) => kind === Kind.OPERATION_DEFINITION))
  .map((document) => print(document));
const byHash = Object.fromEntries(texts.map((text) => [createHash('sha256').update(text).digest('hex'), text]).sort());
const written = `${JSON.stringify(byHash, null, 2)}\n`;
if (process.argv.includes('--check')) {
  if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
    process.stderr.write('sdk/generated/persisted-operations.json does not match the SDK: run npm run codegen and commit it.\n');
    process.exit(1);
  }
} else {
  await writeFile(file, written);
}
