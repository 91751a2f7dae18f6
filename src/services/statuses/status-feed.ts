import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { Actor, Reading } from '../actor.js';
import { highlightsOf, highlightFor, highlightStatuses, type HighlightRow } from '../loaders/status-highlights.js';
import {
  STATUS_COLUMNS, statusesOfGroup, statusFor, statusGroups, statusListed, statusViewers, type GroupKey, type StatusGroupRow, type StatusRow, type StatusViewerRow,
} from '../loaders/statuses.js';
import { USER_COLUMNS, type UserRow } from '../loaders/users.js';

const FEED = `select * from (select g.*, (g.unseen > 0)::int as fresh from (${statusGroups('mine.owner_id = $1', '$2')}) g where g.muted = $3) g
  where $4::int is null or (g.fresh, g."latestAt", g."authorId") < ($4, $5::timestamptz, $6::uuid) order by g.fresh desc, g."latestAt" desc, g."authorId" desc limit $7`;

/** What people show and what becomes of it, as whoever asks may see it. */
export class StatusFeed {
  constructor(private readonly sql: Sql) {}

  /** By person: those with something unseen first, and of these and the others whoever posted last. Muted people stand in a list of their own. */
  async groups(reading: Reading, { muted, ...args }: PageArgs & { muted: boolean }): Promise<Page<StatusGroupRow>> {
    const request = pageRequest(args, ['number', 'time', 'uuid']);
    if (!request.size) return emptyPage();
    const [fresh, latest, author] = request.from ?? [null, null, null];
    const rows = await this.sql<StatusGroupRow & { fresh: number }>(FEED, [
      reading.viewer!.userId, reading.now, muted, fresh, latest == null ? null : new Date(latest), author, request.limit,
    ]);
    return toPage(rows, request, (row) => [row.fresh, row.latestAt.getTime(), row.authorId]);
  }

  /** The viewer's own of today, in the order in which they were posted. */
  async own(reading: Reading, args: PageArgs): Promise<Page<StatusRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<StatusRow>(
      `select ${STATUS_COLUMNS} from statuses s where s.author_id = $1 and s.removed_at is null and s.expires_at > $2 and ($3::uuid is null or s.id > $3) order by s.id limit $4`,
      [reading.viewer!.userId, reading.now, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /** A status that the viewer may see, or null. */
  find(reading: Reading, statusId: string): Promise<StatusRow | null> {
    return reading.load(statusFor, { statusId, viewerId: reading.viewer!.userId });
  }

  async ofGroup(reading: Reading, { viewerId, authorId }: GroupKey, args: PageArgs): Promise<Page<StatusRow>> {
    return (await reading.load(statusesOfGroup, { parent: { viewerId, authorId }, request: pageRequest(args, ['uuid']) }))!;
  }

  /** Who has seen it. The caller has asked whether it is the viewer's own. */
  async viewers(reading: Reading, status: StatusRow, args: PageArgs): Promise<Page<StatusViewerRow>> {
    return (await reading.load(statusViewers, { parent: status.id, request: pageRequest(args, ['time', 'uuid']) }))!;
  }

  /** Whom its list names. The caller has asked whether it is the viewer's own. */
  async listed(reading: Reading, status: StatusRow, args: PageArgs): Promise<Page<UserRow>> {
    return (await reading.load(statusListed, { parent: status.id, request: pageRequest(args, ['uuid']) }))!;
  }

  /** Whom the viewer has muted, the newest first. */
  async muted(actor: Actor, args: PageArgs): Promise<Page<UserRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    if (!request.size) return emptyPage();
    const [time, id] = request.from ?? [null, null];
    const rows = await this.sql<UserRow & { mutedAt: Date }>(
      `select ${USER_COLUMNS}, m.created_at as "mutedAt" from status_mutes m join users u on u.id = m.muted_id
       where m.owner_id = $1 and ($2::timestamptz is null or (m.created_at, m.muted_id) < ($2, $3::uuid)) order by m.created_at desc, m.muted_id desc limit $4`,
      [actor.userId, time == null ? null : new Date(time), id, request.limit],
    );
    return toPage(rows, request, (row) => [row.mutedAt.getTime(), row.id]);
  }

  /** A highlight in which the viewer may see something, or null. */
  findHighlight(reading: Reading, highlightId: string): Promise<HighlightRow | null> {
    return reading.load(highlightFor, { highlightId, viewerId: reading.viewer!.userId });
  }

  async highlights(reading: Reading, ownerId: string, args: PageArgs): Promise<Page<HighlightRow>> {
    return (await reading.load(highlightsOf, { parent: { ownerId, viewerId: reading.viewer!.userId }, request: pageRequest(args, ['uuid']) }))!;
  }

  async ofHighlight(reading: Reading, highlightId: string, args: PageArgs): Promise<Page<StatusRow>> {
    return (await reading.load(highlightStatuses, { parent: { highlightId, viewerId: reading.viewer!.userId }, request: pageRequest(args, ['uuid']) }))!;
  }
}
