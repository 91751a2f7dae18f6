import type { Sql } from '../../db/database.js';
import { Bag, wordsOf } from '../../ml/content.js';
import { INTERACTION_DAYS } from './interactions.js';

/** What is bound: the newest are taken. */
export const MAX_PEOPLE = 200_000;
export const MAX_PRODUCTS = 50_000;
/** People or products that are read and counted at once. */
export const PAGE = 500;
/** Ids that are read at once. */
const IDS = 2_000;
const MAX_EACH = 200;
const MAX_MESSAGES_EACH = 100;

/** A thing somebody has done something with, and how much. */
export interface Strength {
  userId: string;
  productId: string;
  strength: number;
  /** The most that was done with it. */
  deed: Deed;
}
export type Deed = 'BOUGHT' | 'LIKED' | 'CARTED' | 'SEEN';
export interface ProductSignal {
  id: string;
  bag: Bag;
}

/** How much a signal says of what somebody is about. */
const WEIGHTS = { interest: 4, profession: 3, place: 2, group: 3, topic: 3, contact: 2, product: 1, news: 1, seen: 1, about: 1, message: 0.5 } as const;
type SignalKind = keyof typeof WEIGHTS;

/** Somebody, as far as they can be learned from. */
export interface PersonSignal {
  id: string;
  bag: Bag;
  /** By which people are told what they have in common: never a word of a message. */
  topics: string[];
  profession: string | null;
  place: string | null;
}

/** A line of what somebody is about: words to be counted, or one token as it stands. */
interface SignalRow {
  userId: string;
  kind: SignalKind;
  token: string | null;
  text: string | null;
}

/**
 * Of people who are given, all that says what they are about. Groups that hide (SECRET) and messages of those who have not said so are not among it.
 * Contacts count where both have each other: somebody's own list is theirs alone.
 */
const SIGNALS = `
  with who as (select u.id, u.about, coalesce(p.use_messages, false) as use_messages, p.interests, p.profession, p.place from users u left join personalizations p on p.user_id = u.id where u.id = any($1))
  select id as "userId", 'about' as kind, null as token, about as text from who where about is not null
  union all select id, 'interest', 'topic:' || i, i from who, unnest(interests) i
  union all select id, 'profession', 'profession:' || lower(profession), profession from who where profession is not null
  union all select id, 'place', 'place:' || lower(place), place from who where place is not null
  union all select * from (
    select m.user_id, 'group', 'group:' || g.id, g.name from group_members m join groups g on g.id = m.group_id
    where m.user_id = any($1) and m.state = 'MEMBER' and g.visibility <> 'SECRET' order by m.joined_at desc) g
  union all select m.user_id, 'topic', 'topic:' || t, t from group_members m join groups g on g.id = m.group_id, unnest(g.topics) t where m.user_id = any($1) and m.state = 'MEMBER' and g.visibility <> 'SECRET'
  union all select c.owner_id, 'contact', 'with:' || c.contact_id, null from contacts c join contacts b on b.owner_id = c.contact_id and b.contact_id = c.owner_id
    left join personalizations p on p.user_id = c.contact_id where c.owner_id = any($1) and p.enabled is not false
  union all select i.user_id, 'product', 'product:' || p.id, p.title from interactions i join products p on p.id = i.target_id
    where i.user_id = any($1) and i.target_type = 'PRODUCT' and i.kind <> 'SHOWN' and p.status = 'PUBLISHED'
  union all select o.buyer_id, 'product', 'product:' || l.product_id, l.title from orders o join order_lines l on l.order_id = o.id where o.buyer_id = any($1) and o.state in ('CONFIRMED', 'COMPLETED')
  union all select n.user_id, 'news', 'topic:' || t, t from news_marks n join news_articles a on a.id = n.article_id, unnest(a.topic_keys) t where n.user_id = any($1) and n.read_at is not null
  union all select i.user_id, 'news', 'topic:' || t, t from interactions i join news_articles a on a.id = i.target_id, unnest(a.topic_keys) t where i.user_id = any($1) and i.target_type = 'ARTICLE' and i.kind <> 'SHOWN'
  union all select i.user_id, 'seen', 'topic:' || t, t from interactions i join groups g on g.id = i.target_id, unnest(g.topics) t where i.user_id = any($1) and i.target_type = 'GROUP' and i.kind <> 'SHOWN' and g.visibility <> 'SECRET'
  union all select i.user_id, 'seen', 'topic:' || t, t from interactions i join personalizations o on o.user_id = i.target_id and o.enabled, unnest(o.interests) t where i.user_id = any($1) and i.target_type = 'USER' and i.kind <> 'SHOWN'
  union all select w.id, 'message', null, x.text from who w cross join lateral (
    select m.text from chat_members cm join chats c on c.id = cm.chat_id and c.encryption = 'NONE' join messages m on m.chat_id = cm.chat_id and m.sender_id = w.id
    where cm.user_id = w.id and m.kind = 'TEXT' and m.deleted_at is null and m.text is not null and (m.expires_at is null or m.expires_at > $2) order by m.created_at desc limit ${MAX_MESSAGES_EACH}) x
    where w.use_messages`;

interface ProductWords {
  id: string;
  title: string;
  description: string | null;
  facets: string[];
  categories: string[];
}
const PRODUCT_WORDS = `p.id, p.title, p.description, p.facets, coalesce((select array_agg(c.name) from product_categories c where c.id = any(p.category_paths)), '{}') as categories`;

function signalOf({ id, title, description, facets, categories }: ProductWords): ProductSignal {
  const bag = new Bag();
  for (const word of wordsOf(title)) bag.add(word, 3);
  for (const category of categories) {
    bag.add(`category:${category.toLowerCase()}`, 3);
    for (const word of wordsOf(category)) bag.add(word, 2);
  }
  for (const facet of facets) bag.add(`facet:${facet}`, 2);
  for (const word of wordsOf((description ?? '').slice(0, 4_000))) bag.add(word);
  return { id, bag };
}

/** Reads what there is to learn from, a page at a time, so that the loop that serves people is held up by none of it. */
export class Signals {
  constructor(private readonly sql: Sql) {}

  /** Those who may be learned from, in the order of their ids; where they are more than MAX_PEOPLE, those who were seen last. */
  async people(): Promise<string[]> {
    const [before] = await this.sql<{ seen: Date | null }>(`select u.last_seen_at as seen from users u where u.kind = 'PERSON' order by u.last_seen_at desc nulls last offset ${MAX_PEOPLE} limit 1`);
    const ids: string[] = [];
    for (let after: string | null = null; ids.length < MAX_PEOPLE; ) {
      const page: { id: string }[] = await this.sql(
        `select u.id from users u left join personalizations p on p.user_id = u.id where u.kind = 'PERSON' and u.suspended_at is null and p.enabled is not false
         and ($1::uuid is null or u.id > $1) and ($2::timestamptz is null or u.last_seen_at > $2) order by u.id limit ${IDS}`,
        [after, before?.seen ?? null],
      );
      for (const { id } of page) ids.push(id);
      if (page.length < IDS) break;
      after = page.at(-1)!.id;
    }
    return ids.slice(0, MAX_PEOPLE);
  }

  /** What each of these people is about, in their order. */
  async about(userIds: readonly string[], now: Date): Promise<PersonSignal[]> {
    const rows = await this.sql<SignalRow>(SIGNALS, [userIds, now]);
    const people = new Map(userIds.map((id): [string, PersonSignal] => [id, { id, bag: new Bag(), topics: [], profession: null, place: null }]));
    const counts = new Map<string, number>();
    for (const { userId, kind, token, text } of rows) {
      const slot = `${userId} ${kind}`;
      const count = (counts.get(slot) ?? 0) + 1;
      if (count > MAX_EACH) continue;
      counts.set(slot, count);
      const person = people.get(userId)!;
      const { bag } = person;
      if (kind === 'interest' || kind === 'topic') person.topics.push(text!);
      if (kind === 'profession' || kind === 'place') person[kind] = text;
      if (token) bag.add(token, WEIGHTS[kind]);
      if (text && kind !== 'place') for (const word of wordsOf(text)) bag.add(word, WEIGHTS[kind] / 2);
      // Those who have each other say the same of themselves.
      if (kind === 'contact') bag.add(`with:${userId}`, WEIGHTS.contact);
    }
    return [...people.values()];
  }

  /** Published products behind one, in the order of their ids. */
  async products(after: string | null): Promise<ProductSignal[]> {
    const rows = await this.sql<ProductWords>(`select ${PRODUCT_WORDS} from products p where p.status = 'PUBLISHED' and ($1::uuid is null or p.id > $1) order by p.id limit ${PAGE}`, [after]);
    return rows.map(signalOf);
  }

  /** Those of these products that are published, in no order. */
  async productsOf(ids: readonly string[]): Promise<ProductSignal[]> {
    const rows = await this.sql<ProductWords>(`select ${PRODUCT_WORDS} from products p where p.id = any($1) and p.status = 'PUBLISHED'`, [ids]);
    return rows.map(signalOf);
  }

  /** What these people have done with products: bought 4, liked or praised 3, put into a cart 2, looked at or clicked 1, added up; less the longer ago (half after 90 days). What they have dismissed is not to their taste. */
  strengths(userIds: readonly string[], now: Date): Promise<Strength[]> {
    return this.sql<Strength>(
      `select user_id as "userId", product_id as "productId", sum(weight * power(2::float8, -greatest(extract(epoch from $2::timestamptz - at)::float8, 0) / (90 * 86400)))::float8 as strength,
         case max(weight) when 4 then 'BOUGHT' when 3 then 'LIKED' when 2 then 'CARTED' else 'SEEN' end as deed from (
         select i.user_id, i.target_id as product_id, i.at, case i.kind when 'BOUGHT' then 4 when 'LIKED' then 3 when 'ADDED_TO_CART' then 2 else 1 end as weight
         from interactions i where i.user_id = any($1) and i.target_type = 'PRODUCT' and i.kind <> 'SHOWN' and i.at > $2::timestamptz - interval '${INTERACTION_DAYS} days'
         union all select o.buyer_id, l.product_id, o.created_at, 4 from orders o join order_lines l on l.order_id = o.id where o.buyer_id = any($1) and o.state in ('CONFIRMED', 'COMPLETED')
         union all select r.user_id, r.product_id, r.updated_at, 3 from product_reviews r where r.user_id = any($1) and r.rating >= 4
       ) s where not exists (select from suggestion_dismissals d where d.user_id = s.user_id and d.target_type = 'PRODUCT' and d.target_id = s.product_id)
       group by user_id, product_id order by user_id, strength desc, product_id`,
      [userIds, now],
    );
  }
}
