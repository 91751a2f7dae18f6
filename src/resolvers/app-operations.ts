import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId } from '../lib/ids.js';
import { AppOperationPages, RegisterAppOperationsInput, RegisterAppOperationsPayload, RemoveAppOperationsInput, RemoveAppOperationsPayload } from '../schema/app-operations.js';
import { AppType } from '../schema/apps.js';
import { ForwardArgs } from '../schema/connection.js';
import type { AppOperationRow, AppOperationService } from '../services/apps/app-operations.js';
import type { AppRow } from '../services/loaders/apps.js';
import type { Context } from './context.js';

@Resolver(() => AppType)
export class AppOperationResolver {
  constructor(private readonly registered: AppOperationService) {}

  @Mutation(() => RegisterAppOperationsPayload, { description: 'All of them or none; those that are there already stay. At most 1000 an app, and 2,000,000 characters together.' })
  async registerAppOperations(@Arg('input', () => RegisterAppOperationsInput) { appId, documents }: RegisterAppOperationsInput, @Ctx() context: Context): Promise<RegisterAppOperationsPayload> {
    return { operations: await this.registered.register(context.requireViewer(), decodeId('App', appId, 'appId'), documents, context.request.address) };
  }

  @Mutation(() => RemoveAppOperationsPayload, { description: 'They are executed no more, within seconds.' })
  async removeAppOperations(@Arg('input', () => RemoveAppOperationsInput) { appId, hashes }: RemoveAppOperationsInput, @Ctx() context: Context): Promise<RemoveAppOperationsPayload> {
    return { removedHashes: await this.registered.remove(context.requireViewer(), decodeId('App', appId, 'appId'), hashes) };
  }

  @FieldResolver(() => AppOperationPages.Connection, { description: 'Those that it has registered, the newest first.' })
  operations(@Root() { id }: AppRow, @Args(() => ForwardArgs) args: ForwardArgs): Promise<Page<AppOperationRow>> {
    return this.registered.list(id, args);
  }
}
