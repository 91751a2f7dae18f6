import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Actor, Reading } from '../actor.js';
import { LEAF_IS_GONE } from '../chat-access.js';
import { viewerMembership } from '../loaders/chats.js';
import { COMMIT_COLUMNS, DEVICE_COLUMNS, mlsGroupOfChat, WELCOME_COLUMNS, type CommitRow, type DeviceRow, type MlsGroupRow, type WelcomeRow } from '../loaders/mls.js';

export type GroupDeviceState = 'IN_GROUP' | 'MISSING' | 'GONE';
export interface GroupDeviceRow extends DeviceRow {
  state: GroupDeviceState;
}

const DEVICES_OF_CHAT = `select ${DEVICE_COLUMNS}, case when l.device_id is null then 'MISSING' else 'IN_GROUP' end as state
    from chat_members m join mls_devices d on d.user_id = m.user_id and d.ended_at is null left join sessions s on s.id = d.session_id
    left join mls_leaves l on l.chat_id = m.chat_id and l.device_id = d.session_id where m.chat_id = $1
  union all
  select ${DEVICE_COLUMNS}, 'GONE' from mls_leaves l join mls_devices d on d.session_id = l.device_id left join sessions s on s.id = d.session_id where l.chat_id = $1 and ${LEAF_IS_GONE}`;

/** Reading the groups of encrypted chats: for members alone. */
export class MlsReading {
  constructor(private readonly sql: Sql) {}

  async group(reading: Reading, chatId: string): Promise<MlsGroupRow | null> {
    return (await reading.load(viewerMembership, chatId)) ? reading.load(mlsGroupOfChat, chatId) : null;
  }

  /** The commits of the group that stands, oldest first, from an epoch on: none from before the viewer joined the chat. */
  async commits(reading: Reading, { chatId, generation }: MlsGroupRow, fromEpoch: number, args: PageArgs): Promise<Page<CommitRow>> {
    const request = pageRequest(args, ['number']);
    const member = await reading.load(viewerMembership, chatId);
    if (!request.size || !member) return emptyPage();
    const rows = await this.sql<CommitRow>(
      `select ${COMMIT_COLUMNS} from mls_commits k where k.chat_id = $1 and k.generation = $2 and k.epoch >= $3 and k.epoch > $4 and k.created_at >= $5 order by k.epoch limit $6`,
      [chatId, generation, Math.max(fromEpoch, 0), request.from?.[0] ?? -1, member.joinedAt, request.limit],
    );
    return toPage(rows, request, (row) => [row.epoch]);
  }

  /** The devices of the members, and those in the group behind which there is nobody any more. */
  async devices(reading: Reading, chatId: string, state: GroupDeviceState | null, args: PageArgs): Promise<Page<GroupDeviceRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size || !(await reading.load(viewerMembership, chatId))) return emptyPage();
    const rows = await this.sql<GroupDeviceRow>(`select * from (${DEVICES_OF_CHAT}) d where ($2::text is null or state = $2) and ($3::uuid is null or id > $3) order by id limit $4`, [
      chatId, state, request.from?.[0] ?? null, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** What waits for the device that asks, oldest first; into chats that its owner is still in, since each shows its chat. */
  async welcomes(actor: Actor, args: PageArgs): Promise<Page<WelcomeRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<WelcomeRow>(
      `select ${WELCOME_COLUMNS} from mls_welcomes w join chat_members m on m.chat_id = w.chat_id and m.user_id = $4 where w.device_id = $1 and ($2::uuid is null or w.id > $2) order by w.id limit $3`,
      [actor.sessionId, request.from?.[0] ?? null, request.limit, actor.userId],
    );
    return toPage(rows, request, (row) => [row.id]);
  }
}
