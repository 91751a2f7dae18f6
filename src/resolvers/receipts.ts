import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId } from '../lib/ids.js';
import { MessageType } from '../schema/message.js';
import { MarkDeliveredInput, MarkDeliveredPayload, MarkReadInput, MarkReadPayload, ReceiptSummaryType } from '../schema/receipts.js';
import { chatById, type ChatRow } from '../services/loaders/chats.js';
import type { MessageRow } from '../services/loaders/messages.js';
import { receiptCounts, type ReceiptCounts } from '../services/loaders/receipts.js';
import type { ReceiptService } from '../services/receipts.js';
import type { Context } from './context.js';

@Resolver(() => MessageType)
export class ReceiptResolver {
  constructor(private readonly service: ReceiptService) {}

  @Mutation(() => MarkDeliveredPayload, { description: 'Says that everything up to this message has arrived. Never moves back. INVALID_INPUT past the chat’s last message.' })
  async markDelivered(@Arg('input', () => MarkDeliveredInput) input: MarkDeliveredInput, @Ctx() context: Context): Promise<{ chat: ChatRow | null }> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    await this.service.markDelivered(context.requireViewer(), chatId, input.seq);
    return { chat: await context.load(chatById, chatId) };
  }

  @Mutation(() => MarkReadPayload, { description: 'Says that everything up to this message has been read, and so has arrived. Never moves back. INVALID_INPUT past the chat’s last message.' })
  async markRead(@Arg('input', () => MarkReadInput) input: MarkReadInput, @Ctx() context: Context): Promise<{ chat: ChatRow | null }> {
    const chatId = decodeId('Chat', input.chatId, 'chatId');
    await this.service.markRead(context.requireViewer(), chatId, input.seq);
    return { chat: await context.load(chatById, chatId) };
  }

  @FieldResolver(() => ReceiptSummaryType, { nullable: true, description: 'Null in chats of more than 100 members, where ReceiptsChanged tells of the newest message alone.' })
  receipts(@Root() message: MessageRow, @Ctx() context: Context): Promise<ReceiptCounts | null> {
    const { chatId, seq, senderId } = message;
    return context.load(receiptCounts, { chatId, seq, senderId });
  }
}
