import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { WebhookKind } from '../../entities/webhook.js';
import { DomainError, forbidden, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanText, cleanUrl, distinct } from '../../lib/validate.js';
import { scopeOfKind } from '../../policies/scopes.js';
import { MAX_FILTER_IDS, MAX_WEBHOOKS, OVERLAP_MS } from '../../policies/webhook-policy.js';
import type { Actor } from '../actor.js';
import { WEBHOOK_COLUMNS, type WebhookRow } from '../loaders/webhooks.js';
import { enqueue, matchesSince, wakeEndpoints } from './matching.js';
import { newSecret, shownSecret } from './signature.js';
import type { WebhookQueue } from './webhook-queue.js';

const MAX_DESCRIPTION_BYTES = 200;
/** What one call sends again. */
const MAX_REPLAYED = 1_000;
const MAX_IDS = 100;

export interface WebhookChange {
  url: string | null;
  description: string | null | undefined;
  kinds: readonly WebhookKind[] | null;
  /** Null: of all; undefined: as it is. */
  chatIds: readonly string[] | null | undefined;
  shopIds: readonly string[] | null | undefined;
  active: boolean | null;
  rotateSecret: boolean | null;
}

export interface NewWebhook {
  url: string;
  description: string | null;
  kinds: readonly WebhookKind[];
  chatIds: readonly string[] | null;
  shopIds: readonly string[] | null;
  idempotencyKey: string;
}

/** The app that acts, kept to scopes; a token that a partner issues for a user of theirs has none, and acts as the person. */
const appOf = ({ appId, scopes }: Actor): string | null => (scopes ? (appId ?? null) : null);
/** An app that acts for somebody else knows of its own endpoints alone: it could lead others' elsewhere. */
const OF_APP = (app: string): string => `(${app}::uuid is null or w.app_id = ${app} or exists (select from apps a where a.id = ${app} and a.owner_id = w.owner_id))`;

/** Endpoints of somebody (a person, a bot), and what they are told. */
export class WebhookService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly queue: WebhookQueue,
    /** Throws for an address that would never be asked. */
    private readonly checkAddress: (url: string) => void,
  ) {}

  /** The viewer's, the newest first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<WebhookRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<WebhookRow>(`select ${WEBHOOK_COLUMNS} from webhooks w where w.owner_id = $1 and ($2::uuid is null or w.id < $2) and ${OF_APP('$4')} order by w.id desc limit $3`, [
      actor.userId, request.from?.[0] ?? null, request.limit, appOf(actor),
    ]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** One of the viewer's own, or null. */
  async find(actor: Actor, id: string): Promise<WebhookRow | null> {
    const [row] = await this.sql<WebhookRow>(`select ${WEBHOOK_COLUMNS} from webhooks w where w.id = $1 and w.owner_id = $2 and ${OF_APP('$3')}`, [id, actor.userId, appOf(actor)]);
    return row ?? null;
  }

  /**
   * Adds an endpoint, which is told of what happens from now on. Answers its secret, which is shown at no other time but by a repeat of this.
   * Errors: INVALID_INPUT, NOT_FOUND (a chat or shop of the filters that is not the actor's), LIMIT_REACHED, IDEMPOTENCY_KEY_REUSED.
   */
  async create(actor: Actor, input: NewWebhook): Promise<{ webhook: WebhookRow; secret: string }> {
    const url = this.#cleanAddress(input.url);
    const description = cleanDescription(input.description);
    const kinds = cleanKinds(input.kinds);
    const [chatIds, shopIds] = [cleanIds(input.chatIds, 'chatIds'), cleanIds(input.shopIds, 'shopIds')];
    const { idempotencyKey, ...bound } = input;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createWebhook', idempotencyKey, input: bound }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [count] = await tx.sql<{ n: number }>('select count(*)::int as n from webhooks where owner_id = $1', [actor.userId]);
      if (count!.n >= MAX_WEBHOOKS) throw new DomainError('LIMIT_REACHED', `There are at most ${MAX_WEBHOOKS} webhooks.`);
      assertScopes(actor, kinds);
      await assertOwn(tx, actor.userId, chatIds, shopIds);
      const made = newId();
      await tx.sql('insert into webhooks (id, owner_id, url, description, kinds, chat_ids, shop_ids, secret, created_at, since, app_id, scopes) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11)', [
        made, actor.userId, url, description, kinds, chatIds, shopIds, newSecret(), tx.now, appOf(actor), actor.scopes ?? null,
      ]);
      return { id: made };
    });
    const [row] = await this.sql<{ secret: Buffer }>('select secret from webhooks where id = $1 and owner_id = $2', [id, actor.userId]);
    if (!row) throw notFound('webhook');
    return { webhook: (await this.find(actor, id))!, secret: shownSecret(row.secret) };
  }

  /**
   * Changes an endpoint. With `rotateSecret` answers a new secret; for a day what is sent is signed with the old one, too. One that was paused or switched off and
   * becomes active is told of what happens from then on; `redeliver` brings what it has missed. One that a key or an app's token has changed, perhaps to lead it elsewhere, is told no more than that
   * may read.
   * Errors: NOT_FOUND, INVALID_INPUT.
   */
  async update(actor: Actor, id: string, change: WebhookChange): Promise<{ webhook: WebhookRow; secret: string | null }> {
    const url = change.url === null ? null : this.#cleanAddress(change.url);
    const description = cleanDescription(change.description ?? null);
    const kinds = change.kinds && cleanKinds(change.kinds);
    const [chatIds, shopIds] = [cleanIds(change.chatIds ?? null, 'chatIds'), cleanIds(change.shopIds ?? null, 'shopIds')];
    const secret = change.rotateSecret ? newSecret() : null;
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateWebhook' }, async (tx) => {
      const before = await lockWebhook(tx, actor, id);
      assertScopes(actor, kinds ?? before.kinds);
      await assertOwn(tx, actor.userId, chatIds, shopIds);
      const state = change.active === null ? before.state : change.active ? 'ACTIVE' : before.state === 'DISABLED' ? 'DISABLED' : 'PAUSED';
      await tx.sql(
        `update webhooks set url = coalesce($2, url), description = case when $3 then $4 else description end, kinds = coalesce($5, kinds), chat_ids = case when $6 then $7::uuid[] else chat_ids end,
           shop_ids = case when $8 then $9::uuid[] else shop_ids end, old_secret = case when $10::bytea is null then old_secret else secret end, old_secret_until = case when $10::bytea is null then old_secret_until else $11::timestamptz end,
           secret = coalesce($10, secret), scopes = case when $12::text[] is null and app_id is not null then scopes else $12 end where id = $1`,
        [id, url, change.description !== undefined, description, kinds, change.chatIds !== undefined, chatIds, change.shopIds !== undefined, shopIds, secret, new Date(tx.now.getTime() + OVERLAP_MS), actor.scopes ?? null],
      );
      if (state !== before.state) await setState(tx, id, state);
      return null;
    });
    this.queue.kick();
    return { webhook: (await this.find(actor, id))!, secret: secret && shownSecret(secret) };
  }

  /** Removes an endpoint with its log of deliveries. Errors: NOT_FOUND. */
  async delete(actor: Actor, id: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteWebhook' }, async (tx) => {
      await lockWebhook(tx, actor, id);
      await tx.sql('delete from webhooks where id = $1', [id]);
      return null;
    });
  }

  /**
   * Sends again: given deliveries, or whatever happened since a time, as far as the log holds it (also what was never sent), at most 1,000. Under the ids of old, so that a
   * receiver knows what it has. Answers how many wait by it. Errors: NOT_FOUND, INVALID_INPUT, STATE_CONFLICT (not active).
   */
  async redeliver(actor: Actor, id: string, what: { deliveryIds: readonly string[] | null; since: Date | null }): Promise<{ webhook: WebhookRow; count: number }> {
    if ((what.deliveryIds === null) === (what.since === null)) throw invalidInput('deliveryIds', 'Either deliveryIds or since is given.');
    const ids = what.deliveryIds && distinct(what.deliveryIds, 'deliveryIds', MAX_IDS);
    const { count } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'redeliverWebhook' }, async (tx) => {
      const { state } = await lockWebhook(tx, actor, id);
      if (state !== 'ACTIVE') throw new DomainError('STATE_CONFLICT', 'The webhook is not active: make it so first.', { field: 'webhookId' });
      if (!ids) return { count: await enqueue(tx, await matchesSince(tx, id, what.since!, MAX_REPLAYED), true) };
      const found = await tx.sql('select from webhook_deliveries where webhook_id = $1 and id = any($2)', [id, ids]);
      if (found.length < ids.length) throw new DomainError('NOT_FOUND', 'There is no such delivery.', { field: 'deliveryIds' });
      const again = await tx.sql(`update webhook_deliveries set state = 'PENDING', attempts = 0, due_at = $3, settled_at = null where webhook_id = $1 and id = any($2) returning 1`, [id, ids, tx.now]);
      await wakeEndpoints(tx, [id]);
      return { count: again.length };
    });
    this.queue.kick();
    return { webhook: (await this.find(actor, id))!, count };
  }

  /** Only what is encrypted goes over the internet; what the operator has named as their own may be plain. */
  #cleanAddress(given: string): string {
    const url = cleanUrl(given, 'url');
    try {
      this.checkAddress(url);
    } catch {
      throw invalidInput('url', 'url is not an address of the public internet, by https and a port that may be asked.');
    }
    return url;
  }
}

const cleanDescription = (given: string | null): string | null => (given === null ? null : cleanText(given, { field: 'description', maxBytes: MAX_DESCRIPTION_BYTES }));

function cleanKinds(kinds: readonly WebhookKind[]): WebhookKind[] {
  if (!kinds.length) throw invalidInput('events', 'events is empty.');
  return distinct(kinds, 'events', 100);
}

function cleanIds(ids: readonly string[] | null, field: string): string[] | null {
  if (ids && !ids.length) throw invalidInput(field, `${field} is empty: leave it out for all.`);
  return ids && distinct(ids, field, MAX_FILTER_IDS);
}

async function lockWebhook(tx: Tx, actor: Actor, id: string): Promise<Pick<WebhookRow, 'state' | 'kinds'>> {
  const [row] = await tx.sql<Pick<WebhookRow, 'state' | 'kinds'>>(`select w.state, w.kinds from webhooks w where w.id = $1 and w.owner_id = $2 and ${OF_APP('$3')} for update`, [id, actor.userId, appOf(actor)]);
  if (!row) throw new DomainError('NOT_FOUND', 'There is no such webhook.', { field: 'webhookId' });
  return row;
}

/** An app has nobody told of what it could not read itself. */
function assertScopes({ scopes }: Actor, kinds: readonly WebhookKind[]): void {
  const missing = scopes ? [...new Set(kinds.map(scopeOfKind))].filter((scope) => !scopes.includes(scope)) : [];
  if (missing.length) throw forbidden(`This app was not given: ${missing.join(', ')}.`);
}

async function setState(tx: Tx, id: string, state: WebhookRow['state']): Promise<void> {
  if (state === 'ACTIVE') await tx.sql(`update webhooks set state = 'ACTIVE', disabled_reason = null, disabled_at = null, failures = 0, failing_since = null, paused_until = null, since = $2, next_at = $2 where id = $1`, [id, tx.now]);
  else await tx.sql('update webhooks set state = $2, next_at = null where id = $1', [id, state]);
}

async function assertOwn(tx: Tx, userId: string, chatIds: readonly string[] | null, shopIds: readonly string[] | null): Promise<void> {
  if (chatIds) {
    const found = await tx.sql('select from chat_members where user_id = $1 and chat_id = any($2)', [userId, chatIds]);
    if (found.length < chatIds.length) throw new DomainError('NOT_FOUND', 'There is no such chat.', { field: 'chatIds' });
  }
  if (shopIds) {
    const found = await tx.sql('select from shops where owner_id = $1 and id = any($2)', [userId, shopIds]);
    if (found.length < shopIds.length) throw new DomainError('NOT_FOUND', 'There is no such shop.', { field: 'shopIds' });
  }
}
