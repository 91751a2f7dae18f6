import { readFile, writeFile } from 'node:fs/promises';
import { buildSchema } from 'graphql';
import { compareScopes, scopesPage } from './lib/scopes-page.js';

/** Writes docs/schema/SCOPES.md from the tables of scopes, and names the entries that they lack; with --check, fails when the page differs instead. */
const file = new URL('../docs/schema/SCOPES.md', import.meta.url);
const schema = buildSchema(await readFile(new URL('../schema.graphql', import.meta.url), 'utf8'));
const { missing, stale } = compareScopes(schema);
if (missing.length) process.stderr.write(`No app may have these, and a spec fails, until src/policies/field-scopes.ts and type-scopes.ts have a line for each:\n  ${missing.join('\n  ')}\n`);
if (stale.length) process.stderr.write(`The schema has none of these; take their lines out of src/policies/field-scopes.ts or type-scopes.ts:\n  ${stale.join('\n  ')}\n`);
const page = scopesPage(schema);
if (process.argv.includes('--check')) {
  if (missing.length || stale.length || (await readFile(file, 'utf8').catch(() => '')) !== page) {
    process.stderr.write('docs/schema/SCOPES.md is out of step with the schema and the tables of scopes: run npm run docs:scopes and commit it.\n');
    process.exit(1);
  }
} else {
  await writeFile(file, page);
}
