import { readFileSync } from 'node:fs';

/** Whether this process lives and is a media worker. */
export function isMediaWorker(pid: number): boolean {
  try {
    return /^\d+ \(mediasoup.*\) [^Z]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false; // it has ended
  }
}

/** The media workers that a process has started. */
export function mediaWorkersOf(parent: number = process.pid): number[] {
  return readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean).map(Number).filter(isMediaWorker);
}
