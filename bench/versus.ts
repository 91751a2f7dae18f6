import type { Ground } from './lib/ground.js';
import { startRedis } from './lib/redis.js';
import { tableOf, type Row } from './lib/report.js';
import { PAIRS, ROOM, runFanout, type FanoutShape } from './scenarios/fanout.js';
import { runCatalogue, type CataloguePage } from './scenarios/catalogue.js';
import { runReads } from './scenarios/reads.js';
import { startCatalogue, startVendure } from './targets/catalogues.js';
import { startReads } from './targets/omnitalk-reads.js';
import { OmniTalkTarget } from './targets/omnitalk.js';
import { startApollo, startApolloReads, startCoalescedWs, startGraphqlWs, startPostGraphileReads, startRawWs, startSocketIo } from './targets/peers.js';
import type { FanoutTarget } from './targets/target.js';

interface Contender {
  name: string;
  run(ground: Ground): Promise<Row>;
}

const fanoutOf = (name: string, shape: FanoutShape, start: (ground: Ground) => Promise<FanoutTarget>): Contender => ({
  name,
  async run(ground) {
    const target = await start(ground);
    try {
      return await runFanout(ground, target, shape);
    } finally {
      await target.stop();
    }
  },
});

const readsOf = (name: string, start: typeof startReads): Contender => ({
  name,
  async run(ground) {
    const target = await start(ground);
    try {
      return await runReads(ground, target);
    } finally {
      await target.stop();
    }
  },
});

const catalogueOf = (name: string, page: CataloguePage, start: ReturnType<typeof startCatalogue>): Contender => ({
  name,
  async run(ground) {
    const target = await start(ground);
    try {
      return await runCatalogue(ground, target, page);
    } finally {
      await target.stop();
    }
  },
});
const catalogueContenders = (page: CataloguePage): Contender[] => [catalogueOf('Vendure', page, startVendure(page)), catalogueOf('OmniTalk', page, startCatalogue(page))];

function fanoutContenders(shape: FanoutShape, redisUrl: string): Contender[] {
  return [
    fanoutOf('raw ws', shape, startRawWs),
    fanoutOf('OmniTalk', shape, (ground) => OmniTalkTarget.start(ground)),
    fanoutOf('OmniTalk, inbox', shape, (ground) => OmniTalkTarget.start(ground, { inbox: true })),
    fanoutOf('raw ws, coalesced', shape, startCoalescedWs),
    fanoutOf('Socket.IO + Redis', shape, startSocketIo(redisUrl)),
    fanoutOf('Apollo, naive', shape, startApollo),
  ];
}

/** One room whose subscribers don't all ask the same. */
function documentContenders(): Contender[] {
  return [
    fanoutOf('raw ws', ROOM, startRawWs),
    fanoutOf('OmniTalk', ROOM, (ground) => OmniTalkTarget.start(ground)),
    fanoutOf('five documents', ROOM, (ground) => OmniTalkTarget.start(ground, { documents: 5 })),
    fanoutOf('one in five personal', ROOM, (ground) => OmniTalkTarget.start(ground, { personal: true })),
    fanoutOf('graphql-ws', ROOM, startGraphqlWs),
  ];
}

export const VERSUS = ['room', 'documents', 'pairs', 'reads', 'catalogue', 'catalogue-search'] as const;
export type Versus = (typeof VERSUS)[number];

/** The figure by which contenders are compared: CPU for one unit of work. */
const COMPARED: Record<Versus, string> = { room: 'server CPU s / 100k deliveries', documents: 'server CPU s / 100k deliveries', pairs: 'server CPU ms / message', reads: 'both, ms / request', catalogue: 'both, ms / request', 'catalogue-search': 'both, ms / request' };

/**
 * Runs everybody in turn, on one database, as often as there are rounds, and every second round in the reverse order: what the
 * machine's mood does to one, it does to all. The first contender is what the others are compared with, round by round;
 * with `only`, those of these names alone are run beside it.
 */
export async function runVersus(ground: Ground, what: Versus, rounds: number, only: string[] | null): Promise<string> {
  const redis = what === 'room' || what === 'pairs' ? await startRedis() : null;
  try {
    const all = {
      room: () => fanoutContenders(ROOM, redis!.url),
      documents: documentContenders,
      pairs: () => fanoutContenders(PAIRS, redis!.url),
      reads: () => [readsOf('PostGraphile 5', startPostGraphileReads), readsOf('OmniTalk', startReads), readsOf('Apollo, naive', startApolloReads)],
      catalogue: () => catalogueContenders('list'),
      'catalogue-search': () => catalogueContenders('search'),
    }[what]();
    const contenders = only ? all.filter(({ name }, index) => index === 0 || only.includes(name)) : all;
    const results = new Map<string, Row[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 ? contenders.toReversed() : contenders) {
        const row = await contender.run(ground);
        console.log(`${what}, round ${round + 1}: ${contender.name}: ${row[COMPARED[what]]!.toFixed(3)} ${COMPARED[what]}`);
        results.get(contender.name)!.push(row);
      }
    }
    const reference = results.get(contenders[0]!.name)!;
    const shown: Record<string, Row> = {};
    for (const { name } of contenders) {
      const rows = results.get(name)!;
      const ratios = rows.map((row, round) => row[COMPARED[what]]! / reference[round]![COMPARED[what]]!);
      shown[name] = {
        [`CPU as a multiple of ${contenders[0]!.name}, median of ${rounds} rounds`]: median(ratios),
        'lowest of them': Math.min(...ratios),
        'highest of them': Math.max(...ratios),
        ...medians(rows),
      };
    }
    return tableOf(shown) + (what === 'documents' && !only ? priceOfViewers(results) : '');
  } finally {
    await redis?.stop();
  }
}

/** What one delivery costs to those who ask for what depends on them: the room's cost less that of the other four fifths. */
function priceOfViewers(results: Map<string, Row[]>): string {
  const cost = (name: string) => median(results.get(name)!.map((row) => row[COMPARED.documents]!));
  const personal = (cost('one in five personal') - 0.8 * cost('OmniTalk')) / 0.2;
  return `\nCPU s / 100k deliveries to those who ask for a viewer-dependent field: ${personal.toFixed(3)}; graphql-ws, to anybody: ${cost('graphql-ws').toFixed(3)}.\n`;
}

/** The middle value; of an even number of them, the mean of the two in the middle. */
function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)]!;
  return sorted.length % 2 ? upper : (sorted[sorted.length / 2 - 1]! + upper) / 2;
}
const medians = (rows: Row[]): Row => Object.fromEntries(Object.keys(rows[0]!).map((figure) => [figure, median(rows.map((row) => row[figure]!))]));
