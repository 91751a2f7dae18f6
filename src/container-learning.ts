import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import { InferredClusterResolver, LearnedModelResolver, LearningVerbsResolver, SimilarProductsResolver, SuggestedGroupResolver, SuggestedUserResolver, SuggestionsResolver } from './resolvers/learning.js';
import { GroupMemberService } from './services/group-members.js';
import { ClusterGroups } from './services/learning/cluster-groups.js';
import { INTERACTIONS_A_DAY, InteractionService } from './services/learning/interactions.js';
import { ModelService } from './services/learning/models.js';
import { PersonalizationService } from './services/learning/personalization.js';
import { Placement } from './services/learning/placement.js';
import { ShelfKeeper } from './services/learning/shelf.js';
import { SuggestedGroups } from './services/learning/suggested-groups.js';
import { SuggestedNews } from './services/learning/suggested-news.js';
import { SuggestedPeople } from './services/learning/suggested-people.js';
import { SuggestedProducts } from './services/learning/suggested-products.js';
import { Trainings } from './services/learning/trainings.js';
import { Quota } from './services/quota.js';

export interface LearningDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  clock: Clock;
  log: Logger;
}

export interface Learning {
  jobs: Pick<JobDeps, 'models' | 'trainings' | 'interactions'>;
  trainings: Trainings;
  resolvers: object[];
  close(): Promise<void>;
}

/** The part of the container that learns, and suggests. */
export function makeLearning({ config, db, unitOfWork, clock, log }: LearningDeps): Learning {
  const interactions = new InteractionService(db.background, unitOfWork, new Quota(db.sql, clock, { name: 'interactions', points: INTERACTIONS_A_DAY, seconds: 86_400 }), clock);
  const personalization = new PersonalizationService(db.sql, unitOfWork);
  const groups = new ClusterGroups(unitOfWork, new GroupMemberService(db.sql, unitOfWork), config.CLUSTER_GROUPS_OWNER ?? null);
  const trainings = new Trainings(db, unitOfWork, groups, clock, log, config.ML_THREADS);
  const models = new ModelService(db.sql, unitOfWork);
  const keeper = new ShelfKeeper(db.sql);
  const placement = new Placement(db.sql, keeper);
  const products = new SuggestedProducts(db.sql, keeper, personalization);
  return {
    jobs: { models: config.LEARNING ? models : null, trainings, interactions },
    trainings,
    resolvers: [
      new LearningVerbsResolver(interactions, personalization, groups, models),
      new SuggestionsResolver(new SuggestedPeople(db.sql, placement), new SuggestedGroups(db.sql, placement), products, new SuggestedNews(db.sql, keeper, personalization)),
      new SuggestedUserResolver(),
      new SuggestedGroupResolver(),
      new InferredClusterResolver(),
      new LearnedModelResolver(),
      new SimilarProductsResolver(products),
    ],
    close: () => trainings.close(),
  };
}
