import type { Tx } from '../../db/unit-of-work.js';
import { tellOwner } from './owner-news.js';

/** Ends schedules (`s`) that fit; their owners are told. */
export async function endSchedules(tx: Tx, where: string, values: unknown[]): Promise<void> {
  const gone = await tx.sql<{ botId: string; ownerId: string }>(`delete from bot_schedules s using bots b where ${where} and b.id = s.bot_id returning b.id as "botId", b.owner_id as "ownerId"`, values);
  for (const { ownerId, botId } of new Map(gone.map((row) => [row.botId, row])).values()) tellOwner(tx, ownerId, botId);
}
