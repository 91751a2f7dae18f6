import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { JobDeps } from './jobs/index.js';
import { StatusGroupResolver, UserStatusesResolver, ViewerStatusesResolver } from './resolvers/status-feed.js';
import { StatusHighlightResolver } from './resolvers/status-highlights.js';
import { StatusCardResolver, StatusInsightsResolver, StatusResolver, StatusViewerResolver } from './resolvers/statuses.js';
import { HighlightService } from './services/statuses/highlights.js';
import { StatusFeed } from './services/statuses/status-feed.js';
import { StatusNews } from './services/statuses/status-news.js';
import { StatusReplies } from './services/statuses/status-replies.js';
import { StatusService } from './services/statuses/statuses.js';

export interface StatusDeps {
  db: Database;
  unitOfWork: UnitOfWork;
}

/** The part of the container that is about statuses, and about the highlights that keep some of them. */
export function makeStatuses({ db, unitOfWork }: StatusDeps): { feed: StatusFeed; jobs: Pick<JobDeps, 'statusNews'>; resolvers: object[] } {
  const feed = new StatusFeed(db.sql);
  return {
    feed,
    jobs: { statusNews: new StatusNews(unitOfWork) },
    resolvers: [
      new StatusResolver(new StatusService(unitOfWork), new StatusReplies(unitOfWork), feed),
      new StatusInsightsResolver(feed),
      new StatusViewerResolver(),
      new StatusCardResolver(),
      new StatusGroupResolver(feed),
      new ViewerStatusesResolver(feed),
      new UserStatusesResolver(feed),
      new StatusHighlightResolver(new HighlightService(unitOfWork), feed),
    ],
  };
}
