import { Arg, Args, Ctx, Query, Resolver } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { MessageSearchFilter, MessageSearchPages } from '../schema/message-search.js';
import type { MessageSearch } from '../services/message-search.js';
import type { Context } from './context.js';

@Resolver()
export class MessageSearchResolver {
  constructor(private readonly search: MessageSearch) {}

  @Query(() => MessageSearchPages.Connection, {
    description: 'Messages of the viewer’s chats, newest first. All words must be there, the last one by its beginning; "phrases", `or` and -without are understood. Up to 256 bytes.',
  })
  searchMessages(
    @Arg('query', () => String) query: string,
    @Arg('filter', () => MessageSearchFilter, { nullable: true }) filter: MessageSearchFilter | null,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Ctx() context: Context,
  ): Promise<object> {
    context.requireViewer();
    const chatId = filter?.chatId == null ? null : decodeId('Chat', filter.chatId, 'filter.chatId');
    const senderId = filter?.senderId == null ? null : decodeId('User', filter.senderId, 'filter.senderId');
    return this.search.search(context, query, { ...filter, chatId, senderId }, args);
  }
}
