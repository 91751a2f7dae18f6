import { encodeId } from '../../src/lib/ids.js';
import type { Ground } from '../lib/ground.js';
import type { Row } from '../lib/report.js';
import { KINDS, makeTastes } from '../lib/tastes.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';

const SIZE = { people: 100_000, products: 20_000, articles: 4_000 };
const ASKED = 400;
/** Asked before it counts: documents are compiled from their third use on, and connections come to know how long a statement takes. */
const WARM = 40;
const TRAINED_WITHIN_MS = 30 * 60_000;

export const ML_SERVING_NOTE =
  'People of 40 kinds with two interests, 6 things that they like, ten contacts, two groups and 5 articles read each; 20,000 products, 4,000 articles. `retrainModels` learns all of it in the server’s own process, which meanwhile is asked for suggestions one after the other; the stall is that of its event loop, ' +
  'watched over the whole training and until products have been suggested by the new version. Then 400 people are asked for 20 of each, after 40 who don’t count.';

/** Suggestions at their full size, and whether learning holds up whoever is served. */
export async function runMlServing(ground: Ground, profile?: string): Promise<Record<string, Row>> {
  const { people, admin, products } = await makeTastes(ground, SIZE);
  const target = await OmniTalkTarget.start(ground, { settings: { CALLS: 'false', NEWS: 'false', LEARNING: 'false' } });
  try {
    for (let n = 0; n < WARM; n++) {
      await target.ask(admin, MODELS);
      for (const query of [USERS, PRODUCTS]) await target.ask(people[(n * 241 + 5) % people.length]!, query);
    }
    await target.server.watchLoop();
    const began = performance.now();
    await target.ask(admin, 'mutation ($input: RetrainModelsInput!) { retrainModels(input: $input) { model { id } } }', { input: { clusters: KINDS, idempotencyKey: 'bench' } });
    const during: number[] = [];
    let most = 0;
    for (let person = 1; ; person++) {
      const { learnedModels } = (await target.ask(admin, MODELS)) as unknown as { learnedModels: { state: string; reason: string | null }[] };
      most = Math.max(most, target.server.resident());
      if (learnedModels[0]!.state === 'ACTIVE') break;
      if (learnedModels[0]!.state !== 'TRAINING') throw new Error(`The training ended as ${learnedModels[0]!.state}: ${learnedModels[0]!.reason}`);
      if (performance.now() - began > TRAINED_WITHIN_MS) throw new Error('The training takes too long.');
      const asked = performance.now();
      await target.ask(people[person % people.length]!, USERS);
      during.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const seconds = (performance.now() - began) / 1000;
    // Now the version is taken up.
    await target.ask(people[1]!, PRODUCTS);
    const [stall, work] = [await target.server.longestStall(), await target.server.longestWork()];
    const row: Row = { 'training, s': seconds, 'longest stall while training, ms': stall, 'of the loop’s own CPU without a break, ms (to reach: 20)': work, 'suggestedUsers while training, p99 ms': quantile(during, 0.99), 'most resident, MiB': most / 2 ** 20 };
    if (profile) await target.server.startProfile();
    for (const [name, query] of Object.entries(QUERIES)) {
      const took: number[] = [];
      for (let n = -WARM; n < ASKED; n++) {
        const asked = performance.now();
        await target.ask(people[((n + WARM) * 241 + 17) % people.length]!, query, name === 'similarProducts' ? { id: encodeId('Product', products[((n + WARM) * 241 + 17) % products.length]!) } : {});
        if (n >= 0) took.push(performance.now() - asked);
      }
      Object.assign(row, { [`${name}, p50 ms`]: quantile(took, 0.5), [`${name}, p99 ms (to reach: 20)`]: quantile(took, 0.99) });
    }
    if (profile) await target.server.endProfile(profile);
    return { OmniTalk: row };
  } finally {
    await target.stop();
  }
}

const MODELS = '{ learnedModels { state reason } }';
const USERS = '{ viewer { suggestedUsers(first: 20) { score } } }';
const PRODUCTS = '{ viewer { recommendedProducts(first: 20) { score } } }';
const QUERIES = {
  recommendedProducts: '{ viewer { recommendedProducts(first: 20) { score reasons { text } product { id title } } } }',
  similarProducts: 'query ($id: ID!) { product(id: $id) { similarProducts(first: 20) { id title } } }',
  suggestedUsers: '{ viewer { suggestedUsers(first: 20) { score reasons { text } user { id displayName } } } }',
  suggestedGroups: '{ viewer { suggestedGroups(first: 20) { title reasons { text } group { id name } } } }',
  recommendedNews: '{ viewer { recommendedNews(first: 20) { score reasons { text } article { id title } } } }',
};

const quantile = (values: number[], share: number): number => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
