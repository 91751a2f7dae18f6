import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { decodeMessageId } from '../lib/ids.js';
import { RemoveLinkPreviewInput, RemoveLinkPreviewPayload } from '../schema/message-inputs.js';
import type { LinkPreviews } from '../services/link-previews.js';
import type { MessageRow } from '../services/loaders/messages.js';
import type { Context } from './context.js';

@Resolver()
export class LinkPreviewResolver {
  constructor(private readonly previews: LinkPreviews) {}

  @Mutation(() => RemoveLinkPreviewPayload, { description: 'The sender takes the preview off their message; none is made any more.' })
  async removeLinkPreview(@Arg('input', () => RemoveLinkPreviewInput) { messageId }: RemoveLinkPreviewInput, @Ctx() context: Context): Promise<{ message: MessageRow }> {
    return { message: await this.previews.remove(context.requireViewer(), decodeMessageId(messageId)) };
  }
}
