import { inOrder, type LoaderDef } from '../../db/loaders.js';
import { RECEIPTS_BY_MEMBER } from '../receipts.js';

export interface ReceiptCounts {
  recipientCount: number;
  deliveredCount: number;
  readCount: number;
}

export interface ReceiptKey {
  chatId: string;
  seq: number;
  senderId: string;
}
const receiptKey = ({ chatId, seq }: { chatId: string; seq: number }): string => `${chatId} ${seq}`;

/** Who of the others has received and read a message; null in chats of more than 100 members. */
export const receiptCounts: LoaderDef<ReceiptKey, ReceiptCounts> = {
  keyOf: receiptKey,
  async batch(keys, { sql }) {
    const rows = await sql<ReceiptCounts & { chatId: string; seq: number }>(
      `select k.chat_id as "chatId", k.seq, count(m.user_id)::int as "recipientCount", count(m.user_id) filter (where m.last_delivered_seq >= k.seq)::int as "deliveredCount",
              count(m.user_id) filter (where m.last_read_seq >= k.seq)::int as "readCount"
       from unnest($1::uuid[], $2::int[], $3::uuid[]) k(chat_id, seq, sender_id) join chats c on c.id = k.chat_id and c.member_count <= $4
       left join chat_members m on m.chat_id = k.chat_id and m.user_id <> k.sender_id and m.visible_from_seq <= k.seq
       group by k.chat_id, k.seq`,
      [keys.map((key) => key.chatId), keys.map((key) => key.seq), keys.map((key) => key.senderId), RECEIPTS_BY_MEMBER],
    );
    return inOrder(keys, rows, receiptKey, receiptKey);
  },
};
