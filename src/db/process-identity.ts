import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a process with this id runs, whoever owns it. One that has ended and that its parent has not asked after yet (a zombie) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !hasEnded(pid);
}

/** Field 3 of proc(5) stat, behind the command's name in brackets: Z is a zombie, X is dead. Unknown where there is no /proc. */
function hasEnded(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/**
 * A text that tells this process from a later one that was given the same number: its start time.
 * Empty where it can't be learned (the process has gone, or the system has neither /proc nor ps).
 */
export async function startTimeOf(pid: number): Promise<string> {
  try {
    // Field 22 of proc(5) stat; the second field, the command's name, may hold spaces and brackets.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return run('ps', ['-o', 'lstart=', '-p', String(pid)]).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  }
}

/**
 * Whether this process works in this folder; undefined when that can't be seen. A postmaster's working folder is always its data folder.
 */
export async function worksIn(pid: number, folder: string): Promise<boolean | undefined> {
  const wanted = await realpath(folder);
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === wanted;
  } catch {
    const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
    if (stdout.trim() === '') return isAlive(pid) ? undefined : false;
    return stdout.includes(folder) || stdout.includes(wanted);
  }
}

/** Waits until the process has gone; false when it is still there after `milliseconds`. */
export async function waitForEnd(pid: number, milliseconds: number): Promise<boolean> {
  const deadline = Date.now() + milliseconds;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}
