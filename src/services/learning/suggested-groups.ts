import type { Sql } from '../../db/database.js';
import { boundedInt } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import { GROUP_COLUMNS, groupById, type GroupRow } from '../loaders/groups.js';
import type { Reading } from '../actor.js';
import type { ClusterBasis } from './personalization.js';
import type { Placement } from './placement.js';
import { tired } from './ranking.js';
import { MAX_SUGGESTIONS, type Reason } from './suggested-people.js';

export interface SuggestedGroupRow {
  /** Of a cluster: joinSuggestedGroup takes it. Null for a group that people have made. */
  clusterId: string | null;
  groupId: string | null;
  title: string;
  interests: string[];
  basis: ClusterBasis | null;
  /** How many belong to the cluster, or are in the group. */
  size: number;
  score: number;
  reasons: Reason[];
}

const BY: Readonly<Record<ClusterBasis, (title: string, interests: readonly string[]) => Reason>> = {
  SUBJECT: (_, interests) => ({ kind: 'SHARED_INTERESTS', text: interests.length ? `People who share: ${interests.join(', ')}.` : 'People who care about the same things as you.', count: interests.length || null }),
  PROFESSION: (title) => ({ kind: 'SAME_PROFESSION', text: `People of your profession: ${title}.`, count: null }),
  PLACE: (title) => ({ kind: 'SAME_PLACE', text: `People of your place: ${title}.`, count: null }),
};

/**
 * Groups for somebody: the clusters that they belong to (as groups that are there, or that come to be when the first joins), then groups that those near to them are in, or that speak of what they care about.
 * score = 2 for a cluster; else Σ closeness of neighbours in it / ln(2 + size) + 0.5 for each topic in common; × 0.85 each time it was shown to no effect.
 */
export class SuggestedGroups {
  constructor(
    private readonly sql: Sql,
    private readonly placement: Placement,
  ) {}

  /** Errors: INVALID_INPUT. */
  async list(reading: Reading, actor: Actor, first: number): Promise<SuggestedGroupRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const [[settings], [clusters, groups]] = await Promise.all([
      this.sql<{ enabled: boolean }>('select enabled from personalizations where user_id = $1', [actor.userId]),
      this.placement.placed(actor.userId, reading.now, () =>
        Promise.all([
          this.sql<{ id: string; basis: ClusterBasis; title: string; interests: string[]; size: number; groupId: string | null }>(CLUSTERS, [actor.userId]),
          this.sql<GroupRow & { near: number; weight: number; common: string[]; shown: number }>(GROUPS, [actor.userId, reading.now]),
        ]),
      ),
    ]);
    if (settings?.enabled === false) return [];
    const found: SuggestedGroupRow[] = clusters.map(({ id, basis, title, interests, size, groupId }) => ({ clusterId: id, groupId, title, interests, basis, size, score: 2, reasons: [BY[basis](title, interests)] }));
    const taken = new Set(found.map(({ groupId }) => groupId));
    for (const { near, weight, common, shown, ...group } of groups) {
      reading.prime(groupById, group.id, group);
      if (taken.has(group.id)) continue;
      const reasons: Reason[] = [];
      if (common.length) reasons.push({ kind: 'SHARED_INTERESTS', text: `It is about what you care about: ${common.join(', ')}.`, count: common.length });
      if (near) reasons.push({ kind: 'LIKE_PEOPLE_NEAR', text: near === 1 ? 'Somebody with your interests is in it.' : `${near} people with your interests are in it.`, count: near });
      found.push({ clusterId: null, groupId: group.id, title: group.name, interests: group.topics, basis: null, size: group.memberCount, score: tired(weight + 0.5 * common.length, shown), reasons });
    }
    return found.sort((a, b) => b.score - a.score || b.size - a.size || (a.title < b.title ? -1 : 1)).slice(0, first);
  }
}

const MAX_CANDIDATES = 500;
/** Which groups are suggested to who is not in them: what a cluster has become may have been closed since by whom it belongs to. */
const OPEN = `g.member_count > 0 and g.visibility <> 'SECRET' and g.join_policy <> 'INVITE'`;

const CLUSTERS = `
  select c.id, c.basis, c.title, c.interests, c.size, g.id as "groupId" from learned_models m join learned_people p on p.model_id = m.id and p.user_id = $1 join learned_clusters c on c.model_id = m.id and c.id = any(p.cluster_ids)
  left join cluster_groups k on k.cluster_id = c.id left join groups g on g.id = k.group_id and g.member_count > 0
  where m.state = 'ACTIVE' and (g.id is null or ${OPEN}) and not exists (select from group_members v where v.group_id = g.id and v.user_id = $1)
    and not exists (select from suggestion_dismissals d where d.user_id = $1 and (d.target_type, d.target_id) in (('CLUSTER', c.id), ('GROUP', g.id)))
  order by c.basis, c.number`;

/** $1 viewer, $2 now. */
const GROUPS = `
  with near as (select n.id, n.closeness from learned_people p join learned_models m on m.id = p.model_id and m.state = 'ACTIVE', unnest(p.neighbours, p.closeness) n(id, closeness) where p.user_id = $1),
  own as (select array_agg(distinct t) as topics from (
    select unnest(p.interests) as t from personalizations p where p.user_id = $1
    union all select unnest(g.topics) from group_members v join groups g on g.id = v.group_id where v.user_id = $1 and v.state = 'MEMBER') x),
  by_near as (select m.group_id as id, count(*)::int as near, sum(near.closeness)::float8 as closeness from near join group_members m on m.user_id = near.id and m.state = 'MEMBER' group by 1 order by closeness desc, 1 limit ${MAX_CANDIDATES}),
  by_topics as (select g.id from groups g where ${OPEN} and g.topics && (select topics from own) limit ${MAX_CANDIDATES}),
  ids as (select id from by_near union select id from by_topics)
  select ${GROUP_COLUMNS}, coalesce(n.near, 0) as near, coalesce(n.closeness, 0) / ln(2 + g.member_count)::float8 as weight, array(select t from unnest(g.topics) t where t = any(own.topics) order by 1) as common,
    (select count(*)::int from interactions i where i.user_id = $1 and i.target_type = 'GROUP' and i.target_id = g.id and i.kind = 'SHOWN' and i.at > $2::timestamptz - interval '14 days') as shown
  from ids join groups g on g.id = ids.id left join by_near n on n.id = g.id left join own on true
  where ${OPEN} and not exists (select from group_members v where v.group_id = g.id and v.user_id = $1)
    and not exists (select from suggestion_dismissals d where d.user_id = $1 and d.target_type = 'GROUP' and d.target_id = g.id)`;
