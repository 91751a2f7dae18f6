import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { encodeId } from '../lib/ids.js';
import { SessionType, SignUpInput, SignUpPayload } from '../schema/account.js';
import type { AccountService } from '../services/accounts.js';
import type { Context } from './context.js';

@Resolver(() => SessionType)
export class AccountResolver {
  constructor(private readonly accounts: AccountService) {}

  @Mutation(() => SignUpPayload)
  signUp(@Arg('input', () => SignUpInput) input: SignUpInput, @Ctx() context: Context): Promise<object> {
    return this.accounts.signUp(input, context.request.address);
  }

  @FieldResolver()
  id(@Root() session: { id: string }): string {
    return encodeId('Session', session.id);
  }
}
