import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { SignInWithIdentityInput, SignInWithIdentityPayload } from '../schema/account.js';
import type { IdentityService } from '../services/identities.js';
import type { Grant } from '../services/sessions.js';
import type { Context } from './context.js';

@Resolver()
export class IdentityResolver {
  constructor(private readonly identities: IdentityService) {}

  @Mutation(() => SignInWithIdentityPayload, { description: 'Signs in by a token of the partner’s own identity provider, where one is set; the first time it makes the person.' })
  signInWithIdentity(@Arg('input', () => SignInWithIdentityInput) input: SignInWithIdentityInput, @Ctx() context: Context): Promise<Grant> {
    return this.identities.signIn(input, context.request.address);
  }
}
