import { ArgsType, Field, Float, ID, InputType, Int, ObjectType } from 'type-graphql';
import { enumOf } from './enums.js';
import { GroupType } from './group.js';
import { NewsArticleType } from './news.js';
import { ProductType } from './product.js';
import { DateTime } from './scalars.js';
import { UserType } from './user.js';

export const InteractionKind = enumOf('InteractionKind', ['SHOWN', 'VIEWED', 'CLICKED', 'LIKED', 'ADDED_TO_CART', 'BOUGHT'], 'SHOWN: as a suggestion. What is shown again and again and never taken up sinks.');
export const SuggestionReasonKind = enumOf('SuggestionReasonKind', [
  'MUTUAL_CONTACTS', 'SHARED_GROUPS', 'SHARED_INTERESTS', 'SAME_PROFESSION', 'SAME_PLACE', 'LIKE_PEOPLE_NEAR', 'BECAUSE_OF', 'POPULAR', 'NEW', 'TALKED_ABOUT', 'SIMILAR_CONTENT',
]);
export const ClusterBasis = enumOf('ClusterBasis', ['SUBJECT', 'PROFESSION', 'PLACE'], 'By what people belong together.');
export const ClusteringMethod = enumOf('ClusteringMethod', ['K_MEANS', 'DBSCAN'], 'How people are put into clusters of subjects. K_MEANS: everybody goes to the nearest of k middles. DBSCAN: who lies close together; who is near to few is noise, and is suggested no such group.');
export const ModelState = enumOf('ModelState', ['TRAINING', 'ACTIVE', 'KEPT', 'REJECTED', 'FAILED'], 'KEPT: one can go back to it. REJECTED: it was worse than the one in use.');

@ArgsType()
export class SuggestionArgs {
  @Field(() => Int, { defaultValue: 20, description: 'How many at the most: 1 to 50. The best first.' }) first: number;
}

@ArgsType()
export class RecommendedProductsArgs extends SuggestionArgs {
  @Field(() => ID, { nullable: true, description: 'By the last messages there.' }) chatId?: string | null;
  @Field(() => ID, { nullable: true, description: 'By the last messages in its chat, for its members, and by what the host shows. Not with chatId.' }) callId?: string | null;
}

@ObjectType('SuggestionReason', { description: 'Why something is suggested.' })
export class SuggestionReasonType {
  @Field(() => SuggestionReasonKind) kind: string;
  @Field(() => String, { description: 'In English, to be shown.' }) text: string;
  @Field(() => Int, { nullable: true, description: 'Of how many contacts, groups and the like it speaks.' }) count: number | null;
}

@ObjectType()
abstract class Suggested {
  @Field(() => Float, { description: 'Compares those of one list.' }) score: number;
  @Field(() => [SuggestionReasonType]) reasons: object[];
}
@ObjectType('SuggestedUser')
export class SuggestedUserType extends Suggested {
  @Field(() => UserType) user: object;
}
@ObjectType('SuggestedProduct')
export class SuggestedProductType extends Suggested {
  @Field(() => ProductType) product: object;
}
@ObjectType('SuggestedArticle')
export class SuggestedArticleType extends Suggested {
  @Field(() => NewsArticleType) article: object;
}
@ObjectType('SuggestedGroup', { description: 'A group that is there, or that comes to be when the first joins it.' })
export class SuggestedGroupType extends Suggested {
  @Field(() => ID, { nullable: true, description: 'Of people who belong together: for joinSuggestedGroup and dismissSuggestion. Null for a group that people have made.' }) id: string | null;
  @Field(() => GroupType, { nullable: true, description: 'Null until somebody has joined.' }) group: object | null;
  @Field(() => String) title: string;
  @Field(() => [String], { description: 'What they share.' }) interests: string[];
  @Field(() => ClusterBasis, { nullable: true }) basis: string | null;
  @Field(() => Int, { description: 'How many belong together, or are in the group.' }) size: number;
}

@ObjectType('InferredCluster')
export class InferredClusterType {
  @Field(() => ID) id: string;
  @Field(() => ClusterBasis) basis: string;
  @Field(() => String) title: string;
  @Field(() => [String]) interests: string[];
  @Field(() => Int) size: number;
}
@ObjectType('Inferred', { description: 'What the model in use holds of the viewer.' })
export class InferredType {
  @Field(() => Int) modelVersion: number;
  @Field(() => DateTime) trainedAt: Date;
  @Field(() => [InferredClusterType], { description: 'Whom one is held to belong with.' }) clusters: object[];
  @Field(() => Int, { description: 'How many people are held to be near.' }) neighbours: number;
  @Field(() => Boolean, { description: 'Whether a taste in products was learned.' }) hasTaste: boolean;
}
@ObjectType('Personalization', { description: 'What of the viewer is used for suggestions.' })
export class PersonalizationType {
  @Field(() => Boolean, { description: 'False: nothing is learned of the viewer, and they are suggested to nobody.' }) enabled: boolean;
  @Field(() => Boolean, { description: 'Whether words of the viewer’s own messages are among it.' }) useMessages: boolean;
  @Field(() => [String]) interests: string[];
  @Field(() => String, { nullable: true }) profession: string | null;
  @Field(() => String, { nullable: true }) place: string | null;
}

@ObjectType('ModelQuality', { description: 'Of one thing each that was hidden of people’s, how well it is suggested.' })
export class ModelQualityType {
  @Field(() => Float, { description: 'The share that is among the first ten.' }) recall: number;
  @Field(() => Float, { description: 'NDCG@10.' }) ndcg: number;
}
@ObjectType('ModelEvaluation')
export class ModelEvaluationType {
  @Field(() => Int) people: number;
  @Field(() => ModelQualityType) model: object;
  @Field(() => ModelQualityType) popularity: object;
  @Field(() => ModelQualityType) random: object;
}
@ObjectType('LearnedModel', { description: 'A version of what was learned.' })
export class LearnedModelType {
  @Field(() => ID) id: string;
  @Field(() => Int) version: number;
  @Field(() => ModelState) state: string;
  @Field(() => String, { nullable: true, description: 'Why it is in this state, where that needs saying.' }) reason: string | null;
  @Field(() => DateTime) createdAt: Date;
  @Field(() => DateTime, { nullable: true }) finishedAt: Date | null;
  @Field(() => Int) people: number;
  @Field(() => Int) products: number;
  @Field(() => Int) interactions: number;
  @Field(() => Int) clusters: number;
  @Field(() => ClusteringMethod) clustering: string;
  @Field(() => Float, { nullable: true, description: 'Of DBSCAN: how far neighbours lie apart at the most, as given or as found.' }) eps: number | null;
  @Field(() => Int, { nullable: true, description: 'Of DBSCAN: neighbours (with oneself) that make somebody the core of a cluster.' }) minPoints: number | null;
  @Field(() => Int, { description: 'People who have given a signal and belong to no cluster by subject.' }) unclustered: number;
  @Field(() => Float, { nullable: true, description: 'Of the clusters by subject: 1 is perfect.' }) silhouette: number | null;
  @Field(() => ModelEvaluationType, { nullable: true, description: 'Of suggestions of products; null without enough interactions.' }) evaluation: object | null;
}

@InputType('InteractionInput')
export class InteractionInput {
  @Field(() => ID, { description: 'The client’s: one that was taken is taken no second time. 1 to 128 visible ASCII characters.' }) idempotencyKey: string;
  @Field(() => InteractionKind) kind: 'SHOWN' | 'VIEWED' | 'CLICKED' | 'LIKED' | 'ADDED_TO_CART' | 'BOUGHT';
  @Field(() => ID, { description: 'Of a Product, NewsArticle, Group or User.' }) targetId: string;
  @Field(() => DateTime, { nullable: true, description: 'Within the last 180 days. Default: now.' }) at?: Date | null;
}
@InputType('RecordInteractionsInput')
export class RecordInteractionsInput {
  @Field(() => [InteractionInput], { description: '1 to 100; 20,000 a day.' }) interactions: InteractionInput[];
}
@ObjectType('RecordInteractionsPayload')
export class RecordInteractionsPayload {
  @Field(() => Int, { description: 'How many were new.' }) recorded: number;
}

@InputType('DismissSuggestionInput')
export class DismissSuggestionInput {
  @Field(() => ID, { description: 'Of a Product, NewsArticle, Group, User or SuggestedGroup.' }) targetId: string;
}
@ObjectType('DismissSuggestionPayload')
export class DismissSuggestionPayload {
  @Field(() => ID) targetId: string;
}

@InputType('JoinSuggestedGroupInput')
export class JoinSuggestedGroupInput {
  @Field(() => ID) suggestionId: string;
}
@ObjectType('JoinSuggestedGroupPayload')
export class JoinSuggestedGroupPayload {
  @Field(() => GroupType) group: object;
}

@InputType('UpdatePersonalizationInput', { description: 'What is left out stays as it is; null empties profession and place.' })
export class UpdatePersonalizationInput {
  @Field(() => Boolean, { nullable: true, description: 'False forgets what was recorded, takes the viewer out of every model, and suggests them to nobody.' }) enabled?: boolean | null;
  @Field(() => Boolean, { nullable: true }) useMessages?: boolean | null;
  @Field(() => [String], { nullable: true, description: 'Up to 20, of up to 64 bytes.' }) interests?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Up to 64 bytes.' }) profession?: string | null;
  @Field(() => String, { nullable: true, description: 'Up to 64 bytes.' }) place?: string | null;
}
@ObjectType('UpdatePersonalizationPayload')
export class UpdatePersonalizationPayload {
  @Field(() => PersonalizationType) personalization: object;
}

@InputType('RetrainModelsInput')
export class RetrainModelsInput {
  @Field(() => ClusteringMethod, { nullable: true, description: 'Default: K_MEANS. Trainings by the schedule go as the version in use.' }) clustering?: 'K_MEANS' | 'DBSCAN' | null;
  @Field(() => Int, { nullable: true, description: 'Of K_MEANS: how many clusters of subjects, 1 to 500. Default: as many as separate best.' }) clusters?: number | null;
  @Field(() => Float, { nullable: true, description: 'Of DBSCAN: how far neighbours lie apart at the most, above 0 and up to 2. Default: as everybody’s distances say.' }) eps?: number | null;
  @Field(() => Int, { nullable: true, description: 'Of DBSCAN: neighbours (with oneself) that make somebody a core, 2 to 100. Default: the natural logarithm of how many people there are.' }) minPoints?: number | null;
  @Field(() => Int, { nullable: true, description: 'The same seed and data give the same model. Default: 1.' }) seed?: number | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType()
abstract class WithModel {
  @Field(() => LearnedModelType) model: object;
}
@ObjectType('RetrainModelsPayload')
export class RetrainModelsPayload extends WithModel {}
@InputType('RollBackModelInput')
export class RollBackModelInput {
  @Field(() => Int, { nullable: true, description: 'Default: the one before that in use.' }) version?: number | null;
}
@ObjectType('RollBackModelPayload')
export class RollBackModelPayload extends WithModel {}
