import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { maySeePresence } from '../policies/presence-policy.js';
import { ForwardArgs } from '../schema/connection.js';
import { PrivacySettingsType, UpdateProfileInput, UpdateProfilePayload, UserViewerStateType } from '../schema/people.js';
import { PresenceType } from '../schema/presence.js';
import { UserPages, UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import { presenceOf, type PresenceRow } from '../services/loaders/presence.js';
import { privacyOf, viewerRelation, type PrivacyRow, type RelationRow } from '../services/loaders/relations.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { PeopleService } from '../services/people.js';
import type { Context, Viewer } from './context.js';
import { avatarInput } from './files.js';
import { ViewerDependent } from './viewer-dependent.js';

@Resolver(() => UserType)
export class PeopleResolver {
  constructor(private readonly people: PeopleService) {}

  @Query(() => UserType, { nullable: true, description: 'Whoever has this handle, whatever its case; null for nobody.' })
  userByHandle(@Arg('handle', () => String) handle: string, @Ctx() context: Context): Promise<UserRow | null> {
    context.requireViewer();
    return this.people.byHandle(handle);
  }

  @Query(() => UserPages.Connection, { description: 'People who want to be found, by handle or display name: 2 characters or more. The best match first.' })
  searchUsers(@Arg('query', () => String) query: string, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<UserRow>> {
    return this.people.search(context.requireViewer(), query, args);
  }

  @Mutation(() => UpdateProfilePayload)
  async updateProfile(@Arg('input', () => UpdateProfileInput) input: UpdateProfileInput, @Ctx() context: Context): Promise<object> {
    const { userId } = context.requireViewer();
    await this.people.updateProfile(context.requireViewer(), { ...input, ...avatarInput(input) });
    context.forget();
    return { user: await context.load(userById, userId), privacy: await context.load(privacyOf, userId) };
  }

  @ViewerDependent()
  @FieldResolver(() => PresenceType, { nullable: true, description: 'What everybody may see: null unless its privacy is EVERYONE, and across a block. What this viewer may see stands under `viewerState`.' })
  async presence(@Root() user: UserRow, @Ctx() context: Context): Promise<PresenceRow | null> {
    if (user.presencePrivacy !== 'EVERYONE') return null;
    const relation = context.viewer && (await context.load(viewerRelation, user.id));
    return relation?.blockedByViewer || relation?.blocksViewer ? null : context.load(presenceOf, user.id);
  }

  @ViewerDependent()
  @FieldResolver(() => UserViewerStateType, { nullable: true, description: 'Null for the anonymous.' })
  async viewerState(@Root() user: UserRow, @Ctx() context: Context): Promise<UserViewerState | null> {
    const { viewer } = context;
    const relation = viewer && (await context.load(viewerRelation, user.id));
    return relation && { ...relation, user, viewerId: viewer.userId };
  }
}

interface UserViewerState extends RelationRow {
  user: UserRow;
  viewerId: string;
}

@Resolver(() => UserViewerStateType)
export class UserViewerStateResolver {
  @FieldResolver()
  isMutualContact(@Root() { isContact, isTheirContact }: UserViewerState): boolean {
    return isContact && isTheirContact;
  }

  @FieldResolver()
  presence(@Root() state: UserViewerState, @Ctx() context: Context): Promise<PresenceRow | null> | null {
    const { user, viewerId, blockedByViewer, blocksViewer, isTheirContact } = state;
    const sees = maySeePresence({ privacy: user.presencePrivacy, self: user.id === viewerId, blocked: blockedByViewer || blocksViewer, contactOfOwner: isTheirContact });
    return sees ? context.load(presenceOf, user.id) : null;
  }
}

@Resolver(() => ViewerType)
export class ViewerPrivacyResolver {
  @FieldResolver(() => PrivacySettingsType)
  privacy(@Root() viewer: Viewer, @Ctx() context: Context): Promise<PrivacyRow | null> {
    return context.load(privacyOf, viewer.userId);
  }
}
