import type { Sql } from '../../db/database.js';
import { hashInput, type UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError } from '../../lib/errors.js';
import { NIL_UUID } from '../../lib/ids.js';
import { directChat } from '../chats.js';
import type { MessageService } from '../messages.js';
import { lockPairs } from '../pairs.js';
import { insertBot } from './bots.js';

const HANDLES = ['assistant', 'omnitalk_assistant', 'the_omnitalk_assistant'];
const ABOUT = 'I work out sums, tell the time, keep things in mind for you, find messages of our chat, products and news.';
const GREETING = `Hello! I am the assistant that is always here. ${ABOUT} Add me to a group and mention me there, and I answer everybody.`;

/** The bot that comes with the product, in a chat of its own with everybody. */
export class AssistantService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly messages: Pick<MessageService, 'deliver'>,
  ) {}

  /** Makes it where there is none. Somebody may have its handle: then it takes another. */
  async ensure(): Promise<void> {
    for (const handle of HANDLES) {
      const [there] = await this.sql('select from bots where owner_id is null');
      if (there) return;
      try {
        await this.unitOfWork.run({ actorId: NIL_UUID, operation: 'ensureAssistant' }, async (tx) => {
          await tx.sql(`select pg_advisory_xact_lock(hashtext('built-in assistant'))`);
          const [made] = await tx.sql('select from bots where owner_id is null');
          if (!made) await insertBot(tx, null, handle, 'BUILT_IN', { displayName: 'Assistant', about: ABOUT, tools: ['SEARCH_MESSAGES', 'PRODUCTS', 'NEWS', 'ORDERS', 'CALCULATOR', 'DATE', 'REMEMBER'] });
        });
      } catch (error) {
        if (!(error instanceof DomainError && error.code === 'HANDLE_TAKEN')) throw error;
      }
    }
  }

  /** Its chat with a person, and its first words there: once. */
  async welcome(userId: string): Promise<void> {
    const [row] = await this.sql<{ id: string }>(
      `select b.id from bots b, users u where b.owner_id is null and u.id = $1 and u.kind = 'PERSON'
         and not exists (select from chats c where c.direct_key = least(b.id::text, $1::text) || ':' || greatest(b.id::text, $1::text))`,
      [userId],
    );
    if (!row) return;
    const chatId = await this.unitOfWork.run({ actorId: row.id, operation: 'welcome' }, async (tx) => {
      await lockPairs(tx.sql, row.id, [userId]);
      return directChat(tx, row.id, userId);
    });
    await this.messages.deliver(
      { chatId, senderId: row.id, idempotencyKey: `welcome:${chatId}`, inputHash: hashInput({ chatId }), kind: 'TEXT', text: GREETING, mentions: null, replyToSeq: null, threadRootSeq: null, forward: null, card: null },
      { poll: null, files: null },
    );
  }
}
