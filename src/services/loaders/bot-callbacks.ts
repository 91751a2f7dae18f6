import { keyed } from '../../db/keyed.js';
import { inOrder, type LoaderDef } from '../../db/loaders.js';
import type { FormValueRef } from '../../entities/bot-card.js';

/** A button that was pressed, or a form that was filled in. */
export interface CallbackRow {
  id: string;
  botId: string;
  userId: string;
  chatId: string;
  seq: number;
  button: string | null;
  payload: string | null;
  values: FormValueRef[] | null;
  createdAt: Date;
  expiresAt: Date;
  answeredAt: Date | null;
  notice: string | null;
  alert: boolean | null;
}
export const CALLBACK_COLUMNS = `c.id, c.bot_id as "botId", c.user_id as "userId", c.chat_id as "chatId", c.seq, c.button, c.payload, c."values", c.created_at as "createdAt", c.expires_at as "expiresAt",
  c.answered_at as "answeredAt", c.notice, c.alert`;

const CALLBACKS = keyed<CallbackRow>(`select ${CALLBACK_COLUMNS} from bot_callbacks c where c.id = any($1)`);
/** Whoever may hear of it: its bot, and of the answer whoever it was. */
export const callbackById: LoaderDef<string, CallbackRow> = {
  async batch(ids, { sql }) {
    return inOrder(ids, await CALLBACKS(sql, ids), (row) => row.id);
  },
};
