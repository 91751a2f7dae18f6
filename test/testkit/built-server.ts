import { transform } from '@swc/core';
import { globSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let built: Promise<string> | null = null;

/**
 * The server as it is deployed: JavaScript, made once a run. One that is started from its sources translates each of them anew, which takes
 * most of the time until it serves; a fault that kills servers then waits for the translator. Answers the file to run.
 */
export const builtServer = (): Promise<string> => (built ??= build());

async function build(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'omnitalk-built-'));
  // What a run leaves in the folder for temporary files, specs count: it goes with the process.
  cleanups.push(folder);
  const sources = globSync(['src/**/*.ts', 'migrations/*.ts', 'ormconfig.ts'], { cwd: ROOT, exclude: ['**/*.spec.ts', 'src/ml/assembly/**'] }).filter((file) => !file.endsWith('.spec.ts'));
  for (const file of sources) {
    const { code } = await transform(await readFile(join(ROOT, file), 'utf8'), {
      filename: join(ROOT, file),
      swcrc: false,
      module: { type: 'es6' },
      jsc: {
        target: 'es2023',
        keepClassNames: true,
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false, verbatimModuleSyntax: true },
      },
    });
    const target = join(folder, file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code);
  }
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'src/main.js');
}

const cleanups: string[] = [];

/** At the end of a run. */
export async function removeBuilt(): Promise<void> {
  for (const folder of cleanups.splice(0)) await rm(folder, { recursive: true, force: true });
  built = null;
}
