import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { DELIVERY_STATES, WEBHOOK_DISABLED_REASONS, WEBHOOK_EVENTS, WEBHOOK_STATES, type DeliveryState, type WebhookDisabledReason, type WebhookState } from '../entities/webhook.js';
import { connectionOf } from './connection.js';
import { enumOf } from './enums.js';
import { DateTime } from './scalars.js';

export const WebhookEvent = enumOf('WebhookEvent', WEBHOOK_EVENTS, 'What an endpoint is told of: events of chats that its owner is in, and of the owner’s own stream. In payloads MESSAGE_SENT is `message.sent`.');
export const WebhookStateEnum = enumOf('WebhookState', WEBHOOK_STATES, 'PAUSED by its owner, DISABLED by the server.');
export const WebhookDisabledReasonEnum = enumOf(
  'WebhookDisabledReason',
  WEBHOOK_DISABLED_REASONS,
  'FAILING: nothing was answered well for three days. GONE: it answered 410. TOO_MANY_WAITING: more than 10,000 deliveries waited.',
);
export const WebhookDeliveryState = enumOf('WebhookDeliveryState', DELIVERY_STATES, 'DROPPED: the owner may not see it any more. FAILED: it is not tried again by itself.');

@ObjectType('WebhookDelivery', { description: 'One event for one endpoint. Kept for 30 days.' })
export class WebhookDeliveryType {
  @Field(() => ID, { description: 'The `webhook-id` of what is sent: the same for every try.' }) id: string;
  @Field(() => WebhookEvent) event: string;
  @Field(() => ID) streamId: string;
  @Field(() => Int, { description: 'Its number in the stream.' }) offset: number;
  @Field(() => DateTime, { description: 'When it happened.' }) at: Date;
  @Field(() => WebhookDeliveryState) state: DeliveryState;
  @Field(() => Int) attempts: number;
  @Field(() => DateTime, { nullable: true, description: 'When it is tried (again).' }) nextAttemptAt: Date | null;
  @Field(() => Int, { nullable: true, description: 'What the endpoint answered last.' }) statusCode: number | null;
  @Field(() => String, { nullable: true, description: 'Why the last try failed.' }) error: string | null;
  @Field(() => Int, { nullable: true, description: 'How long the last answer took, milliseconds.' }) tookMs: number | null;
  @Field(() => DateTime, { nullable: true }) settledAt: Date | null;
}
export const WebhookDeliveryPages = connectionOf('WebhookDelivery', () => WebhookDeliveryType);

@ObjectType('Webhook', { description: 'An endpoint of the viewer’s that is told of events: docs/PARTNERS.md.' })
export class WebhookType {
  @Field(() => ID) id: string;
  @Field(() => ID, { nullable: true, description: 'The app that has made it, and with which it goes: its client_id. Null: the owner themselves.' }) appId: string | null;
  @Field(() => String) url: string;
  @Field(() => String, { nullable: true }) description: string | null;
  @Field(() => [WebhookEvent]) events: string[];
  @Field(() => [ID], { nullable: true, description: 'Of these chats alone; null: of all that the owner is in.' }) chatIds: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Orders of these shops alone; null: of all.' }) shopIds: string[] | null;
  @Field(() => WebhookStateEnum) state: WebhookState;
  @Field(() => WebhookDisabledReasonEnum, { nullable: true }) disabledReason: WebhookDisabledReason | null;
  @Field(() => DateTime, { nullable: true, description: 'Since when nothing was answered well; null: it answers.' }) failingSince: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When something was delivered last.' }) deliveredAt: Date | null;
  @Field(() => DateTime) createdAt: Date;
}
export const WebhookPages = connectionOf('Webhook', () => WebhookType);

@InputType('CreateWebhookInput')
export class CreateWebhookInput {
  @Field(() => String, { description: 'https, on the public internet.' }) url: string;
  @Field(() => [WebhookEvent]) events: string[];
  @Field(() => [ID], { nullable: true, description: 'Up to 100. What is of no chat is left out then.' }) chatIds?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Shops of the viewer’s, up to 100. What is no order is left out then.' }) shopIds?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Up to 200 bytes.' }) description?: string | null;
  @Field(() => ID) idempotencyKey: string;
}
@ObjectType('CreateWebhookPayload')
export class CreateWebhookPayload {
  @Field(() => WebhookType) webhook: object;
  @Field(() => String, { description: 'By which what is sent is signed (Standard Webhooks). Shown here alone: keep it as you would a password.' }) secret: string;
}

@InputType('UpdateWebhookInput', { description: 'What is left out stays as it is.' })
export class UpdateWebhookInput {
  @Field(() => ID) webhookId: string;
  @Field(() => String, { nullable: true }) url?: string | null;
  @Field(() => [WebhookEvent], { nullable: true }) events?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Null: of all.' }) chatIds?: string[] | null;
  @Field(() => [ID], { nullable: true, description: 'Null: of all.' }) shopIds?: string[] | null;
  @Field(() => String, { nullable: true }) description?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'False pauses it. True brings it back, also after the server has disabled it.' }) active?: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Makes a new secret. For a day what is sent is signed with the old one, too.' }) rotateSecret?: boolean | null;
}
@ObjectType('UpdateWebhookPayload')
export class UpdateWebhookPayload {
  @Field(() => WebhookType) webhook: object;
  @Field(() => String, { nullable: true, description: 'The new secret, where it was rotated.' }) secret: string | null;
}

@InputType('DeleteWebhookInput')
export class DeleteWebhookInput {
  @Field(() => ID) webhookId: string;
}
@ObjectType('DeleteWebhookPayload')
export class DeleteWebhookPayload {
  @Field(() => ID) webhookId: string;
}

@InputType('RedeliverWebhookInput', { description: 'Either of deliveryIds and since.' })
export class RedeliverWebhookInput {
  @Field(() => ID) webhookId: string;
  @Field(() => [ID], { nullable: true, description: 'Up to 100.' }) deliveryIds?: string[] | null;
  @Field(() => DateTime, { nullable: true, description: 'Whatever happened since then, also what was missed while it was not active: the oldest 1,000, at most 30 days back.' }) since?: Date | null;
}
@ObjectType('RedeliverWebhookPayload')
export class RedeliverWebhookPayload {
  @Field(() => WebhookType) webhook: object;
  @Field(() => Int, { description: 'How many wait to be sent by this.' }) count: number;
}
