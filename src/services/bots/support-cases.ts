import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import { nextSupportState, type SupportFacts, type SupportState, type SupportVerb } from '../../policies/support-policy.js';
import type { Actor } from '../actor.js';
import { lockChat } from '../chat-access.js';
import { makeGroupChat } from '../chats.js';
import { isAgent, SUPPORT_COLUMNS, type SupportRow } from '../loaders/support.js';
import { addMembers } from '../membership.js';
import { lockPairs } from '../pairs.js';
import { botSays, phrasesFor } from './bot-says.js';

/** Of those who take cases: so many hear of each. */
const MAX_TOLD = 50;

/** SQL: that the person `$1` may take the case `k`. */
const IS_AGENT = isAgent('$1');

type LockedCase = SupportRow & SupportFacts & { languages: string[]; botName: string };

/** What bots have handed over, and who takes it. */
export class SupportCases {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** What the actor could take, or their colleagues have taken, the oldest first; nobody's own. */
  async queue(actor: Actor, botId: string | null, states: readonly SupportState[], args: PageArgs): Promise<Page<SupportRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<SupportRow>(
      `select ${SUPPORT_COLUMNS} from support_cases k join users u on u.id = k.bot_id and u.suspended_at is null
       where k.state = any($2) and ($3::uuid is null or k.bot_id = $3) and k.asker_id <> $1 and ${IS_AGENT} and ($4::uuid is null or k.id > $4) order by k.id limit $5`,
      [actor.userId, states, botId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** What the actor has asked for, the newest first. */
  async own(actor: Actor, args: PageArgs): Promise<Page<SupportRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<SupportRow>(`select ${SUPPORT_COLUMNS} from support_cases k where k.asker_id = $1 and ($2::uuid is null or k.id < $2) order by k.id desc limit $3`, [
      actor.userId, request.from?.[0] ?? null, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** One wins; there is a chat of the bot, the asker and whoever has taken it then. Errors: NOT_FOUND, FORBIDDEN (one's own), STATE_CONFLICT. */
  take(actor: Actor, caseId: string): Promise<SupportRow> {
    return this.#change('take', actor, caseId, async (tx, row) => {
      const chatId = row.caseChatId ?? (await makeGroupChat(tx, row.botId, [row.askerId, actor.userId], row.botName, null));
      if (row.caseChatId) await addMembers(tx, chatId, [row.botId, row.askerId, actor.userId].map((userId) => ({ userId, role: 'MEMBER' })));
      await tx.sql('update support_cases set agent_id = $2, case_chat_id = $3, assigned_at = $4 where id = $1', [caseId, actor.userId, chatId, tx.now]);
      const [agent] = await tx.sql<{ name: string }>('select display_name as name from users where id = $1', [actor.userId]);
      await botSays(tx, chatId, row.botId, phrasesFor('', row).came(agent!.name));
    });
  }

  /** The bot answers in its chat again. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
  resolve(actor: Actor, caseId: string): Promise<SupportRow> {
    return this.#change('resolve', actor, caseId, (tx, row) => close(tx, row, 'resolved'));
  }

  /** By whoever has asked for a person. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
  cancel(actor: Actor, caseId: string): Promise<SupportRow> {
    return this.#change('cancel', actor, caseId, (tx, row) => close(tx, row, 'cancelled'));
  }

  async #change(verb: SupportVerb, actor: Actor, caseId: string, work: (tx: Tx, row: LockedCase) => Promise<void>): Promise<SupportRow> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: `${verb}SupportCase` }, async (tx) => {
      const row = await lockCase(tx, actor, caseId);
      const next = nextSupportState(verb, actor.userId, row);
      if (next === null) return null;
      await tx.sql('update support_cases set state = $2 where id = $1', [caseId, next]);
      await work(tx, row!);
      await tellOfSupport(tx, caseId);
      return null;
    });
    const [row] = await this.sql<SupportRow>(`select ${SUPPORT_COLUMNS} from support_cases k where k.id = $1`, [caseId]);
    return row!;
  }
}

/** What the two are to each other, then the case's chat, then the case. */
async function lockCase(tx: Tx, actor: Actor, caseId: string): Promise<LockedCase | null> {
  const [known] = await tx.sql<{ askerId: string; caseChatId: string | null }>('select asker_id as "askerId", case_chat_id as "caseChatId" from support_cases where id = $1', [caseId]);
  if (!known) return null;
  if (known.askerId !== actor.userId) await lockPairs(tx.sql, actor.userId, [known.askerId]);
  if (known.caseChatId) await lockChat(tx.sql, known.caseChatId, actor.userId);
  await tx.sql('select from support_cases where id = $1 for update', [caseId]);
  const [row] = await tx.sql<LockedCase>(
    `select ${SUPPORT_COLUMNS}, s.owner_id as "ownerId", s.languages, u.display_name as "botName", (${IS_AGENT}) as "isAgent" from support_cases k join bots s on s.id = k.bot_id join users u on u.id = k.bot_id where k.id = $2`,
    [actor.userId, caseId],
  );
  return row ?? null;
}

async function close(tx: Tx, row: LockedCase, how: 'resolved' | 'cancelled'): Promise<void> {
  await tx.sql('update support_cases set closed_at = $2 where id = $1', [row.id, tx.now]);
  if (row.caseChatId) await botSays(tx, row.caseChatId, row.botId, phrasesFor('', row)[how]);
}

/** Tells the asker, whoever has taken it, and those who could. */
export async function tellOfSupport(tx: Tx, caseId: string): Promise<void> {
  const rows = await tx.sql<{ id: string }>(
    `select k.asker_id as id from support_cases k where k.id = $1 union select k.agent_id from support_cases k where k.id = $1 and k.agent_id is not null
     union (select t.user_id from support_cases k join bot_hand_overs h on h.bot_id = k.bot_id join chat_members t on t.chat_id = h.chat_id join users p on p.id = t.user_id and p.kind = 'PERSON'
       where k.id = $1 and not exists (select from blocks l where (l.blocker_id, l.blocked_id) in ((k.asker_id, t.user_id), (t.user_id, k.asker_id))) order by t.joined_at, t.user_id limit $2)`,
    [caseId, MAX_TOLD],
  );
  for (const { id } of rows) tx.append(userStream(id), { kind: 'support.changed', caseId });
}

/** Of somebody who is erased: what they have asked for is cancelled, and what they have taken waits for somebody else. */
export async function leaveCase(tx: Tx, caseId: string, userId: string): Promise<void> {
  await tx.sql(
    `update support_cases set state = case when asker_id = $2 then 'CANCELLED' else 'OPEN' end, closed_at = case when asker_id = $2 then $3::timestamptz end,
       agent_id = case when asker_id = $2 then agent_id end, assigned_at = case when asker_id = $2 then assigned_at end where id = $1 and (asker_id = $2 or agent_id = $2) and state in ('OPEN', 'ASSIGNED')`,
    [caseId, userId, tx.now],
  );
  await tellOfSupport(tx, caseId);
}
