import { Arg, Args, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { pageRequest, type Page } from '../db/pages.js';
import { eventOfKind, kindOfEvent, type DeliveryState } from '../entities/webhook.js';
import { parseStream } from '../events/catalogue.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { NotificationType } from '../schema/notifications.js';
import { ViewerType } from '../schema/viewer.js';
import {
  CreateWebhookInput, CreateWebhookPayload, DeleteWebhookInput, DeleteWebhookPayload, RedeliverWebhookInput, RedeliverWebhookPayload, UpdateWebhookInput, UpdateWebhookPayload, WebhookDeliveryPages,
  WebhookDeliveryState, WebhookDeliveryType, WebhookPages, WebhookType,
} from '../schema/webhooks.js';
import type { NotificationRow } from '../services/loaders/notifications.js';
import { deliveriesOfWebhook, waitingOfWebhook, type DeliveryRow, type WebhookRow } from '../services/loaders/webhooks.js';
import type { WebhookService } from '../services/webhooks/webhooks.js';
import type { Context } from './context.js';
import { ViewerDependent } from './viewer-dependent.js';

const keysOf = (type: 'Chat' | 'Shop', ids: readonly string[] | null | undefined, field: string): string[] | null | undefined => ids && ids.map((id) => decodeId(type, id, field));

@Resolver(() => WebhookType)
export class WebhookResolver {
  constructor(private readonly webhooks: WebhookService) {}

  @Query(() => WebhookType, { nullable: true, description: 'One of the viewer’s own, or null.' })
  webhook(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<WebhookRow | null> {
    return this.webhooks.find(context.requireViewer(), decodeId('Webhook', id));
  }

  @Mutation(() => CreateWebhookPayload, { description: 'At most 20. It is told of what happens from now on.' })
  createWebhook(@Arg('input', () => CreateWebhookInput) { events, chatIds, shopIds, description, ...input }: CreateWebhookInput, @Ctx() context: Context): Promise<{ webhook: WebhookRow; secret: string }> {
    const filters = { chatIds: keysOf('Chat', chatIds, 'chatIds') ?? null, shopIds: keysOf('Shop', shopIds, 'shopIds') ?? null };
    return this.webhooks.create(context.requireViewer(), { ...input, ...filters, description: description ?? null, kinds: events.map(kindOfEvent) });
  }

  @Mutation(() => UpdateWebhookPayload)
  updateWebhook(@Arg('input', () => UpdateWebhookInput) input: UpdateWebhookInput, @Ctx() context: Context): Promise<{ webhook: WebhookRow; secret: string | null }> {
    const { url = null, events, description, active = null, rotateSecret = null } = input;
    const filters = { chatIds: keysOf('Chat', input.chatIds, 'chatIds'), shopIds: keysOf('Shop', input.shopIds, 'shopIds') };
    return this.webhooks.update(context.requireViewer(), decodeId('Webhook', input.webhookId, 'webhookId'), { url, description, active, rotateSecret, ...filters, kinds: events?.map(kindOfEvent) ?? null });
  }

  @Mutation(() => DeleteWebhookPayload, { description: 'With its log of deliveries.' })
  async deleteWebhook(@Arg('input', () => DeleteWebhookInput) { webhookId }: DeleteWebhookInput, @Ctx() context: Context): Promise<DeleteWebhookPayload> {
    await this.webhooks.delete(context.requireViewer(), decodeId('Webhook', webhookId, 'webhookId'));
    return { webhookId };
  }

  @Mutation(() => RedeliverWebhookPayload, { description: 'Sends again, under the ids of old. What the owner may not see any more is not sent.' })
  redeliverWebhook(@Arg('input', () => RedeliverWebhookInput) { webhookId, deliveryIds, since }: RedeliverWebhookInput, @Ctx() context: Context): Promise<{ webhook: WebhookRow; count: number }> {
    const ids = deliveryIds?.map((id) => decodeId('WebhookDelivery', id, 'deliveryIds')) ?? null;
    return this.webhooks.redeliver(context.requireViewer(), decodeId('Webhook', webhookId, 'webhookId'), { deliveryIds: ids, since: since ?? null });
  }

  @FieldResolver()
  id(@Root() row: WebhookRow): string {
    return encodeId('Webhook', row.id);
  }

  @FieldResolver()
  appId(@Root() { appId }: WebhookRow): string | null {
    return appId && encodeId('App', appId);
  }

  @FieldResolver()
  events(@Root() { kinds }: WebhookRow): string[] {
    return kinds.map(eventOfKind);
  }

  @FieldResolver()
  chatIds(@Root() { chatIds }: WebhookRow): string[] | null {
    return chatIds && chatIds.map((id) => encodeId('Chat', id));
  }

  @FieldResolver()
  shopIds(@Root() { shopIds }: WebhookRow): string[] | null {
    return shopIds && shopIds.map((id) => encodeId('Shop', id));
  }

  @FieldResolver(() => Int, { description: 'Deliveries that wait to be sent; 1,000 at most.' })
  async waitingCount(@Root() { id }: WebhookRow, @Ctx() context: Context): Promise<number> {
    return (await context.load(waitingOfWebhook, id))?.count ?? 0;
  }

  @FieldResolver(() => WebhookDeliveryPages.Connection, { description: 'The newest first.' })
  async deliveries(
    @Root() { id }: WebhookRow,
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('states', () => [WebhookDeliveryState], { nullable: true }) states: DeliveryState[] | null,
    @Ctx() context: Context,
  ): Promise<Page<DeliveryRow>> {
    return (await context.load(deliveriesOfWebhook, { parent: { webhookId: id, states: states && [...new Set(states)] }, request: pageRequest(args, ['uuid']) }))!;
  }
}

@Resolver(() => WebhookDeliveryType)
export class WebhookDeliveryResolver {
  @FieldResolver()
  id(@Root() row: DeliveryRow): string {
    return encodeId('WebhookDelivery', row.id);
  }

  @FieldResolver()
  event(@Root() { kind }: DeliveryRow): string {
    return eventOfKind(kind);
  }

  @FieldResolver()
  streamId(@Root() { stream }: DeliveryRow): string {
    const { kind, id } = parseStream(stream);
    return encodeId(kind === 'chat' ? 'Chat' : 'User', id);
  }

  @FieldResolver()
  offset(@Root() { pos }: DeliveryRow): number {
    return pos;
  }

  @FieldResolver()
  nextAttemptAt(@Root() { dueAt }: DeliveryRow): Date | null {
    return dueAt;
  }

  @FieldResolver()
  statusCode(@Root() { status }: DeliveryRow): number | null {
    return status;
  }
}

@Resolver(() => ViewerType)
export class ViewerWebhooksResolver {
  constructor(private readonly webhooksOf: WebhookService) {}

  @FieldResolver(() => WebhookPages.Connection, { description: 'The newest first.' })
  webhooks(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<WebhookRow>> {
    return this.webhooksOf.list(context.requireViewer(), args);
  }
}

@Resolver(() => NotificationType)
export class NotificationWebhookResolver {
  constructor(private readonly endpoints: WebhookService) {}

  /** An app that acts for somebody knows of its own endpoints alone, whichever way it asks. */
  @ViewerDependent()
  @FieldResolver(() => WebhookType, { nullable: true })
  webhook(@Root() { webhookId }: NotificationRow, @Ctx() context: Context): Promise<WebhookRow | null> | null {
    return webhookId === null || !context.viewer ? null : this.endpoints.find(context.viewer, webhookId);
  }
}

export const WEBHOOK_RESOLVERS = [WebhookResolver, WebhookDeliveryResolver, ViewerWebhooksResolver, NotificationWebhookResolver];
