import { SeededRandom } from '../../src/ml/random.js';
import { newId } from '../../src/lib/ids.js';
import type { Ground } from '../lib/ground.js';
import { makePeople, type BenchPerson } from '../lib/people.js';
import type { Row } from '../lib/report.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';

const PEOPLE = 100_000;
const PRODUCTS = 20_000;
const KINDS = 40;
const EACH = 6;
const ASKED = 400;
const PORTION = 10_000;
const TRAINED_WITHIN_MS = 30 * 60_000;

export const ML_SERVING_NOTE =
  'People of 40 kinds with two interests each and 6 things that they like, 20,000 products. `retrainModels` learns all of it in the server’s own process, which meanwhile is asked for suggestions one after the other; the stall is that of its event loop, ' +
  'watched over the whole training. Then 400 people are asked for: 20 products, 20 people and 20 groups each.';

/** Suggestions at their full size, and whether learning holds up whoever is served. */
export async function runMlServing(ground: Ground): Promise<Record<string, Row>> {
  const random = new SeededRandom(7);
  const people = (await Promise.all(Array.from({ length: PEOPLE / PORTION }, () => makePeople(ground.sql, PORTION)))).flat();
  const [admin] = (await makePeople(ground.sql, 1, 'ADMIN')) as [BenchPerson];
  const shopId = newId();
  await ground.sql.query(`insert into shops (id, owner_id, slug, name, currency, created_at) values ($1, $2, 'shop', 'Shop', 'CHF', now())`, [shopId, admin.userId]);
  const products = Array.from({ length: PRODUCTS }, newId);
  await ground.sql.query(
    `insert into products (id, shop_id, slug, title, status, words, created_at, updated_at, published_at)
     select id, $2, 'p' || n, 'Thing ' || n || ' of kind' || (n % ${KINDS}), 'PUBLISHED', '', now() - interval '90 days', now(), now() from unnest($1::uuid[]) with ordinality u(id, n)`,
    [products, shopId],
  );
  for (let from = 0; from < PEOPLE; from += PORTION) {
    const part = people.slice(from, from + PORTION);
    await ground.sql.query(
      `insert into personalizations (user_id, enabled, use_messages, interests, updated_at) select id, true, false, array['subject' || ((n - 1) % ${KINDS}), 'field' || ((n - 1) % ${KINDS})], now() from unnest($1::uuid[]) with ordinality u(id, n)`,
      [part.map(({ userId }) => userId)],
    );
    const likes = part.flatMap(({ userId }, index) =>
      Array.from({ length: EACH }, (_, n) => ({ userId, key: `like-${n}`, id: products[(random.next() < 0.8 ? KINDS * random.below(PRODUCTS / KINDS) + ((index + KINDS - 1) % KINDS) : random.below(PRODUCTS)) % PRODUCTS]! })),
    );
    await ground.sql.query(`insert into interactions (user_id, key, kind, target_type, target_id, at) select t.user_id, t.key, 'LIKED', 'PRODUCT', t.id, now() from unnest($1::uuid[], $2::text[], $3::uuid[]) t(user_id, key, id)`, [
      likes.map(({ userId }) => userId), likes.map(({ key }) => key), likes.map(({ id }) => id),
    ]);
  }
  await ground.sql.query('analyze');
  const target = await OmniTalkTarget.start(ground, { settings: { CALLS: 'false', NEWS: 'false', LEARNING: 'false' } });
  try {
    await target.server.watchLoop();
    const began = performance.now();
    await target.ask(admin, 'mutation ($input: RetrainModelsInput!) { retrainModels(input: $input) { model { id } } }', { input: { clusters: KINDS, idempotencyKey: 'bench' } });
    const during: number[] = [];
    let most = 0;
    for (let person = 1; ; person++) {
      const { learnedModels } = (await target.ask(admin, '{ learnedModels { state reason } }')) as unknown as { learnedModels: { state: string; reason: string | null }[] };
      most = Math.max(most, target.server.resident());
      if (learnedModels[0]!.state === 'ACTIVE') break;
      if (learnedModels[0]!.state !== 'TRAINING') throw new Error(`The training ended as ${learnedModels[0]!.state}: ${learnedModels[0]!.reason}`);
      if (performance.now() - began > TRAINED_WITHIN_MS) throw new Error('The training takes too long.');
      const asked = performance.now();
      await target.ask(people[person % PEOPLE]!, '{ viewer { suggestedUsers(first: 20) { score } } }');
      during.push(performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const seconds = (performance.now() - began) / 1000;
    const [stall, work] = [await target.server.longestStall(), await target.server.longestWork()];
    const row: Row = { 'training, s': seconds, 'longest stall while training, ms (to reach: 20)': stall, 'of the loop’s own CPU without a break, ms': work, 'suggestedUsers while training, p99 ms': quantile(during, 0.99), 'most resident, MiB': most / 2 ** 20 };
    await target.ask(people[1]!, '{ viewer { recommendedProducts(first: 20) { score } } }'); // puts the shelf together
    for (const [name, query] of Object.entries(QUERIES)) {
      const took: number[] = [];
      for (let n = 0; n < ASKED; n++) {
        const asked = performance.now();
        await target.ask(people[(n * 241 + 17) % PEOPLE]!, query);
        took.push(performance.now() - asked);
      }
      Object.assign(row, { [`${name}, p50 ms`]: quantile(took, 0.5), [`${name}, p99 ms (to reach: 20)`]: quantile(took, 0.99) });
    }
    return { OmniTalk: row };
  } finally {
    await target.stop();
  }
}

const QUERIES = {
  recommendedProducts: '{ viewer { recommendedProducts(first: 20) { score reasons { text } product { id title } } } }',
  suggestedUsers: '{ viewer { suggestedUsers(first: 20) { score reasons { text } user { id displayName } } } }',
  suggestedGroups: '{ viewer { suggestedGroups(first: 20) { title reasons { text } } } }',
};

const quantile = (values: number[], share: number): number => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;
