import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { SignInInput, SignInPayload, SignUpInput, SignUpPayload } from '../schema/account.js';
import { ViewerType } from '../schema/viewer.js';
import type { AccountService } from '../services/accounts.js';
import { accountById } from '../services/loaders/accounts.js';
import type { Grant } from '../services/sessions.js';
import type { Context, Viewer } from './context.js';

@Resolver()
export class AccountResolver {
  constructor(private readonly accounts: AccountService) {}

  @Mutation(() => SignUpPayload)
  signUp(@Arg('input', () => SignUpInput) input: SignUpInput, @Ctx() context: Context): Promise<Grant> {
    return this.accounts.signUp(input, context.request.address);
  }

  @Mutation(() => SignInPayload, { description: 'An unknown address and a wrong password are both INVALID_CREDENTIALS.' })
  signIn(@Arg('input', () => SignInInput) input: SignInInput, @Ctx() context: Context): Promise<Grant> {
    return this.accounts.signIn(input, context.request.address);
  }
}

/** What of the viewer is nobody else's business. */
@Resolver(() => ViewerType)
export class ViewerAccountResolver {
  @FieldResolver(() => String, { nullable: true })
  async email(@Root() viewer: Viewer, @Ctx() context: Context): Promise<string | null> {
    return (await context.load(accountById, viewer.userId))?.email ?? null;
  }

  @FieldResolver(() => Boolean)
  async emailVerified(@Root() viewer: Viewer, @Ctx() context: Context): Promise<boolean> {
    return (await context.load(accountById, viewer.userId))?.emailVerified ?? false;
  }

  @FieldResolver(() => String, { nullable: true, description: 'In E.164, as +41791234567; verified.' })
  async phone(@Root() viewer: Viewer, @Ctx() context: Context): Promise<string | null> {
    return (await context.load(accountById, viewer.userId))?.phone ?? null;
  }
}
