import type { Tx } from '../../db/unit-of-work.js';

/** What the job `tell-of-devices` is given. */
export interface DevicesJob {
  userId: string;
}

export const tellOfDevices = (tx: Tx, userId: string): Promise<void> => tx.enqueue('tell-of-devices', { userId } satisfies DevicesJob, { key: `tell-of-devices ${userId}` });

/** Whose sessions end loses what these were as devices: nobody lets them into a chat any more, and those who share chats with them are told to take them out. */
export async function endDevices(tx: Tx, userId: string, sessionIds: readonly string[]): Promise<void> {
  const ended = await tx.sql('update mls_devices set ended_at = $2 where session_id = any($1) and ended_at is null returning session_id', [sessionIds, tx.now]);
  if (!ended.length) return;
  await tx.sql('delete from mls_key_packages where device_id = any($1)', [sessionIds]);
  await tx.sql('delete from mls_welcomes where device_id = any($1)', [sessionIds]);
  await tellOfDevices(tx, userId);
}
