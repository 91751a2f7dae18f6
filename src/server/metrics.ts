import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type Aggregator } from 'prom-client';
import type { Container } from '../container.js';
import type { ConsumerFigures } from '../events/log-consumers.js';
import type { OperationDone, OperationObserver } from './operations.js';

/** What the real-time side tells when it is asked. */
export interface RealtimeFigures {
  sockets(): number;
  eventStreams(): number;
  subscriptions(): number;
  groups(): number;
  /** Results handed to subscribers since the start, and their bytes. */
  deliveries(): { count: number; bytes: number };
  redisReady(): boolean | null;
}

/** One figure with its values, as it goes between processes. */
export type Figure = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number];

/** The processes that serve together on one port: whichever is asked for figures answers for all. */
export interface Box {
  /** Says how this process is read. */
  readBy(read: () => Promise<Figure[]>): void;
  /** The figures of all, in Prometheus' text format. */
  figures(): Promise<string>;
}

/** How often the delay of the event loop is sampled, milliseconds: each sample wakes an idle server up. */
const LOOP_SAMPLES_MS = 100;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Codes that are our fault or our lack of room; all others are the caller's. */
const SERVER_FAULTS = new Set(['INTERNAL', 'UNAVAILABLE', 'OVERLOADED']);

/** The figures of one process, in Prometheus' text format. Labels have few values each: nothing that a client sends becomes one. */
export class Metrics implements OperationObserver {
  readonly registry = new Registry();
  readonly #operations: Histogram<'transport' | 'kind' | 'outcome'>;
  readonly #requests: Counter<'method' | 'status'>;

  readonly #box: Box | null;

  constructor({ db, hub, bus, sendQueue, box, media, consumers, jobs: { pushes } }: Pick<Container, 'db' | 'hub' | 'bus' | 'sendQueue' | 'box' | 'media' | 'consumers' | 'jobs'>, realtime: RealtimeFigures) {
    const registers = [this.registry];
    this.#box = box;
    box?.readBy(() => this.registry.getMetricsAsJSON());
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: LOOP_SAMPLES_MS });
    this.#operations = new Histogram({
      name: 'omnitalk_operation_duration_seconds',
      help: 'Operations answered, by transport, kind and outcome (ok, refused: the caller’s fault, failed: ours)',
      labelNames: ['transport', 'kind', 'outcome'],
      buckets: SECONDS,
      registers,
    });
    this.#requests = new Counter({ name: 'omnitalk_http_requests_total', help: 'HTTP requests answered, by method and class of status', labelNames: ['method', 'status'], registers });
    // Of several processes gauges are added up, but what must hold in each is as in the worst.
    const gauge = (name: string, help: string, read: () => number, aggregator: Aggregator = 'sum') =>
      new Gauge({
        name: `omnitalk_${name}`,
        help,
        registers,
        aggregator,
        collect() {
          this.set(read());
        },
      });
    const counter = (name: string, help: string, read: () => number) =>
      new Counter({
        name: `omnitalk_${name}`,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    gauge('websockets', 'WebSocket connections', () => realtime.sockets());
    gauge('event_streams', 'Server-Sent Events connections', () => realtime.eventStreams());
    gauge('subscriptions', 'Running operations of all connections', () => realtime.subscriptions());
    gauge('render_groups', 'Distinct subscriptions: each event is executed once for each that gets it', () => realtime.groups());
    gauge('live_streams', 'Streams of events that this process follows', () => hub.liveStreams);
    counter('deliveries_total', 'Results handed to subscribers', () => realtime.deliveries().count);
    counter('delivered_bytes_total', 'Bytes of results handed to subscribers', () => realtime.deliveries().bytes);
    gauge('send_queue_size', 'Messages waiting to be written', () => sendQueue.size);
    counter('send_batches_total', 'Batches in which messages were written', () => sendQueue.written.batches);
    counter('send_batched_messages_total', 'Messages in those batches', () => sendQueue.written.messages);
    counter('db_statements_total', 'Statements outside transactions', () => db.statements);
    counter('replica_statements_total', 'Statements that replicas answered', () => db.replicas?.figures.replica ?? 0);
    counter('replica_fallbacks_total', 'Statements that the primary answered as no replica could', () => db.replicas?.figures.primary ?? 0);
    gauge('db_connections', 'Connections to PostgreSQL', () => db.poolState().total);
    gauge('db_connections_idle', 'Connections to PostgreSQL that wait for work', () => db.poolState().idle);
    gauge('db_waiting', 'Callers that wait for a connection to PostgreSQL', () => db.poolState().waiting);
    gauge('bus_healthy', 'Whether the bus between processes works', () => Number(bus.healthy), 'min');
    gauge('bus_by_postgres', 'Whether what Redis would carry goes through PostgreSQL', () => Number(bus.state === 'by-postgres'), 'max');
    gauge('media_workers', 'Media workers that run', () => media.rooms().workers);
    gauge('media_rooms', 'Calls whose media is here', () => media.rooms().rooms);
    gauge('media_peers', 'Participants seated in them', () => media.rooms().peers);
    gauge('media_consumers', 'Streams sent out to participants', () => media.rooms().consumers);
    gauge('media_borrowed', 'Producers that are piped here from other nodes', () => media.rooms().borrowed);
    gauge('media_lent', 'Producers that are piped to other nodes', () => media.rooms().lent);
    const ofConsumers = (name: string, help: string, read: (figures: ConsumerFigures) => number, aggregator: Aggregator | null) => {
      const options = { name: `omnitalk_consumer_${name}`, help, labelNames: ['consumer'] as const, registers };
      if (aggregator) new Gauge({ ...options, aggregator, collect() { for (const figures of consumers.figures()) this.set({ consumer: figures.name }, read(figures)); } });
      else new Counter({ ...options, collect() { this.reset(); for (const figures of consumers.figures()) this.inc({ consumer: figures.name }, read(figures)); } });
    };
    ofConsumers('lag_seconds', 'How long the oldest event has waited that a consumer of the log has not taken', (figures) => figures.lag, 'max');
    ofConsumers('held', 'Processes that work for a consumer of the log: 1, or 0 while it changes hands', (figures) => Number(figures.held), 'sum');
    ofConsumers('events_total', 'Events that a consumer of the log has taken', (figures) => figures.taken, null);
    ofConsumers('failures_total', 'Failures of a consumer of the log; its events come again', (figures) => figures.failed, null);
    ofConsumers('set_aside_total', 'Events that a consumer of the log has set aside; see log_consumer_failures', (figures) => figures.setAside, null);
    gauge('pushes_sending', 'Pushes that are being sent', () => pushes.sending);
    new Counter({
      name: 'omnitalk_pushes_total',
      help: 'Pushes by what became of them: sent, refused by their service, retried, gone with their subscription, expired before they could be sent, dropped as nobody wanted them any more',
      labelNames: ['outcome'],
      registers,
      collect() {
        this.reset();
        for (const [outcome, count] of Object.entries(pushes.figures)) this.inc({ outcome }, count);
      },
    });
    new Gauge({
      name: 'omnitalk_push_queue_size',
      help: 'Pushes that wait, of all processes',
      registers,
      aggregator: 'max',
      async collect() {
        // While the database is away this figure stays, and the others are told all the same.
        await pushes.waiting().then((waiting) => this.set(waiting), () => undefined);
      },
    });
    gauge('limits_shared', 'Whether limits are counted for all processes together (1) or in this one (0)', () => Number(realtime.redisReady() ?? false), 'min');
  }

  operation({ caller, kind, code, milliseconds }: OperationDone): void {
    const outcome = code === null ? 'ok' : SERVER_FAULTS.has(code) ? 'failed' : 'refused';
    this.#operations.observe({ transport: caller.transport, kind, outcome }, milliseconds / 1000);
  }

  request(method: string, status: number): void {
    this.#requests.inc({ method: METHODS.has(method) ? method : 'other', status: `${Math.floor(status / 100)}xx` });
  }

  /** Of all processes on this port. */
  text(): Promise<string> {
    return this.#box ? this.#box.figures() : this.registry.metrics();
  }

  close(): void {
    this.registry.clear();
  }
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'OPTIONS']);
