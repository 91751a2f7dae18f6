import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { GroupAccess, GroupJoinPolicy, GroupMemberState, GroupVisibility } from '../../policies/group-policy.js';
import type { MemberRole } from '../../policies/member-policy.js';

export interface GroupRow {
  id: string;
  name: string;
  description: string | null;
  rules: string | null;
  topics: string[];
  avatarUrl: string | null;
  visibility: GroupVisibility;
  joinPolicy: GroupJoinPolicy;
  origin: 'PEOPLE' | 'CLUSTER';
  memberCount: number;
  createdAt: Date;
}

export const GROUP_COLUMNS = `g.id, g.name, g.description, g.rules, g.topics, g.avatar_url as "avatarUrl", g.visibility, g.join_policy as "joinPolicy", g.origin,
  g.member_count as "memberCount", g.created_at as "createdAt"`;

export interface GroupMemberRow {
  groupId: string;
  userId: string;
  role: MemberRole;
  state: GroupMemberState;
  joinedAt: Date;
}

export const GROUP_MEMBER_COLUMNS = `m.group_id as "groupId", m.user_id as "userId", m.role, m.state, m.joined_at as "joinedAt"`;

const GROUPS_BY_ID = keyed<GroupRow>(`select ${GROUP_COLUMNS} from groups g where g.id = any($1)`);

/** A group, whoever asks: what may be seen of it is the caller's question. */
export const groupById: LoaderDef<string, GroupRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await GROUPS_BY_ID(sql, ids), (row) => row.id);
  },
};

export interface GroupMemberKey {
  groupId: string;
  userId: string;
}
export const groupMemberKey = ({ groupId, userId }: GroupMemberKey): string => `${groupId} ${userId}`;

export const groupMember: LoaderDef<GroupMemberKey, GroupMemberRow> = {
  keyOf: groupMemberKey,
  async batch(keys, { sql }) {
    const rows = await sql<GroupMemberRow>(
      `select ${GROUP_MEMBER_COLUMNS} from unnest($1::uuid[], $2::uuid[]) k(group_id, user_id) join group_members m on m.group_id = k.group_id and m.user_id = k.user_id`,
      [keys.map((key) => key.groupId), keys.map((key) => key.userId)],
    );
    return inOrder(keys, rows, groupMemberKey, groupMemberKey);
  },
};

const GROUPS_AND_MEMBER = keyed<GroupAccess['group'] & { role: MemberRole | null; state: GroupMemberState | null }>(
  `select g.id, g.visibility, g.join_policy as "joinPolicy", g.member_count as "memberCount", m.role, m.state
   from groups g left join group_members m on m.group_id = g.id and m.user_id = $2 where g.id = any($1)`,
);

/** What decides what the viewer may see of a group, by its id. */
export const groupAccess: LoaderDef<string, GroupAccess> = {
  async batch(ids, { sql, viewerId }) {
    const found = inOrder(ids, await GROUPS_AND_MEMBER(sql, ids, viewerId), (row) => row.id);
    return found.map((row) => row && { group: row, membership: row.state && { role: row.role!, state: row.state } });
  },
};
