/** A reading counts half after so many days. */
const INTEREST_DAYS = 14;
/** What lies farther back is not counted. */
const REMEMBERED_DAYS = 60;
const MAX_SIGNALS = 300;
/** News are worth half after so many hours. */
const FRESH_HOURS = 12;
/** How much more the topics and the sources of what somebody does count than that it is new. */
const TOPIC = 4;
const SOURCE = 2;
/** What is by so many hours older than another article never comes before it. */
export const OUTLIVED_HOURS = FRESH_HOURS * Math.log2(1 + TOPIC + SOURCE);
const CANDIDATE_DAYS = 7;
const MAX_CANDIDATES = 2_000;

/**
 * The order "for you", as common table expressions that end in `scores(id, score)`; `viewer` and `asOf` are parameters, `filter` is a condition on `a`.
 *
 *     score = 2^(-age / 12 h) × (1 + 4 T + 2 S) × (0.2 if read already)
 *
 * T is the largest share that one of the article's topics has in what the viewer does, S that of its sources: shares of the signals' weights, each of 2^(-age / 14 days) times
 * 1 for reading, 2 for having summarised, 3 for bookmarking and for sharing. The freshness is that of an exponential decay (as in forward decay, G. Cormode et al., ICDE 2009); the
 * rest is a content-based profile (M. Pazzani, D. Billsus, "Content-Based Recommendation Systems", 2007) over topics and sources. Without any signal it is the order of the news.
 */
export const FOR_YOU_SCORES = (viewer: string, asOf: string, filter: string): string => `
  signals as (
    select m.article_id, w.weight * power(2::float8, -extract(epoch from ${asOf}::timestamptz - w.at)::float8 / ${INTEREST_DAYS * 86_400}) as weight
    from news_marks m, lateral (values (m.read_at, 1), (m.summarized_at, 2), (m.bookmarked_at, 3), (m.shared_at, 3)) w(at, weight)
    where m.user_id = ${viewer}::uuid and w.at <= ${asOf}::timestamptz and w.at > ${asOf}::timestamptz - interval '${REMEMBERED_DAYS} days' order by w.at desc limit ${MAX_SIGNALS}
  ), total as (select sum(weight) as weight from signals),
  topic_shares as (
    select t.topic, sum(g.weight) / min(total.weight) as share from signals g join news_articles a on a.id = g.article_id, unnest(a.topic_keys) t(topic), total group by t.topic
  ), source_shares as (
    select p.source_id, sum(g.weight) / min(total.weight) as share from signals g cross join lateral (select distinct n.source_id from news_article_sources n where n.article_id = g.article_id) p, total group by p.source_id
  ), candidates as (
    select a.id, a.topic_keys, a.published_at from news_articles a
    where a.published_at > ${asOf}::timestamptz - interval '${CANDIDATE_DAYS} days' and a.first_seen_at <= ${asOf}::timestamptz and ${filter} order by a.published_at desc limit ${MAX_CANDIDATES}
  ), by_topic as (
    select c.id, max(t.share) as share from candidates c, unnest(c.topic_keys) k(topic), topic_shares t where t.topic = k.topic group by c.id
  ), by_source as (
    select c.id, max(s.share) as share from candidates c join news_article_sources p on p.article_id = c.id join source_shares s on s.source_id = p.source_id group by c.id
  ), scores as (
    select c.id, (1e6 * power(2::float8, -greatest(extract(epoch from ${asOf}::timestamptz - c.published_at)::float8, 0) / ${FRESH_HOURS * 3_600})
      * (1 + ${TOPIC} * coalesce(t.share, 0) + ${SOURCE} * coalesce(s.share, 0)) * case when r.article_id is null then 1 else 0.2 end)::int as score
    from candidates c left join by_topic t on t.id = c.id left join by_source s on s.id = c.id left join news_marks r on r.user_id = ${viewer}::uuid and r.article_id = c.id and r.read_at <= ${asOf}::timestamptz
  )`;
