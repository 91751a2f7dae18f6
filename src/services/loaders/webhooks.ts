import { nestedPages } from '../../db/nested-pages.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { DeliveryState, WebhookDisabledReason, WebhookKind, WebhookState } from '../../entities/webhook.js';

export interface WebhookRow {
  id: string;
  ownerId: string;
  appId: string | null;
  url: string;
  description: string | null;
  kinds: WebhookKind[];
  chatIds: string[] | null;
  shopIds: string[] | null;
  state: WebhookState;
  disabledReason: WebhookDisabledReason | null;
  failingSince: Date | null;
  deliveredAt: Date | null;
  createdAt: Date;
}
export const WEBHOOK_COLUMNS = `w.id, w.owner_id as "ownerId", w.app_id as "appId", w.url, w.description, w.kinds, w.chat_ids as "chatIds", w.shop_ids as "shopIds", w.state, w.disabled_reason as "disabledReason",
  w.failing_since as "failingSince", w.delivered_at as "deliveredAt", w.created_at as "createdAt"`;

/** Counted up to here. */
export const MAX_WAITING_SHOWN = 1_000;

/** How many deliveries wait, by the webhook. */
export const waitingOfWebhook: LoaderDef<string, { id: string; count: number }> = {
  async batch(ids, { sql }) {
    const rows = await sql<{ id: string; count: number }>(
      `select k.id, c.count from unnest($1::uuid[]) k(id) cross join lateral (select count(*)::int as count from (select from webhook_deliveries d where d.webhook_id = k.id and d.state = 'PENDING' limit $2) x) c`,
      [ids, MAX_WAITING_SHOWN],
    );
    return inOrder(ids, rows, (row) => row.id);
  },
};

export interface DeliveryRow {
  ord: number;
  id: string;
  stream: string;
  pos: number;
  kind: WebhookKind;
  at: Date;
  state: DeliveryState;
  attempts: number;
  dueAt: Date | null;
  status: number | null;
  error: string | null;
  tookMs: number | null;
  settledAt: Date | null;
}

export interface DeliveriesKey {
  webhookId: string;
  states: readonly DeliveryState[] | null;
}

/** The log of deliveries of each endpoint, the newest first. */
export const deliveriesOfWebhook = nestedPages<DeliveriesKey, DeliveryRow>({
  keyOf: ({ webhookId, states }) => `${webhookId} ${states?.join() ?? ''}`,
  cursorOf: (row) => [row.id],
  read: (keys, { sql }) =>
    sql<DeliveryRow>(
      `select k.ord::int, x.* from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[]) with ordinality k(webhook_id, id, most, states, ord)
       cross join lateral (
         select d.id, d.stream, d.pos::int, d.kind, d.at, d.state, d.attempts, d.due_at as "dueAt", d.status, d.error, d.took_ms as "tookMs", d.settled_at as "settledAt" from webhook_deliveries d
         where d.webhook_id = k.webhook_id and (k.id is null or d.id < k.id) and (k.states is null or d.state = any(string_to_array(k.states, ','))) order by d.id desc limit k.most) x
       order by k.ord, x.id desc`,
      [keys.map(({ parent }) => parent.webhookId), keys.map(({ request }) => request.from?.[0] ?? null), keys.map(({ request }) => request.limit), keys.map(({ parent }) => parent.states?.join() ?? null)],
    ),
});
