import type { Tx } from '../../db/unit-of-work.js';
import type { KindChoice, NotificationKind } from '../../entities/notification.js';
import { userStream } from '../../events/catalogue.js';
import { newId } from '../../lib/ids.js';
import type { PushQueue } from './push-queue.js';

/** Something that the server itself has to say to somebody. */
export interface Notice {
  userId: string;
  kind: NotificationKind;
  /** What it is about: one notification each. */
  slot: string;
  webhookId?: string;
  productId?: string;
  dataExportId?: string;
}

/** Tells somebody of what the server has done, in the notification centre and by a push, as they want it. */
export async function tell(tx: Tx, pushes: PushQueue, { userId, kind, slot, webhookId, productId, dataExportId }: Notice): Promise<void> {
  await pushes.note(tx, [{ userId, kind, slot, chatId: null, seq: null, actorId: null, callId: null, groupId: null, count: 1, at: tx.now }]);
  const [wish] = await tx.sql<{ choice: KindChoice | null }>('select kinds->$2 as choice from notification_preferences where user_id = $1', [userId, kind]);
  if (wish?.choice?.inApp === false) return;
  const [made] = await tx.sql<{ id: string }>(
    'insert into notifications (id, user_id, kind, slot, webhook_id, product_id, data_export_id, newest_at, created_at) values ($1, $2, $3, $4, $5, $6, $8, $7, $7) on conflict (user_id, slot) do nothing returning id',
    [newId(), userId, kind, slot, webhookId ?? null, productId ?? null, tx.now, dataExportId ?? null],
  );
  if (made) tx.append(userStream(userId), { kind: 'notification.added', notificationId: made.id });
}
