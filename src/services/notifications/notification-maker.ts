import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { KindChoice, NotificationKind } from '../../entities/notification.js';
import { parseStream, userStream, type EventKind, type EventRef } from '../../events/catalogue.js';
import type { ConsumedEvent } from '../../events/commit-order.js';
import type { LogConsumer } from '../../events/log-consumers.js';
import { newId } from '../../lib/ids.js';
import { defaultLevel, levelAllows } from '../../policies/notification-policy.js';
import { NOBODY } from '../actor.js';
import type { MessageKey } from '../loaders/messages.js';
import {
  callHappenings, chatHappenings, contactHappenings, firstMessages, meantMessages, messagePushes, reactionHappenings, requestHappenings, type Happening, type MessageHappening,
} from './happenings.js';
import type { PushQueue } from './push-queue.js';

const RINGS_MISSED: readonly string[] = ['MISSED', 'CANCELLED', 'ENDED'];

type Of<Kind extends EventKind> = { id: string; ref: Extract<EventRef, { kind: Kind }> };

/** Turns what happens into notifications, and into pushes for those who have a device. It works by how things stand now, so a repeat does no harm. */
export class NotificationMaker implements LogConsumer {
  readonly name = 'notifications';
  readonly from = 'now';
  readonly roundEveryMs = 500;
  readonly kinds: readonly EventKind[] = [
    'message.sent', 'message.deleted', 'reactions.changed', 'member.left', 'call.incoming', 'call.ring.ended', 'contact.changed', 'chat.added', 'group.changed', 'block.changed', 'sessions.changed',
  ];

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly pushes: PushQueue,
  ) {}

  async handle(events: ConsumedEvent[]): Promise<void> {
    const byKind = Map.groupBy(events, ({ ref }) => ref.kind);
    const of = <Kind extends EventKind>(kind: Kind) => (byKind.get(kind) ?? []).map(({ stream, ref }) => ({ id: parseStream(stream).id, ref })) as Of<Kind>[];
    const messages = (found: { id: string; ref: { seq: number } }[]): MessageKey[] => found.map(({ id, ref }) => ({ chatId: id, seq: ref.seq }));
    const ids = (found: { id: string }[]) => found.map(({ id }) => id);
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'notify' }, async (tx) => {
      const sent = messages(of('message.sent'));
      if (sent.length) await this.#messages(tx, sent);
      const reactions = messages(of('reactions.changed'));
      if (reactions.length) await this.#counted(tx, await reactionHappenings(tx.sql, reactions));
      const incoming = of('call.incoming');
      if (incoming.length) await this.pushes.note(tx, await callHappenings(tx.sql, 'INCOMING_CALL', ids(incoming), incoming.map(({ ref }) => ref.callId)));
      const missed = of('call.ring.ended').filter(({ ref }) => RINGS_MISSED.includes(ref.reason));
      if (missed.length) await this.#once(tx, await callHappenings(tx.sql, 'MISSED_CALL', ids(missed), missed.map(({ ref }) => ref.callId)));
      const contacts = of('contact.changed');
      if (contacts.length) await this.#once(tx, await contactHappenings(tx.sql, ids(contacts), contacts.map(({ ref }) => ref.userId)));
      const chats = of('chat.added');
      if (chats.length) await this.#once(tx, await chatHappenings(tx.sql, ids(chats), chats.map(({ ref }) => ref.chatId)));
      const groups = of('group.changed');
      if (groups.length) await this.#counted(tx, await requestHappenings(tx.sql, ids(groups), groups.map(({ ref }) => ref.groupId)));
      await this.#forget(tx, messages(of('message.deleted')), of('member.left'), of('block.changed'), of('sessions.changed'));
    });
  }

  async #messages(tx: Tx, keys: MessageKey[]): Promise<void> {
    const inApp = ({ kind, kinds, level, mutedUntil, ...chat }: MessageHappening): boolean => {
      const plain = kind === 'DIRECT_MESSAGE' || kind === 'GROUP_MESSAGE';
      return kinds?.[kind]?.inApp !== false && levelAllows(level ?? defaultLevel({ kind: chat.chatKind, memberCount: chat.memberCount }), kind) && !(plain && mutedUntil !== null && mutedUntil > tx.now);
    };
    const asHappening = ({ userId, kind, chatId, seq, actorId, at }: MessageHappening): Happening => ({
      userId, kind, slot: `message:${chatId}:${seq}`, chatId, seq, actorId, at, callId: null, groupId: null, count: 1,
    });
    const found = [...(await meantMessages(tx.sql, keys)), ...(await firstMessages(tx.sql, keys))].sort((a, b) => a.at.getTime() - b.at.getTime() || a.seq - b.seq);
    await insert(tx, found.filter(inApp).map(asHappening));
    const pushes = await messagePushes(tx.sql, keys);
    await this.pushes.note(tx, pushes.map((push) => ({ ...push, slot: `chat:${push.chatId}`, actorId: null, callId: null, groupId: null, count: 1 })));
  }

  /** What happens once. */
  async #once(tx: Tx, happenings: Happening[]): Promise<void> {
    const wanted = await wantedInApp(tx, happenings);
    await insert(tx, wanted);
    await this.pushes.note(tx, happenings);
  }

  /** What is counted: more of it is told anew, less is not, and none takes the notification back. */
  async #counted(tx: Tx, happenings: Happening[]): Promise<void> {
    if (!happenings.length) return;
    const known = await tx.sql<{ id: string; userId: string; slot: string; newestAt: Date; count: number; read: boolean }>(
      `select n.id, n.user_id as "userId", n.slot, n.newest_at as "newestAt", n.count, n.read_at is not null as read from unnest($1::uuid[], $2::text[]) k(user_id, slot)
       join notifications n on n.user_id = k.user_id and n.slot = k.slot`,
      [happenings.map(({ userId }) => userId), happenings.map(({ slot }) => slot)],
    );
    const before = new Map(known.map((row) => [`${row.userId} ${row.slot}`, row]));
    const gone: string[] = [];
    const fresh: Happening[] = [];
    for (const happening of new Map(happenings.map((one) => [`${one.userId} ${one.slot}`, one])).values()) {
      const row = before.get(`${happening.userId} ${happening.slot}`);
      const grown = happening.count > 0 && (!row || happening.at > row.newestAt);
      if (row && (happening.count === 0 || (grown && row.read))) gone.push(row.id);
      if (grown && (!row || row.read)) fresh.push(happening);
      else if (row && !row.read && happening.count > 0 && (grown || happening.count !== row.count)) {
        await tx.sql('update notifications set count = $2, actor_id = $3, newest_at = greatest(newest_at, $4) where id = $1', [row.id, happening.count, happening.actorId, happening.at]);
        if (grown) {
          tx.append(userStream(happening.userId), { kind: 'notification.added', notificationId: row.id });
          await this.pushes.note(tx, [happening]);
        }
      }
    }
    if (gone.length) await tx.sql('delete from notifications where id = any($1)', [gone]);
    await this.#once(tx, fresh);
  }

  /** What there is nothing to tell of any more. Asked of how things stand now: somebody may have come back. */
  async #forget(tx: Tx, deleted: MessageKey[], left: Of<'member.left'>[], blocked: Of<'block.changed'>[], sessions: Of<'sessions.changed'>[]): Promise<void> {
    if (deleted.length) await this.#forgetMessages(tx, deleted);
    if (left.length) {
      await tx.sql(
        `delete from notifications n using unnest($1::uuid[], $2::uuid[]) k(chat_id, user_id) where n.chat_id = k.chat_id and n.user_id = k.user_id
           and not exists (select from chat_members m where m.chat_id = n.chat_id and m.user_id = n.user_id)`,
        [left.map(({ id }) => id), left.map(({ ref }) => ref.userId)],
      );
    }
    if (blocked.length) {
      await tx.sql(
        `delete from notifications n using unnest($1::uuid[], $2::uuid[]) k(user_id, other_id) join blocks b on b.blocker_id = k.user_id and b.blocked_id = k.other_id
         where n.user_id = k.user_id and n.actor_id = k.other_id`,
        [blocked.map(({ id }) => id), blocked.map(({ ref }) => ref.userId)],
      );
    }
    if (sessions.length) {
      await tx.sql('delete from push_devices d using sessions s where s.id = d.session_id and s.id = any($1) and s.ended_at is not null', [sessions.map(({ ref }) => ref.sessionId)]);
    }
  }

  /** A notification of new messages moves on to the next that is there. */
  async #forgetMessages(tx: Tx, deleted: MessageKey[]): Promise<void> {
    const keys = [deleted.map(({ chatId }) => chatId), deleted.map(({ seq }) => seq)];
    const of = 'notifications n using unnest($1::uuid[], $2::int[]) k(chat_id, seq) where n.chat_id = k.chat_id and n.seq = k.seq';
    await tx.sql(
      `update notifications n set seq = f.seq, actor_id = f.sender_id
       from unnest($1::uuid[], $2::int[]) k(chat_id, seq),
            lateral (select x.seq, x.sender_id, x.chat_id from messages x where x.chat_id = k.chat_id and x.seq > k.seq and x.kind <> 'SYSTEM' and x.deleted_at is null and x.thread_root_seq is null order by x.seq limit 1) f
       where n.chat_id = k.chat_id and n.seq = k.seq and n.kind in ('DIRECT_MESSAGE', 'GROUP_MESSAGE') and f.sender_id <> n.user_id`,
      keys,
    );
    await tx.sql(`delete from ${of}`, keys);
  }
}

/** Those that their people want in the notification centre. */
async function wantedInApp(tx: Tx, happenings: Happening[]): Promise<Happening[]> {
  if (!happenings.length) return [];
  const rows = await tx.sql<{ userId: string; kinds: Partial<Record<NotificationKind, KindChoice>> }>('select user_id as "userId", kinds from notification_preferences where user_id = any($1)', [
    happenings.map(({ userId }) => userId),
  ]);
  const kindsOf = new Map(rows.map(({ userId, kinds }) => [userId, kinds]));
  return happenings.filter(({ userId, kind }) => kindsOf.get(userId)?.[kind]?.inApp !== false);
}

/** Adds those that are not there yet, and tells of them. */
async function insert(tx: Tx, happenings: Happening[]): Promise<void> {
  if (!happenings.length) return;
  const column = <Value>(pick: (happening: Happening) => Value) => happenings.map(pick);
  const made = await tx.sql<{ id: string; userId: string }>(
    `insert into notifications (id, user_id, kind, slot, chat_id, seq, actor_id, call_id, group_id, count, newest_at, created_at)
     select u.id, u.user_id, u.kind, u.slot, u.chat_id, u.seq, u.actor_id, u.call_id, u.group_id, u.count, u.at, $12
     from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::int[], $7::uuid[], $8::uuid[], $9::uuid[], $10::int[], $11::timestamptz[])
       u(id, user_id, kind, slot, chat_id, seq, actor_id, call_id, group_id, count, at)
     on conflict (user_id, slot) do nothing returning id, user_id as "userId"`,
    [
      column(() => newId()), column((one) => one.userId), column((one) => one.kind), column((one) => one.slot), column((one) => one.chatId), column((one) => one.seq), column((one) => one.actorId),
      column((one) => one.callId), column((one) => one.groupId), column((one) => one.count), column((one) => one.at), tx.now,
    ],
  );
  for (const { id, userId } of made) tx.append(userStream(userId), { kind: 'notification.added', notificationId: id });
}
