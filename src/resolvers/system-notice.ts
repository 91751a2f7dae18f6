import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import type { SystemRef } from '../entities/message.js';
import { MessageType } from '../schema/message.js';
import { SystemNoticeType } from '../schema/system-notice.js';
import { UserType } from '../schema/user.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

@Resolver(() => MessageType)
export class MessageSystemResolver {
  @FieldResolver(() => SystemNoticeType, { nullable: true, description: 'Of a SYSTEM message: what happened to the chat.' })
  system(@Root() message: MessageRow): SystemRef | null {
    return message.card?.type === 'system' ? message.card : null;
  }
}

@Resolver(() => SystemNoticeType)
export class SystemNoticeResolver {
  @FieldResolver(() => [UserType], { description: 'The people whom it happened to.' })
  async subjects(@Root() notice: SystemRef, @Ctx() context: Context): Promise<UserRow[]> {
    return (await context.loadMany(userById, notice.subjectIds)).filter((user) => user !== null);
  }
}
