/** What an endpoint may be told of: of chats that its owner is in, and of the owner's own stream. */
export const WEBHOOK_KINDS = [
  'message.sent', 'message.updated', 'message.deleted', 'reactions.changed', 'pins.changed', 'member.joined', 'member.left', 'member.updated', 'chat.updated', 'call.started', 'call.ended',
  'chat.added', 'chat.removed', 'contact.changed', 'group.changed', 'scheduled.changed', 'file.changed', 'status.posted', 'status.deleted', 'call.incoming', 'call.ring.ended', 'order.changed', 'notification.added',
  'button.pressed', 'form.submitted', 'callback.answered', 'bot.changed', 'support.changed', 'moderation.changed', 'groupbuy.changed',
] as const;
export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

/** Of the public enum: MESSAGE_SENT is `message.sent`. */
export const WEBHOOK_EVENTS = WEBHOOK_KINDS.map((kind) => kind.toUpperCase().replaceAll('.', '_'));
export const eventOfKind = (kind: WebhookKind): string => kind.toUpperCase().replaceAll('.', '_');
export const kindOfEvent = (event: string): WebhookKind => WEBHOOK_KINDS[WEBHOOK_EVENTS.indexOf(event)]!;

export const WEBHOOK_STATES = ['ACTIVE', 'PAUSED', 'DISABLED'] as const;
export type WebhookState = (typeof WEBHOOK_STATES)[number];
export const WEBHOOK_DISABLED_REASONS = ['FAILING', 'GONE', 'TOO_MANY_WAITING'] as const;
export type WebhookDisabledReason = (typeof WEBHOOK_DISABLED_REASONS)[number];
export const DELIVERY_STATES = ['PENDING', 'DELIVERED', 'FAILED', 'DROPPED'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];
