/**
 * SQL: whether a bot `b` answers in the chat `c`. One that somebody has made works where its owner is; with a hand-over set, in direct chats with everybody, too; one that is published, wherever it is installed. Where a person has taken over
 * it is silent until the case is closed, and answers again then. The built-in one works everywhere.
 */
export const SERVES = `(b.owner_id is null
    or exists (select from chat_members o where o.chat_id = c.id and o.user_id = b.owner_id)
    or (c.kind = 'DIRECT' and exists (select from bot_hand_overs h where h.bot_id = b.id))
    or exists (select from bot_installs i join bot_listings l on l.bot_id = i.bot_id and l.unlisted_at is null where i.bot_id = b.id and i.chat_id = c.id)
    or exists (select from support_cases k where k.case_chat_id = c.id and k.bot_id = b.id))
  and not exists (select from support_cases k where k.case_chat_id = c.id and k.bot_id = b.id and k.state in ('OPEN', 'ASSIGNED'))`;
