import { readFile, writeFile } from 'node:fs/promises';
import { describeSettings } from '../src/config.js';

/** Writes the table of settings in docs/OPERATIONS.md from src/config.ts; with --check, fails when it differs instead. */
const file = new URL('../docs/OPERATIONS.md', import.meta.url);
const SECTION = /(?<=^## Settings\n\n)[\s\S]*?(?=\n## )/m;

const rows = describeSettings().map(({ name, fallback, meaning }) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning.replaceAll('|', '\\|')} |`);
const table = ['All by environment; an empty value counts as not set. Wrong ones are all named at the start, and end it. `npm run docs:settings` writes this table.', '', '| Name | Default | What it is for |', '| --- | --- | --- |', ...rows, ''].join('\n');

const before = await readFile(file, 'utf8');
if (!SECTION.test(before)) throw new Error('docs/OPERATIONS.md has no section "## Settings".');
const after = before.replace(SECTION, () => table);
if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write('The table of settings in docs/OPERATIONS.md is out of step: run npm run docs:settings and commit it.\n');
    process.exit(1);
  }
} else {
  await writeFile(file, after);
}
