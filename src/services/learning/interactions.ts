import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { AttemptLimiter } from '../../lib/attempt-limiter.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { checkIdempotencyKey } from '../../lib/validate.js';
import type { Actor } from '../actor.js';

export type InteractionKind = 'SHOWN' | 'VIEWED' | 'CLICKED' | 'LIKED' | 'ADDED_TO_CART' | 'BOUGHT';
export type TargetType = 'PRODUCT' | 'ARTICLE' | 'GROUP' | 'USER';
export type DismissibleType = TargetType | 'CLUSTER';

export interface Interaction {
  key: string;
  kind: InteractionKind;
  type: TargetType;
  id: string;
  /** Null: now. */
  at: Date | null;
}

export const MAX_INTERACTIONS = 100;
export const INTERACTIONS_A_DAY = 20_000;
/** What lies farther back is neither taken nor kept. */
export const INTERACTION_DAYS = 180;
const FORGOTTEN_AT_ONCE = 5_000;
const DAY_MS = 86_400_000;

/** Where each kind of thing stands, and which of them anybody may speak of: what is secret is not there for whoever asks. */
const TARGETS: Readonly<Record<TargetType, string>> = {
  PRODUCT: `select p.id from products p where p.id = any($1) and p.status = 'PUBLISHED' and $2::uuid is not null`,
  ARTICLE: 'select a.id from news_articles a where a.id = any($1) and $2::uuid is not null',
  GROUP: `select g.id from groups g where g.id = any($1) and g.member_count > 0 and not exists (select from group_members m where m.group_id = g.id and m.user_id = $2 and m.state = 'BANNED')
    and (g.visibility <> 'SECRET' or exists (select from group_members m where m.group_id = g.id and m.user_id = $2 and m.state = 'MEMBER'))`,
  USER: 'select u.id from users u where u.id = any($1) and u.suspended_at is null and $2::uuid is not null',
};

/** What people do with what they are shown, as clients tell it. */
export class InteractionService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly share: AttemptLimiter,
    private readonly clock: Clock,
  ) {}

  /**
   * Takes up to 100; one whose key was taken before counts no second time. Answers how many were new. Nothing is taken of who has turned personalization off.
   * Errors: INVALID_INPUT, NOT_FOUND (a target that the actor may not see), RATE_LIMITED.
   */
  async record(actor: Actor, given: readonly Interaction[]): Promise<number> {
    if (!given.length) throw invalidInput('interactions', 'interactions is empty.');
    if (given.length > MAX_INTERACTIONS) throw invalidInput('interactions', `interactions holds more than ${MAX_INTERACTIONS} items.`);
    for (const { key } of given) checkIdempotencyKey(key);
    // By a connection of its own, so before the transaction: within it, everybody could wait for everybody's second.
    await this.share.consume(actor.userId, given.length);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'recordInteractions' }, async (tx) => {
      for (const { at } of given) {
        if (at && (at.getTime() > tx.now.getTime() + 60_000 || at.getTime() < tx.now.getTime() - INTERACTION_DAYS * DAY_MS)) throw invalidInput('interactions.at', `at lies within the last ${INTERACTION_DAYS} days.`);
      }
      for (const [type, items] of Map.groupBy(given, (item) => item.type)) await assertThere(tx.sql, actor, type, items.map(({ id }) => id));
      const [settings] = await tx.sql<{ enabled: boolean }>('select enabled from personalizations where user_id = $1', [actor.userId]);
      if (settings?.enabled === false) return 0;
      const rows = await tx.sql(
        `insert into interactions (user_id, key, kind, target_type, target_id, at) select $1, i.key, i.kind, i.type, i.id, coalesce(i.at, $7) from unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[]) i(key, kind, type, id, at)
         on conflict do nothing returning key`,
        [actor.userId, given.map(({ key }) => key), given.map(({ kind }) => kind), given.map(({ type }) => type), given.map(({ id }) => id), given.map(({ at }) => at), tx.now],
      );
      return rows.length;
    });
  }

  /** What is too old to be learned from. */
  async forget(): Promise<void> {
    const now = this.clock.now();
    for (;;) {
      const gone = await this.sql(`delete from interactions where (user_id, key) in (select user_id, key from interactions where at < $1::timestamptz - interval '${INTERACTION_DAYS} days' limit ${FORGOTTEN_AT_ONCE}) returning 1`, [now]);
      if (gone.length < FORGOTTEN_AT_ONCE) return;
    }
  }

  /** What is dismissed is not suggested again. A repeat changes nothing. Errors: NOT_FOUND. */
  async dismiss(actor: Actor, type: DismissibleType, id: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'dismissSuggestion' }, async (tx) => {
      if (type === 'CLUSTER') {
        const [known] = await tx.sql('select from learned_people p join learned_models m on m.id = p.model_id where p.user_id = $1 and p.cluster_ids @> array[$2::uuid] limit 1', [actor.userId, id]);
        if (!known) throw noSuch();
      } else await assertThere(tx.sql, actor, type, [id]);
      await tx.sql('insert into suggestion_dismissals (user_id, target_type, target_id, at) values ($1, $2, $3, $4) on conflict do nothing', [actor.userId, type, id, tx.now]);
    });
  }
}

async function assertThere(sql: Sql, actor: Actor, type: TargetType, ids: string[]): Promise<void> {
  const found = await sql(TARGETS[type], [ids, actor.userId]);
  if (found.length < new Set(ids).size) throw noSuch();
}

const noSuch = (): DomainError => new DomainError('NOT_FOUND', 'One of these is not there.', { field: 'targetId' });
