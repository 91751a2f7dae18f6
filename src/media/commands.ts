import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

const KEPT_LINES = 40;
/** Has the kernel end the command with us, even when we are killed: an orphaned build would work on beside the next one. */
export const TIED = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : [];

/**
 * Runs a command to its end, with nothing on its standard input.
 * @throws CommandFailed with the last lines that it wrote; the signal's reason when it was aborted
 */
export async function run(command: string[], options: { signal?: AbortSignal; onLine?: (line: string) => void } = {}): Promise<string> {
  const [program, ...args] = [...TIED, ...command];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], ...(options.signal ? { signal: options.signal } : {}) });
  const lines: string[] = [];
  let rest = '';
  const read = (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop()!;
    for (const line of parts) {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      options.onLine?.(line);
    }
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  options.signal?.throwIfAborted();
  if (rest) lines.push(rest);
  if (code !== 0) throw new CommandFailed(`\`${command.join(' ')}\` failed (${code}):\n${lines.join('\n')}`);
  return lines.join('\n');
}

/** Whether a command answers at all. */
export async function has(program: string, versionFlag = '--version'): Promise<boolean> {
  return run([program, versionFlag]).then(
    () => true,
    () => false,
  );
}
