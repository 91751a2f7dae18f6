import { createUnionType, Field, Float, ID, Int, ObjectType } from 'type-graphql';
import { InteractiveCardType } from './bot-actions.js';
import { BotCardType } from './bot-card.js';
import { CartCardType } from './cart.js';
import { GroupBuyCardType } from './group-buy.js';
import { NewsArticleType } from './news.js';
import { ProductCardType } from './product.js';
import { DateTime } from './scalars.js';
import { StatusType } from './status.js';

@ObjectType('PollOption')
export class PollOptionType {
  @Field(() => Int, { description: 'By which it is voted for: 0, 1, 2 …' }) index: number;
  @Field(() => String) text: string;
  @Field(() => Int) voteCount: number;
}

@ObjectType('PollViewerState')
export class PollViewerStateType {
  @Field(() => [Int], { description: 'Indexes of the options that the viewer has voted for.' }) votes: number[];
}

@ObjectType('PollCard', { description: 'A question with options to vote for.' })
export class PollCardType {
  @Field(() => String) question: string;
  @Field(() => [PollOptionType]) options: object[];
  @Field(() => Int, { description: 'How many people have voted.' }) voterCount: number;
  @Field(() => Boolean, { description: 'One may vote for several options.' }) multiple: boolean;
  @Field(() => Boolean, { description: 'Nobody sees who voted for what.' }) anonymous: boolean;
  @Field(() => DateTime, { nullable: true, description: 'When it will close, or has closed.' }) closesAt: Date | null;
  @Field(() => Boolean) closed: boolean;
}

@ObjectType('LocationCard', { description: 'A place on earth, in degrees (WGS 84).' })
export class LocationCardType {
  @Field(() => Float) latitude: number;
  @Field(() => Float) longitude: number;
  @Field(() => String, { nullable: true }) name: string | null;
}

@ObjectType('StatusCard', { description: 'The status that a message answers.' })
export class StatusCardType {
  @Field(() => ID) statusId: string;
  @Field(() => StatusType, { nullable: true, description: 'Null when it has expired, or is not there for the viewer any more.' }) status: object | null;
}

@ObjectType('NewsCard', { description: 'A shared article: title, link and picture as they were when it was shared.' })
export class NewsCardType {
  @Field(() => String) title: string;
  @Field(() => String) url: string;
  @Field(() => String, { nullable: true }) imageUrl: string | null;
  @Field(() => String) publisher: string;
  @Field(() => NewsArticleType, { nullable: true, description: 'As it is now; null when it has been forgotten.' }) article: object | null;
}

export const MessageCard = createUnionType({ name: 'MessageCard', description: 'What a message carries beside its text.', types: () => [PollCardType, LocationCardType, StatusCardType, NewsCardType, ProductCardType, CartCardType, GroupBuyCardType, BotCardType, InteractiveCardType] as const });
