import { Arg, Args, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { decodeAnyId, decodeId, encodeId, type IdType } from '../lib/ids.js';
import { invalidId } from '../lib/errors.js';
import { GroupType } from '../schema/group.js';
import {
  DismissSuggestionInput, DismissSuggestionPayload, InferredClusterType, InferredType, JoinSuggestedGroupInput, JoinSuggestedGroupPayload, LearnedModelType, ModelEvaluationType, PersonalizationType,
  RecommendedProductsArgs, RecordInteractionsInput, RecordInteractionsPayload, RetrainModelsInput, RetrainModelsPayload, RollBackModelInput, RollBackModelPayload, SuggestedArticleType, SuggestedGroupType, SuggestedProductType, SuggestedUserType,
  SuggestionArgs, UpdatePersonalizationInput, UpdatePersonalizationPayload,
} from '../schema/learning.js';
import { ProductType } from '../schema/product.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import type { ClusterGroups } from '../services/learning/cluster-groups.js';
import type { DismissibleType, InteractionService, TargetType } from '../services/learning/interactions.js';
import type { ClusteringMethod, ModelRow, ModelService } from '../services/learning/models.js';
import type { Inferred, PersonalizationRow, PersonalizationService } from '../services/learning/personalization.js';
import type { SuggestedGroupRow, SuggestedGroups } from '../services/learning/suggested-groups.js';
import type { SuggestedArticleRow, SuggestedNews } from '../services/learning/suggested-news.js';
import type { SuggestedPeople, SuggestedUserRow } from '../services/learning/suggested-people.js';
import type { SuggestedProductRow, SuggestedProducts } from '../services/learning/suggested-products.js';
import { groupById, type GroupRow } from '../services/loaders/groups.js';
import type { ProductRow } from '../services/loaders/products.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { Context } from './context.js';

const TARGETS: Readonly<Partial<Record<IdType, TargetType>>> = { Product: 'PRODUCT', NewsArticle: 'ARTICLE', Group: 'GROUP', User: 'USER' };

function targetOf<Type extends DismissibleType>(id: string, types: Readonly<Partial<Record<IdType, Type>>>): { type: Type; id: string } {
  const { type, uuid } = decodeAnyId(id, 'targetId');
  const target = types[type];
  if (!target) throw invalidId(`This is not the id of a ${Object.keys(types).join(', ')}.`, 'targetId');
  return { type: target, id: uuid };
}

/** What people do with suggestions, and say of themselves for them. */
@Resolver(() => ViewerType)
export class LearningVerbsResolver {
  constructor(
    private readonly interactions: InteractionService,
    private readonly settings: PersonalizationService,
    private readonly groups: ClusterGroups,
    private readonly models: ModelService,
  ) {}

  @Mutation(() => RecordInteractionsPayload, { description: 'What the viewer did with what they were shown. What is ordered, read and joined here is known already.' })
  async recordInteractions(@Arg('input', () => RecordInteractionsInput) { interactions }: RecordInteractionsInput, @Ctx() context: Context): Promise<RecordInteractionsPayload> {
    const given = interactions.map(({ idempotencyKey, kind, targetId, at = null }) => ({ key: idempotencyKey, kind, at, ...targetOf(targetId, TARGETS) }));
    return { recorded: await this.interactions.record(context.requireViewer(), given) };
  }

  @Mutation(() => DismissSuggestionPayload, { description: 'It is not suggested to the viewer again.' })
  async dismissSuggestion(@Arg('input', () => DismissSuggestionInput) { targetId }: DismissSuggestionInput, @Ctx() context: Context): Promise<DismissSuggestionPayload> {
    const { type, id } = targetOf<DismissibleType>(targetId, { ...TARGETS, SuggestedGroup: 'CLUSTER' });
    await this.interactions.dismiss(context.requireViewer(), type, id);
    return { targetId };
  }

  @Mutation(() => JoinSuggestedGroupPayload, { description: 'Joins the group of people who belong together; the first founds it. It is left by leaveGroup.' })
  async joinSuggestedGroup(@Arg('input', () => JoinSuggestedGroupInput) { suggestionId }: JoinSuggestedGroupInput, @Ctx() context: Context): Promise<{ group: GroupRow }> {
    const group = await this.groups.join(context.requireViewer(), decodeId('SuggestedGroup', suggestionId, 'suggestionId'));
    context.forget();
    return { group };
  }

  @Mutation(() => UpdatePersonalizationPayload)
  async updatePersonalization(@Arg('input', () => UpdatePersonalizationInput) input: UpdatePersonalizationInput, @Ctx() context: Context): Promise<{ personalization: PersonalizationRow }> {
    return { personalization: await this.settings.update(context.requireViewer(), input) };
  }

  @Mutation(() => RetrainModelsPayload, { description: 'For administrators. As a job: learnedModels tells how it went.' })
  async retrainModels(@Arg('input', () => RetrainModelsInput) { clustering, clusters = null, eps = null, minPoints = null, seed, idempotencyKey }: RetrainModelsInput, @Ctx() context: Context): Promise<{ model: ModelRow }> {
    return { model: await this.models.retrain(context.requireViewer(), { clustering: clustering ?? 'K_MEANS', clusters, eps, minPoints, seed: seed ?? 1 }, idempotencyKey) };
  }

  @Mutation(() => RollBackModelPayload, { description: 'For administrators.' })
  async rollBackModel(@Arg('input', () => RollBackModelInput) { version = null }: RollBackModelInput, @Ctx() context: Context): Promise<{ model: ModelRow }> {
    return { model: await this.models.rollBack(context.requireViewer(), version) };
  }

  @Query(() => [LearnedModelType], { description: 'For administrators. The newest 20, the newest first.' })
  learnedModels(@Ctx() context: Context): Promise<ModelRow[]> {
    return this.models.list(context.requireViewer());
  }

  @FieldResolver(() => PersonalizationType)
  personalization(@Ctx() context: Context): Promise<PersonalizationRow> {
    return this.settings.read(context.requireViewer().userId);
  }

  @FieldResolver(() => InferredType, { nullable: true, description: 'What was inferred of the viewer; null when nothing is held.' })
  inferred(@Ctx() context: Context): Promise<Inferred | null> {
    return this.settings.inferred(context.requireViewer().userId);
  }
}

/** What is suggested to the viewer. */
@Resolver(() => ViewerType)
export class SuggestionsResolver {
  constructor(
    private readonly people: SuggestedPeople,
    private readonly groups: SuggestedGroups,
    private readonly products: SuggestedProducts,
    private readonly news: SuggestedNews,
  ) {}

  @FieldResolver(() => [SuggestedUserType], { description: 'People whom the viewer may know.' })
  suggestedUsers(@Args(() => SuggestionArgs) { first }: SuggestionArgs, @Ctx() context: Context): Promise<SuggestedUserRow[]> {
    return this.people.list(context.requireViewer(), first, context.now);
  }

  @FieldResolver(() => [SuggestedGroupType])
  suggestedGroups(@Args(() => SuggestionArgs) { first }: SuggestionArgs, @Ctx() context: Context): Promise<SuggestedGroupRow[]> {
    return this.groups.list(context, context.requireViewer(), first);
  }

  @FieldResolver(() => [SuggestedProductType], { description: 'In a chat or a call: by what is being talked about there.' })
  recommendedProducts(@Args(() => RecommendedProductsArgs) { chatId, callId, first }: RecommendedProductsArgs, @Ctx() context: Context): Promise<SuggestedProductRow[]> {
    const where = { chatId: chatId == null ? null : decodeId('Chat', chatId, 'chatId'), callId: callId == null ? null : decodeId('Call', callId, 'callId') };
    return this.products.list(context, context.requireViewer(), where, first);
  }

  @FieldResolver(() => [SuggestedArticleType])
  recommendedNews(@Args(() => SuggestionArgs) { first }: SuggestionArgs, @Ctx() context: Context): Promise<SuggestedArticleRow[]> {
    return this.news.list(context, context.requireViewer(), first);
  }
}

@Resolver(() => SuggestedUserType)
export class SuggestedUserResolver {
  @FieldResolver(() => UserType)
  user(@Root() { userId }: SuggestedUserRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, userId);
  }
}

@Resolver(() => SuggestedGroupType)
export class SuggestedGroupResolver {
  @FieldResolver()
  id(@Root() { clusterId }: SuggestedGroupRow): string | null {
    return clusterId && encodeId('SuggestedGroup', clusterId);
  }

  @FieldResolver(() => GroupType, { nullable: true })
  async group(@Root() { groupId }: SuggestedGroupRow, @Ctx() context: Context): Promise<GroupRow | null> {
    return groupId === null ? null : context.load(groupById, groupId);
  }
}

@Resolver(() => InferredClusterType)
export class InferredClusterResolver {
  @FieldResolver()
  id(@Root() { id }: { id: string }): string {
    return encodeId('SuggestedGroup', id);
  }
}

@Resolver(() => LearnedModelType)
export class LearnedModelResolver {
  @FieldResolver()
  id(@Root() model: ModelRow): string {
    return encodeId('LearnedModel', model.id);
  }
  @FieldResolver()
  people(@Root() { metrics }: ModelRow): number {
    return metrics.people ?? 0;
  }
  @FieldResolver()
  products(@Root() { metrics }: ModelRow): number {
    return metrics.products ?? 0;
  }
  @FieldResolver()
  interactions(@Root() { metrics }: ModelRow): number {
    return metrics.interactions ?? 0;
  }
  @FieldResolver()
  clusters(@Root() { metrics }: ModelRow): number {
    return metrics.clusters ?? 0;
  }
  @FieldResolver()
  clustering(@Root() { options }: ModelRow): ClusteringMethod {
    return options.clustering ?? 'K_MEANS';
  }
  @FieldResolver()
  eps(@Root() { metrics }: ModelRow): number | null {
    return metrics.eps ?? null;
  }
  @FieldResolver()
  minPoints(@Root() { metrics }: ModelRow): number | null {
    return metrics.minPoints ?? null;
  }
  @FieldResolver()
  unclustered(@Root() { metrics }: ModelRow): number {
    return metrics.unclustered ?? 0;
  }
  @FieldResolver()
  silhouette(@Root() { metrics }: ModelRow): number | null {
    return metrics.silhouette ?? null;
  }
  @FieldResolver(() => ModelEvaluationType, { nullable: true })
  evaluation(@Root() { metrics }: ModelRow): object | null {
    return metrics.evaluation ?? null;
  }
}

@Resolver(() => ProductType)
export class SimilarProductsResolver {
  constructor(private readonly products: SuggestedProducts) {}

  @FieldResolver(() => [ProductType], { description: 'The most alike first.' })
  similarProducts(@Root() product: ProductRow, @Args(() => SuggestionArgs) { first }: SuggestionArgs, @Ctx() context: Context): Promise<ProductRow[]> {
    return this.products.similar(context, product, first);
  }
}

export const LEARNING_RESOLVERS = [LearningVerbsResolver, SuggestionsResolver, SuggestedUserResolver, SuggestedGroupResolver, InferredClusterResolver, LearnedModelResolver, SimilarProductsResolver];
