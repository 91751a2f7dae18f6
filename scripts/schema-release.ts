// What partners were promised. `npm run schema:check` compares the schema with the last release's and fails for what would break a client of it;
// `npm run schema:release` makes today's schema the released one, with an entry in the changelog and the reference anew.
import { readFile, writeFile } from 'node:fs/promises';
import { buildSchema } from 'graphql';
import { changelog, judge, reference } from './lib/schema-changes.js';

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const RELEASED = at('docs/schema/released.graphql');
const CHANGELOG = at('docs/schema/CHANGELOG.md');
const TITLE = '# What has changed in the API\n\nWritten by `npm run schema:release`; the newest first.\n\n';

const today = new Date().toISOString().slice(0, 10);
const text = await readFile(at('schema.graphql'), 'utf8');
const now = buildSchema(text);
const before = await readFile(RELEASED, 'utf8').catch(() => null);
const verdict = before === null ? { breaking: [], undated: [], all: [] } : await judge(buildSchema(before), now, today);
const problems = [
  ...verdict.breaking.map(({ message }) => `breaks clients of the release: ${message}`),
  ...verdict.undated.map((path) => `is deprecated without a date: ${path} (write "Until 2027-01-31: use …")`),
];
if (process.argv.includes('--check')) {
  if (problems.length) {
    process.stderr.write(`The schema ${problems.join('\nThe schema ')}\nDeprecate first, with a date; what was deprecated may go when its date is over. docs/PARTNERS.md says how.\n`);
    process.exit(1);
  }
} else {
  if (verdict.breaking.length && !process.argv.includes('--break')) {
    process.stderr.write(`The schema ${problems.join('\nThe schema ')}\nTo release it all the same, and say so in the changelog: npm run schema:release -- --break\n`);
    process.exit(1);
  }
  const { version } = JSON.parse(await readFile(at('package.json'), 'utf8')) as { version: string };
  const older = (await readFile(CHANGELOG, 'utf8').catch(() => TITLE)).slice(TITLE.length);
  const entry = before === null ? `## ${version}, ${today}\n\nThe first release.\n\n` : changelog(version, today, verdict);
  await writeFile(CHANGELOG, `${TITLE}${entry}${older}`.trimEnd() + '\n');
  await writeFile(RELEASED, text);
  await writeFile(at('docs/schema/REFERENCE.md'), reference(now).trimEnd() + '\n');
}
