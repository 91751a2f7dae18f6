import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { SUPPORT_STATES } from '../policies/support-policy.js';
import { BotType } from './bot.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';
import { StreamEventType } from './stream-event.js';
import { UserType } from './user.js';

export const SupportCaseState = enumOf('SupportCaseState', SUPPORT_STATES, 'OPEN: nobody has taken it yet. CANCELLED: by whoever has asked for a person.');
export const SupportCaseReason = enumOf('SupportCaseReason', ['ASKED', 'UNKNOWN'], 'UNKNOWN: the bot did not know the answer several times in a row.');

@ObjectType('BotHandOver', { description: 'To whom a bot hands over.' })
export class BotHandOverType {
  @Field(() => ID, { description: 'A group chat whose members take cases.' }) chatId: string;
  @Field(() => Int, { description: 'After so many answers in a row that it did not know.' }) afterUnknown: number;
}

@ObjectType('SupportLine', { description: 'What was said between somebody and a bot.' })
export class SupportLineType {
  @Field(() => Boolean) fromBot: boolean;
  @Field(() => String) text: string;
  @Field(() => DateTime) sentAt: Date;
}

@ObjectType('SupportCase', { description: 'Somebody wants a person instead of a bot. For them, for those who could take it, for whoever has, and for the bot’s owner.' })
export class SupportCaseType {
  @Field(() => ID) id: string;
  @Field(() => BotType) bot: object;
  @Field(() => SupportCaseState) state: string;
  @Field(() => SupportCaseReason) reason: string;
  @Field(() => UserType, { nullable: true }) asker: object | null;
  @Field(() => UserType, { nullable: true, description: 'Who has taken it.' }) agent: object | null;
  @Field(() => ID, { nullable: true, description: 'Of the bot, the asker and whoever has taken it. Before that, null.' }) chatId: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) assignedAt: Date | null;
  @Field(() => DateTime, { nullable: true }) closedAt: Date | null;
}
export const SupportCasePages = connectionOf('SupportCase', () => SupportCaseType);

@ObjectType('SupportCaseChanged', { implements: StreamEventType, description: 'A case that the viewer has asked for, has taken, or could take, was opened, taken, resolved or cancelled.' })
export class SupportCaseChangedType extends StreamEventType {
  @Field(() => ID) supportCaseId: string;
  @Field(() => SupportCaseType, { nullable: true, description: 'As it is now. Null when it has gone with its bot, or is no longer the viewer’s to see.' }) supportCase: object | null;
}

@InputType('SetBotHandOverInput')
export class SetBotHandOverInput {
  @Field(() => ID) botId: string;
  @Field(() => ID, { nullable: true, description: 'A group chat that one runs: its members take cases, as long as one does. None: the bot hands over no more.' }) chatId?: string | null;
  @Field(() => Int, { nullable: true, description: 'After so many answers in a row that it did not know: 2 to 10, default 2.' }) afterUnknown?: number | null;
}
@ObjectType('SetBotHandOverPayload')
export class SetBotHandOverPayload {
  @Field(() => BotType) bot: object;
}

@InputType('RequestPersonInput')
export class RequestPersonInput {
  @Field(() => ID) botId: string;
  @Field(() => Boolean, { defaultValue: true, description: 'Whoever comes reads the last 50 messages of one’s chat with the bot, as far as they are still there.' }) withTranscript: boolean;
  @Field(() => ID) idempotencyKey: string;
}

@InputType()
abstract class OfSupportCaseInput {
  @Field(() => ID) supportCaseId: string;
}
@ObjectType()
abstract class OfSupportCasePayload {
  @Field(() => SupportCaseType) supportCase: object;
}
@ObjectType('RequestPersonPayload')
export class RequestPersonPayload extends OfSupportCasePayload {}
@InputType('TakeSupportCaseInput')
export class TakeSupportCaseInput extends OfSupportCaseInput {}
@ObjectType('TakeSupportCasePayload')
export class TakeSupportCasePayload extends OfSupportCasePayload {}
@InputType('ResolveSupportCaseInput')
export class ResolveSupportCaseInput extends OfSupportCaseInput {}
@ObjectType('ResolveSupportCasePayload')
export class ResolveSupportCasePayload extends OfSupportCasePayload {}
@InputType('CancelSupportCaseInput')
export class CancelSupportCaseInput extends OfSupportCaseInput {}
@ObjectType('CancelSupportCasePayload')
export class CancelSupportCasePayload extends OfSupportCasePayload {}
