import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { pageRequest, type Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  ApiKeyPages, ApiKeyType, AppPages, AppType, AuthorizeAppInput, AuthorizeAppPayload, CreateApiKeyInput, CreateApiKeyPayload, CreateAppInput, CreateAppPayload, DeleteAppInput, DeleteAppPayload, IssueUserTokenInput, IssueUserTokenPayload,
  RevokeApiKeyInput, RevokeApiKeyPayload, RotateApiKeyInput, RotateApiKeyPayload, RotateAppSecretInput, RotateAppSecretPayload, UpdateAppInput, UpdateAppPayload,
} from '../schema/apps.js';
import { ForwardArgs } from '../schema/connection.js';
import { ViewerType } from '../schema/viewer.js';
import type { AppService } from '../services/apps/apps.js';
import type { OAuthService } from '../services/apps/oauth.js';
import type { PartnerUsers } from '../services/apps/partner-users.js';
import { keysOfApp, type ApiKeyRow, type AppRow } from '../services/loaders/apps.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

@Resolver(() => AppType)
export class AppResolver {
  constructor(
    private readonly apps: AppService,
    private readonly users: PartnerUsers,
    private readonly oauth: OAuthService,
  ) {}

  @Query(() => AppType, { nullable: true, description: 'One of the viewer’s own, or null.' })
  app(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<AppRow | null> {
    return this.apps.find(context.requireViewer(), decodeId('App', id));
  }

  @Mutation(() => CreateAppPayload, { description: 'At most 20.' })
  createApp(@Arg('input', () => CreateAppInput) input: CreateAppInput, @Ctx() context: Context): Promise<{ app: AppRow; clientSecret: string | null }> {
    return this.apps.create(context.requireViewer(), input);
  }

  @Mutation(() => UpdateAppPayload)
  async updateApp(@Arg('input', () => UpdateAppInput) { appId, ...change }: UpdateAppInput, @Ctx() context: Context): Promise<{ app: AppRow }> {
    const { name = null, redirectUris = null, scopes = null, registeredOnly = null, publicKeys = null } = change;
    return { app: await this.apps.update(context.requireViewer(), { appId: decodeId('App', appId, 'appId'), name, redirectUris, scopes, registeredOnly, publicKeys }) };
  }

  @Mutation(() => DeleteAppPayload, { description: 'With its keys; what it holds for people ends at once.' })
  async deleteApp(@Arg('input', () => DeleteAppInput) { appId }: DeleteAppInput, @Ctx() context: Context): Promise<DeleteAppPayload> {
    await this.apps.delete(context.requireViewer(), decodeId('App', appId, 'appId'));
    return { appId };
  }

  @Mutation(() => RotateAppSecretPayload)
  rotateAppSecret(@Arg('input', () => RotateAppSecretInput) { appId }: RotateAppSecretInput, @Ctx() context: Context): Promise<{ app: AppRow; clientSecret: string }> {
    return this.apps.rotateSecret(context.requireViewer(), decodeId('App', appId, 'appId'));
  }

  @Mutation(() => CreateApiKeyPayload, { description: 'At most 20 an app.' })
  createApiKey(@Arg('input', () => CreateApiKeyInput) { appId, scopes, expiresInDays, ...input }: CreateApiKeyInput, @Ctx() context: Context): Promise<{ apiKey: ApiKeyRow; key: string | null }> {
    return this.apps.createKey(context.requireViewer(), { ...input, appId: decodeId('App', appId, 'appId'), scopes: scopes ?? null, expiresInDays: expiresInDays ?? null });
  }

  @Mutation(() => RotateApiKeyPayload, { description: 'A new key in place of one, which is good a while longer.' })
  rotateApiKey(@Arg('input', () => RotateApiKeyInput) { apiKeyId, ...input }: RotateApiKeyInput, @Ctx() context: Context): Promise<{ apiKey: ApiKeyRow; key: string | null; previous: ApiKeyRow }> {
    return this.apps.rotateKey(context.requireViewer(), { ...input, apiKeyId: decodeId('ApiKey', apiKeyId, 'apiKeyId') });
  }

  @Mutation(() => RevokeApiKeyPayload, { description: 'At once.' })
  async revokeApiKey(@Arg('input', () => RevokeApiKeyInput) { apiKeyId }: RevokeApiKeyInput, @Ctx() context: Context): Promise<{ apiKey: ApiKeyRow }> {
    return { apiKey: await this.apps.revokeKey(context.requireViewer(), decodeId('ApiKey', apiKeyId, 'apiKeyId')) };
  }

  @Mutation(() => AuthorizeAppPayload, { description: 'The viewer lets an app act for them: called by the page on which they say yes.' })
  async authorizeApp(@Arg('input', () => AuthorizeAppInput) { clientId, state, ...input }: AuthorizeAppInput, @Ctx() context: Context): Promise<AuthorizeAppPayload> {
    return { redirectTo: await this.oauth.authorize(context.requireViewer(), { ...input, appId: decodeId('App', clientId, 'clientId'), state: state ?? null }) };
  }

  @Mutation(() => IssueUserTokenPayload, { description: 'Signs in one of the partner’s own users: for an app with the scope users:issue.' })
  async issueUserToken(@Arg('input', () => IssueUserTokenInput) input: IssueUserTokenInput, @Ctx() context: Context): Promise<{ user: UserRow; accessToken: string; accessTokenExpiresAt: Date }> {
    const { userId, ...token } = await this.users.issue(context.requireViewer(), { ...input, displayName: input.displayName ?? null });
    return { ...token, user: (await context.load(userById, userId))! };
  }

  @FieldResolver()
  id(@Root() row: AppRow): string {
    return encodeId('App', row.id);
  }

  @FieldResolver(() => ApiKeyPages.Connection, { description: 'The newest first, those that were revoked too.' })
  async apiKeys(@Root() { id }: AppRow, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<ApiKeyRow>> {
    return (await context.load(keysOfApp, { parent: id, request: pageRequest(args, ['uuid']) }))!;
  }
}

@Resolver(() => ApiKeyType)
export class ApiKeyResolver {
  @FieldResolver()
  id(@Root() row: ApiKeyRow): string {
    return encodeId('ApiKey', row.id);
  }
}

@Resolver(() => ViewerType)
export class ViewerAppsResolver {
  constructor(private readonly appsOf: AppService) {}

  @FieldResolver(() => AppPages.Connection, { description: 'The newest first.' })
  apps(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<AppRow>> {
    return this.appsOf.list(context.requireViewer(), args);
  }
}

export const APP_RESOLVERS = [AppResolver, ApiKeyResolver, ViewerAppsResolver];
