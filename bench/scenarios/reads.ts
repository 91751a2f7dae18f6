import { measured, type Ground } from '../lib/ground.js';
import { LightHttp } from '../lib/light-http.js';
import type { Row } from '../lib/report.js';
import type { ReadsTarget } from '../targets/target.js';

export const READS = { chats: 1_000, messages: 60, page: 50, reactions: 2, concurrency: 32, warmUp: 3_000, requests: 5_000, rounds: 3 };

/** Pages of 50 messages with senders and reactions, over so many chats that nobody's cache of answers would help. */
export async function runReads(ground: Ground, target: ReadsTarget, profile?: string): Promise<Row> {
  const connections = await Promise.all(Array.from({ length: READS.concurrency }, () => LightHttp.open(target.port)));
  const head = LightHttp.head(target.port, target.path, target.headers);
  const latencies: number[] = [];
  let bytes = 0;
  let asked = 0;
  const ask = (requests: number) => {
    const last = asked + requests;
    return Promise.all(
      connections.map(async (connection) => {
        while (asked < last) {
          // A stride that visits every chat, never one twice in a row.
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
    for (const body of target.bodies.slice(0, 5)) {
      const { messages, senders, reactions } = target.count(await connections[0]!.post(head, body));
      if (messages !== READS.page || senders !== READS.page || reactions !== READS.page * READS.reactions) throw new Error(`an answer shows ${messages} messages, ${senders} senders, ${reactions} reactions`);
    }
    await ask(READS.warmUp);
    latencies.length = 0;
    if (profile) await target.server.startProfile();
    const rounds = [];
    for (let round = 0; round < READS.rounds; round++) rounds.push(await measured(ground, target.server, () => ask(READS.requests)));
    if (profile) await target.server.endProfile(profile);
    const cost = rounds.sort((a, b) => a.server - b.server)[Math.floor(rounds.length / 2)]!;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      'requests/s': READS.requests / cost.seconds,
      'server CPU ms / request': (cost.server / READS.requests) * 1e3,
      'database CPU ms / request': (cost.database / READS.requests) * 1e3,
      'both, ms / request': ((cost.server + cost.database) / READS.requests) * 1e3,
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
