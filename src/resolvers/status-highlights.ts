import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  CreateHighlightInput, CreateHighlightPayload, DeleteHighlightInput, DeleteHighlightPayload, StatusHighlightType, StatusPages, StatusType, UpdateHighlightInput, UpdateHighlightPayload,
} from '../schema/status.js';
import { UserType } from '../schema/user.js';
import { highlightCover, type HighlightRow } from '../services/loaders/status-highlights.js';
import type { StatusRow } from '../services/loaders/statuses.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { HighlightService } from '../services/statuses/highlights.js';
import type { StatusFeed } from '../services/statuses/status-feed.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const statusIdsIn = (ids: string[] | null | undefined, field: string): string[] => ids?.map((id) => decodeId('Status', id, field)) ?? [];
const coverIn = (id: string): string => decodeId('Status', id, 'coverStatusId');

@Resolver(() => StatusHighlightType)
export class StatusHighlightResolver {
  constructor(
    private readonly highlights: HighlightService,
    private readonly feed: StatusFeed,
  ) {}

  @Mutation(() => CreateHighlightPayload, { description: 'Keeps statuses beyond their day. At most 100 highlights a person, of 100 statuses each.' })
  async createHighlight(@Arg('input', () => CreateHighlightInput) input: CreateHighlightInput, @Ctx() context: Context): Promise<object> {
    const { title, idempotencyKey } = input;
    const statusIds = statusIdsIn(input.statusIds, 'statusIds');
    const coverStatusId = input.coverStatusId == null ? null : coverIn(input.coverStatusId);
    const id = await this.highlights.create(context.requireViewer(), { title, statusIds, coverStatusId, idempotencyKey });
    return { highlight: await this.feed.findHighlight(context, id) };
  }

  @Mutation(() => UpdateHighlightPayload)
  async updateHighlight(@Arg('input', () => UpdateHighlightInput) input: UpdateHighlightInput, @Ctx() context: Context): Promise<object> {
    const id = decodeId('StatusHighlight', input.highlightId, 'highlightId');
    const cover = input.coverStatusId === undefined ? {} : { coverStatusId: input.coverStatusId === null ? null : coverIn(input.coverStatusId) };
    const items = { addStatusIds: statusIdsIn(input.addStatusIds, 'addStatusIds'), removeStatusIds: statusIdsIn(input.removeStatusIds, 'removeStatusIds') };
    await this.highlights.update(context.requireViewer(), id, { title: input.title ?? null, ...items, ...cover });
    return { highlight: await this.feed.findHighlight(context, id) };
  }

  @Mutation(() => DeleteHighlightPayload, { description: 'Statuses whose day is over, and which no other highlight holds, are gone with it.' })
  async deleteHighlight(@Arg('input', () => DeleteHighlightInput) input: DeleteHighlightInput, @Ctx() context: Context): Promise<object> {
    await this.highlights.delete(context.requireViewer(), decodeId('StatusHighlight', input.highlightId, 'highlightId'));
    return { highlightId: input.highlightId };
  }

  @FieldResolver()
  id(@Root() highlight: HighlightRow): string {
    return encodeId('StatusHighlight', highlight.id);
  }
  @FieldResolver(() => UserType)
  owner(@Root() highlight: HighlightRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, highlight.ownerId);
  }
  @ViewerDependent()
  @FieldResolver(() => StatusType, { nullable: true, description: 'The status that was chosen, or the first, of those that the viewer sees.' })
  cover(@Root() highlight: HighlightRow, @Ctx() context: Context): Promise<StatusRow | null> {
    return context.load(highlightCover, { highlightId: highlight.id, viewerId: context.requireViewer().userId });
  }
  @ViewerDependent()
  @FieldResolver(() => StatusPages.Connection, { description: 'Those that the viewer sees, in the order in which they were posted.' })
  statuses(@Root() highlight: HighlightRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<StatusRow>> {
    context.requireViewer();
    return this.feed.ofHighlight(context, highlight.id, args);
  }
}
