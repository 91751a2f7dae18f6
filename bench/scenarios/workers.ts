import type { Ground } from '../lib/ground.js';
import { startRedis } from '../lib/redis.js';
import type { Row } from '../lib/report.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';
import { PAIRS, ROOM, runFanout, type FanoutShape } from './fanout.js';

const SHAPES: [name: string, shape: FanoutShape][] = [['room', ROOM], ['pairs', PAIRS]];
const WORKERS = [1, 2];

/** What a unit of work costs with one process and with two, on the same Redis: the price of all cores. */
export async function runWorkers(ground: Ground, inbox: boolean): Promise<Record<string, Row>> {
  const redis = await startRedis();
  const rows: Record<string, Row> = {};
  try {
    for (const [name, shape] of SHAPES) {
      for (const workers of WORKERS) {
        const target = await OmniTalkTarget.start(ground, { inbox, settings: { REDIS_URL: redis.url, WORKERS: String(workers) } });
        try {
          const before = redis.cpu();
          const row = await runFanout(ground, target, shape);
          const messages = shape.warmUp + shape.messages * shape.rounds + shape.paced;
          rows[`${name}, WORKERS=${workers}`] = { ...row, 'Redis CPU ms / message': ((redis.cpu() - before) / messages) * 1e3 };
        } finally {
          await target.stop();
        }
      }
    }
  } finally {
    await redis.stop();
  }
  return rows;
}
