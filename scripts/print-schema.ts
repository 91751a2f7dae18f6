import { readFile, writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaForPrinting } from '../src/resolvers/build-schema.js';

/** Writes schema.graphql; with --check, fails when it differs from the code instead. */
const file = new URL('../schema.graphql', import.meta.url);
const printed = `${printSchema(lexicographicSortSchema(buildSchemaForPrinting()))}\n`;
if (process.argv.includes('--check')) {
  if ((await readFile(file, 'utf8').catch(() => '')) !== printed) {
    process.stderr.write('schema.graphql does not match the code: run npm run schema and commit it.\n');
    process.exit(1);
  }
} else {
  await writeFile(file, printed);
}
