import type { Sql } from '../../db/database.js';
import { dot } from '../../ml/twins.js';
import { toBytes, toFloats } from './bytes.js';
import { placeAmong } from './clusters.js';
import type { ShelfKeeper } from './shelf.js';
import { NEAR, NEIGHBOURS } from './nearness.js';
import { Signals } from './signals.js';

/** Members of a cluster with whom somebody new is compared. */
const COMPARED = 1_000;

/** Gives somebody who came after the training their place in the model that is in use: the nearest cluster, and who is near among those in it. Once for each version; the next training places them anew. */
export class Placement {
  readonly #signals: Signals;

  constructor(
    private readonly sql: Sql,
    private readonly keeper: ShelfKeeper,
  ) {
    this.#signals = new Signals(sql);
  }

  /** What is read for somebody, who has their place by then: read at once, and once more in the rare case that they had none. */
  async placed<Rows>(userId: string, now: Date, read: () => Promise<Rows>): Promise<Rows> {
    const [isNew, rows] = await Promise.all([this.#ensure(userId, now), read()]);
    return isNew ? read() : rows;
  }

  /** Whether there was something to be done: nothing for who has a place, gives no signal, or has personalization off. */
  async #ensure(userId: string, now: Date): Promise<boolean> {
    const [missing] = await this.sql<{ modelId: string }>(
      `select m.id as "modelId" from learned_models m where m.state = 'ACTIVE' and not exists (select from learned_people p where p.model_id = m.id and p.user_id = $1)
         and not exists (select from personalizations s where s.user_id = $1 and not s.enabled)`,
      [userId],
    );
    if (!missing) return false;
    const { modelId, space, clusters } = await this.keeper.current(now);
    if (modelId !== missing.modelId) return false;
    const vector = space.vector((await this.#signals.about([userId], now))[0]!.bag);
    if (vector.every((value) => value === 0)) return false;
    const cluster = placeAmong(vector, clusters);
    const members = cluster === null ? [] : await this.sql<{ id: string; vector: Buffer }>('select user_id as id, vector from learned_people where model_id = $1 and cluster_ids @> array[$2::uuid] and vector is not null limit $3', [modelId, cluster, COMPARED]);
    const near = members.map(({ id, vector: theirs }) => ({ id, closeness: dot(vector, 0, toFloats(theirs), 0, vector.length) })).filter(({ closeness }) => closeness >= NEAR);
    near.sort((a, b) => b.closeness - a.closeness || (a.id < b.id ? -1 : 1)).splice(NEIGHBOURS);
    await this.sql(
      `insert into learned_people (model_id, user_id, cluster_ids, vector, neighbours, closeness) select $1, $2, $3::uuid[], $4, $5::uuid[], $6::real[]
       where exists (select from learned_models where id = $1) and not exists (select from personalizations s where s.user_id = $2 and not s.enabled) on conflict do nothing`,
      [modelId, userId, cluster === null ? [] : [cluster], toBytes(vector), near.map(({ id }) => id), near.map(({ closeness }) => closeness)],
    );
    return true;
  }
}
