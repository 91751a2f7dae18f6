import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { SetPresenceInput, SetPresencePayload } from '../schema/presence.js';
import { SetTypingInput, SetTypingPayload } from '../schema/typing.js';
import { presenceOf } from '../services/loaders/presence.js';
import type { PresenceService } from '../services/presence.js';
import type { TypingService } from '../services/typing.js';
import type { Context } from './context.js';

@Resolver()
export class PresenceResolver {
  constructor(
    private readonly presence: PresenceService,
    private readonly typing: TypingService,
  ) {}

  @Mutation(() => SetPresencePayload, { description: 'Says whether somebody looks at this device. Whether it is connected is known without it.' })
  async setPresence(@Arg('input', () => SetPresenceInput) input: SetPresenceInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    await this.presence.set(viewer, input.status);
    context.forget();
    return { presence: await context.load(presenceOf, viewer.userId) };
  }

  @Mutation(() => SetTypingPayload, { description: 'Of the same word, one in 2 seconds is passed on.' })
  async setTyping(@Arg('input', () => SetTypingInput) input: SetTypingInput, @Ctx() context: Context): Promise<object> {
    const expiresAt = await this.typing.set(context.requireViewer(), decodeId('Chat', input.chatId, 'chatId'), input.typing);
    return { typing: input.typing, expiresAt };
  }
}
