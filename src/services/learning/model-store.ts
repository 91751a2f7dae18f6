import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Factors } from '../../ml/als.js';
import type { ContentSpace } from '../../ml/content.js';
import { toBytes } from './bytes.js';
import { MIN_CLUSTER, type Cluster, type EarlierCluster } from './clusters.js';
import { activate, lockModels, MODELS_KEPT, type ModelMetrics, type TrainingOptions } from './models.js';

export interface LearnedPerson {
  userId: string;
  clusterIds: string[];
  vector: Float32Array | null;
  factors: Float32Array | null;
  neighbours: string[];
  closeness: number[];
}
export interface LearnedProduct {
  productId: string;
  factors: Float32Array | null;
  vector: Float32Array;
  popularity: number;
}

const bytesOrNull = (floats: Float32Array | null): Buffer | null => floats && toBytes(floats);
const list = (values: readonly (string | number)[]): string => `{${values.join(',')}}`;

/** Where a training is written, in portions; nobody reads of it before it is in use. */
export class ModelStore {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Null when there is nothing to be trained (any more). */
  async options(id: string): Promise<TrainingOptions | null> {
    const [row] = await this.sql<{ options: TrainingOptions }>(`select options from learned_models where id = $1 and state = 'TRAINING'`, [id]);
    return row?.options ?? null;
  }

  /** Takes away what an attempt before this one has written. */
  async clear(id: string): Promise<void> {
    for (const table of ['learned_people', 'learned_products', 'learned_clusters']) await this.sql(`delete from ${table} where model_id = $1`, [id]);
  }

  async space(id: string, { frequencies, bags }: ContentSpace, factors: Factors | null): Promise<void> {
    await this.sql('update learned_models set frequencies = $2, bags = $3, factors = $4, gram = $5 where id = $1', [id, toBytes(frequencies), bags, factors?.f ?? 0, factors && toBytes(factors.gram)]);
  }

  async clusters(id: string, clusters: readonly Cluster[]): Promise<void> {
    await this.sql(
      `insert into learned_clusters (model_id, id, number, basis, title, interests, size, centroid)
       select $1, c.id, c.number, c.basis, c.title, c.interests::text[], c.size, c.centroid
       from unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::int[], $8::bytea[]) c(id, number, basis, title, interests, size, centroid)`,
      [
        id, clusters.map((cluster) => cluster.id), clusters.map((_, number) => number), clusters.map(({ basis }) => basis), clusters.map(({ title }) => title),
        clusters.map(({ interests }) => `{${interests.map((interest) => JSON.stringify(interest)).join(',')}}`), clusters.map(({ members }) => members.length), clusters.map(({ centroid }) => bytesOrNull(centroid)),
      ],
    );
  }

  /** Whoever has turned it off, or has changed anything and lets no messages be used, since the training began is left out: they get a place when something is suggested to them. */
  async people(id: string, people: readonly LearnedPerson[]): Promise<void> {
    await this.sql(
      `insert into learned_people (model_id, user_id, cluster_ids, vector, factors, neighbours, closeness)
       select $1, p.user_id, p.cluster_ids::uuid[], p.vector, p.factors, p.neighbours::uuid[], p.closeness::real[]
       from unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::text[], $7::text[]) p(user_id, cluster_ids, vector, factors, neighbours, closeness)
       where exists (select from users u where u.id = p.user_id) and not exists (select from personalizations s where s.user_id = p.user_id
           and (not s.enabled or not s.use_messages and s.updated_at > (select created_at from learned_models where id = $1)))`,
      [
        id, people.map(({ userId }) => userId), people.map(({ clusterIds }) => list(clusterIds)), people.map(({ vector }) => bytesOrNull(vector)), people.map(({ factors }) => bytesOrNull(factors)),
        people.map(({ neighbours }) => list(neighbours)), people.map(({ closeness }) => list(closeness)),
      ],
    );
  }

  async products(id: string, products: readonly LearnedProduct[]): Promise<void> {
    await this.sql(
      `insert into learned_products (model_id, product_id, factors, vector, popularity)
       select $1, p.product_id, p.factors, p.vector, p.popularity
       from unnest($2::uuid[], $3::bytea[], $4::bytea[], $5::real[]) p(product_id, factors, vector, popularity)`,
      [id, products.map(({ productId }) => productId), products.map(({ factors }) => bytesOrNull(factors)), products.map(({ vector }) => toBytes(vector)), products.map(({ popularity }) => popularity)],
    );
  }

  /** The clusters of the version in use, with those who are in them. */
  earlier(): Promise<EarlierCluster[]> {
    return this.sql<EarlierCluster>(
      `select c.id, c.title, c.basis, array(select p.user_id from learned_people p where p.model_id = c.model_id and p.cluster_ids @> array[c.id]) as members
       from learned_clusters c join learned_models m on m.id = c.model_id where m.state = 'ACTIVE' order by c.number`,
    );
  }

  /**
   * The gate: a version whose suggestions of products are worse than those of the one in use by a tenth and by more than chance (1 / √people), or no better than popularity where those in use are, is kept out (REJECTED). Otherwise it is in use from the
   * commit on. So is one that finds nobody who belongs together by subject, where the one in use does. Answers its clusters, when it is in use.
   */
  finish(id: string, metrics: ModelMetrics): Promise<{ id: string; title: string; interests: string[] }[]> {
    return this.unitOfWork.run({ actorId: id, operation: 'finishTraining' }, async (tx) => {
      await lockModels(tx);
      const [before] = await tx.sql<{ metrics: ModelMetrics; factors: number }>(`select metrics, factors from learned_models where state = 'ACTIVE'`);
      const [own] = await tx.sql<{ factors: number }>(`select factors from learned_models where id = $1 and state = 'TRAINING' for update`, [id]);
      if (!own) return [];
      const [was, is] = [before?.metrics.evaluation?.model.ndcg ?? 0, metrics.evaluation?.model.ndcg ?? 0];
      const noSubjects = (before?.metrics.subjects ?? 0) > 0 && metrics.subjects === 0 && (metrics.withSignal ?? 0) >= 2 * MIN_CLUSTER ? 'It finds nobody who belongs together by subject.' : null;
      const noTaste = before && before.factors > 0 && (own.factors === 0 ? 'Its suggestions of products do not beat popularity.' : is < 0.9 * was - 1 / Math.sqrt(metrics.evaluation!.people) ? `Its NDCG@10 is ${is.toFixed(3)}, that of the version in use ${was.toFixed(3)}.` : null);
      const worse = noTaste || noSubjects;
      await tx.sql('update learned_models set state = $2, reason = $3, metrics = $4, finished_at = $5 where id = $1', [id, worse ? 'REJECTED' : 'KEPT', worse || (own.factors ? null : 'Products are suggested by content and popularity alone.'), JSON.stringify(metrics), tx.now]);
      if (!worse) await activate(tx, id);
      await tx.sql(`delete from learned_models where state <> 'ACTIVE' and state <> 'TRAINING' and id not in (select id from learned_models where state <> 'TRAINING' order by state = 'ACTIVE' desc, version desc limit $1)`, [MODELS_KEPT]);
      return worse ? [] : tx.sql<{ id: string; title: string; interests: string[] }>('select id, title, interests from learned_clusters where model_id = $1 order by number', [id]);
    });
  }

  async fail(id: string, reason: string): Promise<void> {
    await this.sql(`update learned_models set state = 'FAILED', reason = $2, finished_at = now() where id = $1 and state = 'TRAINING'`, [id, reason]);
    await this.clear(id);
  }
}
