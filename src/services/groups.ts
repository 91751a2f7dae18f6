import type { Sql } from '../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../db/pages.js';
import type { UnitOfWork } from '../db/unit-of-work.js';
import { DomainError, invalidInput } from '../lib/errors.js';
import { newId, NIL_UUID } from '../lib/ids.js';
import { cleanText, distinct } from '../lib/validate.js';
import { assertCanSeeGroup, assertRunsGroup, canSeeGroup, canSeeInside, type GroupJoinPolicy, type GroupMemberState, type GroupVisibility } from '../policies/group-policy.js';
import { runs } from '../policies/member-policy.js';
import type { Actor, Reading } from './actor.js';
import { containing } from './chat-list.js';
import { makeGroupChat } from './chats.js';
import { changeAvatar, cleanAvatar } from './files/avatars.js';
import { lockGroup, readGroupAccess, tellOfGroup, toBeTold } from './group-membership.js';
import { chatById, CHAT_COLUMNS, type ChatRow } from './loaders/chats.js';
import { groupAccess, groupById, GROUP_COLUMNS, GROUP_MEMBER_COLUMNS, type GroupMemberRow, type GroupRow } from './loaders/groups.js';

const MAX_TOPICS = 10;
const MAX_GROUPS_OWNED = 100;

/** What is absent stays as it is. */
export interface GroupChange {
  name?: string | null;
  description?: string | null;
  rules?: string | null;
  topics?: string[] | null;
  visibility?: GroupVisibility | null;
  joinPolicy?: GroupJoinPolicy | null;
  avatarUrl?: string | null;
  avatarFileId?: string | null;
}
export interface CreateGroup extends GroupChange {
  name: string;
  visibility: GroupVisibility;
  joinPolicy: GroupJoinPolicy;
  idempotencyKey: string;
}

type Values = Pick<GroupRow, 'name' | 'description' | 'rules' | 'topics' | 'visibility' | 'joinPolicy' | 'avatarUrl'>;

/** A topic as groups are found by it: without #, in lower case, single spaces. */
export const normalTopic = (topic: string, field: string): string =>
  cleanText(cleanText(topic.normalize('NFC'), { field, maxBytes: 64 }).replace(/^#+/, '').replace(/\s+/g, ' ').toLowerCase(), { field, maxBytes: 64 });

function checked(change: GroupChange): Partial<Values> {
  const values: Partial<Values> = {};
  if (change.name != null) values.name = cleanText(change.name, { field: 'name', maxBytes: 128 });
  if (change.description !== undefined) values.description = change.description === null ? null : cleanText(change.description, { field: 'description', maxBytes: 2_048, multiline: true });
  if (change.rules !== undefined) values.rules = change.rules === null ? null : cleanText(change.rules, { field: 'rules', maxBytes: 8_192, multiline: true });
  if (change.topics != null) values.topics = distinct(distinct(change.topics, 'topics', MAX_TOPICS).map((topic) => normalTopic(topic, 'topics')), 'topics', MAX_TOPICS);
  if (change.visibility != null) values.visibility = change.visibility;
  if (change.joinPolicy != null) values.joinPolicy = change.joinPolicy;
  const avatarUrl = cleanAvatar(change);
  if (avatarUrl !== undefined) values.avatarUrl = avatarUrl;
  return values;
}

/** Making, changing and finding groups; who is in them stands in group-members.ts. */
export class GroupService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Makes a group with the actor as owner, and its first chat. Errors: LIMIT_REACHED, INVALID_INPUT. */
  async create(actor: Actor, { idempotencyKey, ...input }: CreateGroup): Promise<GroupRow> {
    const { name, description = null, rules = null, topics = [], avatarUrl = null, visibility, joinPolicy } = checked(input);
    const { groupId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createGroup', idempotencyKey, input }, async (tx) => {
      await tx.sql('select from users where id = $1 for no key update', [actor.userId]);
      const [owned] = await tx.sql<{ n: number }>(`select count(*)::int as n from group_members where user_id = $1 and role = 'OWNER'`, [actor.userId]);
      if (owned!.n >= MAX_GROUPS_OWNED) throw new DomainError('LIMIT_REACHED', `A person owns at most ${MAX_GROUPS_OWNED} groups.`);
      const id = newId();
      await tx.sql(
        `insert into groups (id, name, description, rules, topics, avatar_url, visibility, join_policy, member_count, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)`,
        [id, name, description, rules, topics, avatarUrl, visibility, joinPolicy, tx.now],
      );
      await tx.sql(`insert into group_members (group_id, user_id, role, state, joined_at) values ($1, $2, 'OWNER', 'MEMBER', $3)`, [id, actor.userId, tx.now]);
      await changeAvatar(tx, actor.userId, { before: null, after: avatarUrl }, 'GROUP_AVATAR', id);
      await makeGroupChat(tx, actor.userId, [], 'General', id);
      tellOfGroup(tx, id, [actor.userId]);
      return { groupId: id };
    });
    // A repeat may come when they are not in it any more.
    assertCanSeeGroup(await readGroupAccess(this.sql, groupId, actor.userId));
    return this.#read(groupId);
  }

  /** Errors: NOT_FOUND, FORBIDDEN, INVALID_INPUT. */
  async update(actor: Actor, groupId: string, change: GroupChange): Promise<GroupRow> {
    const values = checked(change);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'updateGroup' }, async (tx) => {
      assertRunsGroup(await lockGroup(tx.sql, groupId, actor.userId));
      const [before] = await tx.sql<GroupRow>(`select ${GROUP_COLUMNS} from groups g where g.id = $1`, [groupId]);
      const after = { ...before!, ...values };
      if (JSON.stringify(after) === JSON.stringify(before)) return;
      await tx.sql(
        `update groups set name = $2, description = $3, rules = $4, topics = $5, avatar_url = $6, visibility = $7, join_policy = $8, version = version + 1 where id = $1`,
        [groupId, after.name, after.description, after.rules, after.topics, after.avatarUrl, after.visibility, after.joinPolicy],
      );
      await changeAvatar(tx, actor.userId, { before: before!.avatarUrl, after: after.avatarUrl }, 'GROUP_AVATAR', groupId);
      tellOfGroup(tx, groupId, new Set([actor.userId, ...(await toBeTold(tx, groupId, 'MEMBERS'))]));
    });
    return this.#read(groupId);
  }

  /** A group that the viewer may see, or null. */
  async find(reading: Reading, id: string): Promise<GroupRow | null> {
    return canSeeGroup(await reading.load(groupAccess, id)) ? reading.load(groupById, id) : null;
  }

  /** Public and private groups: those whose name is or holds the query first, then the larger ones. */
  async search(reading: Reading, actor: Actor, find: { query?: string | null; topic?: string | null }, args: PageArgs): Promise<Page<GroupRow>> {
    const request = pageRequest(args, ['number', 'number', 'uuid']);
    const query = find.query == null ? null : cleanText(find.query, { field: 'query', maxBytes: 256 }).toLowerCase();
    const topic = find.topic == null ? null : normalTopic(find.topic, 'topic');
    if (query === null && topic === null) throw invalidInput('query', 'Give query or topic, or both.');
    if (!request.size) return emptyPage();
    const [rank, count, id] = request.from ?? [null, null, null];
    const rows = await this.sql<GroupRow & { rank: number }>(
      `select * from (
         select ${GROUP_COLUMNS}, case when lower(g.name) = $2 then 2 when lower(g.name) like $3 then 1 else 0 end as rank from groups g
         where g.visibility <> 'SECRET' and g.member_count > 0
           and ($2::text is null or lower(g.name || ' ' || coalesce(g.description, '')) like $3 or $2 <% lower(g.name || ' ' || coalesce(g.description, '')))
           and ($4::text is null or g.topics @> array[$4])
           and not exists (select from group_members b where b.group_id = g.id and b.user_id = $5 and b.state = 'BANNED')) g
       where $6::int is null or (rank, "memberCount", id) < ($6, $7::int, $8::uuid) order by rank desc, "memberCount" desc, id desc limit $1`,
      [request.limit, query, query === null ? null : containing(query), topic, actor.userId, rank, count, id],
    );
    for (const row of rows) reading.prime(groupById, row.id, row);
    return toPage(rows, request, (row) => [row.rank, row.memberCount, row.id]);
  }

  /** The groups that the viewer is a member of, the newest membership first. */
  async listOwn(reading: Reading, actor: Actor, args: PageArgs): Promise<Page<GroupRow>> {
    const request = pageRequest(args, ['time', 'uuid']);
    if (!request.size) return emptyPage();
    const [at, id] = request.from ?? [null, null];
    const rows = await this.sql<GroupRow & { joinedAt: Date }>(
      `select ${GROUP_COLUMNS}, m.joined_at as "joinedAt" from group_members m join groups g on g.id = m.group_id
       where m.user_id = $1 and m.state = 'MEMBER' and ($2::timestamptz is null or (m.joined_at, g.id) < ($2, $3::uuid)) order by m.joined_at desc, g.id desc limit $4`,
      [actor.userId, at === null ? null : new Date(at as number), id, request.limit],
    );
    for (const row of rows) reading.prime(groupById, row.id, row);
    return toPage(rows, request, (row) => [row.joinedAt.getTime(), row.id]);
  }

  /** The chats of a group, oldest first; null for those who don't see its inside. */
  async chats(reading: Reading, groupId: string, args: PageArgs): Promise<Page<ChatRow> | null> {
    const request = pageRequest(args, ['uuid']);
    if (!canSeeInside(await reading.load(groupAccess, groupId))) return null;
    if (!request.size) return emptyPage();
    const rows = await this.sql<ChatRow>(`select ${CHAT_COLUMNS} from chats c where c.group_id = $1 and ($2::uuid is null or c.id > $2) order by c.id limit $3`, [
      groupId, request.from?.[0] ?? null, request.limit,
    ]);
    for (const row of rows) reading.prime(chatById, row.id, row);
    return toPage(rows, request, (row) => [row.id]);
  }

  /** The members: owner, admins, then the others, each in the order of joining; null for those who don't see its inside. */
  async members(reading: Reading, groupId: string, args: PageArgs): Promise<Page<GroupMemberRow> | null> {
    return canSeeInside(await reading.load(groupAccess, groupId)) ? this.#people(groupId, 'MEMBER', args) : null;
  }

  /** Those who ask to join, or are banned; null for those who don't run the group. */
  async waiting(reading: Reading, groupId: string, state: 'REQUESTED' | 'BANNED', args: PageArgs): Promise<Page<GroupMemberRow> | null> {
    const access = await reading.load(groupAccess, groupId);
    return access?.membership?.state === 'MEMBER' && runs(access.membership.role) ? this.#people(groupId, state, args) : null;
  }

  async #people(groupId: string, state: GroupMemberState, args: PageArgs): Promise<Page<GroupMemberRow>> {
    const request = pageRequest(args, ['number', 'time', 'uuid']);
    if (!request.size) return emptyPage();
    const [rank, joinedAt, userId] = request.from ?? [-1, 0, NIL_UUID];
    const rows = await this.sql<GroupMemberRow & { rank: number }>(
      `select * from (select ${GROUP_MEMBER_COLUMNS}, case m.role when 'OWNER' then 0 when 'ADMIN' then 1 else 2 end as rank from group_members m where m.group_id = $1 and m.state = $6) m
       where (rank, "joinedAt", "userId") > ($2, $3, $4) order by rank, "joinedAt", "userId" limit $5`,
      [groupId, rank, new Date(joinedAt as number), userId, request.limit, state],
    );
    return toPage(rows, request, (row) => [row.rank, row.joinedAt.getTime(), row.userId]);
  }

  async #read(id: string): Promise<GroupRow> {
    const [row] = await this.sql<GroupRow>(`select ${GROUP_COLUMNS} from groups g where g.id = $1`, [id]);
    return row!;
  }
}
