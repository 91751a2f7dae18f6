import type { ServerProcess } from './server-process.js';
import { measured, type Ground } from './ground.js';
import { LightHttp } from './light-http.js';
import type { Row } from './report.js';

/** A system that answers with pages. */
export interface PagesTarget {
  readonly server: ServerProcess;
  readonly port: number;
  readonly path: string;
  readonly headers: Record<string, string>;
  /** Bodies of requests, asked in turn. */
  readonly bodies: string[];
  stop(): Promise<void>;
}

export interface PagesShape {
  concurrency: number;
  warmUp: number;
  requests: number;
  rounds: number;
}

/** Asks for pages, so many at a time, after `check` has seen a few answers. CPU is that of the round in the middle. */
export async function measurePages(ground: Ground, target: PagesTarget, shape: PagesShape, check: (body: Buffer) => void, profile?: string): Promise<Row> {
  const connections = await Promise.all(Array.from({ length: shape.concurrency }, () => LightHttp.open(target.port)));
  const head = LightHttp.head(target.port, target.path, target.headers);
  const latencies: number[] = [];
  let bytes = 0;
  let asked = 0;
  const ask = (requests: number) => {
    const last = asked + requests;
    return Promise.all(
      connections.map(async (connection) => {
        while (asked < last) {
          // A stride that visits all, never one twice in a row.
          const body = target.bodies[(asked++ * 389) % target.bodies.length]!;
          const began = performance.now();
          const answer = await connection.post(head, body);
          latencies.push(performance.now() - began);
          if (answer.indexOf('"errors"') >= 0) throw new Error(answer.toString().slice(0, 500));
          bytes = answer.length;
        }
      }),
    );
  };
  try {
    for (const body of target.bodies.slice(0, 5)) check(await connections[0]!.post(head, body));
    await ask(shape.warmUp);
    latencies.length = 0;
    if (profile) await target.server.startProfile();
    const rounds = [];
    for (let round = 0; round < shape.rounds; round++) rounds.push(await measured(ground, target.server, () => ask(shape.requests)));
    if (profile) await target.server.endProfile(profile);
    const cost = rounds.sort((a, b) => a.server - b.server)[Math.floor(rounds.length / 2)]!;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      'requests/s': shape.requests / cost.seconds,
      'server CPU ms / request': (cost.server / shape.requests) * 1e3,
      'database CPU ms / request': (cost.database / shape.requests) * 1e3,
      'both, ms / request': ((cost.server + cost.database) / shape.requests) * 1e3,
      'p50 ms': sorted[Math.floor(sorted.length * 0.5)]!,
      'p99 ms': sorted[Math.floor(sorted.length * 0.99)]!,
      'answer KB': bytes / 1e3,
      'client CPU share': cost.client / cost.seconds,
      'resident MB': target.server.resident() / 1e6,
    };
  } finally {
    for (const connection of connections) connection.close();
  }
}
