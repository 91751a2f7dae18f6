import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { userStream } from '../events/catalogue.js';
import { encodeCursor } from '../events/cursor.js';
import type { EventLog } from '../events/log.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { FileType } from '../schema/file.js';
import { EventCursor } from '../schema/scalars.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context, Viewer } from './context.js';
import { avatarFile, type ShownFile } from './files.js';

@Resolver(() => UserType)
export class UserResolver {
  @Query(() => UserType, { nullable: true })
  user(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<UserRow | null> {
    context.requireViewer();
    return context.load(userById, decodeId('User', id));
  }

  @FieldResolver()
  id(@Root() user: UserRow): string {
    return encodeId('User', user.id);
  }

  @FieldResolver(() => FileType, { nullable: true })
  avatar(@Root() user: UserRow, @Ctx() context: Context): ShownFile | null | Promise<ShownFile | null> {
    return avatarFile(user.avatarUrl, context);
  }
}

@Resolver(() => ViewerType)
export class ViewerResolver {
  constructor(private readonly log: EventLog) {}

  @Query(() => ViewerType, { nullable: true, description: 'Null when nobody is signed in.' })
  viewer(@Ctx() context: Context): Viewer | null {
    return context.viewer;
  }

  @FieldResolver(() => UserType)
  user(@Root() viewer: Viewer, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, viewer.userId);
  }

  @FieldResolver()
  roles(@Root() viewer: Viewer): Viewer['role'][] {
    return [viewer.role];
  }

  @FieldResolver(() => EventCursor, { description: 'Of the viewer’s own stream: read it before the state, then subscribe from it.' })
  async eventCursor(@Root() viewer: Viewer): Promise<string> {
    const stream = userStream(viewer.userId);
    const { epoch, head } = await this.log.head(stream);
    return encodeCursor(stream, epoch, head);
  }
}
