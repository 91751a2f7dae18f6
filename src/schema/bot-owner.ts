import { Field, ID, InputType, ObjectType } from 'type-graphql';
import { BotSettingsType, BotType } from './bot.js';
import { StreamEventType } from './stream-event.js';
import { UserType } from './user.js';

@ObjectType('BotCommand', { description: 'Said as /name, or as /name@handle where several bots have it.' })
export class BotCommandType {
  @Field(() => String) name: string;
  @Field(() => String) description: string;
}
@ObjectType('ChatBotCommand', { description: 'A command of one of a chat’s bots.' })
export class ChatBotCommandType {
  @Field(() => UserType) bot: object;
  @Field(() => String) name: string;
  @Field(() => String) description: string;
}
@InputType('BotCommandInput')
export class BotCommandInput {
  @Field(() => String, { description: '1 to 32 of a to z, 0 to 9 and _.' }) name: string;
  @Field(() => String, { description: 'Up to 256 bytes.' }) description: string;
}
@InputType('SetBotCommandsInput')
export class SetBotCommandsInput {
  @Field(() => ID) botId: string;
  @Field(() => [BotCommandInput], { description: 'At most 50: they replace the earlier ones.' }) commands: BotCommandInput[];
}
@ObjectType('SetBotCommandsPayload')
export class SetBotCommandsPayload {
  @Field(() => BotType) bot: object;
}

@InputType('DeleteBotInput')
export class DeleteBotInput {
  @Field(() => ID) botId: string;
}
@ObjectType('DeleteBotPayload')
export class DeleteBotPayload {
  @Field(() => ID) botId: string;
}

@ObjectType('BotChanged', { implements: StreamEventType, description: 'A bot of the viewer’s was made, changed, given something to read, decided about, or deleted.' })
export class BotChangedType extends StreamEventType {
  @Field(() => ID) botId: string;
  @Field(() => BotType, { nullable: true, description: 'As it is now; null when it was deleted.' }) bot: object | null;
  @Field(() => BotSettingsType, { nullable: true, description: 'Null when it was deleted.' }) settings: object | null;
}
