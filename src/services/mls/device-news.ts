import type { Sql } from '../../db/database.js';
import { deleteAll } from '../../db/delete-all.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { chatStream } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import { NOBODY } from '../actor.js';
import { bumpAcl } from '../chat-access.js';
import { endDevices } from './device-ends.js';

const DAY_MS = 86_400_000;
/** As long as the log: who was away for longer joins by an external commit. */
const COMMITS_KEPT_DAYS = 30;
const WELCOMES_KEPT_DAYS = 90;
/** That a device was there, after the last group has let it go. */
const DEVICES_KEPT_DAYS = 30;
const BATCH = 500;

/** Tells of devices that came and went, and forgets what has had its time. */
export class DeviceNews {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** Says in each encrypted chat of somebody that their devices are others: a transaction for each. */
  async tell(userId: string): Promise<void> {
    const chats = await this.sql<{ id: string }>(
      'select g.chat_id as id from mls_groups g where g.chat_id in (select chat_id from chat_members where user_id = $1 union select chat_id from mls_leaves where user_id = $1) order by 1',
      [userId],
    );
    for (const { id } of chats) {
      await this.unitOfWork.run({ actorId: NOBODY, operation: 'tellOfDevices' }, async (tx) => {
        await bumpAcl(tx.sql, id);
        tx.append(chatStream(id), { kind: 'encryption.changed' });
      });
    }
  }

  /** Ends the devices of sessions whose time ran out. */
  async endLost(): Promise<void> {
    const lost = await this.sql<{ id: string; userId: string }>(
      `select d.session_id as id, d.user_id as "userId" from mls_devices d left join sessions s on s.id = d.session_id
       where d.ended_at is null and (s.id is null or s.ended_at is not null or s.expires_at <= $1) order by 1 limit ${BATCH}`,
      [this.clock.now()],
    );
    for (const { id, userId } of lost) await this.unitOfWork.run({ actorId: NOBODY, operation: 'endLostDevices' }, (tx) => endDevices(tx, userId, [id]));
    if (lost.length === BATCH) await this.endLost();
  }

  async forget(): Promise<void> {
    await this.#deleteAll('mls_commits', 'created_at < $1', COMMITS_KEPT_DAYS);
    await this.#deleteAll('mls_welcomes', 'created_at < $1', WELCOMES_KEPT_DAYS);
    await this.#deleteAll('mls_key_packages', 'expires_at < $1', 0);
    await this.#deleteAll('mls_devices', 'ended_at < $1 and not exists (select from mls_leaves l where l.device_id = session_id)', DEVICES_KEPT_DAYS);
  }

  #deleteAll(table: string, where: string, days: number): Promise<void> {
    return deleteAll(this.sql, `delete from ${table} where ctid = any(array(select ctid from ${table} where ${where} limit $2)) returning 1`, [new Date(this.clock.now().getTime() - days * DAY_MS)]);
  }
}
