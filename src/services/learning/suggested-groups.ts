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
 * Groups for somebody: the clusters that they belong to (as groups that are there, or that come to be when the first joins), then groups of people that those near to them are in, or that speak of what they care about.
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
    await this.placement.ensure(actor.userId, reading.now);
    const [settings] = await this.sql<{ enabled: boolean }>('select enabled from personalizations where user_id = $1', [actor.userId]);
    if (settings?.enabled === false) return [];
    const clusters = await this.sql<{ id: string; basis: ClusterBasis; title: string; interests: string[]; size: number; groupId: string | null }>(CLUSTERS, [actor.userId]);
    const found: SuggestedGroupRow[] = clusters.map(({ id, basis, title, interests, size, groupId }) => ({ clusterId: id, groupId, title, interests, basis, size, score: 2, reasons: [BY[basis](title, interests)] }));
    const taken = new Set(found.map(({ groupId }) => groupId));
    const groups = await this.sql<GroupRow & { near: number; weight: number; common: string[]; shown: number }>(GROUPS, [actor.userId, reading.now]);
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

const CLUSTERS = `
  select c.id, c.basis, c.title, c.interests, c.size, g.id as "groupId" from learned_models m join learned_people p on p.model_id = m.id and p.user_id = $1 join learned_clusters c on c.model_id = m.id and c.id = any(p.cluster_ids)
  left join cluster_groups k on k.cluster_id = c.id left join groups g on g.id = k.group_id and g.member_count > 0
  where m.state = 'ACTIVE' and not exists (select from group_members v where v.group_id = g.id and v.user_id = $1)
    and not exists (select from suggestion_dismissals d where d.user_id = $1 and (d.target_type, d.target_id) in (('CLUSTER', c.id), ('GROUP', g.id)))
  order by c.basis, c.number`;

const GROUPS = `
  with near as (select n.id, n.closeness from learned_people p join learned_models m on m.id = p.model_id and m.state = 'ACTIVE', unnest(p.neighbours, p.closeness) n(id, closeness) where p.user_id = $1),
  own as (select array_agg(distinct t) as topics from (
    select unnest(p.interests) as t from personalizations p where p.user_id = $1
    union all select unnest(g.topics) from group_members v join groups g on g.id = v.group_id where v.user_id = $1 and v.state = 'MEMBER') x)
  select ${GROUP_COLUMNS}, f.near, f.weight, f.common, (select count(*)::int from interactions i where i.user_id = $1 and i.target_type = 'GROUP' and i.target_id = g.id and i.kind = 'SHOWN' and i.at > $2::timestamptz - interval '14 days') as shown
  from (
    select x.id, (select count(*)::int from near join group_members m on m.group_id = x.id and m.user_id = near.id and m.state = 'MEMBER') as near,
      (select coalesce(sum(near.closeness), 0) / ln(2 + x.member_count) from near join group_members m on m.group_id = x.id and m.user_id = near.id and m.state = 'MEMBER')::float8 as weight,
      array(select t from unnest(x.topics) t where t = any(own.topics) order by 1) as common
    from groups x left join own on true
    where x.member_count > 0 and x.visibility <> 'SECRET' and x.join_policy <> 'INVITE' and (x.topics && own.topics or x.id in (select m.group_id from near join group_members m on m.user_id = near.id and m.state = 'MEMBER'))
    limit 500) f join groups g on g.id = f.id
  where (f.near > 0 or cardinality(f.common) > 0) and not exists (select from group_members v where v.group_id = g.id and v.user_id = $1)
    and not exists (select from suggestion_dismissals d where d.user_id = $1 and d.target_type = 'GROUP' and d.target_id = g.id)`;
