import { rowsOf, type Holding } from './holding.js';

const OTHERS = 'It belongs to the chat and to others, who go on seeing it as by somebody without a name.';

export const CHATS: readonly Holding[] = [
  {
    table: 'messages', columns: ['sender_id', 'mentions'],
    exported: 'select chat_id, seq, kind, created_at, edited_at, deleted_at, reply_to_seq, thread_root_seq, text, mentions, forward, card from messages where sender_id = $1 order by chat_id, seq',
    erased: { step: 'messages' }, why: 'What they wrote is erased for everybody, as by deleteMessages; that there was a message stays. Copies that others forwarded are theirs.',
  },
  {
    table: 'message_edits', columns: [], exported: 'select e.chat_id, e.seq, e.version, e.text, e.replaced_at from message_edits e join messages m using (chat_id, seq) where m.sender_id = $1 order by 1, 2, 3',
    erased: { step: 'messages' }, why: 'With their messages.',
  },
  { table: 'message_reactions', columns: ['user_id'], exported: 'select chat_id, seq, emoji, created_at from message_reactions where user_id = $1 order by 1, 2', erased: null, why: OTHERS },
  { table: 'message_marks', columns: ['user_id'], exported: 'select chat_id, seq, starred_at, hidden_at from message_marks where user_id = $1 order by 1, 2', erased: rowsOf('message_marks', 'user_id'), why: 'Theirs alone.' },
  { table: 'pinned_messages', columns: ['pinned_by'], exported: 'select chat_id, seq, pinned_at from pinned_messages where pinned_by = $1 order by 1, 2', erased: null, why: OTHERS },
  { table: 'poll_votes', columns: ['user_id'], exported: 'select chat_id, seq, idx, created_at from poll_votes where user_id = $1 order by 1, 2, 3', erased: null, why: OTHERS },
  {
    table: 'chat_members', columns: ['user_id'], exported: 'select m.*, c.kind, c.title from chat_members m join chats c on c.id = m.chat_id where m.user_id = $1 order by m.chat_id',
    erased: { step: 'memberships' }, why: 'They leave groups. A direct chat has two members for ever: the other one’s messages are in it.',
  },
  { table: 'group_members', columns: ['user_id'], exported: 'select m.group_id, g.name, m.role, m.state, m.joined_at from group_members m join groups g on g.id = m.group_id where m.user_id = $1 order by 1', erased: { step: 'memberships' }, why: 'They leave.' },
  {
    table: 'invite_links', columns: ['created_by'], exported: 'select id, chat_id, max_uses, uses, expires_at, revoked_at, created_at from invite_links where created_by = $1 order by id',
    erased: 'update invite_links set revoked_at = now() where created_by = $1 and revoked_at is null', why: 'They lead nowhere any more.',
  },
  { table: 'scheduled_messages', columns: ['sender_id'], exported: 'select id, chat_id, input, send_at, state, sent_seq, created_at from scheduled_messages where sender_id = $1 order by id', erased: rowsOf('scheduled_messages', 'sender_id'), why: 'Nothing more is sent.' },
  {
    table: 'reports', columns: ['reporter_id', 'target_id'], exported: 'select id, target_type, target_id, target_seq, reason, note, created_at from reports where reporter_id = $1 order by id',
    erased: null, why: 'What was reported may still have to be decided. Reports of the person name who reported them, and are in no copy.',
  },
  {
    table: 'mls_devices', columns: ['user_id'], exported: 'select session_id, encode(signature_key, \'base64\') as signature_key, created_at, ended_at from mls_devices where user_id = $1 order by 1',
    erased: null, why: 'Ended with their sessions. Their public keys stay for a month after the last group has let them go, since those in it take them out by these.',
  },
  { table: 'mls_leaves', columns: ['user_id'], exported: 'select chat_id, device_id, since_epoch from mls_leaves where user_id = $1 order by 1, 2', erased: null, why: 'That a device is in a group, until somebody in it takes it out.' },
  { table: 'documents', columns: ['created_by', 'controller_id', 'control_requests'], exported: 'select id, kind, chat_id, title, created_at from documents where created_by = $1 order by id', erased: null, why: OTHERS },
  { table: 'document_updates', columns: ['author_id'], exported: null, erased: null, why: `Changes of a board, in a form for machines. ${OTHERS}` },
];

export const PEOPLE: readonly Holding[] = [
  { table: 'contacts', columns: ['owner_id', 'contact_id'], exported: 'select contact_id, name, created_at from contacts where owner_id = $1 order by 1', erased: { step: 'contacts' }, why: 'Whose address books the person is in is not told.' },
  { table: 'blocks', columns: ['blocker_id', 'blocked_id'], exported: 'select blocked_id, created_at from blocks where blocker_id = $1 order by 1', erased: 'delete from blocks where blocker_id = $1 or blocked_id = $1', why: 'Who has blocked the person is not told.' },
];

export const CALLS: readonly Holding[] = [
  { table: 'calls', columns: ['started_by'], exported: 'select id, chat_id, kind, state, started_at, answered_at, ended_at, end_reason from calls where started_by = $1 order by id', erased: null, why: 'A line in the call logs of the others.' },
  {
    table: 'call_participants', columns: ['user_id'], exported: 'select call_id, role, state, joined_at, left_at, talked_ms, recording_consent, quality, created_at from call_participants where user_id = $1 order by id',
    erased: 'update call_participants set quality = null, device = null where user_id = $1 and left_at is not null', why: 'A line in the call logs of the others.',
  },
  { table: 'call_tokens', columns: ['created_by'], exported: 'select id, call_id, name, role, created_at, expires_at, revoked_at from call_tokens where created_by = $1 order by id', erased: 'update call_tokens set revoked_at = now() where created_by = $1 and revoked_at is null', why: 'They let nobody in any more.' },
  { table: 'call_recordings', columns: ['started_by'], exported: 'select id, call_id, started_at, ended_at, bytes, duration_ms from call_recordings where started_by = $1 order by id', erased: null, why: 'A recording is of all who were in the call, each of whom had agreed.' },
];
