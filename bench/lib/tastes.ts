import { SeededRandom } from '../../src/ml/random.js';
import { newId } from '../../src/lib/ids.js';
import type { Ground } from './ground.js';
import { makePeople, type BenchPerson } from './people.js';

export const KINDS = 40;
const EACH = 6;
const PORTION = 10_000;
const FELLOWS = 5;
const GROUPS_EACH = 2;
const GROUP_OF = 100;
const READ = 5;

export interface Tastes {
  people: BenchPerson[];
  admin: BenchPerson;
  products: string[];
}
export interface HowMany {
  people: number;
  products: number;
  articles: number;
}

/**
 * People of 40 kinds, each with two interests, six things that they like, ten contacts who have them too, two groups of up to a hundred and five articles read, mostly of their kind. Made by SQL, as if all had been done just now.
 */
export async function makeTastes({ sql }: Pick<Ground, 'sql'>, size: HowMany): Promise<Tastes> {
  const random = new SeededRandom(7);
  const people: BenchPerson[] = [];
  for (let from = 0; from < size.people; from += PORTION) people.push(...(await makePeople(sql, Math.min(PORTION, size.people - from))));
  const [admin] = (await makePeople(sql, 1, 'ADMIN')) as [BenchPerson];
  const shopId = newId();
  await sql.query(`insert into shops (id, owner_id, slug, name, currency, created_at) values ($1, $2, 'shop', 'Shop', 'CHF', now())`, [shopId, admin.userId]);
  const products = Array.from({ length: size.products }, newId);
  await sql.query(
    `insert into products (id, shop_id, slug, title, status, words, created_at, updated_at, published_at)
     select id, $2, 'p' || n, 'Thing ' || n || ' of kind' || (n % ${KINDS}), 'PUBLISHED', '', now() - interval '90 days', now(), now() from unnest($1::uuid[]) with ordinality u(id, n)`,
    [products, shopId],
  );
  const ids = people.map(({ userId }) => userId);
  for (let from = 0; from < ids.length; from += PORTION) {
    const part = ids.slice(from, from + PORTION);
    await sql.query(
      `insert into personalizations (user_id, enabled, use_messages, interests, updated_at) select id, true, false, array['subject' || ((n - 1) % ${KINDS}), 'field' || ((n - 1) % ${KINDS})], now() from unnest($1::uuid[]) with ordinality u(id, n)`,
      [part],
    );
    const likes = part.flatMap((userId, index) =>
      Array.from({ length: EACH }, (_, n) => ({ userId, key: `like-${n}`, id: products[(random.next() < 0.8 ? KINDS * random.below(size.products / KINDS) + ((index + KINDS - 1) % KINDS) : random.below(size.products)) % size.products]! })),
    );
    await sql.query(`insert into interactions (user_id, key, kind, target_type, target_id, at) select t.user_id, t.key, 'LIKED', 'PRODUCT', t.id, now() from unnest($1::uuid[], $2::text[], $3::uuid[]) t(user_id, key, id)`, [
      likes.map(({ userId }) => userId), likes.map(({ key }) => key), likes.map(({ id }) => id),
    ]);
    // A kind's people stand KINDS apart: each has the next of it, and is had by them.
    const pairs = part.flatMap((userId, index) => Array.from({ length: FELLOWS }, (_, n) => [userId, part[(index + (n + 1) * KINDS) % part.length]!] as const));
    await sql.query('insert into contacts (owner_id, contact_id, created_at) select a, b, now() from unnest($1::uuid[], $2::uuid[]) t(a, b) union select b, a, now() from unnest($1::uuid[], $2::uuid[]) t(a, b)', [
      pairs.map(([one]) => one), pairs.map(([, other]) => other),
    ]);
    for (let round = 0; round < GROUPS_EACH; round++) {
      // In the first round with up to a hundred of their kind, in the second with whoever stands beside.
      const of = (index: number): number => (round === 0 ? (index % KINDS) + KINDS * Math.floor(index / KINDS / GROUP_OF) : Math.floor(index / GROUP_OF));
      const groups = Array.from({ length: KINDS * Math.ceil(part.length / KINDS / GROUP_OF) }, newId);
      await sql.query(
        `insert into groups (id, name, topics, visibility, join_policy, member_count, created_at) select id, 'Group ' || n, array['subject' || ((n - 1) % ${KINDS})], 'PUBLIC', 'OPEN', 0, now() from unnest($1::uuid[]) with ordinality u(id, n)`,
        [groups],
      );
      await sql.query(`insert into group_members (group_id, user_id, role, state, joined_at) select g, u, 'MEMBER', 'MEMBER', now() from unnest($1::uuid[], $2::uuid[]) t(g, u)`, [part.map((_, index) => groups[of(index)]!), part]);
      await sql.query('update groups g set member_count = (select count(*) from group_members m where m.group_id = g.id) where g.id = any($1)', [groups]);
    }
  }
  await makeArticles(sql, ids, size.articles);
  await sql.query('analyze');
  return { people, admin, products };
}

async function makeArticles(sql: Ground['sql'], people: readonly string[], count: number): Promise<void> {
  const sourceId = newId();
  await sql.query(`insert into news_sources (id, publisher, section, feed_url, origin, state, created_at) values ($1, 'Bench', 'All', 'https://example.com/feed', 'ADMIN', 'PAUSED', now())`, [sourceId]);
  const articles = Array.from({ length: count }, newId);
  await sql.query(
    `insert into news_articles (id, link_key, source_id, url, title, summary, language, topics, topic_keys, published_at, first_seen_at, search)
     select id, 'a' || n, $2, 'https://example.com/' || n, 'What is new with subject' || (n % ${KINDS}) || ', part ' || n, 'A few words about field' || (n % ${KINDS}) || ' that somebody has written down, so that there is something to read of it.', 'en',
       array['subject' || (n % ${KINDS})], array['subject' || (n % ${KINDS})], now() - n * interval '6 days' / $3::int, now() - n * interval '6 days' / $3::int, '' from unnest($1::uuid[]) with ordinality u(id, n)`,
    [articles, sourceId, count],
  );
  await sql.query(`insert into news_article_sources (article_id, source_id, url, link_key, seen_at) select id, source_id, url, link_key, first_seen_at from news_articles`);
  for (let from = 0; from < people.length; from += PORTION) {
    await sql.query(
      `insert into news_marks (user_id, article_id, read_at) select u.id, ($2::uuid[])[1 + (u.n - 1 + ${KINDS - 1} + ${KINDS} * r * 7) % $3::int], now() - r * interval '1 day' from unnest($1::uuid[]) with ordinality u(id, n), generate_series(1, ${READ}) r on conflict do nothing`,
      [people.slice(from, from + PORTION), articles, count],
    );
  }
}
