import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { cleanText, distinct } from '../../lib/validate.js';
import type { Actor } from '../actor.js';

export interface PersonalizationRow {
  enabled: boolean;
  useMessages: boolean;
  interests: string[];
  profession: string | null;
  place: string | null;
}
/** What is left out stays as it is; null empties profession and place. */
export interface PersonalizationChange {
  enabled?: boolean | null;
  useMessages?: boolean | null;
  interests?: string[] | null;
  profession?: string | null;
  place?: string | null;
}
export interface Inferred {
  modelVersion: number;
  trainedAt: Date;
  clusters: { id: string; basis: ClusterBasis; title: string; interests: string[]; size: number }[];
  /** How many people, and things, the model holds to be near. */
  neighbours: number;
  hasTaste: boolean;
}
export type ClusterBasis = 'SUBJECT' | 'PROFESSION' | 'PLACE';

const MAX_INTERESTS = 20;
const MAX_BYTES = 64;
const UNCHOSEN: PersonalizationRow = { enabled: true, useMessages: false, interests: [], profession: null, place: null };

/** What people say of themselves for suggestions, what may be used, and what came of it. */
export class PersonalizationService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async read(userId: string, sql: Sql = this.sql): Promise<PersonalizationRow> {
    const [row] = await sql<PersonalizationRow>('select enabled, use_messages as "useMessages", interests, profession, place from personalizations where user_id = $1', [userId]);
    return row ?? UNCHOSEN;
  }

  /**
   * Turning it off takes the person out of every model that is kept, forgets what was recorded, and suggests them to nobody. So does taking back the use of messages with what was inferred of them:
   * they have a place again, without their messages, when something is suggested to them. Errors: INVALID_INPUT.
   */
  async update(actor: Actor, change: PersonalizationChange): Promise<PersonalizationRow> {
    const interests = change.interests == null ? null : distinct(change.interests.map((interest) => cleanText(interest, { field: 'interests', maxBytes: MAX_BYTES }).toLowerCase()), 'interests', MAX_INTERESTS);
    const line = (field: 'profession' | 'place'): string | null | undefined => (change[field] == null ? change[field] : cleanText(change[field], { field, maxBytes: MAX_BYTES }));
    const [profession, place] = [line('profession'), line('place')];
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'updatePersonalization' }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const before = await this.read(actor.userId, tx.sql);
      const after: PersonalizationRow = {
        enabled: change.enabled ?? before.enabled,
        useMessages: change.useMessages ?? before.useMessages,
        interests: interests ?? before.interests,
        profession: profession === undefined ? before.profession : profession,
        place: place === undefined ? before.place : place,
      };
      if (JSON.stringify(after) === JSON.stringify(before)) return before;
      await tx.sql(
        `insert into personalizations (user_id, enabled, use_messages, interests, profession, place, updated_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (user_id) do update set enabled = $2, use_messages = $3, interests = $4, profession = $5, place = $6, updated_at = $7`,
        [actor.userId, after.enabled, after.useMessages, after.interests, after.profession, after.place, tx.now],
      );
      const [off, wordsBack] = [before.enabled && !after.enabled, before.useMessages && !after.useMessages];
      if (off || wordsBack) await tx.sql('delete from learned_people where user_id = $1', [actor.userId]);
      if (off) await tx.sql('delete from interactions where user_id = $1', [actor.userId]);
      return after;
    });
  }

  /** What the model that is in use holds of somebody; null when it holds nothing. */
  async inferred(userId: string): Promise<Inferred | null> {
    const [row] = await this.sql<Inferred>(
      `select m.version as "modelVersion", m.finished_at as "trainedAt", cardinality(p.neighbours) as neighbours, p.factors is not null as "hasTaste",
         (select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'basis', c.basis, 'title', c.title, 'interests', c.interests, 'size', c.size) order by c.basis, c.number), '[]')
          from learned_clusters c where c.model_id = m.id and c.id = any(p.cluster_ids)) as clusters
       from learned_models m join learned_people p on p.model_id = m.id where m.state = 'ACTIVE' and p.user_id = $1`,
      [userId],
    );
    return row ?? null;
  }
}
