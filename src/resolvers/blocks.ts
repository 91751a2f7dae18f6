import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId } from '../lib/ids.js';
import { BlockUserInput, BlockUserPayload, UnblockUserInput, UnblockUserPayload } from '../schema/blocks.js';
import { ForwardArgs } from '../schema/connection.js';
import { UserPages } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { BlockService } from '../services/blocks.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context, Viewer } from './context.js';

@Resolver(() => ViewerType)
export class BlockResolver {
  constructor(private readonly blocks: BlockService) {}

  @Mutation(() => BlockUserPayload, { description: 'Nothing direct passes between the two any more, either way. The other is not told.' })
  async blockUser(@Arg('input', () => BlockUserInput) input: BlockUserInput, @Ctx() context: Context): Promise<object> {
    const userId = decodeId('User', input.userId, 'userId');
    await this.blocks.block(context.requireViewer(), userId);
    context.forget();
    return { user: await context.load(userById, userId) };
  }

  @Mutation(() => UnblockUserPayload)
  async unblockUser(@Arg('input', () => UnblockUserInput) input: UnblockUserInput, @Ctx() context: Context): Promise<object> {
    const userId = decodeId('User', input.userId, 'userId');
    await this.blocks.unblock(context.requireViewer(), userId);
    context.forget();
    return { user: await context.load(userById, userId) };
  }

  @FieldResolver(() => UserPages.Connection, { description: 'The newest first.' })
  blockedUsers(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs): Promise<Page<UserRow>> {
    return this.blocks.list(viewer, args);
  }
}
