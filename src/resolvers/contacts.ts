import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import {
  AddContactInput, AddContactPayload, ContactMatchType, ContactPages, ContactType, RemoveContactInput, RemoveContactPayload, SyncContactsInput, SyncContactsPayload,
} from '../schema/contacts.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { ContactService } from '../services/contacts.js';
import { contactOf, type ContactRow } from '../services/loaders/relations.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context, Viewer } from './context.js';

@Resolver(() => ContactType)
export class ContactResolver {
  constructor(private readonly contacts: ContactService) {}

  @Mutation(() => AddContactPayload, { description: 'Adds somebody to the viewer’s contacts, or renames them there.' })
  async addContact(@Arg('input', () => AddContactInput) input: AddContactInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const otherId = decodeId('User', input.userId, 'userId');
    await this.contacts.add(viewer, { userId: otherId, ...(input.name === undefined ? {} : { name: input.name }) });
    context.forget();
    return { contact: await context.load(contactOf, { ownerId: viewer.userId, otherId }) };
  }

  @Mutation(() => RemoveContactPayload)
  async removeContact(@Arg('input', () => RemoveContactInput) input: RemoveContactInput, @Ctx() context: Context): Promise<object> {
    const otherId = decodeId('User', input.userId, 'userId');
    await this.contacts.remove(context.requireViewer(), otherId);
    context.forget();
    return { user: await context.load(userById, otherId) };
  }

  @Mutation(() => SyncContactsPayload, { description: 'Adds those of a phone book who are here and let themselves be found by their number.' })
  async syncContacts(@Arg('input', () => SyncContactsInput) input: SyncContactsInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const { matches, unrecognized } = await this.contacts.sync(viewer, input);
    context.forget();
    return { matches: matches.map(({ phone, contactId }) => ({ phone, ownerId: viewer.userId, otherId: contactId })), unrecognized };
  }

  @FieldResolver(() => UserType)
  user(@Root() contact: ContactRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, contact.otherId);
  }
}

@Resolver(() => ContactMatchType)
export class ContactMatchResolver {
  @FieldResolver(() => ContactType)
  contact(@Root() { ownerId, otherId }: { ownerId: string; otherId: string }, @Ctx() context: Context): Promise<ContactRow | null> {
    return context.load(contactOf, { ownerId, otherId });
  }
}

@Resolver(() => ViewerType)
export class ViewerContactsResolver {
  constructor(private readonly service: ContactService) {}

  @FieldResolver(() => ContactPages.Connection, { description: 'By the name that the viewer knows them by.' })
  contacts(@Root() viewer: Viewer, @Args(() => ForwardArgs) args: ForwardArgs): Promise<Page<ContactRow>> {
    return this.service.list(viewer, args);
  }
}
