import { readdirSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** Linux accounts CPU time to user space in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

interface ProcessFacts {
  parent: number;
  own: number;
  ofReapedChildren: number;
  residentBytes: number;
}

function factsOf(pid: number): ProcessFacts | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Fields are counted from behind the command's name, which may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    return { parent: fields[1]!, own: fields[11]! + fields[12]!, ofReapedChildren: fields[13]! + fields[14]!, residentBytes: fields[21]! * PAGE_BYTES };
  } catch {
    return null; // ended while we were looking
  }
}

export const parentOf = (pid: number): number => factsOf(pid)?.parent ?? 0;

/** A process and its living descendants. */
function treeOf(root: number): ProcessFacts[] {
  const all = new Map<number, ProcessFacts>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const facts = Number.isInteger(pid) ? factsOf(pid) : null;
    if (facts) all.set(pid, facts);
  }
  return [...all].flatMap(([pid, facts]) => {
    let ancestor = pid;
    while (ancestor > 1 && ancestor !== root) ancestor = all.get(ancestor)?.parent ?? 0;
    return ancestor === root ? [facts] : [];
  });
}

/** CPU seconds of a process, its living descendants, and those of its children that have ended. */
export function cpuOfTree(root: number): number {
  return treeOf(root).reduce((ticks, { own }) => ticks + own, factsOf(root)?.ofReapedChildren ?? 0) / TICKS_PER_SECOND;
}

/** Of a process and its living descendants. */
export const residentBytes = (root: number): number => treeOf(root).reduce((bytes, facts) => bytes + facts.residentBytes, 0);

export function describeMachine(): string {
  const all = cpus();
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux, Node ${process.version}`;
}
