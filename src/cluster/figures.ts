import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { InFlight } from '../lib/in-flight.js';
import type { Figure } from '../server/metrics.js';
import type { FromPrimary, FromWorker } from './talk.js';

/** Ours are added up; Node's own tell of one process each, and an average would hide the one that is in trouble. */
const OURS = 'omnitalk_';
const GROWING = new Set(['counter', 'histogram']);
/** Who does not answer within this stands in the sum with what it said last. */
const PATIENCE_MS = 1_000;

interface Reached {
  send(message: FromPrimary): void;
  last: Figure[];
}

/** The figures of all processes on one port as one text. Totals never fall: what a worker had counted when it died stays in them. */
export class BoxFigures {
  readonly #own = new Registry();
  readonly #workers = new Map<number, Reached>();
  /** Who has not yet answered, by question. */
  readonly #open = new Map<number, { left: Set<number>; done(): void }>();
  readonly #reading = new InFlight<string>();
  #questions = 0;
  /** What workers that are gone had counted, as far as they were asked. */
  #past: Figure[] = [];

  constructor(state: () => { alive: number; deaths: number }) {
    const registers = [this.#own];
    collectDefaultMetrics({ register: this.#own });
    new Gauge({ name: `${OURS}workers`, help: 'Processes that serve on this port', registers, collect() { this.set(state().alive); } });
    new Counter({ name: `${OURS}worker_deaths_total`, help: 'Processes that died and were replaced', registers, collect() { this.reset(); this.inc(state().deaths); } });
  }

  joined(number: number, send: (message: FromPrimary) => void): void {
    this.#workers.set(number, { send, last: [] });
  }

  /** Its gauges go with it. */
  left(number: number): void {
    const counted = this.#workers.get(number)?.last.filter(({ name, type }) => name.startsWith(OURS) && GROWING.has(String(type))) ?? [];
    this.#workers.delete(number);
    this.#past.push(...counted);
    for (const id of this.#open.keys()) this.#answered(id, number);
  }

  hear(number: number, message: Extract<FromWorker, { id: number }>): void {
    const worker = this.#workers.get(number);
    if (!worker) return;
    if (message.kind === 'figures-read') {
      worker.last = message.figures;
      this.#answered(message.id, number);
    } else {
      void this.#reading.run('', () => this.text()).then((text) => worker.send({ kind: 'figures', id: message.id, text }));
    }
  }

  async text(): Promise<string> {
    await this.#ask();
    // Many deaths make one entry again.
    this.#past = await AggregatorRegistry.aggregate([this.#past]).getMetricsAsJSON();
    const own = await this.#own.getMetricsAsJSON();
    const all = [this.#past, ours(own), ofOne(own, 'primary'), ...[...this.#workers].flatMap(([number, { last }]) => [ours(last), ofOne(last, String(number))])];
    return AggregatorRegistry.aggregate(all).metrics();
  }

  #ask(): Promise<void> {
    const id = ++this.#questions;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve();
      };
      const timer = setTimeout(done, PATIENCE_MS);
      this.#open.set(id, { left: new Set(this.#workers.keys()), done });
      for (const { send } of this.#workers.values()) send({ kind: 'read-figures', id });
    });
  }

  #answered(id: number, number: number): void {
    const open = this.#open.get(id);
    if (open?.left.delete(number) && !open.left.size) open.done();
  }
}

const ours = (figures: Figure[]): Figure[] => figures.filter(({ name }) => name.startsWith(OURS));

const ofOne = (figures: Figure[], worker: string): Figure[] =>
  figures
    .filter(({ name }) => !name.startsWith(OURS))
    .map((figure) => ({ ...figure, aggregator: 'sum', values: figure.values.map((value) => ({ ...value, labels: { worker, ...value.labels } })) }));
