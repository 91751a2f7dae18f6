import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';

/** A session as a device that encrypts. */
export interface DeviceRow {
  id: string;
  userId: string;
  name: string | null;
  signatureKey: Buffer;
  createdAt: Date;
  endedAt: Date | null;
}
/** Of `mls_devices d left join sessions s`. */
export const DEVICE_COLUMNS = 'd.session_id as id, d.user_id as "userId", s.device as name, d.signature_key as "signatureKey", d.created_at as "createdAt", d.ended_at as "endedAt"';

export interface MlsGroupRow {
  chatId: string;
  generation: number;
  /** Null while nobody has made the group. */
  epoch: number | null;
  groupInfo: Buffer | null;
}
export interface CommitRow {
  chatId: string;
  generation: number;
  epoch: number;
  deviceId: string;
  content: Buffer;
  createdAt: Date;
}
export interface WelcomeRow {
  id: string;
  deviceId: string;
  chatId: string;
  generation: number;
  epoch: number;
  content: Buffer;
}

const DEVICES = keyed<DeviceRow>(`select ${DEVICE_COLUMNS} from mls_devices d left join sessions s on s.id = d.session_id where d.session_id = any($1)`);
export const deviceById: LoaderDef<string, DeviceRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await DEVICES(sql, ids), (row) => row.id);
  },
};

export const GROUP_OF_CHAT = 'c.id as "chatId", coalesce(g.generation, 1) as generation, g.epoch, g.group_info as "groupInfo"';
const GROUPS = keyed<MlsGroupRow>(`select ${GROUP_OF_CHAT} from chats c left join mls_groups g on g.chat_id = c.id where c.encryption = 'MLS' and c.id = any($1)`);
/** The group of an encrypted chat; null for any other. */
export const mlsGroupOfChat: LoaderDef<string, MlsGroupRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await GROUPS(sql, ids), (row) => row.chatId);
  },
};

export const COMMIT_COLUMNS = 'k.chat_id as "chatId", k.generation, k.epoch, k.device_id as "deviceId", k.content, k.created_at as "createdAt"';
export interface CommitKey {
  chatId: string;
  generation: number;
  epoch: number;
}
const commitKey = ({ chatId, generation, epoch }: CommitKey): string => `${chatId} ${generation} ${epoch}`;
export const mlsCommit: LoaderDef<CommitKey, CommitRow> = {
  keyOf: commitKey,
  async batch(keys, { sql }) {
    const rows = await sql<CommitRow>(
      `select ${COMMIT_COLUMNS} from unnest($1::uuid[], $2::int[], $3::int[]) w(chat_id, generation, epoch) join mls_commits k on k.chat_id = w.chat_id and k.generation = w.generation and k.epoch = w.epoch`,
      [keys.map((key) => key.chatId), keys.map((key) => key.generation), keys.map((key) => key.epoch)],
    );
    return inOrder(keys, rows, commitKey, commitKey);
  },
};

export const WELCOME_COLUMNS = 'w.id, w.device_id as "deviceId", w.chat_id as "chatId", w.generation, w.epoch, w.content';
