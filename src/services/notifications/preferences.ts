import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { KindChoice, NotificationKind, NotificationLevel, NotificationPreferences, PushContent, QuietHours } from '../../entities/notification.js';
import { userStream } from '../../events/catalogue.js';
import { invalidInput, notFound } from '../../lib/errors.js';
import { knownZone } from '../../policies/notification-policy.js';
import type { Actor } from '../actor.js';

const MAX_CHATS = 100;

export interface UpdatePreferences {
  kinds?: { kind: NotificationKind; inApp?: boolean | null; push?: boolean | null }[] | null;
  content?: PushContent | null;
  /** Null: none. */
  quietHours?: { from: string; to: string; timeZone: string; silenceCalls?: boolean | null } | null;
  /** Null: as by default. */
  chats?: { chatId: string; level?: NotificationLevel | null }[] | null;
}

export interface PreferencesRow {
  kinds: Partial<Record<NotificationKind, KindChoice>>;
  content: PushContent;
  quietFrom: number | null;
  quietTo: number | null;
  quietZone: string | null;
  quietCalls: boolean;
}
export const PREFERENCE_COLUMNS = 'p.kinds, p.content, p.quiet_from as "quietFrom", p.quiet_to as "quietTo", p.quiet_zone as "quietZone", p.quiet_calls as "quietCalls"';

/** From a row, which may be missing, or joined and null. */
export const asPreferences = (row: Partial<{ [Column in keyof PreferencesRow]: PreferencesRow[Column] | null }> | undefined): NotificationPreferences => ({
  kinds: row?.kinds ?? {},
  content: row?.content ?? 'TEXT',
  quiet: row?.quietFrom != null && row.quietTo != null && row.quietZone != null ? { from: row.quietFrom, to: row.quietTo, zone: row.quietZone, calls: row.quietCalls ?? true } : null,
});

/** What somebody wants to be told of, and when. */
export class NotificationPreferenceService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async read(userId: string): Promise<NotificationPreferences> {
    const [row] = await this.sql<PreferencesRow>(`select ${PREFERENCE_COLUMNS} from notification_preferences p where p.user_id = $1`, [userId]);
    return asPreferences(row);
  }

  /** Changes what is given and leaves the rest. Errors: INVALID_INPUT, NOT_FOUND (a chat that the actor is not in). */
  async update(actor: Actor, { kinds, content, quietHours, chats }: UpdatePreferences): Promise<NotificationPreferences> {
    const quiet = quietHours == null ? null : checkedQuiet(quietHours);
    if (chats && chats.length > MAX_CHATS) throw invalidInput('chats', `chats holds more than ${MAX_CHATS} items.`);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateNotificationPreferences' }, async (tx) => {
      await tx.sql('insert into notification_preferences (user_id) values ($1) on conflict do nothing', [actor.userId]);
      const [row] = await tx.sql<PreferencesRow>(`select ${PREFERENCE_COLUMNS} from notification_preferences p where p.user_id = $1 for update`, [actor.userId]);
      const before = asPreferences(row);
      const after: NotificationPreferences = { kinds: withChoices(before.kinds, kinds ?? []), content: content ?? before.content, quiet: quietHours === undefined ? before.quiet : quiet };
      let changed = false;
      if (JSON.stringify(after) !== JSON.stringify(before)) {
        changed = true;
        await tx.sql(
          'update notification_preferences set kinds = $2, content = $3, quiet_from = $4, quiet_to = $5, quiet_zone = $6, quiet_calls = $7 where user_id = $1',
          [actor.userId, JSON.stringify(after.kinds), after.content, after.quiet?.from ?? null, after.quiet?.to ?? null, after.quiet?.zone ?? null, after.quiet?.calls ?? true],
        );
      }
      for (const { chatId, level } of chats ?? []) {
        const [member] = await tx.sql('select from chat_members where chat_id = $1 and user_id = $2', [chatId, actor.userId]);
        if (!member) throw notFound('chat');
        const written = level
          ? await tx.sql(
              `insert into notification_levels (user_id, chat_id, level) values ($1, $2, $3) on conflict (chat_id, user_id) do update set level = excluded.level
               where notification_levels.level <> excluded.level returning 1`,
              [actor.userId, chatId, level],
            )
          : await tx.sql('delete from notification_levels where user_id = $1 and chat_id = $2 returning 1', [actor.userId, chatId]);
        changed ||= written.length > 0;
      }
      if (changed) tx.append(userStream(actor.userId), { kind: 'notification.preferences' });
    });
    return this.read(actor.userId);
  }
}

function withChoices(before: NotificationPreferences['kinds'], given: NonNullable<UpdatePreferences['kinds']>): NotificationPreferences['kinds'] {
  const after = structuredClone(before);
  for (const { kind, inApp, push } of given) {
    const choice: KindChoice = { ...after[kind], ...(inApp == null ? {} : { inApp }), ...(push == null ? {} : { push }) };
    // What is as by default is not kept: a later default holds for whoever never chose.
    if (choice.inApp !== false) delete choice.inApp;
    if (choice.push !== false) delete choice.push;
    if (Object.keys(choice).length) after[kind] = choice;
    else delete after[kind];
  }
  return Object.fromEntries(Object.entries(after).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function checkedQuiet({ from, to, timeZone, silenceCalls }: NonNullable<UpdatePreferences['quietHours']>): QuietHours {
  const zone = knownZone(timeZone);
  if (zone === null) throw invalidInput('quietHours.timeZone', 'timeZone is the name of a time zone, as Europe/Zurich.');
  const hours = { from: minutesOf(from, 'quietHours.from'), to: minutesOf(to, 'quietHours.to'), zone, calls: silenceCalls ?? true };
  if (hours.from === hours.to) throw invalidInput('quietHours.to', 'Quiet hours that begin when they end are none: leave them out.');
  return hours;
}

function minutesOf(time: string, field: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!match) throw invalidInput(field, `${field} is a time of day, as 22:30.`);
  return Number(match[1]) * 60 + Number(match[2]);
}

/** As it is given and shown: 22:30. */
export const timeOfDay = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
