import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { RequestPhoneCodeInput, RequestPhoneCodePayload, VerifyPhoneCodeInput, VerifyPhoneCodePayload } from '../schema/phone.js';
import type { CodeSent, PhoneService, PhoneVerified } from '../services/phone.js';
import type { Context } from './context.js';

@Resolver()
export class PhoneResolver {
  constructor(private readonly phone: PhoneService) {}

  @Mutation(() => RequestPhoneCodePayload, { description: 'Sends a code of six digits to a phone number: at most one a minute, and five an hour. The newest alone is good.' })
  requestPhoneCode(@Arg('input', () => RequestPhoneCodeInput) input: RequestPhoneCodeInput, @Ctx() context: Context): Promise<CodeSent> {
    return this.phone.requestCode(input, context.request.address);
  }

  @Mutation(() => VerifyPhoneCodePayload, { description: 'Signs the number’s owner in, or a new person up. Signed in already, it links the number to the viewer instead.' })
  verifyPhoneCode(@Arg('input', () => VerifyPhoneCodeInput) input: VerifyPhoneCodeInput, @Ctx() context: Context): Promise<PhoneVerified> {
    return this.phone.verifyCode(context.viewer, input, context.request.address);
  }
}
