import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Of 19 that there are: such a thread still gets its share where nobody is served. */
const NICE = 10;

/**
 * For a thread that works beside the one that serves people: whenever both could run, the other goes first. On Linux, where a thread has a priority of its own (`setpriority(2)`) and its number stands in /proc;
 * elsewhere nothing is done. To be called in the thread itself; the threads that it starts inherit it.
 */
export function stepBack(): void {
  let thread: string;
  try {
    thread = readlinkSync('/proc/thread-self');
  } catch {
    return; // not Linux
  }
  setPriority(Number(thread.slice(thread.lastIndexOf('/') + 1)), NICE);
}
