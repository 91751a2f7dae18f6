import { Field, ObjectType } from 'type-graphql';

@ObjectType('BotSource', { description: 'What an answer rests on.' })
export class BotSourceType {
  @Field(() => String) title: string;
  @Field(() => String, { description: 'The question of an FAQ, or the beginning of the passage.' }) quote: string;
  @Field(() => String, { nullable: true, description: 'Of a page.' }) url: string | null;
}
@ObjectType('BotCard', { description: 'Where a bot has its answer from.' })
export class BotCardType {
  @Field(() => [BotSourceType]) sources: object[];
}
