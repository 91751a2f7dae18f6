import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { UnitOfWork } from '../db/unit-of-work.js';
import type { PresencePrivacy } from '../entities/user.js';
import { userStream } from '../events/catalogue.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { cleanText } from '../lib/validate.js';
import { cleanDisplayName, cleanHandle } from './account-input.js';
import type { Actor } from './actor.js';
import { changeAvatar, cleanAvatar } from './files/avatars.js';
import { USER_COLUMNS, USERS, type UserRow } from './loaders/users.js';
import type { PresenceNews } from './presence-news.js';

const MAX_ABOUT_BYTES = 1_024;
const MAX_QUERY_BYTES = 128;
const MIN_QUERY = 2;
const UNIQUE_VIOLATION = '23505';

/** What is left out, or null, stays as it is; but null empties `about` and `avatarUrl`. */
export interface UpdateProfile {
  displayName?: string | null;
  about?: string | null;
  avatarUrl?: string | null;
  avatarFileId?: string | null;
  handle?: string | null;
  presencePrivacy?: PresencePrivacy | null;
  findByPhone?: boolean | null;
  discoverable?: boolean | null;
}

/** How people show themselves, and how they are found. */
export class PeopleService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly presence: PresenceNews,
  ) {}

  /** Errors: INVALID_INPUT, HANDLE_TAKEN. */
  async updateProfile(actor: Actor, input: UpdateProfile): Promise<void> {
    const about = input.about == null || !input.about.trim() ? null : cleanText(input.about, { field: 'about', maxBytes: MAX_ABOUT_BYTES, multiline: true });
    const avatar = cleanAvatar(input);
    const values = [
      actor.userId,
      input.displayName == null ? null : cleanDisplayName(input.displayName),
      input.about !== undefined,
      about,
      avatar !== undefined,
      avatar ?? null,
      input.handle == null ? null : cleanHandle(input.handle),
      input.presencePrivacy ?? null,
      input.findByPhone ?? null,
      input.discoverable ?? null,
    ];
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateProfile' }, async (tx) => {
      const [before] = await tx.sql<{ privacy: PresencePrivacy; avatar: string | null }>('select presence_privacy as privacy, avatar_url as avatar from users where id = $1 for no key update', [actor.userId]);
      const changed = await tx.sql<{ privacy: PresencePrivacy }>(UPDATE_PROFILE, values).catch((error: { code?: string }) => {
        throw error.code === UNIQUE_VIOLATION ? new DomainError('HANDLE_TAKEN', 'This handle is taken.', { field: 'handle' }) : error;
      });
      if (!changed.length) return;
      if (avatar !== undefined) await changeAvatar(tx, actor.userId, { before: before!.avatar, after: avatar }, 'USER_AVATAR', actor.userId);
      tx.changed(USERS, actor.userId);
      tx.append(userStream(actor.userId), { kind: 'profile.changed' });
      if (changed[0]!.privacy !== before!.privacy) tx.afterCommit.push(() => this.presence.tell([actor.userId]));
    });
  }

  /** The person or bot of a handle, whatever its case; null where there is none, or it is suspended. */
  async byHandle(handle: string): Promise<UserRow | null> {
    if (handle.length > MAX_QUERY_BYTES || !handle.isWellFormed() || handle.includes('\0')) return null;
    const [row] = await this.sql<UserRow>(`select ${USER_COLUMNS} from users u where u.handle_key = lower($1) and u.suspended_at is null`, [handle.replace(/^@/, '')]);
    return row ?? null;
  }

  /**
   * People who want to be found, by handle or display name: the exact handle first, then handles and then words that begin so, then
   * whatever contains it. Two characters find beginnings of words alone. Nobody across a block. Errors: INVALID_INPUT, INVALID_CURSOR.
   */
  async search(actor: Actor, query: string, args: PageArgs): Promise<Page<UserRow>> {
    const text = cleanText(query, { field: 'query', maxBytes: MAX_QUERY_BYTES }).replace(/^@/, '').replaceAll(/\s+/g, ' ');
    if ([...text].length < MIN_QUERY) throw invalidInput('query', `query is shorter than ${MIN_QUERY} characters.`);
    const request = pageRequest(args, ['number', 'string']);
    if (!request.size) return emptyPage();
    const pattern = text.replaceAll(/[\\%_]/g, '\\$&');
    const anywhere = [...text].length > MIN_QUERY ? `%${pattern}%` : `% ${pattern}%`;
    const [rank, handle] = request.from ?? [-1, ''];
    const rows = await this.sql<UserRow & { rank: number; key: string }>(SEARCH, [actor.userId, text, anywhere, pattern, rank, handle, request.limit]);
    return toPage(rows, request, (row) => [row.rank, row.key]);
  }
}

const UPDATE_PROFILE = `
  update users set display_name = n.display_name, about = n.about, avatar_url = n.avatar_url, handle = n.handle, handle_key = lower(n.handle),
    presence_privacy = n.presence_privacy, find_by_phone = n.find_by_phone, discoverable = n.discoverable, version = version + 1
  from (select coalesce($2, display_name) as display_name, case when $3 then $4 else about end as about, case when $5 then $6 else avatar_url end as avatar_url,
          coalesce($7, handle) as handle, coalesce($8, presence_privacy) as presence_privacy, coalesce($9, find_by_phone) as find_by_phone, coalesce($10, discoverable) as discoverable
        from users where id = $1) n
  where users.id = $1 and (users.display_name, users.about, users.avatar_url, users.handle, users.presence_privacy, users.find_by_phone, users.discoverable)
    is distinct from (n.display_name, n.about, n.avatar_url, n.handle, n.presence_privacy, n.find_by_phone, n.discoverable)
  returning users.presence_privacy as privacy`;

/** $1 viewer, $2 text, $3 pattern within a word or at its beginning, $4 the text with its wildcards disarmed, $5 and $6 where to go on, $7 limit */
const SEARCH = `
  select * from (
    select ${USER_COLUMNS}, u.handle_key as key,
      case when u.handle_key = lower($2) then 0 when u.handle_key like lower($4 || '%') then 1
           when lower(' ' || u.handle || ' ' || u.display_name) like lower('% ' || $4 || '%') then 2 else 3 end as rank
    from users u
    where u.discoverable and u.suspended_at is null and u.id <> $1 and lower(' ' || u.handle || ' ' || u.display_name) like lower($3)
      and not exists (select from blocks b where (b.blocker_id, b.blocked_id) in ((u.id, $1), ($1, u.id)))
  ) found where (rank, key) > ($5, $6) order by rank, key limit $7`;
