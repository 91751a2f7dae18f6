import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { ParticipantState } from '../../entities/call.js';
import { seesCall } from '../../policies/call-policy.js';
import { PARTICIPANT_COLUMNS, type ParticipantRow } from '../loaders/calls.js';
import { readCallAccess } from './call-access.js';
import type { CallCaller } from './caller.js';

/** Who is in a call, as far as the caller may see. */
export class CallParticipants {
  constructor(private readonly sql: Sql) {}

  /** In the order of their rows. Guests see the others once they are in; whoever waits in the lobby sees themselves. */
  async list(caller: CallCaller, callId: string, states: readonly ParticipantState[], args: PageArgs): Promise<Page<ParticipantRow>> {
    const request = pageRequest(args, ['uuid']);
    const access = await readCallAccess(this.sql, callId, caller);
    if (!request.size || !access || !seesCall(access)) return emptyPage();
    const all = access.seat?.state !== 'WAITING' && (access.member !== null || access.seat?.state === 'JOINED');
    const rows = await this.sql<ParticipantRow>(
      `select ${PARTICIPANT_COLUMNS} from call_participants p where p.call_id = $1 and p.state = any($2) and ($3 or p.id = $4) and ($5::uuid is null or p.id > $5) order by p.id limit $6`,
      [callId, states, all, access.seat?.id ?? null, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  async own({ userId, tokenId }: CallCaller, callId: string): Promise<ParticipantRow | null> {
    const [row] = await this.sql<ParticipantRow>(`select ${PARTICIPANT_COLUMNS} from call_participants p where p.call_id = $1 and (p.user_id = $2 or p.token_id = $3)`, [callId, userId, tokenId]);
    return row ?? null;
  }
}
