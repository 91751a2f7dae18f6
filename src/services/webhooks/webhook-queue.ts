import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { WebhookDisabledReason, WebhookKind } from '../../entities/webhook.js';
import type { EventRef } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import { encodeId, newId } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import { scopeOfKind } from '../../policies/scopes.js';
import { endpointPauseMs, FAILING_FOR_MS, retryPauseMs, verdictOf } from '../../policies/webhook-policy.js';
import { OutboundError } from '../../outbound/errors.js';
import type { OutboundRequest, OutboundResponse } from '../../outbound/outbound.js';
import { retryAfterMs } from '../../push/contract.js';
import { NOBODY } from '../actor.js';
import { tell } from '../notifications/notices.js';
import type { PushQueue } from '../notifications/push-queue.js';
import { signedHeaders } from './signature.js';

/** Endpoints that one process sends to at once, of which so many may be failing; and requests to one of them at once. Together they fit what goes out at once. */
const ENDPOINTS = 12;
const FAILING_ENDPOINTS = 6;
const AT_ONCE = 2;
const TIMEOUT_MS = 15_000;
/** An endpoint for which much waits gives others a turn after so many. */
const ROUNDS = 25;
const LEASE_SECONDS = 60;
const ANSWER_BYTES = 2_048;
const MAX_ERROR = 500;

/** An event as its owner may see it today: what the API itself would answer them, or one that has these scopes. Null: they may not. */
export interface WebhookRenderer {
  render(ownerId: string, event: { stream: string; epoch: string; pos: number; at: Date; ref: EventRef }, may: readonly string[] | null): Promise<{ stream: string; cursor: string; data: object } | null>;
}

export type WebhookFetch = (url: string, request: OutboundRequest) => Promise<OutboundResponse>;

interface Endpoint {
  id: string;
  ownerId: string;
  url: string;
  secret: Buffer;
  oldSecret: Buffer | null;
  failures: number;
}

/** Of an endpoint `w`, at a moment that is a parameter. */
const ADDRESS = (now: string): string => `w.url, w.secret, case when w.old_secret_until > ${now} then w.old_secret end as "oldSecret"`;

interface Delivery {
  id: string;
  stream: string;
  pos: number;
  kind: WebhookKind;
  ref: object;
  at: Date;
  attempts: number;
  epoch: string;
  allowed: boolean;
  /** What the app may read that has made the endpoint, for its owner, today; null: no app has. */
  appMay: string[] | null;
  /** What the key or token was given by which it was made or changed last; null: none. */
  given: string[] | null;
}

type Outcome =
  | { state: 'delivered' | 'gone' | 'later'; status: number; error: string | null; tookMs: number; afterMs: number | null }
  | { state: 'later' | 'never' | 'dropped'; status: null; error: string; tookMs: number | null; afterMs: number | null };

/** What waits for each endpoint, and its sending: at least once, about in the order in which it came (two at a time: a stream's own order is that of the offsets), later and later when it fails. */
export class WebhookQueue {
  static readonly DUE = "exists (select from webhooks where state = 'ACTIVE' and next_at <= $1 and lease_until <= $1)";

  readonly #working = new Set<Promise<void>>();
  #failing = 0;
  #taking: Promise<boolean> | null = null;
  #again = false;
  #closed = false;
  #renderer: WebhookRenderer | null = null;
  /** Since the start of this process. */
  readonly figures = { delivered: 0, failed: 0, dropped: 0, disabled: 0 };

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly fetch: WebhookFetch,
    private readonly pushes: PushQueue,
  ) {}

  /** The schema is made after everything that it asks; nothing is sent before. */
  renderWith(renderer: WebhookRenderer): void {
    this.#renderer = renderer;
  }

  /** There is something new: it is not waited for. */
  kick(): void {
    this.sweep().catch((error: Error) => this.log.warn({ error: error.message }, 'webhooks could not be looked at; they are soon'));
  }

  /** Begins to send to endpoints for which something is due, as far as there is room. Never more at once than one look. */
  async sweep(): Promise<boolean> {
    if (this.#closed || !this.#renderer) return false;
    this.#again = this.#taking !== null;
    return (this.#taking ??= this.#take().finally(() => {
      this.#taking = null;
      if (this.#again) this.kick();
    }));
  }

  /** Waits for what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#taking?.catch(() => undefined);
    await Promise.all(this.#working);
  }

  /** Resolves when this process sends nothing any more: for whoever must know what was sent. */
  async settled(): Promise<void> {
    while (this.#taking || this.#working.size) await Promise.all([this.#taking, ...this.#working]);
  }

  async #take(): Promise<boolean> {
    const room = ENDPOINTS - this.#working.size;
    if (room <= 0) return false;
    const now = this.clock.now();
    const leaseId = newId();
    const endpoints = await this.sql<Endpoint>(
      `with well as (select id from webhooks where state = 'ACTIVE' and next_at <= $1 and lease_until <= $1 and failures = 0 order by next_at limit $2 for update skip locked),
         failing as (select id from webhooks where state = 'ACTIVE' and next_at <= $1 and lease_until <= $1 and failures > 0 order by next_at limit $4 for update skip locked)
       update webhooks w set lease_until = $1::timestamptz + make_interval(secs => $3), lease_id = $5 from (select id from well union all select id from failing limit $2) due
       where w.id = due.id
       returning w.id, w.owner_id as "ownerId", ${ADDRESS('$1')}, w.failures`,
      [now, room, LEASE_SECONDS, Math.max(0, FAILING_ENDPOINTS - this.#failing), leaseId],
    );
    for (const endpoint of endpoints) {
      const failing = endpoint.failures > 0;
      if (failing) this.#failing++;
      const working: Promise<void> = this.#work(endpoint, leaseId)
        .catch((error: Error) => this.log.error({ webhook: endpoint.id, error: error.message, stack: error.stack }, 'a webhook could not be worked for; it is tried again'))
        .finally(() => {
          this.#working.delete(working);
          if (failing) this.#failing--;
          if (endpoints.length === room) this.kick();
        });
      this.#working.add(working);
    }
    return false;
  }

  /** Sends what is due to one endpoint, and leaves it for then when more is. */
  async #work(endpoint: Endpoint, leaseId: string): Promise<void> {
    let failed: Outcome | null = null;
    for (let round = 0; round < ROUNDS && !failed && !this.#closed; round++) {
      // Its address and its secrets, too, are those of now: much may wait, and its owner has perhaps led it elsewhere.
      const [held] = await this.sql<Pick<Endpoint, 'url' | 'secret' | 'oldSecret'>>(
        `update webhooks w set lease_until = $3::timestamptz + make_interval(secs => $4) where id = $1 and lease_id = $2 and state = 'ACTIVE' returning ${ADDRESS('$3')}`,
        [endpoint.id, leaseId, this.clock.now(), LEASE_SECONDS],
      );
      if (!held) break;
      Object.assign(endpoint, held);
      const deliveries = await this.#due(endpoint);
      if (!deliveries.length) break;
      const outcomes = await Promise.all(deliveries.map((delivery) => this.#deliver(endpoint, delivery)));
      for (const [index, outcome] of outcomes.entries()) {
        await this.#settle(deliveries[index]!, outcome);
        if (outcome.state === 'gone' || (outcome.state === 'later' && failed?.state !== 'gone')) failed = outcome;
      }
      if (outcomes.some(({ state }) => state === 'delivered')) {
        endpoint.failures = 0;
        await this.sql('update webhooks set failures = 0, failing_since = null, paused_until = null, delivered_at = $2 where id = $1', [endpoint.id, this.clock.now()]);
      }
    }
    await this.#leave(endpoint, leaseId, failed);
  }

  #due({ id, ownerId }: Endpoint): Promise<Delivery[]> {
    return this.sql<Delivery>(
      `select d.id, d.stream, d.pos::int, d.kind, d.ref, d.at, d.attempts, s.epoch,
         o.suspended_at is null and case split_part(d.stream, ':', 1) when 'chat'
           then exists (select from chat_members m where m.chat_id = split_part(d.stream, ':', 2)::uuid and m.user_id = $2 and m.visible_from_pos < d.pos) else true end as allowed,
         case when a.owner_id = $2 then a.scopes
           when a.id is not null then array(select unnest(x.scopes) from sessions x where x.app_id = a.id and x.user_id = $2 and x.ended_at is null and x.expires_at > $3 and ao.suspended_at is null) end as "appMay", w.scopes as given
       from webhook_deliveries d join webhooks w on w.id = d.webhook_id left join apps a on a.id = w.app_id left join users ao on ao.id = a.owner_id join streams s on s.id = d.stream join users o on o.id = $2
       where d.webhook_id = $1 and d.state = 'PENDING' and d.due_at <= $3 order by d.due_at, d.id limit $4`,
      [id, ownerId, this.clock.now(), AT_ONCE],
    );
  }

  async #deliver(endpoint: Endpoint, { id, stream, pos, kind, ref, at, epoch, allowed, appMay, given }: Delivery): Promise<Outcome> {
    const may = appMay && given ? appMay.filter((scope) => given.includes(scope)) : (appMay ?? given);
    const dropped = { state: 'dropped', status: null, error: 'Its owner may not see it any more.', tookMs: null, afterMs: null } as const;
    if (!allowed || (may && !may.includes(scopeOfKind(kind)))) return dropped;
    const began = performance.now();
    const tookMs = () => Math.round(performance.now() - began);
    try {
      const rendered = await this.#renderer!.render(endpoint.ownerId, { stream, epoch, pos, at, ref: { kind, ...ref } as EventRef }, may);
      if (!rendered) return dropped;
      const body = JSON.stringify({ type: kind, timestamp: at.toISOString(), webhookId: encodeId('Webhook', endpoint.id), stream: rendered.stream, offset: pos, cursor: rendered.cursor, data: rendered.data });
      const headers = signedHeaders(encodeId('WebhookDelivery', id), body, this.clock.now(), [endpoint.secret, ...(endpoint.oldSecret ? [endpoint.oldSecret] : [])]);
      const answer = await this.fetch(endpoint.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, timeoutMs: TIMEOUT_MS, maxBytes: ANSWER_BYTES, overflow: 'cut' });
      const state = verdictOf(answer.status);
      return { state, status: answer.status, error: state === 'delivered' ? null : `answered ${answer.status}`, tookMs: tookMs(), afterMs: retryAfterMs(answer.headers['retry-after'], this.clock.now()) };
    } catch (error) {
      // What it says of the network that we stand in is for our log alone.
      this.log.info({ webhook: endpoint.id, delivery: id, error: (error as Error).message }, 'a webhook was not delivered');
      if (!(error instanceof OutboundError)) return { state: 'later', status: null, error: 'The event could not be read.', tookMs: null, afterMs: null };
      return { state: error.mayPass ? 'later' : 'never', status: null, error: REASONS[error.reason], tookMs: tookMs(), afterMs: null };
    }
  }

  async #settle(delivery: Delivery, { state, status, error, tookMs, afterMs }: Outcome): Promise<void> {
    const now = this.clock.now();
    const attempts = delivery.attempts + 1;
    const pause = state === 'later' || state === 'gone' ? retryPauseMs(attempts, Math.random(), afterMs) : null;
    const settled = state === 'delivered' ? 'DELIVERED' : state === 'dropped' ? 'DROPPED' : pause === null ? 'FAILED' : 'PENDING';
    if (settled === 'DELIVERED') this.figures.delivered++;
    else if (settled === 'DROPPED') this.figures.dropped++;
    else this.figures.failed++;
    await this.sql(
      `update webhook_deliveries set state = $2, attempts = $3, status = $4, error = $5, took_ms = $6, due_at = case when $2 = 'PENDING' then $7::timestamptz end, settled_at = case when $2 <> 'PENDING' then $8::timestamptz end where id = $1`,
      [delivery.id, settled, attempts, status, error?.slice(0, MAX_ERROR) ?? null, tookMs, pause === null ? null : new Date(now.getTime() + pause), now],
    );
  }

  /** Gives the endpoint back, for when something is due again; one that fails is left alone for a while, and switched off in the end. */
  async #leave({ id, failures }: Endpoint, leaseId: string, failed: Outcome | null): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'leaveWebhook' }, async (tx) => {
      const [row] = await tx.sql<{ failingSince: Date | null; active: boolean }>(`select failing_since as "failingSince", state = 'ACTIVE' as active from webhooks where id = $1 and lease_id = $2 for no key update`, [id, leaseId]);
      if (!row) return null;
      if (!row.active) {
        // Whoever lets it go on must not wait until this lease has run out.
        await tx.sql(`update webhooks set lease_until = '-infinity', lease_id = null where id = $1`, [id]);
        return null;
      }
      if (failed?.state === 'gone') await this.disable(tx, id, 'GONE');
      else if (failed && row.failingSince && tx.now.getTime() - row.failingSince.getTime() >= FAILING_FOR_MS) await this.disable(tx, id, 'FAILING');
      // Asked once its row is locked, so that nothing is put into its queue in between.
      const [next] = await tx.sql<{ at: Date | null }>(`select min(due_at) as at from webhook_deliveries where webhook_id = $1 and state = 'PENDING'`, [id]);
      const pause = failed ? new Date(tx.now.getTime() + endpointPauseMs(failures)) : null;
      const at = next!.at && pause && pause > next!.at ? pause : next!.at;
      await tx.sql(`update webhooks set lease_until = '-infinity', lease_id = null, next_at = $2, paused_until = $5, failures = failures + $3::int, failing_since = case when $3 = 0 then failing_since else coalesce(failing_since, $4) end where id = $1`, [
        id, at, failed ? 1 : 0, tx.now, pause,
      ]);
      if (at && at <= tx.now) tx.afterCommit.push(() => this.kick());
      return null;
    });
  }

  /** Switches an endpoint off whose row this transaction has locked: what waits has failed, and its owner is told. */
  async disable(tx: Tx, id: string, reason: WebhookDisabledReason): Promise<void> {
    const [row] = await tx.sql<{ ownerId: string }>(
      `update webhooks set state = 'DISABLED', disabled_reason = $2, disabled_at = $3, next_at = null where id = $1 and state = 'ACTIVE' returning owner_id as "ownerId"`,
      [id, reason, tx.now],
    );
    if (!row) return;
    this.figures.disabled++;
    await tx.sql(`update webhook_deliveries set state = 'FAILED', error = coalesce(error, 'The endpoint was switched off.'), due_at = null, settled_at = $2 where webhook_id = $1 and state = 'PENDING'`, [id, tx.now]);
    await tell(tx, this.pushes, { userId: row.ownerId, kind: 'WEBHOOK_DISABLED', slot: `webhook:${id}:${tx.now.getTime()}`, webhookId: id });
  }
}

/** What an owner is told: what they can mend, and nothing of the network that we stand in. */
const REASONS: Readonly<Record<OutboundError['reason'], string>> = {
  FORBIDDEN_URL: 'This address may not be asked.',
  FORBIDDEN_ADDRESS: 'It is not an address of the public internet.',
  NAME_NOT_FOUND: 'The name was not found.',
  CONNECTION: 'No connection.',
  TIMEOUT: 'No answer in time.',
  TOO_LARGE: 'The answer was too large.',
  TOO_MANY_REDIRECTS: 'Redirects are not followed.',
  WRONG_TYPE: 'The answer could not be read.',
  UNREADABLE: 'The answer could not be read.',
  BUSY: 'Too much was being sent: it is tried again.',
};
