import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describeMachine } from './system.js';

/** What one system did, by the name of the figure. */
export type Row = Record<string, number>;

const RESULTS = fileURLToPath(new URL('../RESULTS.md', import.meta.url));
const PREFACE = `# Results

Written by \`npm run bench -- … --save\`; each part says when and where. Rates and milliseconds are the machine's mood; CPU for a unit of
work, and ratios within one run, are what can be compared.
`;

const shown = (value: number): string => (Number.isNaN(value) ? '–' : Math.abs(value) >= 1000 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3));

/** One column a system, one line a figure. */
export function tableOf(rows: Record<string, Row>): string {
  const systems = Object.keys(rows);
  const figures = [...new Set(systems.flatMap((system) => Object.keys(rows[system]!)))];
  const lines = figures.map((figure) => `| ${figure} | ${systems.map((system) => (rows[system]![figure] === undefined ? '–' : shown(rows[system]![figure]))).join(' | ')} |`);
  return [`| | ${systems.join(' | ')} |`, `| --- |${systems.map(() => ' ---: |').join('')}`, ...lines].join('\n');
}

/** Puts a part into RESULTS.md in the place of the earlier one of that name. */
export function save(part: string, command: string, body: string): void {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
  const revision = `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', 'src', 'migrations') ? ' with changes' : ''}`;
  const text = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : PREFACE;
  const section = `<!-- ${part} -->\n## ${part}\n\n\`${command}\`, ${new Date().toISOString().slice(0, 10)}, revision ${revision}, on ${describeMachine()}\n\n${body}\n<!-- end of ${part} -->\n`;
  const from = text.indexOf(`<!-- ${part} -->`);
  const endMark = `<!-- end of ${part} -->\n`;
  const to = text.indexOf(endMark);
  writeFileSync(RESULTS, from >= 0 && to > from ? text.slice(0, from) + section + text.slice(to + endMark.length) : `${text}\n${section}`);
}
