import { Arg, Args, Ctx, FieldResolver, Resolver } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId } from '../lib/ids.js';
import { ChatPages } from '../schema/chat.js';
import { ChatFilterInput } from '../schema/chat-list.js';
import { ForwardArgs } from '../schema/connection.js';
import { ViewerType } from '../schema/viewer.js';
import type { ChatListService } from '../services/chat-list.js';
import type { ChatRow } from '../services/loaders/chats.js';
import type { Context } from './context.js';

@Resolver(() => ViewerType)
export class ViewerChatsResolver {
  constructor(private readonly list: ChatListService) {}

  @FieldResolver(() => ChatPages.Connection, { description: 'The viewer’s chats, newest activity first.' })
  chats(@Arg('filter', () => ChatFilterInput, { nullable: true }) filter: ChatFilterInput | null, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ChatRow>> {
    const groupId = filter?.groupId == null ? null : decodeId('Group', filter.groupId, 'filter.groupId');
    return this.list.list(context, context.requireViewer(), { ...filter, groupId }, args);
  }
}
