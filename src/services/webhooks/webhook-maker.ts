import type { UnitOfWork } from '../../db/unit-of-work.js';
import { WEBHOOK_KINDS } from '../../entities/webhook.js';
import type { EventKind } from '../../events/catalogue.js';
import type { ConsumedEvent } from '../../events/commit-order.js';
import type { LogConsumer } from '../../events/log-consumers.js';
import { MAX_WAITING } from '../../policies/webhook-policy.js';
import { enqueue, matchesOf } from './matching.js';
import type { WebhookQueue } from './webhook-queue.js';
import { NOBODY } from '../actor.js';


/** Puts each event into the queue of every endpoint that is to hear of it: from there on each endpoint has a place of its own in the log, and none waits for another. */
export class WebhookMaker implements LogConsumer {
  readonly name = 'webhooks';
  readonly from = 'now';
  readonly roundEveryMs = 500;
  readonly kinds: readonly EventKind[] = WEBHOOK_KINDS;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly queue: WebhookQueue,
  ) {}

  async handle(events: ConsumedEvent[]): Promise<void> {
    const happened = events.map(({ stream, pos, at, ref: { kind, ...ref } }) => ({ stream, pos, kind, ref, at: new Date(at) }));
    const queued = await this.unitOfWork.run({ actorId: NOBODY, operation: 'queueWebhooks' }, async (tx) => {
      const matches = await matchesOf(tx, happened);
      const made = await enqueue(tx, matches, false);
      if (made) {
        const full = await tx.sql<{ id: string }>(
          `select w.id from webhooks w where w.id = any($1) and (select count(*) from (select from webhook_deliveries d where d.webhook_id = w.id and d.state = 'PENDING' limit $2 + 1) waiting) > $2 order by w.id for no key update`,
          [[...new Set(matches.map((match) => match.webhookId))], MAX_WAITING],
        );
        for (const { id } of full) await this.queue.disable(tx, id, 'TOO_MANY_WAITING');
      }
      return made;
    });
    if (queued) this.queue.kick();
  }
}
