import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { FileType } from '../schema/file.js';
import { NotificationType } from '../schema/notifications.js';
import {
  DataExportPages, DataExportType, DeleteAccountInput, DeleteAccountPayload, EraseUserInput, EraseUserPayload, RequestDataExportInput, RequestDataExportPayload, type DataExportStateName,
} from '../schema/privacy.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import { fileById, type FileRow } from '../services/loaders/files.js';
import type { NotificationRow } from '../services/loaders/notifications.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { ErasureService } from '../services/privacy/erasure.js';
import type { DataExportRow, DataExportService } from '../services/privacy/exports.js';
import type { Context } from './context.js';

@Resolver(() => DataExportType)
export class DataExportResolver {
  constructor(private readonly exports: DataExportService) {}

  @Query(() => DataExportType, { nullable: true, description: 'One of the viewer’s data, or one that they have asked for; or null.' })
  dataExport(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<DataExportRow | null> {
    return this.exports.find(context.requireViewer(), decodeId('DataExport', id));
  }

  @Mutation(() => RequestDataExportPayload, { description: 'Has a copy made of what the place has of the viewer, or, for support, of somebody else. One that is being made is answered again; three a day.' })
  async requestDataExport(@Arg('input', () => RequestDataExportInput) { userId, idempotencyKey }: RequestDataExportInput, @Ctx() context: Context): Promise<{ dataExport: DataExportRow }> {
    return { dataExport: await this.exports.request(context.requireViewer(), { userId: userId == null ? null : decodeId('User', userId, 'userId'), idempotencyKey }) };
  }

  @FieldResolver()
  id(@Root() row: DataExportRow): string {
    return encodeId('DataExport', row.id);
  }

  @FieldResolver(() => UserType)
  user(@Root() row: DataExportRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, row.userId);
  }

  @FieldResolver()
  state(@Root() { finishedAt, expiresAt }: DataExportRow, @Ctx() context: Context): DataExportStateName {
    if (finishedAt === null) return 'WAITING';
    return expiresAt! > context.now ? 'READY' : 'EXPIRED';
  }

  @FieldResolver(() => FileType, { nullable: true })
  async file(@Root() { fileId, expiresAt }: DataExportRow, @Ctx() context: Context): Promise<FileRow | null> {
    if (fileId === null || expiresAt! <= context.now) return null;
    const file = await context.load(fileById, fileId);
    return file?.state === 'READY' ? file : null;
  }
}

@Resolver()
export class ErasureResolver {
  constructor(private readonly erasures: ErasureService) {}

  @Mutation(() => DeleteAccountPayload, { description: 'Forgets the viewer: at once their name, sessions and ways in, then, room by room, what they left. It can’t be taken back. docs/OPERATIONS.md says what is kept.' })
  async deleteAccount(@Arg('input', () => DeleteAccountInput) { handle, password }: DeleteAccountInput, @Ctx() context: Context): Promise<DeleteAccountPayload> {
    const viewer = context.requireViewer();
    await this.erasures.eraseOwn(viewer, { handle, password: password ?? null });
    return { userId: encodeId('User', viewer.userId) };
  }

  @Mutation(() => EraseUserPayload, { description: 'For administrators: as deleteAccount does.' })
  async eraseUser(@Arg('input', () => EraseUserInput) { userId, reason }: EraseUserInput, @Ctx() context: Context): Promise<{ user: UserRow }> {
    const key = decodeId('User', userId, 'userId');
    await this.erasures.erase(context.requireViewer(), key, reason);
    return { user: (await context.load(userById, key))! };
  }
}

@Resolver(() => ViewerType)
export class ViewerDataExportsResolver {
  constructor(private readonly exportsOf: DataExportService) {}

  @FieldResolver(() => DataExportPages.Connection, { description: 'Copies of the viewer’s data, the newest first.' })
  dataExports(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<DataExportRow>> {
    return this.exportsOf.list(context.requireViewer(), args);
  }
}

@Resolver(() => NotificationType)
export class NotificationDataExportResolver {
  @FieldResolver(() => ID, { nullable: true, description: 'Of DATA_EXPORT_READY and DATA_EXPORT_EXPIRED: `dataExport(id)` has it.' })
  dataExportId(@Root() { dataExportId }: NotificationRow): string | null {
    return dataExportId === null ? null : encodeId('DataExport', dataExportId);
  }
}

export const PRIVACY_RESOLVERS = [DataExportResolver, ErasureResolver, ViewerDataExportsResolver, NotificationDataExportResolver];
