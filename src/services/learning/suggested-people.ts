import type { Sql } from '../../db/database.js';
import { boundedInt } from '../../lib/validate.js';
import type { Actor } from '../actor.js';
import type { Placement } from './placement.js';
import { tired } from './ranking.js';

export const MAX_SUGGESTIONS = 50;
export const DEFAULT_SUGGESTIONS = 20;
/** Members of so large a group have little in common by it. */
const MAX_GROUP = 300;
const MAX_CANDIDATES = 500;
/** Of those who say the same of themselves, so many are looked at, and the last to have said so taken. */
const MAX_LOOKED_AT = 1_000;
const MAX_BY_WORDS = 100;
/** With so many who are near, those who say the same are among them: only who has said so since the training is looked for. */
const ENOUGH_NEAR = 20;
/** Of those who have said something of themselves last, so many are looked at. */
const MAX_LATELY = 200;
const FEEDBACK_DAYS = 14;

export type ReasonKind = 'MUTUAL_CONTACTS' | 'SHARED_GROUPS' | 'SHARED_INTERESTS' | 'SAME_PROFESSION' | 'SAME_PLACE' | 'LIKE_PEOPLE_NEAR' | 'BECAUSE_OF' | 'POPULAR' | 'NEW' | 'TALKED_ABOUT' | 'SIMILAR_CONTENT';
export interface Reason {
  kind: ReasonKind;
  text: string;
  /** Of how many contacts, groups and the like it speaks. */
  count: number | null;
}
export interface SuggestedUserRow {
  userId: string;
  score: number;
  reasons: Reason[];
}

interface Candidate {
  id: string;
  mutual: number;
  groups: number;
  groupWeight: number;
  closeness: number;
  interests: string[];
  profession: string | null;
  place: string | null;
  shown: number;
}

/** The condition under which a person may be suggested to $1, as `u` and their settings as `s`: they want to be found and personalised, and there is no block between the two. */
export const MAY_SUGGEST = `u.kind = 'PERSON' and u.suspended_at is null and u.discoverable and u.id <> $1 and s.enabled is not false
  and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((u.id, $1), ($1, u.id)))`;

/**
 * Whom somebody may know: those whom mutual contacts of theirs have as mutual contacts, fellows of groups of up to 300 (a small group says more), and those whose vectors are near.
 * score = 1.0 × ln(1 + contacts) + Σ over groups 1 / ln(2 + size) + 1.5 × closeness + 0.5 for the same profession and for the same place, × 0.85 each time they were shown to no effect.
 */
export class SuggestedPeople {
  constructor(
    private readonly sql: Sql,
    private readonly placement: Placement,
  ) {}

  /** Errors: INVALID_INPUT. */
  async list(actor: Actor, first: number, now: Date): Promise<SuggestedUserRow[]> {
    boundedInt(first, 'first', 1, MAX_SUGGESTIONS);
    const candidates = await this.placement.placed(actor.userId, now, () => this.sql<Candidate>(CANDIDATES, [actor.userId, now]));
    return candidates
      .map((candidate) => ({ userId: candidate.id, score: tired(scoreOf(candidate), candidate.shown), reasons: reasonsFor(candidate) }))
      .sort((a, b) => b.score - a.score || (a.userId < b.userId ? -1 : 1))
      .slice(0, first);
  }
}

const scoreOf = ({ mutual, groupWeight, closeness, profession, place }: Candidate): number => Math.log1p(mutual) + groupWeight + 1.5 * closeness + (profession ? 0.5 : 0) + (place ? 0.5 : 0);

function reasonsFor({ mutual, groups, interests, closeness, profession, place }: Candidate): Reason[] {
  const reasons: Reason[] = [];
  if (mutual) reasons.push({ kind: 'MUTUAL_CONTACTS', text: mutual === 1 ? 'You have a contact in common.' : `You have ${mutual} contacts in common.`, count: mutual });
  if (groups) reasons.push({ kind: 'SHARED_GROUPS', text: groups === 1 ? 'You are in a group together.' : `You are in ${groups} groups together.`, count: groups });
  if (interests.length) reasons.push({ kind: 'SHARED_INTERESTS', text: `You share: ${interests.join(', ')}.`, count: interests.length });
  if (profession) reasons.push({ kind: 'SAME_PROFESSION', text: `You have the same profession: ${profession}.`, count: null });
  if (place) reasons.push({ kind: 'SAME_PLACE', text: `You are in the same place: ${place}.`, count: null });
  if (!reasons.length && closeness > 0) reasons.push({ kind: 'LIKE_PEOPLE_NEAR', text: 'You care about the same things.', count: null });
  return reasons;
}

/** $1 viewer, $2 now. Interests, professions and places are shown where both have said them of themselves. */
const CANDIDATES = `
  with mine as (select a.contact_id as id from contacts a join contacts b on b.owner_id = a.contact_id and b.contact_id = a.owner_id where a.owner_id = $1),
  own as (select interests, lower(profession) as profession, lower(place) as place from personalizations where user_id = $1),
  by_contacts as (
    select a.contact_id as id, count(*)::int as n from mine join contacts a on a.owner_id = mine.id join contacts b on b.owner_id = a.contact_id and b.contact_id = a.owner_id group by 1 order by n desc, 1 limit ${MAX_CANDIDATES}
  ), by_groups as (
    select m.user_id as id, count(*)::int as n, sum(1 / ln(2 + g.member_count))::float8 as weight from group_members v join groups g on g.id = v.group_id and g.member_count <= ${MAX_GROUP}
    join group_members m on m.group_id = g.id and m.state = 'MEMBER' where v.user_id = $1 and v.state = 'MEMBER' group by 1 order by weight desc, 1 limit ${MAX_CANDIDATES}
  ), by_vectors as (
    select n.id, n.closeness::float8 from learned_people p join learned_models m on m.id = p.model_id and m.state = 'ACTIVE', unnest(p.neighbours, p.closeness) n(id, closeness) where p.user_id = $1
      and not exists (select from personalizations s where s.user_id = $1 and not s.enabled)
  ), known as (select count(*) >= ${ENOUGH_NEAR} as near from by_vectors),
  by_words as (
    select id from (
      (select p.user_id as id, p.updated_at as at from own, personalizations p where not (select near from known) and p.enabled and p.interests && own.interests limit ${MAX_LOOKED_AT})
      union (select p.user_id, p.updated_at from own, personalizations p where not (select near from known) and p.enabled and lower(p.profession) = own.profession limit ${MAX_LOOKED_AT})
      union (select p.user_id, p.updated_at from own, personalizations p where not (select near from known) and p.enabled and lower(p.place) = own.place limit ${MAX_LOOKED_AT})
      union (select p.user_id, p.updated_at from own, (select * from personalizations where enabled order by updated_at desc limit ${MAX_LATELY}) p
             where p.interests && own.interests or lower(p.profession) = own.profession or lower(p.place) = own.place)) w order by at desc, id limit ${MAX_BY_WORDS}
  ), ids as (select id from by_contacts union select id from by_groups union select id from by_vectors union select id from by_words)
  select u.id, coalesce(c.n, 0) as mutual, coalesce(g.n, 0) as groups, coalesce(g.weight, 0)::float8 as "groupWeight", coalesce(v.closeness, 0)::float8 as closeness,
    case when own.interests is null or s.interests is null then '{}'::text[] else array(select i from unnest(s.interests) i where i = any(own.interests) order by 1) end as interests,
    case when lower(s.profession) = own.profession then s.profession end as profession, case when lower(s.place) = own.place then s.place end as place,
    (select count(*)::int from interactions i where i.user_id = $1 and i.target_type = 'USER' and i.target_id = u.id and i.kind = 'SHOWN' and i.at > $2::timestamptz - interval '${FEEDBACK_DAYS} days') as shown
  from ids join users u on u.id = ids.id left join personalizations s on s.user_id = u.id left join own on true
  left join by_contacts c on c.id = u.id left join by_groups g on g.id = u.id left join by_vectors v on v.id = u.id
  where ${MAY_SUGGEST} and not exists (select from contacts k where k.owner_id = $1 and k.contact_id = u.id)
    and not exists (select from suggestion_dismissals d where d.user_id = $1 and d.target_type = 'USER' and d.target_id = u.id)`;
