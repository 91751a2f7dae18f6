import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { CallOutcome } from '../../entities/call.js';
import { LOG_COLUMNS, type CallLogRow } from '../loaders/call-log.js';

/** A person's calls, the newest first. */
export class CallLog {
  constructor(private readonly sql: Sql) {}

  async list(userId: string, outcomes: readonly CallOutcome[] | null, args: PageArgs): Promise<Page<CallLogRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<CallLogRow>(
      `select * from (select ${LOG_COLUMNS} from call_participants p join calls c on c.id = p.call_id where p.user_id = $1 and ($2::uuid is null or p.call_id < $2)) l
       where $3::text[] is null or outcome = any($3) order by "callId" desc limit $4`,
      [userId, request.from?.[0] ?? null, outcomes, request.limit],
    );
    return toPage(rows, request, (row) => [row.callId]);
  }
}
