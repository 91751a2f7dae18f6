import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { ForwardArgs } from '../schema/connection.js';
import { UserViewerStateType } from '../schema/people.js';
import { StatusGroupPages, StatusGroupType, StatusHighlightPages, StatusPages } from '../schema/status.js';
import { UserPages, UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { HighlightRow } from '../services/loaders/status-highlights.js';
import { statusGroup, statusMuted, type StatusGroupRow, type StatusRow } from '../services/loaders/statuses.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { StatusFeed } from '../services/statuses/status-feed.js';
import type { Context, Viewer } from './context.js';

@Resolver(() => StatusGroupType)
export class StatusGroupResolver {
  constructor(private readonly feed: StatusFeed) {}

  @FieldResolver(() => UserType)
  user(@Root() group: StatusGroupRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, group.authorId);
  }
  @FieldResolver(() => StatusPages.Connection, { description: 'In the order in which they were posted.' })
  statuses(@Root() group: StatusGroupRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<StatusRow>> {
    return this.feed.ofGroup(context, group, args);
  }
}

@Resolver(() => ViewerType)
export class ViewerStatusesResolver {
  constructor(private readonly feed: StatusFeed) {}

  @FieldResolver(() => StatusGroupPages.Connection, {
    description: 'What mutual contacts show, by person: those with something unseen first, and of these and the others whoever posted last. `muted`: those whom the viewer has muted, instead of the others.',
  })
  statuses(@Args(() => ForwardArgs) args: ForwardArgs, @Arg('muted', () => Boolean, { defaultValue: false }) muted: boolean, @Ctx() context: Context): Promise<Page<StatusGroupRow>> {
    return this.feed.groups(context, { ...args, muted });
  }
  @FieldResolver(() => StatusPages.Connection, { description: 'The viewer’s own of today, in the order in which they were posted.' })
  ownStatuses(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<StatusRow>> {
    return this.feed.own(context, args);
  }
  @FieldResolver(() => UserPages.Connection, { description: 'Whose statuses the viewer has muted, the newest first.' })
  statusMutes(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs): Promise<Page<UserRow>> {
    return this.feed.muted(viewer, args);
  }
  @FieldResolver(() => StatusHighlightPages.Connection, { description: 'The viewer’s own, the newest first.' })
  highlights(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<HighlightRow>> {
    return this.feed.highlights(context, viewer.userId, args);
  }
}

/** Of another person, under what they are to the viewer. */
interface Relation {
  id: string;
  viewerId: string;
}

@Resolver(() => UserViewerStateType)
export class UserStatusesResolver {
  constructor(private readonly feed: StatusFeed) {}

  @FieldResolver()
  statuses(@Root() { id, viewerId }: Relation, @Ctx() context: Context): Promise<StatusGroupRow | null> {
    return context.load(statusGroup, { viewerId, authorId: id });
  }
  @FieldResolver()
  async statusesMuted(@Root() { id, viewerId }: Relation, @Ctx() context: Context): Promise<boolean> {
    return (await context.load(statusMuted, { viewerId, authorId: id }))!.muted;
  }
  @FieldResolver(() => StatusHighlightPages.Connection, { description: 'Those in which the viewer sees something, the newest first.' })
  highlights(@Root() { id }: Relation, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<HighlightRow>> {
    return this.feed.highlights(context, id, args);
  }
}
