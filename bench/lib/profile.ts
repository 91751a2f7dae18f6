import { readFileSync } from 'node:fs';

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

export interface SelfTime {
  what: string;
  ms: number;
  /** Of the time in which the process did anything. */
  share: number;
}

/** The functions of a .cpuprofile by the time spent in themselves, longest first. */
export function selfTimes(file: string): SelfTime[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times = new Map<string, number>();
  let busy = 0;
  samples.forEach((id, index) => {
    const { functionName, url, lineNumber } = byId.get(id)!.callFrame;
    if (functionName === '(idle)' || functionName === '(root)') return;
    const ms = (timeDeltas[index + 1] ?? 0) / 1000;
    busy += ms;
    const place = url.replace(/^file:\/\//, '').replace(/^.*\/(dist|node_modules)\//, '');
    const what = `${functionName || '(anonymous)'}${place ? ` ${place}:${lineNumber + 1}` : ''}`;
    times.set(what, (times.get(what) ?? 0) + ms);
  });
  return [...times].map(([what, ms]) => ({ what, ms, share: ms / busy })).sort((a, b) => b.ms - a.ms);
}

export function topOf(file: string, count: number): string {
  return selfTimes(file)
    .slice(0, count)
    .map(({ what, ms, share }) => `${(share * 100).toFixed(1).padStart(5)} % ${ms.toFixed(0).padStart(7)} ms  ${what}`)
    .join('\n');
}
