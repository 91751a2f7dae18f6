import type { UnitOfWork } from '../../db/unit-of-work.js';
import { newId } from '../../lib/ids.js';
import { DomainError } from '../../lib/errors.js';
import type { Tx } from '../../db/unit-of-work.js';
import type { Actor } from '../actor.js';
import { makeGroupChat } from '../chats.js';
import type { GroupMemberService } from '../group-members.js';
import { tellOfGroup } from '../group-membership.js';
import type { GroupRow } from '../loaders/groups.js';

interface Founded {
  id: string;
  title: string;
  interests: string[];
}

/** Groups that clusters become: by the first who joins one, or, where an operator wants it so, by the training. Nobody is put into one. */
export class ClusterGroups {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly members: GroupMemberService,
    /** The handle of whoever owns groups that a training makes; null: none are made. */
    private readonly ownerHandle: string | null,
  ) {}

  /** Makes a group of each cluster that has none, where the settings say so. */
  async make(clusters: readonly Founded[]): Promise<void> {
    if (this.ownerHandle === null) return;
    for (const cluster of clusters) {
      await this.unitOfWork.run({ actorId: cluster.id, operation: 'makeClusterGroup' }, async (tx) => {
        const [owner] = await tx.sql<{ id: string }>('select id from users where handle_key = lower($1) and suspended_at is null', [this.ownerHandle]);
        if (owner && !(await groupOf(tx, cluster.id))) await found(tx, cluster, owner.id);
      });
    }
  }

  /** Joins the group of a cluster that the actor is in; the first founds it, and owns it. Errors: NOT_FOUND, FORBIDDEN. */
  async join(actor: Actor, clusterId: string): Promise<GroupRow> {
    const { groupId } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'joinSuggestedGroup' }, async (tx) => {
      await tx.sql('select pg_advisory_xact_lock(hashtextextended($1, 0))', [clusterId]);
      const [cluster] = await tx.sql<Founded>(
        `select c.id, c.title, c.interests from learned_clusters c join learned_models m on m.id = c.model_id and m.state = 'ACTIVE'
         join learned_people p on p.model_id = m.id and p.user_id = $2 and p.cluster_ids @> array[c.id] where c.id = $1`,
        [clusterId, actor.userId],
      );
      if (!cluster) throw new DomainError('NOT_FOUND', 'There is no such suggestion.', { field: 'suggestionId' });
      return { groupId: (await groupOf(tx, clusterId)) ?? (await found(tx, cluster, actor.userId)) };
    });
    return this.members.join(actor, groupId);
  }
}

/** The group of a cluster, while somebody is in it. */
async function groupOf(tx: Tx, clusterId: string): Promise<string | null> {
  const [row] = await tx.sql<{ id: string }>('select g.id from cluster_groups c join groups g on g.id = c.group_id where c.cluster_id = $1 and g.member_count > 0', [clusterId]);
  return row?.id ?? null;
}

async function found(tx: Tx, { id, title, interests }: Founded, ownerId: string): Promise<string> {
  const groupId = newId();
  await tx.sql(
    `insert into groups (id, name, description, topics, visibility, join_policy, origin, member_count, created_at) values ($1, $2, $3, $4, 'PUBLIC', 'OPEN', 'CLUSTER', 1, $5)`,
    [groupId, title.slice(0, 60), interests.length ? `For people who share: ${interests.join(', ')}.` : null, interests, tx.now],
  );
  await tx.sql(`insert into group_members (group_id, user_id, role, state, joined_at) values ($1, $2, 'OWNER', 'MEMBER', $3)`, [groupId, ownerId, tx.now]);
  await tx.sql('insert into cluster_groups (cluster_id, group_id) values ($1, $2) on conflict (cluster_id) do update set group_id = $2', [id, groupId]);
  await makeGroupChat(tx, ownerId, [], 'General', groupId);
  tellOfGroup(tx, groupId, [ownerId]);
  return groupId;
}
