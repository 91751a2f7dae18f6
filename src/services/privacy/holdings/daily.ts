import { rowsOf, type Holding } from './holding.js';

export const STATUSES: readonly Holding[] = [
  {
    table: 'statuses', columns: ['author_id'], exported: 'select id, kind, text, background, font, file_id, audience, view_count, reaction_count, created_at, expires_at from statuses where author_id = $1 and removed_at is null order by id',
    erased: { step: 'statuses' }, why: 'With who has seen them.',
  },
  { table: 'status_audience', columns: ['user_id'], exported: null, erased: rowsOf('status_audience', 'user_id'), why: 'Whom others have let see theirs, or not: not theirs to know.' },
  { table: 'status_views', columns: ['viewer_id'], exported: 'select status_id, viewed_at, reaction, reacted_at from status_views where viewer_id = $1 order by 1', erased: null, why: 'Counted with the status, and gone with it.' },
  { table: 'status_highlights', columns: ['owner_id'], exported: 'select h.id, h.title, h.created_at, array(select i.status_id from status_highlight_items i where i.highlight_id = h.id) as statuses from status_highlights h where h.owner_id = $1 order by h.id', erased: { step: 'statuses' }, why: 'With the statuses.' },
  { table: 'status_mutes', columns: ['owner_id', 'muted_id'], exported: 'select muted_id, created_at from status_mutes where owner_id = $1 order by 1', erased: 'delete from status_mutes where owner_id = $1 or muted_id = $1', why: 'Who has muted the person is not told.' },
];

export const FILES: readonly Holding[] = [
  {
    table: 'files', columns: ['owner_id'], exported: 'select id, state, kind, name, content_type, bytes, sha256, width, height, duration_ms, created_at from files where owner_id = $1 order by id',
    erased: { step: 'files' }, why: 'What others have sent on, and the picture of a chat, stays until the last of them goes. The copy holds the files themselves, beside this list.',
  },
];

export const NOTIFICATIONS: readonly Holding[] = [
  { table: 'notifications', columns: ['user_id', 'actor_id'], exported: 'select id, kind, chat_id, seq, actor_id, call_id, group_id, count, created_at, read_at from notifications where user_id = $1 order by id', erased: rowsOf('notifications', 'user_id'), why: 'Those of others that name the person go by themselves, in 90 days.' },
  { table: 'notification_levels', columns: ['user_id'], exported: 'select chat_id, level from notification_levels where user_id = $1 order by 1', erased: rowsOf('notification_levels', 'user_id'), why: 'Theirs alone.' },
  { table: 'notification_preferences', columns: ['user_id'], exported: 'select kinds, content, quiet_from, quiet_to, quiet_zone, quiet_calls from notification_preferences where user_id = $1', erased: rowsOf('notification_preferences', 'user_id'), why: 'Theirs alone.' },
  { table: 'push_devices', columns: ['user_id'], exported: 'select id, provider, created_at from push_devices where user_id = $1 order by id', erased: rowsOf('push_devices', 'user_id'), why: 'The keys of a device are in no copy.' },
  { table: 'pushes', columns: ['actor_id'], exported: null, erased: null, why: 'On their way to others, for minutes.' },
];

export const NEWS: readonly Holding[] = [
  { table: 'news_marks', columns: ['user_id'], exported: 'select m.article_id, a.title, a.url, m.read_at, m.bookmarked_at, m.shared_at, m.summarized_at from news_marks m join news_articles a on a.id = m.article_id where m.user_id = $1 order by 1', erased: rowsOf('news_marks', 'user_id'), why: 'Theirs alone.' },
];

export const LEARNING: readonly Holding[] = [
  { table: 'interactions', columns: ['user_id', 'target_id'], exported: 'select kind, target_type, target_id, at from interactions where user_id = $1 order by at', erased: rowsOf('interactions', 'user_id'), why: 'What they looked at, for suggestions.' },
  { table: 'suggestion_dismissals', columns: ['user_id', 'target_id'], exported: 'select target_type, target_id from suggestion_dismissals where user_id = $1', erased: rowsOf('suggestion_dismissals', 'user_id'), why: 'What they do not want suggested.' },
  { table: 'personalizations', columns: ['user_id'], exported: 'select enabled, use_messages, interests, profession, place, updated_at from personalizations where user_id = $1', erased: rowsOf('personalizations', 'user_id'), why: 'Theirs alone.' },
  {
    table: 'learned_people', columns: ['user_id', 'neighbours'],
    exported: `select m.version, m.finished_at as learned_at, cardinality(p.neighbours) as people_near, p.factors is not null as has_taste,
      (select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'basis', c.basis, 'title', c.title, 'interests', c.interests) order by c.number), '[]') from learned_clusters c where c.model_id = p.model_id and c.id = any(p.cluster_ids)) as clusters
      from learned_people p join learned_models m on m.id = p.model_id where p.user_id = $1 order by m.version`,
    erased: rowsOf('learned_people', 'user_id'),
    why: 'What was learned of them, as the groups they were put with. Numbers of a model are for machines; who was found like whom is forgotten with the next training.',
  },
];

export const BOTS: readonly Holding[] = [
  { table: 'bots', columns: ['id', 'owner_id'], exported: 'select b.id, u.handle, u.display_name, b.engine, b.instructions, b.model, b.tools, b.languages, b.created_at from bots b join users u on u.id = b.id where b.owner_id = $1 and b.deleted_at is null order by b.id', erased: { step: 'bots' }, why: 'Their bots are deleted with them, as by deleteBot: what a bot knew goes, and its row stays, since others have its messages.' },
  { table: 'bot_memories', columns: ['user_id'], exported: 'select bot_id, chat_id, text, created_at from bot_memories where user_id = $1 order by id', erased: rowsOf('bot_memories', 'user_id'), why: 'What bots were to remember of them.' },
  { table: 'bot_versions', columns: ['decided_by'], exported: 'select v.bot_id, v.number, v.state, v.category, v.description, v.reason, v.created_at, v.decided_at from bot_versions v join bots b on b.id = v.bot_id where b.owner_id = $1 order by v.id', erased: null, why: 'Who has looked at what others handed in; their own versions go with what their bots said of themselves.' },
  { table: 'bot_installs', columns: ['user_id'], exported: 'select bot_id, chat_id, created_at from bot_installs where user_id = $1 order by created_at', erased: null, why: 'It works for the others of the chat, too; that it was installed is counted.' },
  { table: 'bot_ratings', columns: ['user_id'], exported: 'select bot_id, stars, text, created_at, updated_at from bot_ratings where user_id = $1 order by created_at', erased: 'update bot_ratings set text = null where user_id = $1 and text is not null', why: 'The stars stay in the average, without words and name.' },
  { table: 'tutor_learners', columns: ['user_id'], exported: 'select l.bot_id, t.subject, l.rating, l.answered, l.correct, l.started_at from tutor_learners l left join bot_tutors t on t.bot_id = l.bot_id where l.user_id = $1 order by l.started_at', erased: rowsOf('tutor_learners', 'user_id'), why: 'How far they have come: theirs alone.' },
  { table: 'tutor_cards', columns: ['user_id'], exported: 'select c.bot_id, e.prompt, c.box, c.due_at, c.answered, c.correct from tutor_cards c join tutor_exercises e on e.id = c.exercise_id where c.user_id = $1 order by c.due_at', erased: rowsOf('tutor_cards', 'user_id'), why: 'What they were asked, and how often they were right.' },
  {
    table: 'support_cases', columns: ['asker_id', 'agent_id'], exported: 'select id, bot_id, state, reason, agent_id = $1 as taken, created_at, assigned_at, closed_at from support_cases where asker_id = $1 or agent_id = $1 order by id',
    erased: { step: 'support' }, why: 'What they have asked for is cancelled; what they have taken waits for somebody else. What was said is in the chats, not here.',
  },
  {
    table: 'bot_callbacks', columns: ['user_id'], exported: 'select bot_id, chat_id, seq, button, "values", created_at, answered_at, notice from bot_callbacks where user_id = $1 order by id', erased: rowsOf('bot_callbacks', 'user_id'),
    why: 'What they have pressed and filled in, for the bot; it is forgotten after 7 days anyway. The payload of a button is its bot’s.',
  },
  { table: 'bot_schedules', columns: [], exported: 'select s.bot_id, s.chat_id, s.rule, s.prompt, s.text, s.created_at from bot_schedules s join bots b on b.id = s.bot_id where b.owner_id = $1 order by s.id', erased: { step: 'bots' }, why: 'With the bot.' },
  { table: 'bot_replies', columns: ['asker_id'], exported: null, erased: null, why: 'Which message a bot has answered, by numbers.' },
];

export const MODERATION: readonly Holding[] = [
  {
    table: 'moderation_cases', columns: ['sender_id', 'decided_by', 'target_id'],
    exported: `select id, kind, state, reasons, draft->>'text' as text, note, appeal, created_at, decided_at from moderation_cases where sender_id = $1 and (kind = 'HELD' or state <> 'OPEN') order by id`,
    erased: 'update moderation_cases set draft = null, appeal = null where sender_id = $1 and (draft is not null or appeal is not null)',
    why: 'What was decided stays, without the words; what nobody has told them of (that somebody has reported them) is in no copy.',
  },
  { table: 'moderation_strikes', columns: ['user_id'], exported: 'select chat_id, case_id, created_at, expires_at from moderation_strikes where user_id = $1 order by id', erased: rowsOf('moderation_strikes', 'user_id'), why: 'They count against somebody who is no more.' },
  { table: 'chat_bans', columns: ['user_id', 'banned_by'], exported: 'select chat_id, until, created_at from chat_bans where user_id = $1 order by 1', erased: rowsOf('chat_bans', 'user_id'), why: 'The reason is for those who run the chat.' },
  { table: 'chat_absences', columns: ['user_id'], exported: 'select chat_id, silenced_until, last_sent_at from chat_absences where user_id = $1 order by 1', erased: rowsOf('chat_absences', 'user_id'), why: 'They don’t come back.' },
];
