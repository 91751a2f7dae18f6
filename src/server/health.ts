import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import type { Container } from '../container.js';
import { InFlight } from '../lib/in-flight.js';
import { inTime } from '../lib/in-time.js';
import { sameSecret } from '../lib/secrets.js';
import type { EngineState } from '../ml/engine.js';
import type { Metrics } from './metrics.js';

export type Phase = 'starting' | 'ready' | 'draining';

const DATABASE_PATIENCE_MS = 1_000;
/** A consumer of the log that is further behind is worth a look. */
const BEHIND_SECONDS = 60;

export interface Probe {
  phase: Phase;
}

/** `/health`, `/ready` and `/metrics`: for supervisors, load balancers and Prometheus. */
export function addProbes(fastify: FastifyInstance, { config, db, bus, media, consumers, trainings }: Container, schema: GraphQLSchema, metrics: Metrics, probe: Probe): void {
  const started = Date.now();
  const fingerprint = createHash('sha256').update(printSchema(lexicographicSortSchema(schema))).digest('hex').slice(0, 12);
  const asking = new InFlight<Database>();
  const database = () => asking.run('', () => lookAt(db));

  fastify.get('/health', async (_request, reply) => {
    const { reachable, migration } = await database();
    return reply.header('cache-control', 'no-store').send({
      status: reachable ? 'ok' : 'degraded',
      phase: probe.phase,
      database: reachable ? 'ok' : 'away',
      bus: bus.state,
      calls: media.state().state,
      learning: learningState(trainings.engine),
      consumers: consumers.figures().some(({ lag }) => lag > BEHIND_SECONDS) ? 'behind' : 'ok',
      schema: fingerprint,
      migration,
      uptime: Math.floor((Date.now() - started) / 1000),
    });
  });

  fastify.get('/ready', async (_request, reply) => {
    const { reachable } = await database();
    const ready = probe.phase === 'ready' && reachable;
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, phase: probe.phase, database: reachable ? 'ok' : 'away' });
  });

  fastify.get('/metrics', async (request, reply) => {
    if (!mayRead(request, config.METRICS_TOKEN)) {
      return reply.code(403).send({ errors: [{ message: 'Metrics are for this machine, or for holders of METRICS_TOKEN.', extensions: { code: 'FORBIDDEN' } }] });
    }
    return reply.type(metrics.registry.contentType).send(await metrics.text());
  });
}

/** What the engine has turned out to run on; it is looked at when it is first needed. */
const learningState = ({ state, tensors, kernels }: EngineState): string => (state === 'READY' ? `${tensors}, ${kernels}` : state.toLowerCase());

interface Database {
  reachable: boolean;
  /** The newest migration that has run. */
  migration: string | null;
}

async function lookAt(db: Container['db']): Promise<Database> {
  try {
    const [row] = await inTime(db.sql<{ name: string }>('select name from migrations order by id desc limit 1'), DATABASE_PATIENCE_MS);
    return { reachable: true, migration: row?.name ?? null };
  } catch {
    return { reachable: false, migration: null };
  }
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;

function mayRead(request: FastifyRequest, token: string | undefined): boolean {
  if (token) return sameSecret(request.headers.authorization ?? '', `Bearer ${token}`);
  // A proxy on this machine speaks for others: what it passes on does not count as local.
  return LOOPBACK.test(request.socket.remoteAddress ?? '') && request.headers['x-forwarded-for'] === undefined && request.headers.forwarded === undefined;
}
