import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { encodeId } from '../lib/ids.js';
import {
  ChangePasswordInput,
  ChangePasswordPayload,
  RequestEmailVerificationInput,
  RequestEmailVerificationPayload,
  RequestPasswordResetInput,
  RequestPasswordResetPayload,
  ResetPasswordInput,
  ResetPasswordPayload,
  VerifyEmailInput,
  VerifyEmailPayload,
} from '../schema/recovery.js';
import type { EmailService } from '../services/emails.js';
import type { RecoveryService } from '../services/recovery.js';
import type { Context } from './context.js';

@Resolver()
export class EmailResolver {
  constructor(private readonly emails: EmailService) {}

  @Mutation(() => RequestEmailVerificationPayload, { description: 'Mails a code that proves the account’s address, or a new one for it. Signing up does so by itself.' })
  async requestEmailVerification(@Arg('input', () => RequestEmailVerificationInput) input: RequestEmailVerificationInput, @Ctx() context: Context): Promise<RequestEmailVerificationPayload> {
    return { email: await this.emails.requestVerification(context.requireViewer(), input, context.request.address) };
  }

  @Mutation(() => VerifyEmailPayload, { description: 'Takes the code of such a mail; nobody needs to be signed in for it.' })
  verifyEmail(@Arg('input', () => VerifyEmailInput) { token }: VerifyEmailInput, @Ctx() context: Context): Promise<VerifyEmailPayload> {
    return this.emails.verify(token, context.request.address);
  }
}

@Resolver()
export class RecoveryResolver {
  constructor(private readonly recovery: RecoveryService) {}

  @Mutation(() => RequestPasswordResetPayload, { description: 'Mails a code to the address, if an account has it; that is not told.' })
  async requestPasswordReset(@Arg('input', () => RequestPasswordResetInput) input: RequestPasswordResetInput, @Ctx() context: Context): Promise<RequestPasswordResetPayload> {
    return { email: await this.recovery.request(input, context.request.address) };
  }

  @Mutation(() => ResetPasswordPayload, { description: 'Sets a password by the code of such a mail, and ends every session.' })
  async resetPassword(@Arg('input', () => ResetPasswordInput) input: ResetPasswordInput, @Ctx() context: Context): Promise<ResetPasswordPayload> {
    return { user: await this.recovery.reset(input, context.request.address) };
  }

  @Mutation(() => ChangePasswordPayload, { description: 'Sets another password, and ends every other session.' })
  async changePassword(@Arg('input', () => ChangePasswordInput) input: ChangePasswordInput, @Ctx() context: Context): Promise<ChangePasswordPayload> {
    const { user, ended } = await this.recovery.change(context.requireViewer(), input, context.request.address);
    return { user, endedSessionIds: ended.map((id) => encodeId('Session', id)) };
  }
}
