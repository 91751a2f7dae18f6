import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { chatStream, userStream } from '../../events/catalogue.js';
import { DomainError, forbidden, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { GroupMessage } from '../../lib/mls-wire.js';
import { distinct } from '../../lib/validate.js';
import { assertCanTakePart, isChatAdmin, type ChatAccess } from '../../policies/chat-policy.js';
import { isOutside, mayTakeOut } from '../../policies/mls-policy.js';
import type { Actor } from '../actor.js';
import { bumpAcl, LEAF_IS_GONE, lockChat } from '../chat-access.js';
import { assertIsDevice } from './devices.js';
import { groupIdOf, readInput } from './names.js';

const MAX_COMMIT_BYTES = 64 * 1024;
const MAX_WELCOME_BYTES = 256 * 1024;
const MAX_GROUP_INFO_BYTES = 256 * 1024;
/** Devices in one group. */
const MAX_LEAVES = 1_000;
const MAX_REMOVED = 100;

export interface NewGroup {
  chatId: string;
  groupInfo: Buffer;
}
export interface NewCommit {
  chatId: string;
  commit: Buffer;
  welcome: Buffer | null;
  groupInfo: Buffer;
  removedDeviceIds: readonly string[];
}
interface Group {
  generation: number;
  epoch: number;
  groupInfo: Buffer;
  founderId: string;
}

/**
 * What a Delivery Service does for a group (RFC 9750, 5): one commit leads out of an epoch, and everybody gets the same. It sees that devices are let in and taken out, by welcomes and by
 * what a commit's sender says; what a commit really does, those in the group check.
 */
export class MlsGroupService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Makes the group of an encrypted chat, in epoch 0 with the device that asks alone in it. Where there is one already, those who run the chat make another in its place, as when a broken
   * commit has left everybody stuck: its generation is the next. Again with the same `groupInfo`: changes nothing.
   * Errors: NOT_FOUND, BLOCKED, FORBIDDEN (no device; not theirs to replace), STATE_CONFLICT (not encrypted), EPOCH_CONFLICT (somebody was faster), INVALID_INPUT.
   */
  async create(actor: Actor, { chatId, groupInfo }: NewGroup): Promise<void> {
    const info = readInput(groupInfo, 'groupInfo', MAX_GROUP_INFO_BYTES, 'groupInfo');
    if (info.epoch !== 0) throw invalidInput('groupInfo', 'A group begins in epoch 0.');
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'createMlsGroup' }, async (tx) => {
      const { access, group } = await this.#locked(tx, actor, chatId);
      if (group?.founderId === actor.sessionId && group.epoch === 0 && group.groupInfo.equals(groupInfo)) return;
      const generation = (group?.generation ?? 0) + 1;
      if (group && info.groupId === groupIdOf(chatId, group.generation)) throw new DomainError('EPOCH_CONFLICT', 'The chat has its group already: join it.');
      if (info.groupId !== groupIdOf(chatId, generation)) throw invalidInput('groupInfo', `The group_id is ${groupIdOf(chatId, generation)}.`);
      if (group && access.chat.kind === 'GROUP' && !isChatAdmin(access)) throw forbidden('Those who run the chat make its group anew.');
      await tx.sql(
        `insert into mls_groups (chat_id, generation, group_info, founder_id, updated_at) values ($1, $2, $3, $4, $5)
         on conflict (chat_id) do update set generation = $2, epoch = 0, group_info = $3, founder_id = $4, updated_at = $5`,
        [chatId, generation, groupInfo, actor.sessionId, tx.now],
      );
      await tx.sql('delete from mls_leaves where chat_id = $1', [chatId]);
      await tx.sql('delete from mls_welcomes where chat_id = $1', [chatId]);
      await tx.sql('insert into mls_leaves (chat_id, device_id, user_id, since_epoch) values ($1, $2, $3, 0)', [chatId, actor.sessionId, actor.userId]);
      await bumpAcl(tx.sql, chatId);
      tx.append(chatStream(chatId), { kind: 'encryption.changed' });
    });
  }

  /**
   * Takes the commit that leads out of the group's epoch; every other for it is EPOCH_CONFLICT. Its welcome goes to the devices that it lets in, whose key packages are used up by it.
   * A device that is not in the group comes in by an external commit. Again with the same bytes: changes nothing.
   * Errors: NOT_FOUND, BLOCKED, FORBIDDEN, STATE_CONFLICT, EPOCH_CONFLICT, LIMIT_REACHED, INVALID_INPUT.
   */
  async commit(actor: Actor, input: NewCommit): Promise<void> {
    const commit = readInput(input.commit, 'commit', MAX_COMMIT_BYTES, 'public', 'private');
    if (commit.contentType !== 'commit') throw invalidInput('commit', 'It is not a commit.');
    const info = readInput(input.groupInfo, 'groupInfo', MAX_GROUP_INFO_BYTES, 'groupInfo');
    const refs = input.welcome ? readInput(input.welcome, 'welcome', MAX_WELCOME_BYTES, 'welcome').refs : [];
    const removed = distinct(input.removedDeviceIds, 'removedDeviceIds', MAX_REMOVED);
    const { chatId } = input;
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'commitMlsGroup' }, async (tx) => {
      const { group } = await this.#locked(tx, actor, chatId);
      if (!group) throw new DomainError('STATE_CONFLICT', 'The chat has no group yet: make it first.');
      const { generation, epoch } = group;
      if (await isTaken(tx, actor, input, generation, commit.epoch)) return;
      const groupId = groupIdOf(chatId, generation);
      if (commit.groupId !== groupId || commit.epoch !== epoch) throw new DomainError('EPOCH_CONFLICT', `The group is ${groupId} in epoch ${epoch}.`);
      if (info.groupId !== groupId || info.epoch !== epoch + 1) throw invalidInput('groupInfo', `It is to be of ${groupId} in epoch ${epoch + 1}.`);
      await enter(tx, actor, chatId, commit, epoch + 1);
      await takeOut(tx, actor, chatId, removed);
      if (input.welcome) await welcome(tx, actor, { chatId, generation, epoch: epoch + 1, content: input.welcome, refs });
      const [{ n }] = (await tx.sql<{ n: number }>('select count(*)::int as n from mls_leaves where chat_id = $1', [chatId])) as [{ n: number }];
      if (n > MAX_LEAVES) throw new DomainError('LIMIT_REACHED', `A group has at most ${MAX_LEAVES} devices.`);
      await tx.sql('insert into mls_commits (chat_id, generation, epoch, device_id, content, created_at) values ($1, $2, $3, $4, $5, $6)', [chatId, generation, epoch, actor.sessionId, input.commit, tx.now]);
      await tx.sql('update mls_groups set epoch = epoch + 1, group_info = $2, updated_at = $3 where chat_id = $1', [chatId, input.groupInfo, tx.now]);
      await bumpAcl(tx.sql, chatId);
      tx.append(chatStream(chatId), { kind: 'encryption.committed', generation, epoch });
    });
  }

  /** Forgets welcomes that the device which asks has made use of. Others' are left alone. */
  async forget(actor: Actor, ids: readonly string[]): Promise<void> {
    const welcomes = distinct(ids, 'welcomeIds', 100);
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'forgetWelcomes' }, (tx) => tx.sql('delete from mls_welcomes where id = any($1) and device_id = $2', [welcomes, actor.sessionId]));
  }

  async #locked(tx: Tx, actor: Actor, chatId: string): Promise<{ access: ChatAccess; group: Group | null }> {
    const access = await lockChat(tx.sql, chatId, actor.userId);
    assertCanTakePart(access);
    if (access.chat.encryption !== 'MLS') throw new DomainError('STATE_CONFLICT', 'This chat is not end-to-end encrypted.');
    await assertIsDevice(tx, actor);
    const [group] = await tx.sql<Group>('select generation, epoch, group_info as "groupInfo", founder_id as "founderId" from mls_groups where chat_id = $1', [chatId]);
    return { access, group: group ?? null };
  }
}

/** The very commit was taken before: its answer was lost. */
async function isTaken(tx: Tx, actor: Actor, { chatId, commit }: NewCommit, generation: number, epoch: number): Promise<boolean> {
  const [earlier] = await tx.sql<{ content: Buffer }>('select content from mls_commits where chat_id = $1 and generation = $2 and epoch = $3 and device_id = $4', [
    chatId, generation, Math.min(epoch, 2 ** 31 - 1), actor.sessionId,
  ]);
  return earlier?.content.equals(commit) ?? false;
}

/** Whoever commits is in the group, or comes in by it. */
async function enter(tx: Tx, actor: Actor, chatId: string, commit: GroupMessage, since: number): Promise<void> {
  if (isOutside(commit)) {
    await tx.sql(
      'insert into mls_leaves (chat_id, device_id, user_id, since_epoch) values ($1, $2, $3, $4) on conflict (chat_id, device_id) do update set since_epoch = excluded.since_epoch',
      [chatId, actor.sessionId, actor.userId, since],
    );
    return;
  }
  const [leaf] = await tx.sql('select from mls_leaves where chat_id = $1 and device_id = $2', [chatId, actor.sessionId]);
  if (!leaf) throw forbidden('This device is not in the chat’s group: join it by an external commit.');
}

async function takeOut(tx: Tx, actor: Actor, chatId: string, deviceIds: readonly string[]): Promise<void> {
  if (!deviceIds.length) return;
  const leaves = await tx.sql<{ id: string; userId: string; gone: boolean }>(`select l.device_id as id, l.user_id as "userId", ${LEAF_IS_GONE} as gone from mls_leaves l where l.chat_id = $1 and l.device_id = any($2)`, [chatId, deviceIds]);
  if (leaves.length < deviceIds.length) throw new DomainError('NOT_FOUND', 'There is no such device in the group.', { field: 'removedDeviceIds' });
  for (const leaf of leaves) if (!mayTakeOut(leaf, actor)) throw new DomainError('FORBIDDEN', 'A device is taken out when it is gone, or by its owner: take its owner out of the chat first.', { field: 'removedDeviceIds' });
  await tx.sql('delete from mls_leaves where chat_id = $1 and device_id = any($2)', [chatId, deviceIds]);
  await tx.sql('delete from mls_welcomes where chat_id = $1 and device_id = any($2)', [chatId, deviceIds]);
}

/** Lets in the devices whose key packages a welcome is for: those that the sender has claimed for this chat, and last resorts. */
async function welcome(tx: Tx, actor: Actor, { chatId, generation, epoch, content, refs }: { chatId: string; generation: number; epoch: number; content: Buffer; refs: Buffer[] }): Promise<void> {
  const packages = await tx.sql<{ deviceId: string; userId: string; lastResort: boolean; ref: Buffer }>(
    `select k.device_id as "deviceId", d.user_id as "userId", k.last_resort as "lastResort", k.ref from mls_key_packages k
     join mls_devices d on d.session_id = k.device_id and d.ended_at is null join chat_members m on m.chat_id = $2 and m.user_id = d.user_id
     where k.ref = any($1) and (k.last_resort or (k.claimed_by = $3 and k.claimed_chat = $2))`,
    [refs, chatId, actor.sessionId],
  );
  if (packages.length !== refs.length || !refs.length) throw invalidInput('welcome', 'It lets in a device whose key package was not claimed for this chat, or whose owner is not in it any more.');
  const ids = packages.map(() => newId());
  await tx.sql(
    `insert into mls_leaves (chat_id, device_id, user_id, since_epoch) select $1, d, u, $4 from unnest($2::uuid[], $3::uuid[]) l(d, u)
     on conflict (chat_id, device_id) do update set since_epoch = excluded.since_epoch`,
    [chatId, packages.map((one) => one.deviceId), packages.map((one) => one.userId), epoch],
  );
  await tx.sql('delete from mls_key_packages where ref = any($1) and not last_resort', [refs]);
  await tx.sql('insert into mls_welcomes (id, device_id, chat_id, generation, epoch, content, created_at) select i, d, $3, $4, $5, $6, $7 from unnest($1::uuid[], $2::uuid[]) w(i, d)', [
    ids, packages.map((one) => one.deviceId), chatId, generation, epoch, content, tx.now,
  ]);
  packages.forEach(({ userId, deviceId }, index) => tx.append(userStream(userId), { kind: 'welcome.added', welcomeId: ids[index]!, deviceId, chatId }));
}
