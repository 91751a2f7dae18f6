import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import { invalidInput, notFound } from '../../lib/errors.js';
import { distinct } from '../../lib/validate.js';
import type { Actor, Reading } from '../actor.js';
import { FROM_NOTIFICATIONS, IS_READ, NOTIFICATION_COLUMNS, notificationById, type NotificationRow } from '../loaders/notifications.js';

const MAX_MARKED = 100;

export interface MarkRead {
  notificationIds?: string[] | null;
  /** This one and all older ones. */
  upToId?: string | null;
}

/** The notification centre: what has happened that concerns somebody. notification-maker.ts fills it. */
export class NotificationService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The viewer's, the newest first. */
  async list(reading: Reading, unreadOnly: boolean, args: PageArgs): Promise<Page<NotificationRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<NotificationRow>(
      `select ${NOTIFICATION_COLUMNS} from ${FROM_NOTIFICATIONS} where n.user_id = $1 and n.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
         and (not $3 or ${IS_READ} is not true) order by n.id desc limit $4`,
      [reading.viewer!.userId, request.from?.[0] ?? null, unreadOnly, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** One of the viewer's own, or null. */
  async find(reading: Reading, id: string): Promise<NotificationRow | null> {
    const row = await reading.load(notificationById, id);
    return row && row.userId === reading.viewer?.userId ? row : null;
  }

  /** Some, or one and all older ones; those that were read stay read. Errors: NOT_FOUND (not one's own), INVALID_INPUT. */
  async markRead(actor: Actor, { notificationIds, upToId }: MarkRead): Promise<void> {
    if ((notificationIds == null) === (upToId == null)) throw invalidInput('notificationIds', 'Either notificationIds or upToId is given.');
    const ids = notificationIds == null ? [upToId!] : distinct(notificationIds, 'notificationIds', MAX_MARKED);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'markNotificationsRead' }, async (tx) => {
      const own = await tx.sql('select id from notifications where id = any($1) and user_id = $2', [ids, actor.userId]);
      if (own.length < ids.length) throw notFound('notification');
      const read = await tx.sql(
        `update notifications set read_at = $3 where user_id = $1 and read_at is null and (id = any($2) or id < $4::uuid) returning 1`,
        [actor.userId, ids, tx.now, upToId ?? null],
      );
      if (read.length) tx.append(userStream(actor.userId), { kind: 'notifications.read' });
    });
  }
}
