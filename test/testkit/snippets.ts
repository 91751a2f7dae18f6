import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const DEFAULT_URL = 'http://127.0.0.1:4000';
export const PATIENCE = { timeout: 30_000 };

/** The fenced blocks of one language in one section of a document. */
export function blocks(document: string, heading: string, language: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const from = text.indexOf(`${heading}\n`);
  if (from < 0) throw new Error(`${document} has no section ${heading}`);
  const after = text.slice(from + heading.length);
  const end = after.search(/^##/m);
  const body = end < 0 ? after : after.slice(0, end);
  return [...body.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```$', 'gm'))].map((match) => match[1]!);
}

/** The snippet, for a server that runs elsewhere than documents say. */
export function at(url: string, snippet: string): string {
  if (!snippet.includes(DEFAULT_URL)) throw new Error('the snippet does not name the default address');
  return snippet.replaceAll(DEFAULT_URL, url);
}

/** What a snippet prints that stands beside the sources, since it imports the SDK by its place. */
export async function printed(snippet: string): Promise<string> {
  const file = join(ROOT, `talk.snippet-${process.pid}.ts`);
  await writeFile(file, snippet);
  try {
    return (await run(process.execPath, ['--import', './scripts/register.mjs', file], { cwd: ROOT, ...PATIENCE })).stdout;
  } finally {
    await rm(file);
  }
}
