import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { AskingAppType, AuthorizedAppPages, AuthorizedAppType, RevokeAppAccessInput, RevokeAppAccessPayload } from '../schema/app-access.js';
import { ForwardArgs } from '../schema/connection.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { AppAccessService, AppAsking, AuthorizedAppRow } from '../services/apps/app-access.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

@Resolver(() => AskingAppType)
export class AskingAppResolver {
  constructor(private readonly access: AppAccessService) {}

  @Query(() => AskingAppType, { description: 'For the page on which people say yes: what `authorizeApp` would take, and refuse, of the same.' })
  askingApp(
    @Arg('clientId', () => ID) clientId: string,
    @Arg('redirectUri', () => String) redirectUri: string,
    @Arg('scopes', () => [String]) scopes: string[],
    @Ctx() context: Context,
  ): Promise<AppAsking> {
    context.requireViewer();
    return this.access.asking({ appId: decodeId('App', clientId, 'clientId'), redirectUri, scopes });
  }

  @Mutation(() => RevokeAppAccessPayload, { description: 'At once the app acts for the viewer no more; endpoints that it has made for them go.' })
  async revokeAppAccess(@Arg('input', () => RevokeAppAccessInput) { appId }: RevokeAppAccessInput, @Ctx() context: Context): Promise<RevokeAppAccessPayload> {
    await this.access.revoke(context.requireViewer(), decodeId('App', appId, 'appId'));
    return { appId };
  }

  @FieldResolver()
  id(@Root() row: AppAsking): string {
    return encodeId('App', row.id);
  }

  @FieldResolver(() => UserType)
  async owner(@Root() { ownerId }: AppAsking, @Ctx() context: Context): Promise<UserRow> {
    return (await context.load(userById, ownerId))!;
  }
}

@Resolver(() => AuthorizedAppType)
export class AuthorizedAppResolver {
  @FieldResolver()
  id(@Root() row: AuthorizedAppRow): string {
    return encodeId('App', row.id);
  }
}

@Resolver(() => ViewerType)
export class ViewerAuthorizedAppsResolver {
  constructor(private readonly authorized: AppAccessService) {}

  @FieldResolver(() => AuthorizedAppPages.Connection, { description: 'Apps of others that may act for the viewer; `revokeAppAccess` takes it back.' })
  authorizedApps(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<AuthorizedAppRow>> {
    return this.authorized.list(context.requireViewer(), args);
  }
}

export const APP_ACCESS_RESOLVERS = [AskingAppResolver, AuthorizedAppResolver, ViewerAuthorizedAppsResolver];
